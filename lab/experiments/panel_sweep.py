"""Draw every set in every arm of a comparison and read what came out: batches and their rows."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from lab.images.grid import SINGLE
from lab.images.layout import PanelLayout
from lab.images.panels import Panel
from lab.images.pictures import as_png
from lab.images.sampler import Given, Ids, Mode, Settings, draw
from lab.images.sets import ImageSet, single_panels
from lab.runs.store import Row

if TYPE_CHECKING:
    import torch

    from lab.images.model import ImageModel
    from lab.images.probe import Reading

BATCH = 8  # canvases drawn together
N_AGAIN = 16  # sets of the first arm that are drawn once more, one canvas at a time: the false-flip floor
AGAIN = "+again"  # ends the id of that arm then


@dataclass(frozen=True)
class Query:
    """A set to be drawn.

    Args:
        id: Names the set and its seed.
        image_set: What should come out.
        seed: Of the noise, the same in every arm.
    """

    id: str
    image_set: ImageSet
    seed: int


@dataclass(frozen=True)
class Arm:
    """One way of drawing the same sets; its id is the run's layout.

    Args:
        id: Its name in tables and figures.
        layout: Where the panels stand.
        loras: Strength by LoRA; empty draws with the base alone.
        given: Which panels are given, a truth value each in the set's own order; None draws all.
        mode: How given panels enter.
    """

    id: str
    layout: PanelLayout
    loras: Mapping[str, float] = field(default_factory=dict, hash=False)
    given: tuple[bool, ...] | None = None
    mode: Mode = "blend"


@dataclass(frozen=True)
class Batch:
    """Sets of one arm, drawn together."""

    index: int
    arm: Arm
    queries: tuple[Query, ...]
    is_again: bool = False

    @property
    def size(self) -> int:
        """Count the canvases."""
        return len(self.queries)


class PanelSweep:
    """All canvases of a run.

    Args:
        probe: What reads panels.
        queries: Sets of one grid.
        arms: Ways of drawing them.
        asked: Which panels are read, counted from 0; an answer is right if all of them are.
        settings: Steps and guidance.
    """

    def __init__(
        self,
        probe: "torch.nn.ModuleDict",
        queries: Sequence[Query],
        arms: Sequence[Arm],
        asked: Sequence[int],
        settings: Settings,
    ) -> None:
        self.probe, self.queries, self.arms = probe, list(queries), list(arms)
        self.asked, self.settings = list(asked), settings

    @cached_property
    def batches(self) -> list[Batch]:
        """All batches: a few sets in every arm before the next ones, so that a stopped run is paired."""
        planned = [
            (arm, tuple(self.queries[start : start + BATCH]), False)
            for start in range(0, len(self.queries), BATCH)
            for arm in self.arms
        ]
        planned += [(self.arms[0], (query,), True) for query in self.queries[:N_AGAIN]]
        return [Batch(index, *each) for index, each in enumerate(planned)]

    def evaluate(self, batch: Batch) -> list[Row]:
        """Draw a batch and read it."""
        from lab.images.probe import read_panels
        from lab.images.shelf import load_weighed

        started = time.perf_counter()
        model = load_weighed(batch.arm.loras)
        places, captions = _drawn(model, batch, self.settings)
        seconds = (time.perf_counter() - started) / batch.size
        rows = []
        for query, panels, caption in zip(batch.queries, places, captions, strict=True):
            reading = read_panels(batch.arm.layout.back(panels)[self.asked], self.probe)
            rows.append(self._row(query, batch, reading, panels, caption, seconds))
        return rows

    def _row(
        self,
        query: Query,
        batch: Batch,
        reading: "Reading",
        panels: np.ndarray,
        caption: str,
        seconds: float,
    ) -> Row:
        truth = [query.image_set.panels[panel] for panel in self.asked]
        prediction = [shown(word, style) for word, style in zip(reading.words, reading.styles, strict=True)]
        gold = [shown(panel.word, panel.style) for panel in truth if isinstance(panel, Panel)]
        return Row(
            query_id=query.id,
            layout=batch.arm.id + (AGAIN if batch.is_again else ""),
            prediction=" | ".join(prediction),
            gold=" | ".join(gold),
            correct=float(prediction == gold),
            margin=math.nan,
            logp={},
            n_tokens=query.image_set.grid.n_tokens,
            seconds=seconds,
            prompt=caption,
            answer=as_png(query.image_set.grid.join(panels)),
        )


def _drawn(model: "ImageModel", batch: Batch, settings: Settings) -> tuple[np.ndarray, list[str]]:
    """Return panels in their places, uint8, (n, n_panels, side, side, 3), and the captions that were read."""
    arm = batch.arm
    if arm.layout.change == "alone":
        return _drawn_alone(model, batch, settings)
    grid = batch.queries[0].image_set.grid
    captions = [arm.layout.caption(query.image_set) for query in batch.queries]
    ids: Ids = "panel" if arm.layout.change == "panel-ids" else "canvas"
    given = None
    if arm.given is not None:
        truth = [grid.join(np.stack(arm.layout.arranged(query.image_set.pixels))) for query in batch.queries]
        given = Given(np.stack(truth), tuple(arm.layout.arranged(arm.given)), arm.mode)
    seeds = [query.seed for query in batch.queries]
    how = replace(settings, ids=ids)
    return draw(model, captions, grid, seeds, how, given, BATCH), captions


def _drawn_alone(model: "ImageModel", batch: Batch, settings: Settings) -> tuple[np.ndarray, list[str]]:
    """Draw each panel on a canvas of its own, from a text that names it; one given is shown as it is."""
    arm, apart = batch.arm, [single_panels(query.image_set) for query in batch.queries]
    panels = []
    for panel in range(len(apart[0])):
        if arm.given is not None and arm.given[panel]:
            panels.append(np.stack([query.image_set.pixels[panel] for query in batch.queries]))
            continue
        texts = [singles[panel].caption for singles in apart]
        seeds = [query.seed + panel for query in batch.queries]
        panels.append(draw(model, texts, SINGLE, seeds, settings, batch=BATCH)[:, 0])
    captions = [" | ".join(arm.layout.arranged([each.caption for each in singles])) for singles in apart]
    return np.stack(panels, axis=1)[:, list(arm.layout.places)], captions


def shown(word: str, style: str) -> str:
    """Write what a panel shows as one answer.

    >>> shown("fox", "flat")
    'fox · flat'
    """
    return f"{word} · {style}"
