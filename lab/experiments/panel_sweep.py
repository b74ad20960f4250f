"""Draw every set under every layout and read the asked panel: the batches of a run, and their rows."""

import base64
import io
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from lab.images.grid import SINGLE
from lab.images.layout import PanelLayout
from lab.images.sampler import Given, Mode, Settings, draw
from lab.images.sets import ImageSet, single_panels
from lab.runs.store import Row

if TYPE_CHECKING:
    import torch

    from lab.images.model import ImageModel

BATCH = 8  # canvases drawn together
AGAIN = "+again"  # the layout of canvases drawn once more, one at a time: the false-flip floor


@dataclass(frozen=True)
class Query:
    """A set whose asked panel is read.

    Args:
        id: Names the set and its seed.
        image_set: What should come out.
        seed: Of the noise, the same under every layout.
    """

    id: str
    image_set: ImageSet
    seed: int


@dataclass(frozen=True)
class Batch:
    """Queries under one layout, drawn together."""

    index: int
    layout: PanelLayout
    queries: tuple[Query, ...]
    is_again: bool = False

    @property
    def size(self) -> int:
        """Count the canvases."""
        return len(self.queries)


class PanelSweep:
    """All canvases of a run.

    Args:
        model: The model, its adapters weighed.
        probe: What reads panels.
        queries: Sets of one grid.
        layouts: Arrangements of their panels.
        asked: Which panel of a set is read, counted from 0.
        given: Which panels are given, a truth value each, or None to draw all.
        mode: How given panels enter.
        settings: Steps and guidance.
        n_again: Queries drawn once more in batches of one, under the first layout.
    """

    def __init__(
        self,
        model: "ImageModel",
        probe: "torch.nn.ModuleDict",
        queries: Sequence[Query],
        layouts: Sequence[PanelLayout],
        asked: int,
        given: tuple[bool, ...] | None = None,
        mode: Mode = "blend",
        settings: Settings = Settings(),
        n_again: int = 0,
    ) -> None:
        self.model, self.probe, self.queries, self.layouts = model, probe, list(queries), list(layouts)
        self.asked, self.given, self.mode, self.settings, self.n_again = asked, given, mode, settings, n_again

    @cached_property
    def batches(self) -> list[Batch]:
        """All batches: a few queries under every layout before the next ones, so that a stopped run is paired."""
        planned = [
            (layout, tuple(self.queries[start : start + BATCH]), False)
            for start in range(0, len(self.queries), BATCH)
            for layout in self.layouts
        ]
        planned += [(self.layouts[0], (query,), True) for query in self.queries[: self.n_again]]
        return [Batch(index, *each) for index, each in enumerate(planned)]

    def evaluate(self, batch: Batch) -> list[Row]:
        """Draw a batch and read it."""
        from lab.images.probe import read_panels

        started = time.perf_counter()
        panels, captions = self._drawn(batch)
        seconds = (time.perf_counter() - started) / batch.size
        asked = np.stack([batch.layout.back(each)[self.asked] for each in panels])
        reading = read_panels(asked, self.probe)
        rows = []
        for place, query in enumerate(batch.queries):
            truth = query.image_set.panels[self.asked]
            assert truth is not None  # sets of the shipped tasks always know
            word, style = reading.words[place], reading.styles[place]
            best, second = reading.similarity[place][reading.ranked[place, :2]]
            rows.append(
                Row(
                    query_id=query.id,
                    layout=batch.layout.id + (AGAIN if batch.is_again else ""),
                    prediction=shown(word, style),
                    gold=shown(truth.word, truth.style),
                    correct=float((word, style) == (truth.word, truth.style)),
                    margin=float(best - second),
                    logp={},
                    n_tokens=self.model.n_tokens(query.image_set.grid),
                    seconds=seconds,
                    prompt=captions[place],
                    answer=as_png(query.image_set.grid.join(panels[place])),
                )
            )
        return rows

    def _drawn(self, batch: Batch) -> tuple[np.ndarray, list[str]]:
        """Return panels in their places, shape (n, n_panels, side, side, 3), and the captions that were read."""
        if batch.layout.change == "alone":
            return self._drawn_alone(batch)
        grid = batch.queries[0].image_set.grid
        captions = [batch.layout.caption(query.image_set) for query in batch.queries]
        seeds = [query.seed for query in batch.queries]
        ids = "panel" if batch.layout.change == "panel-ids" else "canvas"
        settings = Settings(self.settings.n_steps, self.settings.guidance, ids)
        given = None
        if self.given is not None:
            truth = [grid.join(np.stack(batch.layout.arranged(query.image_set.pixels))) for query in batch.queries]
            given = Given(np.stack(truth), tuple(batch.layout.arranged(self.given)), self.mode)
        return draw(self.model, captions, grid, seeds, settings, given, BATCH), captions

    def _drawn_alone(self, batch: Batch) -> tuple[np.ndarray, list[str]]:
        """Draw each panel on a canvas of its own, from a text that names what it shows; one given is shown as is."""
        apart = [single_panels(query.image_set) for query in batch.queries]
        panels = []
        for panel in range(len(apart[0])):
            texts = [singles[panel].caption for singles in apart]
            if self.given is not None and self.given[panel]:
                panels.append(np.stack([query.image_set.pixels[panel] for query in batch.queries]))
            else:
                seeds = [query.seed + panel for query in batch.queries]
                panels.append(draw(self.model, texts, SINGLE, seeds, self.settings, batch=BATCH)[:, 0])
        captions = [" | ".join(batch.layout.arranged([each.caption for each in singles])) for singles in apart]
        by_panel = np.stack(panels, axis=1)
        return by_panel[:, list(batch.layout.places)], captions


def shown(word: str, style: str) -> str:
    """Write what a panel shows as one answer.

    >>> shown("fox", "flat")
    'fox · flat'
    """
    return f"{word} · {style}"


def as_png(canvas: np.ndarray) -> str:
    """Write a canvas as a data URL, without loss."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(canvas).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def from_png(answer: str) -> np.ndarray:
    """Read what `as_png` wrote, RGB, uint8, shape (height, width, 3)."""
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(base64.b64decode(answer.partition(",")[2]))).convert("RGB"))
