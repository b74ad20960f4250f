"""How far could a figure be off, given how few queries it comes from?

Paired differences and clusters after Miller 2024, "Adding Error Bars to Evals" (arXiv:2411.00640).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binomtest


class Interval(NamedTuple):
    """A confidence interval; arrays where several figures were resampled at once."""

    low: float
    high: float


class Estimate(NamedTuple):
    """A figure with its confidence interval."""

    value: float
    low: float
    high: float


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level}")


def wilson(k: int, n: int, level: float = 0.95) -> Interval:
    """Bound a proportion of k in n; the interval stays in 0..1 and has a width even for k = 0.

    Raises:
        ValueError: Unless 0 <= k <= n, n >= 1 and 0 < level < 1.

    Source: Wilson 1927, through `scipy.stats.binomtest`.
    """
    _check_level(level)
    if n < 1 or not 0 <= k <= n:
        raise ValueError(f"k must be 0..n with n at least 1, got k = {k}, n = {n}")
    found = binomtest(int(k), int(n)).proportion_ci(confidence_level=level, method="wilson")
    return Interval(float(found.low), float(found.high))


def bootstrap_mean(
    values: ArrayLike,
    cluster: ArrayLike | None = None,
    n_resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Bound a mean by the percentile bootstrap, drawing whole clusters where they are given.

    Args:
        values: Shape (n,) or (n, m): m figures of the same n rows, resampled together.
        cluster: What the rows are grouped by, shape (n,), such as the query when several orders are pooled.
        n_resamples: Draws; 2000 put the bounds within about 2 % of their width.
        seed: Makes the draws reproducible.
        level: Confidence, between 0 and 1.

    Returns:
        Floats, or arrays of shape (m,). Without variation both bounds are the mean.

    Raises:
        ValueError: If there are no values, one is not finite, or the cluster has another length.
    """
    _check_level(level)
    values = np.asarray(values, dtype=float)
    if values.size == 0 or not np.isfinite(values).all():
        raise ValueError(f"values must be finite and at least one, got {values.size} with a gap or none")
    table = values.reshape(len(values), -1)  # (n, m)
    groups = (
        np.arange(len(table)) if cluster is None else np.unique(np.asarray(cluster), return_inverse=True)[1]
    )
    if len(groups) != len(table):
        raise ValueError(f"cluster must have one entry a value ({len(table)}), got {len(groups)}")
    sizes = np.bincount(groups)  # (g,)
    sums = np.zeros((len(sizes), table.shape[1]))
    np.add.at(sums, groups, table)
    n_groups = len(sizes)
    # How often each cluster is drawn: one small matrix product then serves every figure.
    draws = np.random.default_rng(seed).multinomial(
        n_groups, np.full(n_groups, 1 / n_groups), size=n_resamples
    )
    means = (draws @ sums) / (draws @ sizes)[:, None]  # (n_resamples, m)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=0)
    if values.ndim == 1:
        return Interval(float(low[0]), float(high[0]))
    return Interval(low, high)


def estimate(values: ArrayLike, cluster: ArrayLike | None = None, seed: int = 0) -> Estimate:
    """Return a mean with its 95 % bootstrap interval, whole clusters drawn together.

    Where all values are 0 or all are 1 a bootstrap would claim certainty; Wilson's bounds for that many
    clusters stand there instead.

    Args:
        values: Numbers or booleans, shape (n,).
        cluster: Groups of values that are drawn together, shape (n,); by default each stands alone.
        seed: Makes the draws reproducible.

    Raises:
        ValueError: There is no value, or one is not finite.
    """
    values = np.asarray(values, dtype=float)
    mean = float(values.mean()) if values.size else float("nan")
    if mean in (0.0, 1.0) and (values == mean).all():
        n = len(values) if cluster is None else len(np.unique(np.asarray(cluster)))
        return Estimate(mean, *wilson(int(mean) * n, n))
    return Estimate(mean, *bootstrap_mean(values, cluster, seed=seed))


def paired_bootstrap(
    a: ArrayLike,
    b: ArrayLike,
    n_resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    cluster: ArrayLike | None = None,
) -> Interval:
    """Bound mean(b) - mean(a) over the same queries, for a metric in 0..1.

    Where all n differences are equal a bootstrap sees no variation and would claim certainty. Then a share w
    of the queries, the Wilson bound of 0 in n, is allowed to behave otherwise, up to a difference of -1 or
    1.

    Args:
        a: The metric under the reference, shape (n,) or (n, m).
        b: The metric under the layout, same shape.
        n_resamples: Draws of the bootstrap.
        seed: Makes the draws reproducible.
        level: Confidence, between 0 and 1.
        cluster: Groups of rows that are drawn together, shape (n,); see `bootstrap_mean`.

    Returns:
        Bounds in -1..1: floats, or arrays of shape (m,).

    Raises:
        ValueError: If the shapes differ, a value lies outside 0..1, or as `bootstrap_mean` does.
    """
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape:
        raise ValueError(f"a and b must be paired, got shapes {a.shape} and {b.shape}")
    if ((a < 0) | (a > 1) | (b < 0) | (b > 1)).any():
        raise ValueError(
            f"the metric must lie in 0..1, got {min(a.min(), b.min())} to {max(a.max(), b.max())}"
        )
    difference = b - a
    found = bootstrap_mean(difference, cluster, n_resamples, seed, level)
    n_independent = len(difference) if cluster is None else len(np.unique(np.asarray(cluster)))
    is_constant = np.ptp(difference, axis=0) < 1e-12
    unseen = wilson(0, n_independent, level).high
    mean = difference.mean(axis=0)
    low = np.where(is_constant, mean - unseen * (1 + mean), found.low)
    high = np.where(is_constant, mean + unseen * (1 - mean), found.high)
    return Interval(float(low), float(high)) if difference.ndim == 1 else Interval(*np.stack([low, high]))
