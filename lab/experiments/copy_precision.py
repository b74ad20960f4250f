"""Micro average precision of a run that looks for originals, with intervals that resample patterns."""

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lab.stats.intervals import Estimate
from lab.vision.copy_measures import micro_average_precision


def pattern_of(query_id: str) -> str:
    """Return the pattern of a query; queries of one pattern are no independent observations.

    >>> pattern_of("upside-down 12")
    'upside-down'
    """
    return query_id.rpartition(" ")[0]


def precision_table(
    answers: Mapping[tuple[str, str], str], gold: Mapping[str, str], arms: Sequence[str], seed: int = 0
) -> pd.DataFrame:
    """Compute micro average precision by arm, with its lead over the first arm.

    Args:
        answers: The ten nearest references of each query with their scores, by query id and arm.
        gold: The original of each query.
        arms: In their order; leads are against the first.
        seed: Of the bootstrap.

    Returns:
        Columns layout, micro_ap, low, high, lead, lead_low, lead_high: 95 % intervals resample patterns.
    """
    queries = [query for query in gold if all((query, arm) in answers for arm in arms)]
    ranked = {arm: [(json.loads(answers[query, arm]), int(gold[query])) for query in queries] for arm in arms}
    groups = [pattern_of(query) for query in queries]
    drawn = _resampled(groups, seed)
    samples = {
        arm: np.array([_precision([of[i] for i in part]) for part in drawn]) for arm, of in ranked.items()
    }
    first, rows = arms[0], []
    for arm, of in ranked.items():
        value, base = _precision(of), _precision(ranked[first])
        own = _interval(value, samples[arm])
        lead = _interval(value - base, samples[arm] - samples[first])
        rows.append((arm, *own, *lead))
    return pd.DataFrame(rows, columns=["layout", "micro_ap", "low", "high", "lead", "lead_low", "lead_high"])


def _resampled(groups: Sequence[str], seed: int, n: int = 500) -> list[np.ndarray]:
    """Draw groups with replacement, as the places of their members; single queries where groups are few."""
    names = sorted(set(groups))
    members = [np.flatnonzero(np.array(groups) == name) for name in names]
    if len(names) < 5:
        members = [np.array([place]) for place in range(len(groups))]
    random = np.random.default_rng(seed)
    return [
        np.concatenate([members[i] for i in random.integers(len(members), size=len(members))])
        for _ in range(n)
    ]


def _precision(ranked: Sequence[tuple[list, int]]) -> float:
    """Return micro average precision; an original that is not among the nearest is never found."""
    n_nearest = max(len(nearest) for nearest, _ in ranked)
    scores = np.full((len(ranked), n_nearest), -np.inf)
    is_match = np.zeros(scores.shape, bool)
    for place, (nearest, original) in enumerate(ranked):
        scores[place, : len(nearest)] = [score for _, score in nearest]
        is_match[place, : len(nearest)] = [reference == original for reference, _ in nearest]
    share_found = is_match.any(axis=1).mean()
    return share_found * micro_average_precision(scores, is_match) if share_found else 0.0


def _interval(value: float, samples: np.ndarray) -> Estimate:
    low, high = np.quantile(samples, [0.025, 0.975])
    return Estimate(value, float(low), float(high))
