"""The claims of the DPP paper (Cobbina & Zhou 2025, arXiv:2507.22887), each as a paired test.

A verdict is "holds", "does not hold here", or "undecided" where the data could not have shown it either way.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from lab.stats.comparisons import Comparison, compare_layouts
from lab.stats.flips import right
from lab.stats.verdict import p_text

SHOWN = ("ssp", "esp", "sum", "eum")
ALPHA = 0.05


@dataclass(frozen=True)
class Claim:
    """A claim of the paper, what was measured here, and the verdict."""

    claim: str
    measured: str
    verdict: str


def dpp_claims(by_task: Mapping[str, pd.DataFrame], seed: int = 0) -> list[Claim]:
    """Test the paper's claims.

    Args:
        by_task: A predictions table a task, every query under none, ssp, esp, sum and eum.
        seed: Seed of the bootstrap.
    """
    against_zero = {task: compare_layouts(rows, "none", seed) for task, rows in by_task.items()}
    against_sum = {task: compare_layouts(rows, "sum", seed) for task, rows in by_task.items()}
    return [
        _demos_help(against_zero),
        _eum_is_worst(by_task),
        _moving_flips(against_sum),
        _flips_do_not_help(against_sum),
        _no_best_slot(by_task),
    ]


def _demos_help(against_zero: Mapping[str, list[Comparison]]) -> Claim:
    better = [
        task
        for task, comparisons in against_zero.items()
        if any(c.metric_change > 0 and c.p_holm < ALPHA for c in comparisons)
    ]
    open_ = [
        task
        for task, comparisons in against_zero.items()
        if task not in better and any(c.ci_high > 0 for c in comparisons)
    ]
    n = len(against_zero)
    return Claim(
        "Demonstrations raise accuracy over zero-shot in some slot, on most tasks",
        f"significant on {len(better)} of {n} tasks ({', '.join(better) or 'none'}; Holm's correction)",
        _most(len(better), len(open_), n),
    )


def _most(n_for: int, n_open: int, n_tasks: int) -> str:
    """Tell whether a claim holds on most tasks; it is undecided where the open ones could make it hold."""
    if n_for > n_tasks / 2:
        return "holds"
    return "undecided" if n_for + n_open > n_tasks / 2 else "does not hold here"


def _eum_is_worst(by_task: Mapping[str, pd.DataFrame]) -> Claim:
    broken = fixed = 0
    for rows in by_task.values():
        is_right = right(rows)
        others = is_right[["ssp", "esp", "sum"]].mean(axis=1)
        broken += int(((others > 0.5) & ~is_right["eum"]).sum())
        fixed += int(((others < 0.5) & is_right["eum"]).sum())
    return _sign_claim(
        "The end of the user message is the worst slot",
        f"right in most of ssp, esp, sum and wrong in eum: {broken} queries; the reverse: {fixed}",
        broken,
        fixed,
    )


def _sign_claim(claim: str, measured: str, n_for: int, n_against: int) -> Claim:
    n = n_for + n_against
    p = binomtest(n_for, n).pvalue if n else 1.0
    verdict = "undecided" if p >= ALPHA else "holds" if n_for > n_against else "does not hold here"
    return Claim(claim, f"{measured} (exact sign test, {p_text(p)})", verdict)


def _moving_flips(against_sum: Mapping[str, list[Comparison]]) -> Claim:
    changes = {task: _of(comparisons, "eum") for task, comparisons in against_sum.items()}
    over = [task for task, c in changes.items() if c.prediction_change_low > 0.2]
    open_ = [task for task, c in changes.items() if c.prediction_change_low <= 0.2 < c.prediction_change_high]
    shares = ", ".join(f"{task} {100 * c.prediction_change:.0f} %" for task, c in changes.items())
    return Claim(
        "Moving the demonstrations from sum to eum flips more than a fifth of the predictions",
        f"{shares}; the interval is above 20 % on {len(over)} of {len(changes)} tasks",
        _most(len(over), len(open_), len(changes)),
    )


def _flips_do_not_help(against_sum: Mapping[str, list[Comparison]]) -> Claim:
    moves = [_of(comparisons, "eum") for comparisons in against_sum.values()]
    broken, fixed = sum(c.n_broken for c in moves), sum(c.n_fixed for c in moves)
    p = binomtest(fixed, broken + fixed, alternative="greater").pvalue if broken + fixed else 1.0
    shown = "holds" if broken >= fixed and broken else "undecided"
    return Claim(
        "The flips from sum to eum do not improve the answers",
        f"{broken} broken, {fixed} fixed over all tasks (one-sided sign test for more fixed, {p_text(p)})",
        "does not hold here" if p < ALPHA else shown,
    )


def _no_best_slot(by_task: Mapping[str, pd.DataFrame]) -> Claim:
    best = {}
    for task, rows in by_task.items():
        means = rows.groupby("layout")["correct"].mean().reindex(list(SHOWN))
        best[task] = [slot for slot in SHOWN if np.isclose(means[slot], means.max())]
    common = set.intersection(*(set(slots) for slots in best.values()))
    listed = ", ".join(f"{task}: {' = '.join(slots)}" for task, slots in best.items())
    verdict = "undecided" if len(best) < 2 else "does not hold here" if common else "holds"
    return Claim("No slot is the best on all tasks", listed, verdict)


def _of(comparisons: list[Comparison], layout: str) -> Comparison:
    return next(c for c in comparisons if c.layout == layout)
