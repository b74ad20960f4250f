"""How the panels of a set can be arranged: their places, the order of their texts, how positions are counted.

| id | what |
|---|---|
| `1-2` | panel 1 stands first, as the task is tuned |
| `2-1` | panel 2 stands first; the markers follow the places |
| `+retold` | the caption describes the panels from the last place to the first |
| `+alone` | each panel is drawn alone, from a text that names what it shows, without a joint caption |
| `+panel-ids` | positions are counted within each panel, its number on an axis of its own |
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lab.images.caption import compose
from lab.images.grid import Grid
from lab.images.sets import ImageSet

CHANGES = ("retold", "alone", "panel-ids")


@dataclass(frozen=True)
class PanelLayout:
    """One arrangement of a set's panels.

    Args:
        places: Which panel stands in each place, counted from 0, in reading order.
        change: One of `CHANGES`, or "" for none.
    """

    places: tuple[int, ...]
    change: str = ""

    def __post_init__(self):
        if sorted(self.places) != list(range(len(self.places))):
            raise ValueError(
                f"a layout names every panel once, got {'-'.join(str(p + 1) for p in self.places)}"
            )
        if self.change not in ("", *CHANGES):
            raise ValueError(f"a layout's change must be one of {', '.join(CHANGES)}, got {self.change!r}")

    @property
    def id(self) -> str:
        """Name the layout.

        >>> PanelLayout((1, 0), "retold").id
        '2-1+retold'
        """
        places = "-".join(str(place + 1) for place in self.places)
        return f"{places}+{self.change}" if self.change else places

    def caption(self, image_set: ImageSet) -> str:
        """Write the joint caption of a set laid out so; markers such as scenes stay with their panel."""
        texts = [image_set.texts[panel] for panel in self.places]
        markers = image_set.markers and [image_set.markers[panel] for panel in self.places]
        order = range(len(texts) - 1, -1, -1) if self.change == "retold" else None
        return compose(texts, image_set.grid, image_set.summary, markers, order)

    def arranged(self, by_panel: Sequence | np.ndarray) -> list:
        """Put what belongs to the panels in the order of their places."""
        return [by_panel[panel] for panel in self.places]

    def back(self, by_place: np.ndarray) -> np.ndarray:
        """Undo `arranged`: entry i of the result belongs to panel i."""
        return by_place[np.argsort(self.places)]


def parse_layout(text: str, n_panels: int) -> PanelLayout:
    """Read a layout's id.

    Raises:
        ValueError: If it is none for this number of panels; says what one looks like.
    """
    example = "-".join(map(str, range(1, n_panels + 1)))
    found = re.fullmatch(r"(\d(?:-\d)*)(?:\+([a-z-]+))?", text.strip())
    if found is None:
        raise ValueError(f"a layout is written like {example} or {example}+retold, got {text!r}")
    places = tuple(int(digit) - 1 for digit in found[1].split("-"))
    if len(places) != n_panels:
        raise ValueError(
            f"this task has {n_panels} panels, so a layout is written like {example}, got {text!r}"
        )
    return PanelLayout(places, found[2] or "")


def default_layouts(grid: Grid) -> tuple[str, ...]:
    """Return the ids that show each kind of rearrangement once: as tuned, turned round, and every change."""
    forward = tuple(range(grid.n_panels))
    plain = [PanelLayout(forward), PanelLayout(forward[::-1])]
    if grid.n_panels > 2:
        plain.append(PanelLayout((*forward[1:], forward[0])))
    return tuple(layout.id for layout in [*plain, *(PanelLayout(forward, change) for change in CHANGES)])
