"""What flips between masks of one picture under several layouts of the examples, and which examples to take.

| word | meaning here |
|---|---|
| pixel flip | a pixel whose label differs between two layouts |
| prediction change | flipped pixels / pixels that either of the two masks marks |
| agreement | how often layouts give a pixel the label that most of them give it |
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lab.stats.intervals import estimate

_N_RESAMPLES = 2_000
_SURE, _GUESS = 0.95, 0.6


@dataclass(frozen=True)
class Recommendation:
    """Which set of examples to take.

    Args:
        layout: The set with the best mean.
        mean: Its mean IoU over queries.
        low: Lower end of a 95 % interval of it that resamples queries.
        high: Upper end.
        p_best: How often it is the best when queries are resampled: 1 is sure, 1 / n_layouts a guess.
        rival: The set that is best next often; "" where there is one set only.
    """

    layout: str
    mean: float
    low: float
    high: float
    p_best: float
    rival: str

    @property
    def sureness(self) -> str:
        """Say in a word how sure it is that this layout is the best."""
        return "surely" if self.p_best > _SURE else "perhaps" if self.p_best < _GUESS else "probably"


def iou(found: np.ndarray, truth: np.ndarray, n_classes: int = 1) -> np.ndarray:
    """Return intersection over union of each class, shape (n_classes,); NaN where neither marks it.

    Args:
        found: Labels, shape (height, width).
        truth: Labels, same shape.
        n_classes: Classes, from label 1.
    """
    if found.shape != truth.shape:
        raise ValueError(f"masks must have the same shape, got {found.shape} and {truth.shape}")
    values = np.full(n_classes, np.nan)
    for label in range(1, n_classes + 1):
        either = ((found == label) | (truth == label)).sum()
        if either:
            values[label - 1] = ((found == label) & (truth == label)).sum() / either
    return values


def pixel_flips(mask: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Say which pixels have another label, bool, same shape."""
    if mask.shape != reference.shape:
        raise ValueError(f"masks must have the same shape, got {mask.shape} and {reference.shape}")
    return mask != reference


def prediction_change(mask: np.ndarray, reference: np.ndarray) -> float:
    """Return flipped pixels as a share of those that either mask marks; 0 where neither marks any.

    Of two masks of one class it is 1 - IoU: the ground, which is most of a picture, does not dilute it.
    """
    marked = ((mask > 0) | (reference > 0)).sum()
    return float(pixel_flips(mask, reference).sum() / marked) if marked else 0.0


def flip_map(masks: Sequence[np.ndarray], reference: np.ndarray) -> np.ndarray:
    """Return how many of the masks differ from the reference at each pixel, as a share, float32."""
    if not masks:
        return np.zeros(reference.shape, np.float32)
    return np.mean([pixel_flips(mask, reference) for mask in masks], axis=0).astype(np.float32)


def agreement(masks: Sequence[np.ndarray]) -> np.ndarray:
    """Return at each pixel the share of masks that give it its commonest label, float32, 1 / n to 1."""
    if not masks:
        raise ValueError("there is no mask to agree with another")
    stacked = np.stack(masks)
    counts = [(stacked == label).mean(axis=0) for label in np.unique(stacked)]
    return np.max(counts, axis=0).astype(np.float32)


def confidence(masks: Sequence[np.ndarray]) -> float:
    """Return the mean agreement over pixels that any mask marks; 1 where none marks any.

    Where no truth is known it stands in for it: examples that contradict each other can't all be right.
    """
    is_marked = np.any(np.stack(masks) > 0, axis=0)
    return float(agreement(masks)[is_marked].mean()) if is_marked.any() else 1.0


def recommend(scores: Mapping[str, Sequence[float]], seed: int = 0) -> Recommendation:
    """Recommend the set of examples with the best mean, and say how sure that is.

    Args:
        scores: By layout a score for every query, in the same order of queries; larger is better.
        seed: Seeds the resampling.

    Raises:
        ValueError: No layout, no query, or numbers of queries that differ.
    """
    names = list(scores)
    if not names or len({len(scores[name]) for name in names}) != 1 or not len(scores[names[0]]):
        raise ValueError("every layout needs a score for each of the same queries, and there must be one")
    table = np.array([scores[name] for name in names], float)  # (n_layouts, n_queries)
    n = table.shape[1]
    drawn = np.random.default_rng(seed).integers(n, size=(_N_RESAMPLES, n))
    means = table[:, drawn].mean(axis=2)  # (n_layouts, n_resamples)
    # of equal ones each counts for its part, so that p_best of two that never differ is a half
    is_best = means >= means.max(axis=0) - 1e-12
    p_best = (is_best / is_best.sum(axis=0)).mean(axis=1)
    best = int(table.mean(axis=1).argmax())
    found = estimate(table[best], seed=seed)
    others = [place for place in np.argsort(-p_best, kind="stable") if place != best]
    rival = names[others[0]] if others else ""
    return Recommendation(names[best], *found, float(p_best[best]), rival)
