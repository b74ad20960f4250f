"""How much of one layout's gain over a base does another one reach?"""

import numpy as np
from numpy.typing import ArrayLike

from lab.stats.intervals import Estimate


def gain_ratio(
    base: ArrayLike,
    reference: ArrayLike,
    layout: ArrayLike,
    n_resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    cluster: ArrayLike | None = None,
) -> Estimate | None:
    """Return (layout - base) / (reference - base) of means, bounded by the paired percentile bootstrap.

    Args:
        base: The metric of every query under the base, shape (n,).
        reference: The same under the layout whose gain counts as 1.
        layout: The same under the layout in question.
        n_resamples: Draws of whole queries, or clusters.
        seed: Makes the draws reproducible.
        level: Confidence, between 0 and 1.
        cluster: Groups of queries that are drawn together, shape (n,).

    Returns:
        1 where the layout gains as much as the reference, 0 where it gains nothing, negative where it loses.
        None where the reference's own gain is not above 0 with this confidence: nothing to be a share of.

    >>> gain_ratio([0, 0, 0, 0], [1, 1, 1, 1], [1, 0, 1, 0]).value
    0.5
    """
    base, reference, layout = (np.asarray(values, dtype=float) for values in (base, reference, layout))
    gains = np.stack([reference - base, layout - base])  # (2, n)
    if gains.shape[1] == 0:
        return None
    if cluster is not None:
        groups = np.unique(np.asarray(cluster), return_inverse=True)[1]
        gains = np.stack([np.bincount(groups, weights=gain) for gain in gains])  # sums; ratios need no sizes
    n = gains.shape[1]
    draws = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=n_resamples)
    whole, part = draws @ gains.T[:, 0], draws @ gains.T[:, 1]
    if np.quantile(whole, (1 - level) / 2) <= 0:
        return None
    is_told = whole > 0  # all but a few of the lowest draws
    low, high = np.quantile(part[is_told] / whole[is_told], [(1 - level) / 2, (1 + level) / 2])
    return Estimate(float(gains[1].mean() / gains[0].mean()), float(low), float(high))
