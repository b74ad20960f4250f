"""Is the drawn region read as the subject, the more attention is shifted? A curve over strengths.

Subjects and targets are held-out concepts. The target shows another concept, which the mask covers; unless
the study names the subject, the caption says "the same thing", so that only the subject's panel tells what to
draw. Every strength draws the same pairs from the same seeds. Rows without a strength hold the subject itself
in the mask's place: they tell how well the probe reads a perfect drawing.

Source of the question: Xu et al. 2025, In-Context Brush (arXiv:2505.20271).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from lab.images.brush import SETTINGS, BrushStrength, Insertion, paint
from lab.images.concepts import STYLES, Concept, concepts
from lab.images.cutout import bounds, mask_of
from lab.images.emoji import Atlas
from lab.images.measures import EMPTY, estimate
from lab.images.model import ImageModel
from lab.images.panels import BACKGROUNDS, SIDE, Panel, draw
from lab.images.probe import load_probe, read_panels
from lab.images.sampler import Settings
from lab.images.sets import SAME
from lab.stats.intervals import Estimate

if TYPE_CHECKING:
    import torch

STRENGTHS = (0.0, 0.15, 0.3, 0.45, 0.6)
MASK = mask_of("rectangle", 12.5, 12.5, 75, 75)
"""Covers what a target shows, a drawing of medium size, and whole tokens."""


@dataclass(frozen=True)
class Pair:
    """A subject and the picture that it is to be put into, in one style."""

    subject: Panel
    target: Panel

    @property
    def truth(self) -> Panel:
        """Return the target with the subject in the place of what it shows."""
        return Panel(self.subject.word, self.subject.style, self.target.background, self.target.size)


@dataclass(frozen=True)
class BrushStudy:
    """What to draw for a curve.

    Args:
        n_pairs: Pairs of subject and target, 1 to 500.
        strengths: How far target tokens are shifted toward subject and text, each 0 to 1; heads are
            reweighted by two thirds of it, as published.
        is_named: Whether captions name the subject.
        seed: Draws the pairs; the noise of pair p is that of seed + p.
        settings: Steps and guidance.
    """

    n_pairs: int = 24
    strengths: tuple[float, ...] = STRENGTHS
    is_named: bool = False
    seed: int = 0
    settings: Settings = SETTINGS

    def __post_init__(self):
        if not 1 <= self.n_pairs <= 500:
            raise ValueError(f"n_pairs must be 1 to 500, got {self.n_pairs}")
        if not self.strengths:
            raise ValueError("strengths must name one or more, got none")
        if self.seed < 0:
            raise ValueError(f"seed must be 0 or more, got {self.seed}")
        for strength in self.strengths:
            at(strength)


@dataclass(frozen=True)
class BrushRow:
    """What the probe reads in the masked region of one picture.

    Args:
        pair: Its number.
        strength: How far attention was shifted; None where the subject itself stands there.
        subject: The subject's concept.
        replaced: The concept that the target showed before.
        read_word: The nearest concept.
        is_subject: Whether that is the subject, in a region that is not empty.
        similarity: Cosine with the subject's concept, -1 to 1.
    """

    pair: int
    strength: float | None
    subject: str
    replaced: str
    read_word: str
    is_subject: bool
    similarity: float


@dataclass(frozen=True)
class Point:
    """A strength's figures over all pairs, with 95 % intervals; strength None is the bound."""

    strength: float | None
    n: int
    retrieval: Estimate
    similarity: Estimate


def at(strength: float) -> BrushStrength:
    """Return the published proportions, 0.3, 0.3 and 0.2, at another shift.

    >>> at(0.3) == BrushStrength()
    True
    """
    return BrushStrength(strength, strength, round(strength * 2 / 3, 12))


def pairs_of(n: int, seed: int = 0) -> list[Pair]:
    """Draw pairs of different held-out concepts; the first pairs are the same whatever `n`."""
    held_out = [concept for concept in concepts() if concept.is_held_out]
    drawn = []
    for number in range(n):
        random = np.random.default_rng((seed, number))
        subject, other = (held_out[place] for place in random.permutation(len(held_out))[:2])
        style = _one([style for style in STYLES if style not in _unseen(subject, other)], random)
        grounds = [ground for ground in BACKGROUNDS if ground != "night" or style != "outline"]
        ground = _one(grounds, random)
        drawn.append(Pair(Panel(subject.word, style), Panel(other.word, style, ground, "medium")))
    return drawn


def brush_rows(
    model: ImageModel, drawings: Atlas, study: BrushStudy, probe: "torch.nn.ModuleDict | None" = None
) -> Iterator[BrushRow]:
    """Draw every pair at every strength and read it, a picture a row, pair by pair; None is first.

    Args:
        model: A model with a fill branch.
        drawings: What subjects and targets are made of.
        study: What to draw.
        probe: What reads; by default the one that comes with the lab.

    Raises:
        ValueError: The model has no fill branch.
        WeightsError: The probe's weights are missing.
    """
    probe = load_probe() if probe is None else probe
    for number, pair in enumerate(pairs_of(study.n_pairs, study.seed)):
        yield row_of(draw(pair.truth, drawings), pair, number, None, probe)
        insertion = insertion_of(pair, drawings, study.is_named)
        for strength in study.strengths:
            drawn = paint(model, insertion, study.seed + number, study.settings, at(strength))
            yield row_of(drawn, pair, number, strength, probe)


def insertion_of(pair: Pair, drawings: Atlas, is_named: bool) -> Insertion:
    """Ask for a pair's subject in the place of what its target shows."""
    above, below = (
        panel.text if is_named else panel.text.replace(panel.word, SAME, 1)
        for panel in (pair.subject, pair.truth)
    )
    return Insertion(draw(pair.subject, drawings), draw(pair.target, drawings), MASK, below, above)


def row_of(
    picture: np.ndarray, pair: Pair, number: int, strength: float | None, probe: "torch.nn.ModuleDict"
) -> BrushRow:
    """Read the masked region of one picture, uint8, shape (64, 64, 3)."""
    reading = read_panels(crop(picture, MASK)[None], probe)
    place = [concept.word for concept in concepts()].index(pair.subject.word)
    word = reading.words[0]
    is_subject = word == pair.subject.word and bool(reading.p_empty[0] < EMPTY)
    similarity = float(reading.similarity[0, place])
    return BrushRow(number, strength, pair.subject.word, pair.target.word, word, is_subject, similarity)


def crop(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Cut the smallest square around a mask out of a panel, scaled to a panel, uint8, shape (64, 64, 3)."""
    side = len(mask)
    left, top, right, bottom = bounds(mask)
    length = max(right - left, bottom - top)
    left = min(max(0, (left + right - length) // 2), side - length)
    top = min(max(0, (top + bottom - length) // 2), side - length)
    window = Image.fromarray(np.ascontiguousarray(picture[top : top + length, left : left + length]))
    return np.array(window.resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def brush_curve(rows: Iterable[BrushRow]) -> list[Point]:
    """Gather rows by strength, the bound first, then from the weakest on."""
    known = list(rows)
    strengths = {row.strength for row in known}
    points = []
    for strength in sorted(strengths, key=lambda each: -1.0 if each is None else each):
        at_it = [row for row in known if row.strength == strength]
        retrieval = estimate([row.is_subject for row in at_it])
        similarity = estimate([row.similarity for row in at_it])
        points.append(Point(strength, len(at_it), retrieval, similarity))
    return points


def _unseen(*known: Concept) -> set[str]:
    return {concept.unseen_style for concept in known}


def _one(choices: list[str], random: np.random.Generator) -> str:
    return choices[random.integers(len(choices))]
