"""An image set: panels that belong together, and the texts that describe them."""

import re
from dataclasses import dataclass

import numpy as np

from lab.images.caption import compose
from lab.images.grid import SINGLE, Grid
from lab.images.panels import SIDE, Panel

SAME = "the same thing"
"""What texts call a concept that another panel of the set names."""
_CHARACTER = re.compile(r"<[^<>\s]+>")


@dataclass(frozen=True, eq=False)
class ImageSet:
    """One training example of a task: a canvas of related panels with a joint caption.

    Args:
        grid: How the panels share the canvas.
        pixels: RGB, uint8, shape (n_panels, 64, 64, 3), in reading order.
        texts: A text a panel.
        summary: What leads the caption; "" for none.
        markers: A marker a panel; None for those of the grid.
        panels: The concept that each panel shows, its style, background and size, where known; an accessory,
            an effect or the thing that it is printed on is not told. None for pictures from elsewhere.
        name: What lists call it.

    Raises:
        ValueError: If these do not fit each other.
    """

    grid: Grid
    pixels: np.ndarray
    texts: tuple[str, ...]
    summary: str
    markers: tuple[str, ...] | None
    panels: tuple[Panel | None, ...]
    name: str

    def __post_init__(self):
        n = self.grid.n_panels
        if self.pixels.shape != (n, SIDE, SIDE, 3) or self.pixels.dtype != np.uint8:
            raise ValueError(
                f"pixels must be uint8 of shape {(n, SIDE, SIDE, 3)}, "
                f"got {self.pixels.dtype} {self.pixels.shape}"
            )
        for what, given in (("texts", self.texts), ("markers", self.markers), ("panels", self.panels)):
            if given is not None and len(given) != n:
                raise ValueError(f"{n} panels need as many {what}, got {len(given)}")

    @property
    def caption(self) -> str:
        """Join the texts into the caption that a model reads."""
        return compose(self.texts, self.grid, self.summary, self.markers)

    @property
    def canvas(self) -> np.ndarray:
        """Lay the panels out, RGB, uint8, shape (rows · 64, columns · 64, 3)."""
        return self.grid.join(self.pixels)


def single_panels(image_set: ImageSet) -> list[ImageSet]:
    """Take a set apart: the same pixels a panel at a time, each with its own text, as for an ordinary LoRA.

    A text that leans on another panel ("the same thing", or a character's bare name) is given the concept's
    word, where that is known: alone it would say less than the joint caption does.
    """
    return [
        ImageSet(
            grid=SINGLE,
            pixels=image_set.pixels[place : place + 1],
            texts=(_alone(text, panel),),
            summary="",
            markers=None,
            panels=(panel,),
            name=f"{image_set.name}, panel {place + 1}",
        )
        for place, (text, panel) in enumerate(zip(image_set.texts, image_set.panels, strict=True))
    ]


def _alone(text: str, panel: Panel | None) -> str:
    if panel is None or re.search(rf"\b{re.escape(panel.word)}\b", text):
        return text
    if SAME in text:
        return text.replace(SAME, panel.word)
    return _CHARACTER.sub(lambda name: f"{name[0]} the {panel.word}", text, count=1)
