"""Draw what a person asks for: candidates of one set, with previews, the best by the probe in front."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from lab.images.caption import Finding, check, compose
from lab.images.concepts import concepts
from lab.images.grid import Grid
from lab.images.sampler import DEFAULT, Given, Mode, Settings, sample
from lab.images.vocabulary import split

if TYPE_CHECKING:
    import torch

    from lab.images.model import ImageModel
    from lab.images.probe import Reading

MAX_CANDIDATES = 8
PREVIEW_EVERY = 4  # steps


@dataclass(frozen=True)
class Order:
    """A set to be drawn.

    Args:
        grid: The canvas.
        texts: A text a panel.
        summary: What leads the caption.
        markers: A marker a panel; None takes the grid's.
        seed: Of the first candidate; the others follow it.
        n_candidates: 1 to 8.
        settings: Steps, guidance, positions.
        given: Pictures of given panels by place, uint8, shape (side, side, 3) each.
        mode: How given panels enter.
        is_embedded: Whether the embedded model draws it, or one of the hub, which reads longer captions.
    """

    grid: Grid
    texts: tuple[str, ...]
    summary: str = ""
    markers: tuple[str, ...] | None = None
    seed: int = 0
    n_candidates: int = 1
    settings: Settings = DEFAULT
    given: Mapping[int, np.ndarray] = field(default_factory=dict, hash=False)
    mode: Mode = "blend"
    is_embedded: bool = True

    def __post_init__(self):
        if not 1 <= self.n_candidates <= MAX_CANDIDATES:
            raise ValueError(f"n_candidates must be 1 to {MAX_CANDIDATES}, got {self.n_candidates}")
        if not 0 <= self.seed < 2**31:
            raise ValueError(f"seed must be 0 to {2**31 - 1}, got {self.seed}")
        if len(self.given) >= self.grid.n_panels:
            raise ValueError("every panel is given and none is left to draw: take one picture away")

    @property
    def caption(self) -> str:
        """Write the joint caption."""
        return compose(self.texts, self.grid, self.summary, self.markers)

    def findings(self) -> list[Finding]:
        """Say what is wrong or doubtful with the caption."""
        return check(self.caption, self.grid, self.markers, self.is_embedded)


@dataclass(frozen=True)
class Drawn:
    """Candidates at a step, or done.

    Args:
        step: Steps done.
        n_steps: Steps in all.
        panels: uint8, shape (n_candidates, n_panels, side, side, 3); at the end the best first.
        seeds: A seed a candidate, in the same order.
        scores: At the end how well each candidate matches its texts, by the probe, best first; else ().
    """

    step: int
    n_steps: int
    panels: np.ndarray
    seeds: tuple[int, ...]
    scores: tuple[float, ...] = ()

    @property
    def is_done(self) -> bool:
        """Tell whether these are the pictures."""
        return self.step == self.n_steps


def drawing(model: "ImageModel", order: Order, probe: "torch.nn.ModuleDict | None" = None) -> Iterator[Drawn]:
    """Draw an order, telling how it comes along; the last yield is done.

    Args:
        model: The model, its adapters weighed.
        order: What to draw.
        probe: Ranks the candidates; None leaves them in the order of their seeds.

    Raises:
        ValueError: The caption can't be used; says why.
    """
    if errors := [finding.message for finding in order.findings() if finding.is_error]:
        raise ValueError(" ".join(errors))
    seeds = tuple(order.seed + place for place in range(order.n_candidates))
    text = model.encode_text([order.caption], order.grid)
    for step in sample(model, text, order.grid, seeds, order.settings, _given(model, order)):
        if step.step % PREVIEW_EVERY and step.step < step.n_steps:
            continue
        panels = order.grid.split(model.to_pixels(step.packed, order.grid))
        if step.step < step.n_steps:
            yield Drawn(step.step, step.n_steps, panels, seeds)
            continue
        scores = _scores(panels, order, probe)
        best = np.argsort([-score for score in scores], kind="stable") if scores else np.arange(len(seeds))
        ranked = tuple(scores[place] for place in best) if scores else ()
        yield Drawn(step.step, step.n_steps, panels[best], tuple(seeds[place] for place in best), ranked)


def wanted(texts: Sequence[str]) -> list[str | None]:
    """Read from the texts which concept each panel should show; "the same thing" is the one named before it.

    >>> wanted(["<Mia> the fox, flat style", "<Mia>, blue background", "an owl"])
    ['fox', 'fox', 'owl']
    """
    found: list[str | None] = []
    for text in texts:
        named = mentioned(text)
        found.append(named or (found[0] if found else None))
    return found


def mentioned(text: str) -> str | None:
    """Return the concept that a text names, the longest where several fit; None where it names none."""
    tokens = split(text)
    fits = [
        concept.word
        for concept in concepts()
        if any(
            tokens[start : start + len(parts)] == parts
            for parts in [concept.word.lower().split()]
            for start in range(len(tokens))
        )
    ]
    return max(fits, key=lambda word: len(word.split()), default=None)


def match(reading: "Reading", texts: Sequence[str]) -> float:
    """Say how well panels match their texts: the mean cosine with the concepts that these name.

    Args:
        reading: Of the panels of one set.
        texts: A text a panel; panels whose concept can't be told do not count.
    """
    places = {concept.word: place for place, concept in enumerate(concepts())}
    cosines = [
        reading.similarity[panel, places[word]]
        for panel, word in enumerate(wanted(texts))
        if word is not None
    ]
    return float(np.mean(cosines)) if cosines else 0.0


def _scores(panels: np.ndarray, order: Order, probe: "torch.nn.ModuleDict | None") -> list[float]:
    from lab.images.probe import read_panels

    if probe is None or panels.shape[2] != 64:
        return []
    return [match(read_panels(each, probe), order.texts) for each in panels]


def _given(model: "ImageModel", order: Order) -> Given | None:
    if not order.given:
        return None
    side = model.side
    panels = np.full((order.grid.n_panels, side, side, 3), 255, np.uint8)
    for place, picture in order.given.items():
        panels[place] = picture
    is_given = tuple(place in order.given for place in range(order.grid.n_panels))
    return Given(order.grid.join(panels)[None], is_given, order.mode)
