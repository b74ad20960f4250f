"""Draw one panel: a concept in a style on a background, as captions describe it."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lab.images.concepts import STYLES
from lab.images.emoji import Atlas

SIDE = 64  # pixels of a panel's side in the embedded model
BACKGROUNDS = {
    "white": (255, 255, 255),
    "pink": (250, 200, 214),
    "yellow": (252, 232, 150),
    "mint": (190, 235, 205),
    "blue": (176, 212, 246),
    "lilac": (216, 198, 244),
    "grey": (200, 204, 210),
    "night": (38, 44, 84),
}
SIZES = {"small": 28, "medium": 42, "large": 58}
"""Pixels of the drawing in a panel of 64; captions leave "large" out, as they do "white"."""


@dataclass(frozen=True)
class Panel:
    """What one panel shows.

    Args:
        word: A concept.
        style: One of `STYLES`.
        background: One of `BACKGROUNDS`.
        size: One of `SIZES`.
    """

    word: str
    style: str
    background: str = "white"
    size: str = "large"

    def __post_init__(self):
        for name, known in (("style", STYLES), ("background", BACKGROUNDS), ("size", SIZES)):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, got {getattr(self, name)!r}")

    @property
    def text(self) -> str:
        """Describe the panel in the words that the base was trained on.

        >>> Panel("fox", "flat", "blue", "small").text
        'small fox, flat style, blue background'
        """
        size = "" if self.size == "large" else f"{self.size} "
        background = "" if self.background == "white" else f", {self.background} background"
        return f"{size}{self.word}, {self.style} style{background}"


def draw(panel: Panel, drawings: Atlas) -> np.ndarray:
    """Draw a panel, RGB, uint8, shape (64, 64, 3): the drawing in the middle of its background."""
    return place(drawings.drawing(panel.word, panel.style), BACKGROUNDS[panel.background], SIZES[panel.size])


def place(drawing: np.ndarray, background: tuple[int, int, int], size: int, side: int = SIDE) -> np.ndarray:
    """Put an RGBA drawing of any size in the middle of a plain square, RGB, shape (side, side, 3)."""
    scaled = _scaled(drawing.tobytes(), drawing.shape[0], size).astype(np.float32)
    canvas = np.empty((side, side, 3), np.float32)
    canvas[:] = background
    start = (side - size) // 2
    window = canvas[start : start + size, start : start + size]
    alpha = scaled[..., 3:] / 255
    window[:] = scaled[..., :3] * alpha + window * (1 - alpha)
    return canvas.round().astype(np.uint8)


@lru_cache(maxsize=4096)
def _scaled(data: bytes, side: int, size: int) -> np.ndarray:
    from PIL import Image

    image = Image.frombytes("RGBA", (side, side), data)
    # premultiplied: transparent pixels have no colour to bleed into the rim
    return np.asarray(image.convert("RGBa").resize((size, size), Image.Resampling.LANCZOS).convert("RGBA"))
