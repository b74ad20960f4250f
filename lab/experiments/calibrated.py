"""What would a run have answered under calibrated scores? Recomputed from what is stored; no model is asked.

Contextual calibration: Zhao et al. 2021 (arXiv:2102.09690); batch calibration: Zhou et al. 2024
(arXiv:2309.17249).
"""

import pandas as pd

from lab.experiments.views import split_controls
from lab.stats.calibration import Method, recalibrate

NEEDS_LABELS = (
    "Calibration shifts label scores, and these answers were written: there are no scores to shift."
)
NEEDS_CONTENT_FREE = (
    "Contextual calibration needs the scores of inputs without content, and this run has none: "
    "run again with “Score content-free inputs”."
)


def obstacle(predictions: pd.DataFrame, method: Method) -> str:
    """Say why a run cannot be calibrated this way; "" where it can."""
    if method == "none":
        return ""
    if not any(column.startswith("logp_") for column in predictions):
        return NEEDS_LABELS
    asked, _, content_free = split_controls(predictions)
    has_all = set(asked["layout"]) <= set(content_free["layout"])
    return NEEDS_CONTENT_FREE if method == "contextual" and not has_all else ""


def calibrated(predictions: pd.DataFrame, method: Method) -> pd.DataFrame:
    """Recompute the predictions of a run of `lab.experiments.position` with calibrated scores.

    Answers that were given again, for the false-flip floor, are calibrated in the place of the first ones, so
    that the floor keeps measuring what batching alone changes.

    Args:
        predictions: A predictions table with its control rows.
        method: none leaves everything as it is.

    Returns:
        The table with prediction, correct, margin and logp_ columns recomputed, its rows grouped by kind.

    Raises:
        ValueError: If it cannot be done, with the reason (see `obstacle`).
    """
    if why := obstacle(predictions, method):
        raise ValueError(why)
    if method == "none":
        return predictions
    asked, again, content_free = split_controls(predictions)
    free = content_free if method == "contextual" else None
    parts = [recalibrate(asked, method, free)]
    for layout, rows in again.groupby("layout", sort=False):
        plain = str(layout).replace("+again", "")
        others = asked[(asked["layout"] == plain) & ~asked["query_id"].isin(rows["query_id"])]
        substituted = recalibrate(pd.concat([rows.assign(layout=plain), others]), method, free)
        parts.append(substituted.iloc[: len(rows)].assign(layout=layout))
    return pd.concat([*parts, content_free], ignore_index=True)
