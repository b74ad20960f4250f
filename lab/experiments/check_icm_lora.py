"""The check of ICM-LoRA: does a generated LoRA gain what a trained one does, and only from right examples?"""

import pandas as pd

from lab.experiments import generated
from lab.experiments.events import Result
from lab.experiments.generated import BASE, GENERATED, TRAINED, WRONG, GeneratedParams
from lab.experiments.image_run import concept_of_query
from lab.experiments.registry import CheckResult
from lab.experiments.views import paired
from lab.images.icm import HELD_OUT
from lab.images.tasks import TASKS
from lab.runs.store import Store
from lab.stats.flips import wide
from lab.stats.gain import gain_ratio
from lab.stats.intervals import bootstrap_mean

CHECKED = (BASE, TRAINED, GENERATED, WRONG)
SEEN = tuple(task.id for task in TASKS if task.id not in HELD_OUT)
ENOUGH = 0.9
"""The share of the trained LoRA's gain that a generated one is to reach."""
LOST = 0.5
"""The share below which the gain counts as lost."""
SEEDS = (0, 1)


def check(is_quick: bool, store: Store) -> CheckResult:
    """Draw held-out concepts with trained, generated and wrongly generated LoRAs; quick draws one task."""
    if is_quick:
        return CheckResult("icm-lora", *_judged({"coloured": _drawn(["coloured"], (0,), store)}, {}))
    seen = {task: _drawn([task], SEEDS, store) for task in SEEN}
    unseen = {task: _drawn([task], SEEDS, store) for task in HELD_OUT}
    return CheckResult("icm-lora", *_judged(seen, unseen))


def _drawn(tasks: list[str], seeds: tuple[int, ...], store: Store) -> pd.DataFrame:
    """Tell whether each set succeeds, 0 or 1: a row a set, a column an arm; the index names its concept."""
    parts = []
    for task in tasks:
        for seed in seeds:
            params = GeneratedParams(task, CHECKED, n_queries=48, seed=seed)
            result = next(event for event in generated.run(params, store) if isinstance(event, Result))
            drawn = wide(paired(result.predictions, CHECKED), "correct").astype(float)
            parts.append(drawn.rename(index=concept_of_query))
    return pd.concat(parts)


def _judged(
    seen: dict[str, pd.DataFrame], unseen: dict[str, pd.DataFrame]
) -> tuple[bool, list[dict[str, str]]]:
    pooled = pd.concat(seen.values())
    named = "coloured" if len(seen) == 1 else f"the {len(seen)} seen tasks together"
    claims = [_enough(named, pooled), _lost(named, pooled)]
    is_held = all(claim["verdict"] == "holds" for claim in claims)
    if len(seen) > 1:
        claims += [_reported(f"seen task {task}", each) for task, each in seen.items()]
    claims += [_reported(f"task {task}, of which no LoRA was seen", each) for task, each in unseen.items()]
    return is_held, claims


def _enough(named: str, of: pd.DataFrame) -> dict[str, str]:
    above = (of[GENERATED] - of[BASE]) - ENOUGH * (of[TRAINED] - of[BASE])
    low, high = bootstrap_mean(above, of.index)
    return {
        "claim": f"{named}: a generated LoRA reaches at least {100 * ENOUGH:.0f} % of a trained one's gain",
        "measured": _measured(of, GENERATED),
        "verdict": _verdict(of, low >= 0, high < 0),
    }


def _lost(named: str, of: pd.DataFrame) -> dict[str, str]:
    above = (of[WRONG] - of[BASE]) - LOST * (of[TRAINED] - of[BASE])
    low, high = bootstrap_mean(above, of.index)
    return {
        "claim": f"{named}: from another task's examples less than {100 * LOST:.0f} % of that gain is left",
        "measured": _measured(of, WRONG),
        "verdict": _verdict(of, high < 0, low >= 0),
    }


def _reported(named: str, of: pd.DataFrame) -> dict[str, str]:
    return {
        "claim": f"{named}: reported, not judged",
        "measured": _measured(of, GENERATED),
        "verdict": "reported",
    }


def _verdict(of: pd.DataFrame, is_shown: bool, is_refuted: bool) -> str:
    if gain_ratio(of[BASE], of[TRAINED], of[TRAINED], cluster=of.index) is None:
        return "undecided"  # the trained LoRA gains nothing here, so that there is nothing to reach or lose
    return "holds" if is_shown else "does not hold here" if is_refuted else "undecided"


def _measured(of: pd.DataFrame, arm: str) -> str:
    base, trained, mine = (100 * of[each].mean() for each in (BASE, TRAINED, arm))
    found = gain_ratio(of[BASE], of[TRAINED], of[arm], cluster=of.index)
    share = "the trained LoRA's gain is not clear"
    if found is not None:
        value, low, high = (100 * each for each in found)
        share = f"{value:.0f} % of the gain (95 % {low:.0f} to {high:.0f})"
    return f"{mine:.0f} % of {len(of[arm])} sets, base {base:.0f} %, trained {trained:.0f} %: {share}"
