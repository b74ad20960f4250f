"""Is one layout better than another, or is it chance?

Layouts are compared on the same queries, so every test is paired: the exact McNemar test for 0/1 metrics,
Wilcoxon's signed-rank test for graded ones, Cochran's Q over all layouts, Holm's correction over the
comparisons made. Accuracy change and prediction change are those of Cobbina & Zhou 2025 (arXiv:2507.22887).
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import wilcoxon
from statsmodels.stats.contingency_tables import cochrans_q, mcnemar
from statsmodels.stats.multitest import multipletests

from lab.stats.flips import RIGHT_FROM, answers, check_layouts, kinds_against, layouts_of, right, wide
from lab.stats.intervals import Interval, estimate, paired_bootstrap, wilson

Test = Literal["exact McNemar", "Wilcoxon signed-rank"]
Cluster = Callable[[str], str]
"""Names the group of a query: queries of one group are resampled together. Tests stay by query."""


@dataclass(frozen=True)
class Comparison:
    """A layout against a reference layout, on the same n queries.

    Args:
        reference: The layout that is compared with.
        layout: The layout in question.
        n: Queries asked under both.
        metric_reference: Mean of `correct` under the reference, 0..1.
        metric_layout: Mean of `correct` under the layout.
        metric_change: metric_layout - metric_reference.
        ci_low: Lower bound of the change, 95 % paired bootstrap.
        ci_high: Its upper bound.
        n_flips: Queries whose answer differs.
        prediction_change: n_flips / n.
        prediction_change_low: Its lower Wilson 95 % bound.
        prediction_change_high: Its upper bound.
        n_broken: Queries right→wrong.
        n_fixed: Queries wrong→right.
        n_other: Other flips: wrong→other wrong, and right→other right in generated text.
        p: Two-sided p-value of the test.
        p_holm: The same after Holm's correction over the comparisons made together.
        test: The test that gave p.
        n_unparsed: Answers under the layout that could not be read.
    """

    reference: str
    layout: str
    n: int
    metric_reference: float
    metric_layout: float
    metric_change: float
    ci_low: float
    ci_high: float
    n_flips: int
    prediction_change: float
    prediction_change_low: float
    prediction_change_high: float
    n_broken: int
    n_fixed: int
    n_other: int
    p: float
    p_holm: float
    test: Test
    n_unparsed: int


class CochranQ(NamedTuple):
    """Cochran's Q with its degrees of freedom and p-value."""

    q: float
    df: int
    p: float


def exact_mcnemar(n_broken: int, n_fixed: int) -> float:
    """Test whether right→wrong and wrong→right are equally likely: exact, two-sided.

    >>> round(exact_mcnemar(10, 20), 4)
    0.0987
    """
    return float(mcnemar([[0, n_broken], [n_fixed, 0]], exact=True).pvalue)


def is_graded(predictions: pd.DataFrame) -> bool:
    """Tell whether the metric takes values between 0 and 1, as ROUGE does."""
    return not predictions["correct"].isin([0, 1]).all()


def _signed_rank(change: np.ndarray) -> float:
    return float(wilcoxon(change).pvalue) if np.any(change != 0) else 1.0


def _compare(
    predictions: pd.DataFrame, pairs: list[tuple[str, str]], seed: int, cluster: Cluster | None
) -> list[Comparison]:
    """Compare pairs (reference, layout), Holm-corrected over all of them."""
    if not pairs:
        return []
    metric = wide(predictions, "correct").astype(float)
    said, unparsed, graded = answers(predictions), _n_unparsed(predictions), is_graded(predictions)
    references, layouts = (list(names) for names in zip(*pairs, strict=True))
    low_high = paired_bootstrap(
        metric[references].to_numpy(),
        metric[layouts].to_numpy(),
        seed=seed,
        cluster=_groups(metric, cluster),
    )
    kinds = {name: kinds_against(said, metric >= RIGHT_FROM, name) for name in dict.fromkeys(references)}
    found = [
        _comparison(
            metric[reference],
            metric[layout],
            kinds[reference][layout],
            Interval(*interval),
            graded,
            unparsed[layout],
        )
        for (reference, layout), interval in zip(pairs, np.transpose(low_high), strict=True)
    ]
    if len(found) == 1:
        return found
    corrected = multipletests([each.p for each in found], method="holm")[1]
    return [replace(each, p_holm=float(p)) for each, p in zip(found, corrected, strict=True)]


def _comparison(
    start: pd.Series, to: pd.Series, kinds: pd.Series, interval: Interval, graded: bool, n_unparsed: int
) -> Comparison:
    """Fill in one comparison from the metric under both layouts; p_holm is left equal to p."""
    n, counts, change = len(start), kinds.value_counts(), (to - start).to_numpy()
    n_broken, n_fixed = int(counts.get("right→wrong", 0)), int(counts.get("wrong→right", 0))
    n_flips = n - int(counts.get("same", 0))
    flipped = wilson(n_flips, n)
    p = _signed_rank(change) if graded else exact_mcnemar(n_broken, n_fixed)
    return Comparison(
        reference=str(start.name),
        layout=str(to.name),
        n=n,
        metric_reference=float(start.mean()),
        metric_layout=float(to.mean()),
        metric_change=float(change.mean()),
        ci_low=float(interval.low),
        ci_high=float(interval.high),
        n_flips=n_flips,
        prediction_change=n_flips / n,
        prediction_change_low=flipped.low,
        prediction_change_high=flipped.high,
        n_broken=n_broken,
        n_fixed=n_fixed,
        n_other=n_flips - n_broken - n_fixed,
        p=p,
        p_holm=p,
        test="Wilcoxon signed-rank" if graded else "exact McNemar",
        n_unparsed=int(n_unparsed),
    )


def _n_unparsed(predictions: pd.DataFrame) -> pd.Series:
    return wide(predictions, "prediction").fillna("").eq("").sum()


def _groups(metric: pd.DataFrame, cluster: Cluster | None) -> list[str] | None:
    return None if cluster is None else [cluster(str(query)) for query in metric.index]


def compare_layouts(
    predictions: pd.DataFrame, reference: str, seed: int = 0, cluster: Cluster | None = None
) -> list[Comparison]:
    """Compare every other layout with a reference, Holm-corrected over them.

    Args:
        predictions: A predictions table with every query under every layout.
        reference: The layout to compare with.
        seed: Seed of the bootstrap.
        cluster: Which queries belong together; by default each stands alone.

    Returns:
        One `Comparison` a layout in order of appearance; empty if the reference is the only one.

    Raises:
        ValueError: If the reference is not in the table, or a cell is missing.
    """
    check_layouts(predictions, [reference])
    pairs = [(reference, layout) for layout in layouts_of(predictions) if layout != reference]
    return _compare(predictions, pairs, seed, cluster)


def pairwise(predictions: pd.DataFrame, seed: int = 0, cluster: Cluster | None = None) -> pd.DataFrame:
    """Compare all pairs of layouts, Holm-corrected over all of them.

    Returns:
        One row a pair, the columns those of `Comparison`; the reference is the layout that appears first.
    """
    found = _compare(predictions, list(combinations(layouts_of(predictions), 2)), seed, cluster)
    columns = [field.name for field in fields(Comparison)]
    return pd.DataFrame([asdict(each) for each in found], columns=columns)


def cochran_q(predictions: pd.DataFrame) -> CochranQ:
    """Test whether all layouts are right equally often; graded metrics count as right from one half.

    Returns:
        Q, df = n_layouts - 1, and p from the χ² approximation; Q = 0 and p = 1 where no query is right under
        some layouts only.

    Raises:
        ValueError: If there are fewer than two layouts.
    """
    is_right = right(predictions).to_numpy()
    n_layouts = is_right.shape[1]
    if n_layouts < 2:
        raise ValueError(f"Cochran's Q needs at least 2 layouts, got {n_layouts}")
    if (is_right == is_right[:, :1]).all():
        return CochranQ(0.0, n_layouts - 1, 1.0)
    found = cochrans_q(is_right.astype(int))
    return CochranQ(float(found.statistic), n_layouts - 1, float(found.pvalue))


def accuracy_table(
    predictions: pd.DataFrame, zero_shot: str = "none", seed: int = 0, cluster: Cluster | None = None
) -> pd.DataFrame:
    """Give each layout's metric, and its change against the zero-shot prompt.

    Args:
        predictions: A predictions table with every query under every layout.
        zero_shot: The layout that accuracy change is measured from; it may be absent.
        seed: Seed of the bootstrap.
        cluster: Which queries belong together; by default each stands alone.

    Returns:
        One row a layout: layout, n, metric, low, high (95 %: Wilson for 0/1 metrics of queries that stand
        alone, else the bootstrap), accuracy_change, change_low, change_high (paired bootstrap), p, p_holm (as
        in `compare_layouts`) and n_unparsed. The change columns are NaN for the zero-shot prompt, and
        everywhere if it is absent.
    """
    metric = wide(predictions, "correct").astype(float)
    unparsed = _n_unparsed(predictions)
    against = (
        {each.layout: each for each in compare_layouts(predictions, zero_shot, seed, cluster)}
        if zero_shot in metric
        else {}
    )
    graded, rows = is_graded(predictions), []
    for layout, values in metric.items():
        n = len(values)
        if graded or cluster is not None:
            _, low, high = estimate(values, _groups(metric, cluster), seed)
        else:
            low, high = wilson(int(values.sum()), n)
        each = against.get(layout)
        change = (
            (each.metric_change, each.ci_low, each.ci_high, each.p, each.p_holm) if each else (np.nan,) * 5
        )
        rows.append((layout, n, values.mean(), low, high, *change, int(unparsed[layout])))
    columns = [
        "layout",
        "n",
        "metric",
        "low",
        "high",
        "accuracy_change",
        "change_low",
        "change_high",
        "p",
        "p_holm",
    ]
    return pd.DataFrame(rows, columns=[*columns, "n_unparsed"])
