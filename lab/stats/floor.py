"""How many flips does a change that means nothing produce?

The same layout run twice through differently batched passes gives the false-flip floor: in low precision the
batch's shape alone moves scores, and near-ties flip. A flip rate is worth little unless it stands above that.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lab.stats.flips import NEAR_TIE_NATS, answers
from lab.stats.intervals import wilson


@dataclass(frozen=True)
class Floor:
    """Flips between two passes that should agree.

    `rate` is n_flips / n in 0..1 and `high` its Wilson 95 % upper bound; `max_logp_difference` is the largest
    difference of a label score between the passes in nats, NaN for generated answers.
    """

    n: int
    n_flips: int
    rate: float
    high: float
    max_logp_difference: float


def false_flip_floor(first: pd.DataFrame, second: pd.DataFrame) -> Floor:
    """Compare two predictions tables of the same queries and layouts, run in differently batched passes.

    Raises:
        ValueError: If the tables hold different queries, layouts or labels.
    """
    said, again = answers(first), answers(second)
    for what, one, other in (("layouts", said.columns, again.columns), ("queries", said.index, again.index)):
        if set(one) != set(other):
            odd = sorted(map(str, set(one) ^ set(other)))[:3]
            raise ValueError(f"both passes must hold the same {what}, only one has {', '.join(odd)}")
    scores = [column for column in first if column.startswith("logp_")]
    if scores != [column for column in second if column.startswith("logp_")]:
        raise ValueError("both passes must score the same labels in the same order")
    again = again.reindex(index=said.index, columns=said.columns)
    n_flips, n = int((said != again).to_numpy().sum()), said.size
    keys = ["query_id", "layout"]
    moved = (first.set_index(keys)[scores] - second.set_index(keys)[scores]).abs().to_numpy(dtype=float)
    largest = float(np.nanmax(moved)) if np.isfinite(moved).any() else float("nan")
    return Floor(n, n_flips, n_flips / n, wilson(n_flips, n).high, largest)


def near_ties(predictions: pd.DataFrame, epsilon: float = NEAR_TIE_NATS) -> pd.Series:
    """Mark the rows whose best label is less than `epsilon` nats ahead of the next.

    Returns:
        Booleans named near_tie, aligned with the rows; False for generated answers, which have no margin.

    Raises:
        ValueError: If epsilon is negative.
    """
    if epsilon < 0:
        raise ValueError(f"epsilon must be 0 or more nats, got {epsilon}")
    return (predictions["margin"] < epsilon).rename("near_tie")
