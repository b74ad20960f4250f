"""The check of In-Context LoRA: on held-out concepts, does its LoRA beat the base and an ordinary LoRA?"""

from lab.experiments import sets
from lab.experiments.events import Result
from lab.experiments.image_run import concept_of_query
from lab.experiments.registry import CheckResult
from lab.experiments.sets import BASE, LORA, ORDINARY, SetsParams
from lab.runs.store import Store
from lab.stats.comparisons import Comparison, compare_layouts

QUICK = SetsParams(arms=(BASE, LORA, ORDINARY), n_queries=72)
FULL_TASKS = ("coloured", "rendered", "growth")
SEEDS = (0, 1, 2)


def check(is_quick: bool, store: Store) -> CheckResult:
    """Draw held-out sets with and without the LoRAs; quick draws one task with one seed."""
    if is_quick:
        return CheckResult("ic-lora", *_judged([QUICK], store))
    every = [SetsParams(task, n_queries=72, seed=seed) for task in FULL_TASKS for seed in SEEDS]
    return CheckResult("ic-lora", *_judged(every, store))


def _judged(runs: list[SetsParams], store: Store) -> tuple[bool, list[dict[str, str]]]:
    claims = []
    for params in runs:
        result = next(event for event in sets.run(params, store) if isinstance(event, Result))
        for rival in (BASE, ORDINARY):
            against = result.predictions[result.predictions["layout"].isin([rival, LORA])]
            (comparison,) = compare_layouts(against, rival, params.seed, concept_of_query)
            claims.append(_claim(comparison, params))
    return all(claim["verdict"] == "holds" for claim in claims), claims


def _claim(comparison: Comparison, params: SetsParams) -> dict[str, str]:
    rival = {BASE: "the base", ORDINARY: "an ordinary LoRA of the same pixels and steps"}
    low, high = 100 * comparison.ci_low, 100 * comparison.ci_high
    right, rival_right = 100 * comparison.metric_layout, 100 * comparison.metric_reference
    holds, fails = comparison.ci_low > 0, comparison.ci_high < 0
    return {
        "claim": f"{params.task}, seed {params.seed}: more held-out sets succeed with the LoRA than with "
        + rival[comparison.reference],
        "measured": f"{right:.0f} % against {rival_right:.0f} % of {comparison.n} sets, "
        f"{right - rival_right:+.0f} points (95 % {low:.0f} to {high:.0f})",
        "verdict": "holds" if holds else "does not hold here" if fails else "undecided",
    }
