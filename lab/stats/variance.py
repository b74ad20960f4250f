"""What does the outcome depend on: slot, order, the set of demonstrations, or the query?

A balanced factorial table is split exactly: the sums of squares of factors and interactions are orthogonal,
so types I, II and III agree and the shares sum to 1. Order against selection after Li et al. 2025
(arXiv:2511.09700).
"""

from itertools import combinations

import numpy as np
import pandas as pd

RESIDUAL = "residual"
TIMES = " \u00d7 "


def _balanced_array(table: pd.DataFrame, factors: list[str], value: str) -> np.ndarray:
    """Arrange the values as one axis a factor and a last axis of repeats."""
    for column in [*factors, value]:
        if column not in table:
            raise ValueError(
                f"factor or value must be one of {', '.join(map(str, table.columns))}, got {column!r}"
            )
    if not factors or len(set(factors)) < len(factors):
        raise ValueError(f"factors must be distinct and at least one, got {factors}")
    if table.empty or table[factors].isna().to_numpy().any():
        raise ValueError(f"every row must have a level of {', '.join(factors)}: leave out rows without one")
    levels = [table[factor].nunique() for factor in factors]
    sizes = table.groupby(factors, sort=True).size()
    if len(sizes) < np.prod(levels) or sizes.nunique() > 1:
        raise ValueError(
            f"the table must be balanced, but of {int(np.prod(levels))} combinations of {', '.join(factors)} "
            f"{len(sizes)} occur, {sizes.min()} to {sizes.max()} times each: keep complete levels"
        )
    values = table.sort_values(factors, kind="stable")[value].to_numpy(dtype=float)
    if not np.isfinite(values).all():
        raise ValueError(f"{value} must be finite in every row, got NaN or infinity")
    return values.reshape(*levels, -1)


def _effect(values: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """Keep what varies along these axes together: centre along them, average over all others."""
    for axis in range(values.ndim):
        mean = values.mean(axis=axis, keepdims=True)
        values = values - mean if axis in axes else mean
    return values


def decompose(table: pd.DataFrame, factors: list[str], value: str) -> pd.DataFrame:
    """Split the variation of a value over factors and their interactions.

    Args:
        table: One row an observation, with every combination of levels equally often.
        factors: Columns such as slot, order, demo_set, query_id; one with a single level explains nothing.
        value: The column to explain, such as correct or accuracy.

    Returns:
        One row a factor or interaction (names joined by a multiplication sign), fewest factors first, and a
        last row "residual": columns factor, sum_of_squares, eta2 (the share of the total; sums to 1), df.
        Without repeats the interaction of all factors cannot be told from noise and is the residual. Where
        nothing varies eta2 is NaN.

    Raises:
        ValueError: If a column is missing, a value is not finite, or the table is not balanced.
    """
    values = _balanced_array(table, factors, value)
    n_factors, has_repeats = len(factors), values.shape[-1] > 1
    rows = []
    for size in range(1, n_factors + has_repeats):
        for axes in combinations(range(n_factors), size):
            effect = _effect(values, axes)
            squares = float((effect**2).sum()) * values.size / effect.size
            df = int(np.prod([values.shape[axis] - 1 for axis in axes]))
            rows.append((TIMES.join(factors[axis] for axis in axes), squares, df))
    total = float(((values - values.mean()) ** 2).sum())
    rest = max(0.0, total - sum(squares for _, squares, _ in rows))
    rows.append((RESIDUAL, rest, values.size - 1 - sum(df for *_, df in rows)))
    split = pd.DataFrame(rows, columns=["factor", "sum_of_squares", "df"])
    is_constant = np.ptp(values) < 1e-12
    split.insert(
        2, "eta2", np.nan if is_constant else split["sum_of_squares"] / split["sum_of_squares"].sum()
    )
    return split


def _mean_spread(table: pd.DataFrame, within: str, over: str, value: str) -> float:
    cells = table.groupby([within, over], sort=True)[value].mean().unstack(over)
    if cells.isna().to_numpy().any():
        raise ValueError(f"every {within} must occur with every {over}: keep those that are complete")
    if cells.shape[1] < 2:
        raise ValueError(f"{over} must have at least 2 levels, got {cells.shape[1]}")
    return float(cells.std(axis=1, ddof=1).mean())


def sigma_order(
    table: pd.DataFrame, demo_set: str = "demo_set", order: str = "order", value: str = "accuracy"
) -> float:
    """Give the spread that reordering causes: the mean over sets of the standard deviation over orders.

    Several rows of a (set, order), such as queries, are averaged first. Sample standard deviation (n - 1).

    Raises:
        ValueError: If a (set, order) is missing or there is one order only.

    Source: Li et al. 2025 (arXiv:2511.09700).
    """
    return _mean_spread(table, demo_set, order, value)


def sigma_select(
    table: pd.DataFrame, demo_set: str = "demo_set", order: str = "order", value: str = "accuracy"
) -> float:
    """Give the spread that another selection causes: the mean over orders of the deviation over sets.

    As `sigma_order`, with sets and orders exchanged.

    Source: Li et al. 2025 (arXiv:2511.09700).
    """
    return _mean_spread(table, order, demo_set, value)
