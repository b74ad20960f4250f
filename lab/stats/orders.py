"""What does the order of the demonstrations do, and which of it is luck?

Sources: Lu et al. 2022 (arXiv:2104.08786), entropies that rank orders without labelled data; Zhao et al. 2021
(arXiv:2102.09690), majority label, recency and common token bias; Yauney & Mimno 2024 (arXiv:2404.13020), the
accuracy that the best of several guessing classifiers reaches.

`demo_labels` maps a layout's id to the labels of its demonstrations in the order shown, first to last.
"""

import warnings
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import logsumexp
from scipy.stats import binom, entropy, pearsonr, spearmanr

from lab.stats.calibration import label_distribution, labels_of, scores_of
from lab.stats.flips import answers, check_layouts, wide
from lab.stats.intervals import Estimate, bootstrap_mean

DemoLabels = Mapping[str, Sequence[str]]


class MajorityIndex(NamedTuple):
    """How far predictions follow the labels' counts among the demonstrations; NaN where it cannot be told.

    `correlation` is Pearson's, over layouts and labels, of a label's share among the demonstrations with its
    share of the predictions beyond its gold share. `excess` is that surplus for the commonest demonstration
    label, averaged over the `n_layouts` layouts that have a single commonest one.
    """

    correlation: float
    excess: float
    n_layouts: int


def expected_best_of_chance(n: int, p: float, t: int) -> float:
    """Give the expected best accuracy of t classifiers that guess independently on n queries.

    E[max] = (1/n) Σ_{k=1..n} (1 - F_{Bin(n,p)}(k-1)^t): what the best of t orders must beat.

    >>> round(expected_best_of_chance(100, 0.5, 24), 3)
    0.597

    Args:
        n: Queries.
        p: Probability of guessing one right, 0..1.
        t: Classifiers, such as orders tried.

    Raises:
        ValueError: If an argument is out of its range.

    Source: Yauney & Mimno 2024 (arXiv:2404.13020).
    """
    if n < 1 or t < 1 or not 0 <= p <= 1:
        raise ValueError(f"n and t must be at least 1 and p 0..1, got n = {n}, t = {t}, p = {p}")
    return float(np.mean(1 - binom.cdf(np.arange(n), n, p) ** t))


def global_entropy(predicted: Sequence[str]) -> float:
    """Give GlobalE in nats: the entropy of the predicted labels' shares, 0 if they are all the same.

    Raises:
        ValueError: If there are no predictions.

    Source: Lu et al. 2022 (arXiv:2104.08786), GlobalE; counts are not smoothed.
    """
    if not len(predicted):
        raise ValueError("predicted must hold at least one label, got none")
    return float(entropy(pd.Series(list(predicted)).value_counts().to_numpy()))


def local_entropy(logp: np.ndarray) -> float:
    """Give LocalE in nats: the mean entropy of the label distribution, 0..log n_labels.

    Args:
        logp: Label scores in nats, shape (n_queries, n_labels).

    Source: Lu et al. 2022 (arXiv:2104.08786), LocalE.
    """
    return float(entropy(label_distribution(logp), axis=1).mean())


def order_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Give accuracy and both entropies of each layout.

    Returns:
        One row a layout: layout, order (the part of its id after "@", "" if none), accuracy, global_entropy
        and local_entropy in nats. `entropy_correlations` says whether the entropies tell good orders from
        bad.

    Raises:
        ValueError: If labels were not scored, or a (query, layout) is missing.
    """
    metric = wide(predictions, "correct")
    rows = []
    for layout, accuracy in metric.mean().items():
        here = predictions[predictions["layout"] == layout]
        order = str(layout).partition("@")[2]
        entropies = global_entropy(here["prediction"]), local_entropy(scores_of(here))
        rows.append((layout, order, float(accuracy), *entropies))
    return pd.DataFrame(rows, columns=["layout", "order", "accuracy", "global_entropy", "local_entropy"])


def entropy_correlations(table: pd.DataFrame) -> pd.DataFrame:
    """Correlate each entropy of an `order_table` with accuracy over its orders.

    Returns:
        One row an entropy: entropy, n, spearman, spearman_p, pearson, pearson_p; NaN with fewer than 3
        orders or where accuracy or the entropy is the same in all.
    """
    rows = []
    for column in ("global_entropy", "local_entropy"):
        found = [np.nan] * 4
        if len(table) > 2 and np.ptp(table[column]) > 0 and np.ptp(table["accuracy"]) > 0:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # nearly constant input
                for place, correlate in ((0, spearmanr), (2, pearsonr)):
                    found[place : place + 2] = correlate(table[column], table["accuracy"])
        rows.append((column, len(table), *found))
    return pd.DataFrame(rows, columns=["entropy", "n", "spearman", "spearman_p", "pearson", "pearson_p"])


def _check_demo_labels(predictions: pd.DataFrame, demo_labels: DemoLabels) -> list[str]:
    """Return the layouts to read; their demonstrations must be equally many."""
    check_layouts(predictions, demo_labels)
    counts = sorted({len(labels) for labels in demo_labels.values()})
    if len(counts) != 1 or counts[0] == 0:
        raise ValueError(
            f"demo_labels must give equally many labels for every layout, got {counts or 'none'}"
        )
    return list(demo_labels)


def _log_odds(predictions: pd.DataFrame, layouts: list[str]) -> np.ndarray:
    """Log-odds of each label against all others, shape (n_labels, n_queries, n_layouts)."""
    labels = labels_of(predictions)
    if len(labels) < 2:
        raise ValueError(f"log-odds need at least 2 labels, got {len(labels)}")
    logp = np.stack([wide(predictions, f"logp_{label}")[layouts].to_numpy(dtype=float) for label in labels])
    others = [logsumexp(np.delete(logp, row, axis=0), axis=0) for row in range(len(labels))]
    return logp - np.stack(others)


def influence(predictions: pd.DataFrame, demo_labels: DemoLabels, seed: int = 0) -> pd.DataFrame:
    """Measure how a demonstration's label pulls the answer, by the place at which it stands.

    The effect for place j and label v is, for each query, the mean log-odds of v over the layouts with label
    v at j minus that over the layouts with another label there; then the mean over queries. With a fixed set
    of demonstrations v then stands elsewhere, so it contrasts places: a recency bias rises towards the last
    place.

    Args:
        predictions: A predictions table with logp_<label> columns.
        demo_labels: Labels by place for each layout to use; other layouts are left aside.
        seed: Seed of the bootstrap.

    Returns:
        One row a (place, label): place (from 0), label, effect (nats), low, high (95 %, queries resampled),
        n_with and n_without (layouts). NaN where all layouts or none have the label there.

    Raises:
        ValueError: If a layout has no predictions, or the layouts differ in their number of demonstrations.
    """
    layouts = _check_demo_labels(predictions, demo_labels)
    log_odds = _log_odds(predictions, layouts)
    shown = np.array([list(demo_labels[layout]) for layout in layouts], dtype=object)  # (n_layouts, n_places)
    rows, contrasts = [], []
    for place in range(shown.shape[1]):
        for row, label in enumerate(labels_of(predictions)):
            is_here = shown[:, place] == label
            n_with, n_without = int(is_here.sum()), int((~is_here).sum())
            rows.append({"place": place, "label": label, "n_with": n_with, "n_without": n_without})
            weights = np.where(is_here, 1 / max(n_with, 1), -1 / max(n_without, 1))
            contrasts.append(log_odds[row] @ weights)  # (n_queries,)
    table, values = pd.DataFrame(rows), np.stack(contrasts, axis=1)
    low, high = bootstrap_mean(values, seed=seed)
    table.insert(2, "effect", values.mean(axis=0))
    table.insert(3, "low", low)
    table.insert(4, "high", high)
    unknown = (table["n_with"] == 0) | (table["n_without"] == 0)
    table.loc[unknown, ["effect", "low", "high"]] = np.nan
    return table


def recency_index(predictions: pd.DataFrame, demo_labels: DemoLabels, seed: int = 0) -> Estimate:
    """Measure how much more often a label is predicted because it stands last.

    P(prediction = the last demonstration's label) - P(prediction = that label | it is not last), averaged
    over the layouts; 0 without recency bias, 1 if the last label is always repeated.

    Returns:
        The index in -1..1 with its 95 % interval over queries; NaN where every layout ends with the same
        label.

    Raises:
        ValueError: If a layout has no predictions, or the layouts differ in their number of demonstrations.

    Source: after the recency bias of Zhao et al. 2021 (arXiv:2102.09690), section 4; the index is ours.
    """
    layouts = _check_demo_labels(predictions, demo_labels)
    said = answers(predictions)[layouts].to_numpy()  # (n_queries, n_layouts)
    last = np.array([demo_labels[layout][-1] for layout in layouts], dtype=object)
    if len(set(last)) < 2:
        return Estimate(np.nan, np.nan, np.nan)
    surplus = np.zeros(len(said))
    for label in dict.fromkeys(last):
        hit, is_last = said == label, last == label
        surplus += hit[:, is_last].sum(axis=1) - is_last.sum() * hit[:, ~is_last].mean(axis=1)
    surplus /= len(layouts)
    return Estimate(float(surplus.mean()), *bootstrap_mean(surplus, seed=seed))


def majority_index(predictions: pd.DataFrame, demo_labels: DemoLabels) -> MajorityIndex:
    """Measure whether labels frequent among the demonstrations are predicted beyond their gold share.

    Raises:
        ValueError: If a layout has no predictions, or the layouts differ in their number of demonstrations.

    Source: after the majority label bias of Zhao et al. 2021 (arXiv:2102.09690), section 4; the index is
    ours.
    """
    layouts = _check_demo_labels(predictions, demo_labels)
    said, gold = answers(predictions), predictions.drop_duplicates("query_id")["gold"]
    labels = list(dict.fromkeys([*gold, *(label for shown in demo_labels.values() for label in shown)]))
    shown_share, surplus, excesses = [], [], []
    for layout in layouts:
        among = np.array([list(demo_labels[layout]).count(label) for label in labels]) / len(
            demo_labels[layout]
        )
        beyond = np.array([(said[layout] == label).mean() - (gold == label).mean() for label in labels])
        shown_share.append(among)
        surplus.append(beyond)
        if (among == among.max()).sum() == 1:
            excesses.append(beyond[among.argmax()])
    x, y = np.concatenate(shown_share), np.concatenate(surplus)
    varies = len(x) > 1 and np.ptp(x) > 1e-12 and np.ptp(y) > 1e-12
    correlation = float(np.corrcoef(x, y)[0, 1]) if varies else np.nan
    return MajorityIndex(correlation, float(np.mean(excesses)) if excesses else np.nan, len(excesses))


def common_token_prior(logp_content_free: np.ndarray) -> np.ndarray:
    """Give the label distribution without any content: which label the model prefers by itself.

    Args:
        logp_content_free: Scores of content-free inputs in nats, shape (n_inputs, n_labels).

    Returns:
        Probabilities, shape (n_labels,); they sum to 1. In a zero-shot prompt they show the common token
        bias, in a layout with demonstrations p_cf of contextual calibration.

    Source: Zhao et al. 2021 (arXiv:2102.09690), sections 4 and 5.
    """
    return label_distribution(logp_content_free).mean(axis=0)
