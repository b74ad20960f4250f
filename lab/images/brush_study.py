"""Pairs of a subject and a picture that it is to be put into, and where in the drawn picture to look for it.

Subjects and targets are held-out concepts. The target shows another concept, which the mask covers; unless
captions name the subject, they say "the same thing", so that only the subject's panel tells what to draw.

Source of the question: Xu et al. 2025, In-Context Brush (arXiv:2505.20271).
"""

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from lab.images.brush import BrushStrength, Insertion
from lab.images.concepts import STYLES, Concept, concepts
from lab.images.cutout import bounds, mask_of
from lab.images.emoji import Atlas
from lab.images.panels import BACKGROUNDS, SIDE, Panel, draw
from lab.images.sets import SAME

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


def insertion_of(pair: Pair, drawings: Atlas, is_named: bool, is_fitted: bool = True) -> Insertion:
    """Ask for a pair's subject in the place of what its target shows.

    Args:
        pair: Subject and target.
        drawings: What they are drawn from.
        is_named: Whether the captions name the subject.
        is_fitted: Whether the subject stands in its panel where it is to go, as large as it is to be.
    """
    subject = replace(pair.subject, size=pair.target.size) if is_fitted else pair.subject
    above, below = (
        panel.text if is_named else panel.text.replace(panel.word, SAME, 1) for panel in (subject, pair.truth)
    )
    return Insertion(draw(subject, drawings), draw(pair.target, drawings), MASK, below, above)


def crop(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Cut the smallest square around a mask out of a panel, scaled to a panel, uint8, shape (64, 64, 3)."""
    side = len(mask)
    left, top, right, bottom = bounds(mask)
    length = max(right - left, bottom - top)
    left = min(max(0, (left + right - length) // 2), side - length)
    top = min(max(0, (top + bottom - length) // 2), side - length)
    window = Image.fromarray(np.ascontiguousarray(picture[top : top + length, left : left + length]))
    return np.array(window.resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def _unseen(*known: Concept) -> set[str]:
    return {concept.unseen_style for concept in known}


def _one(choices: list[str], random: np.random.Generator) -> str:
    return choices[random.integers(len(choices))]
