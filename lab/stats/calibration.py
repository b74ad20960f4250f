"""Does a bias of the context, not the query, decide the label, and does taking it out help?

Sources: Zhao et al. 2021 (arXiv:2102.09690), contextual calibration; Zhou et al. 2024 (arXiv:2309.17249),
batch calibration. Both subtract one log-prior a layout: they shift the boundary between labels and cannot
turn it. Label scores of unequal length are normalised by length before they come here.
"""

from typing import Literal, get_args

import numpy as np
import pandas as pd
from scipy.special import log_softmax, logsumexp

from lab.stats.flips import layouts_of

Method = Literal["none", "contextual", "batch"]

METHODS: tuple[Method, ...] = get_args(Method)


def labels_of(predictions: pd.DataFrame) -> list[str]:
    """List the labels that were scored, in the order of their logp_ columns.

    Raises:
        ValueError: If there is no such column, as for generated answers.
    """
    labels = [column.removeprefix("logp_") for column in predictions if column.startswith("logp_")]
    if not labels:
        raise ValueError("predictions must have logp_<label> columns: generated answers hold no label scores")
    return labels


def scores_of(predictions: pd.DataFrame) -> np.ndarray:
    """Take the label scores out of a predictions table, nats, shape (n_rows, n_labels)."""
    return predictions[[f"logp_{label}" for label in labels_of(predictions)]].to_numpy(dtype=float)


def _normalised(logp: np.ndarray) -> np.ndarray:
    logp = np.asarray(logp, dtype=float)
    if logp.ndim != 2 or 0 in logp.shape:
        raise ValueError(f"logp must have shape (n_queries, n_labels), got {logp.shape}")
    if np.isnan(logp).any() or np.isposinf(logp).any():
        raise ValueError(
            "logp must hold log-probabilities, got NaN or infinity: score every label of every query"
        )
    if not np.isfinite(logp).any(axis=1).all():
        raise ValueError(f"row {int(np.argmin(np.isfinite(logp).any(axis=1)))} of logp holds no finite value")
    return log_softmax(logp, axis=1)


def label_distribution(logp: np.ndarray) -> np.ndarray:
    """Turn label scores into probabilities over the labels.

    Args:
        logp: Log-probabilities in nats, shape (n_queries, n_labels); they need not be normalised.

    Returns:
        Probabilities, same shape; each row sums to 1.

    Raises:
        ValueError: If a value is NaN or a row holds no finite value.

    Source: Zhao et al. 2021 (arXiv:2102.09690), section 5.
    """
    return np.exp(_normalised(logp))


def _without_prior(logp: np.ndarray, logp_prior_rows: np.ndarray) -> np.ndarray:
    """Divide out the mean distribution of other rows, in logs, and normalise again."""
    rows = _normalised(logp_prior_rows)
    log_prior = logsumexp(rows, axis=0) - np.log(len(rows))  # (n_labels,)
    if np.isneginf(log_prior).any():
        raise ValueError(
            f"label {int(np.argmin(log_prior))} has probability 0 in every row of the prior: leave it out"
        )
    return log_softmax(_normalised(logp) - log_prior, axis=1)


def contextual_calibration(logp: np.ndarray, logp_content_free: np.ndarray) -> np.ndarray:
    """Divide out what the context alone predicts: q ∝ W p with W = diag(p_cf)⁻¹ and b = 0.

    Args:
        logp: Scores of the queries in nats, shape (n_queries, n_labels).
        logp_content_free: Scores of content-free inputs ("N/A", "", "[MASK]") in the same context, shape
            (n_inputs, n_labels); p_cf is the mean of their distributions.

    Returns:
        Calibrated log-probabilities, shape (n_queries, n_labels); each row's exponentials sum to 1.

    Raises:
        ValueError: If the numbers of labels differ, or a label has no probability in any content-free input.

    Source: Zhao et al. 2021 (arXiv:2102.09690), section 5.
    """
    if np.shape(logp)[1:] != np.shape(logp_content_free)[1:]:
        raise ValueError(
            f"both must score the same labels, got shapes {np.shape(logp)}, {np.shape(logp_content_free)}"
        )
    return _without_prior(logp, logp_content_free)


def batch_calibration(logp: np.ndarray) -> np.ndarray:
    """Divide out the mean distribution of the batch itself: log p(y|x) - log mean_x p(y|x), normalised.

    Assumes that the labels are about equally frequent in the batch; see `balance_warning`.

    Args:
        logp: Scores of the batch in nats, shape (n_queries, n_labels).

    Returns:
        Calibrated log-probabilities, same shape; each row's exponentials sum to 1.

    Source: Zhou et al. 2024 (arXiv:2309.17249), section 3.
    """
    return _without_prior(logp, logp)


def _content_free_rows(content_free: pd.DataFrame | None, layout: str, labels: list[str]) -> np.ndarray:
    if content_free is None:
        raise ValueError("contextual calibration needs content_free: the scores of content-free inputs")
    if labels_of(content_free) != labels:
        raise ValueError(f"content_free must score the labels {', '.join(labels)} in this order")
    rows = content_free[content_free["layout"] == layout]
    if rows.empty:
        raise ValueError(f"content_free must have rows for every layout, got none for {layout!r}")
    return scores_of(rows)


def recalibrate(
    predictions: pd.DataFrame, method: Method, content_free: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Recompute a predictions table with calibrated label scores, each layout by itself; no model is asked.

    Args:
        predictions: A predictions table with logp_<label> columns.
        method: "contextual", "batch", or "none" for the plain label distribution.
        content_free: For "contextual": rows of content-free inputs with columns layout and logp_<label>.

    Returns:
        A copy with prediction, correct, margin (nats; NaN with a single label) and logp_ columns recomputed.
        Ties go to the label whose column stands first.

    Raises:
        ValueError: If the method is unknown, labels were not scored, or content-free scores are missing.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    labels, result = labels_of(predictions), predictions.reset_index(drop=True)
    logp = scores_of(result).copy()
    for layout in layouts_of(result):
        rows = np.flatnonzero(result["layout"] == layout)
        if method == "contextual":
            logp[rows] = contextual_calibration(logp[rows], _content_free_rows(content_free, layout, labels))
        elif method == "batch":
            logp[rows] = batch_calibration(logp[rows])
        else:
            logp[rows] = _normalised(logp[rows])
    ranked = np.sort(logp, axis=1)
    result["prediction"] = [labels[best] for best in logp.argmax(axis=1)]
    result["correct"] = (result["prediction"] == result["gold"]).astype(float)
    result["margin"] = ranked[:, -1] - ranked[:, -2] if len(labels) > 1 else np.nan
    for column, label in enumerate(labels):
        result[f"logp_{label}"] = logp[:, column]
    return result.set_axis(predictions.index)


def balance_warning(predictions: pd.DataFrame) -> str:
    """Say that batch calibration may hurt where the right answers are not about equally frequent.

    Returns:
        A sentence, or "" where every label is right for at least half and at most one and a half times its
        fair share of the queries.

    Source: Zhou et al. 2024 (arXiv:2309.17249): the batch mean stands for the bias only in a balanced batch.
    """
    labels = labels_of(predictions)
    gold = predictions.drop_duplicates("query_id")["gold"]
    shares = gold.value_counts(normalize=True).reindex(labels, fill_value=0.0)
    fair = 1 / len(labels)
    if shares.max() <= 1.5 * fair and shares.min() >= 0.5 * fair:
        return ""
    odd = shares.idxmax() if shares.max() > 1.5 * fair else shares.idxmin()
    return (
        f"Batch calibration takes the labels to be equally frequent, but {odd!r} is right for "
        f"{100 * shares[odd]:.0f} % of the queries (fair share {100 * fair:.0f} %): it may hurt here."
    )
