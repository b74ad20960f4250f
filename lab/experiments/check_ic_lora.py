"""The check of In-Context LoRA: on held-out concepts, does its LoRA beat the base and an ordinary LoRA?"""

from typing import Any

from lab.experiments import panels, sets
from lab.experiments.events import Result
from lab.experiments.image_run import concept_of_query
from lab.experiments.panels import PanelsParams
from lab.experiments.registry import CheckResult
from lab.experiments.set_measures import binding, measured_sets
from lab.experiments.sets import BASE, LORA, ORDINARY, WRONG, SetsParams
from lab.images.probe import PROBE
from lab.images.tasks import TASKS
from lab.runs.store import Store
from lab.stats.comparisons import Comparison, compare_layouts

QUICK = SetsParams(arms=(BASE, LORA, ORDINARY), n_queries=72)
STUDIED = ("coloured", "rendered", "growth")
"""Tasks that have an ordinary LoRA."""
FIRST = STUDIED[0]
ARMS = (BASE, LORA, ORDINARY, WRONG)
STRENGTHS = ("lora@0", "lora@0.5", "lora@1.5")
FEWER = (f"{FIRST}-5", f"{FIRST}-20")
GIVEN = ("lora+blend", "lora+context", "lora+fill")
MORE_ARMS = (*STRENGTHS, *FEWER, *GIVEN)
"""Strengths, fewer sets, and the ways to give the first panel: for the first task alone."""
SEEDS = (0, 1, 2)
N_SETS = 64


def check(is_quick: bool, store: Store) -> CheckResult:
    """Draw held-out sets with and without the LoRAs; quick draws one task with one seed."""
    if is_quick:
        return CheckResult("ic-lora", *_judged([(QUICK, _run(QUICK, store))]))
    runs, rows = [], []
    for params in _full():
        result = _run(params, store)
        runs.append((params, result))
        table = measured_sets(result.run_id, params, store)
        rows += table.assign(task=params.task, seed=params.seed).to_dict("records")
    holds, claims = _judged([run for run in runs if run[0].task in STUDIED])
    tables = {"measures": rows, "binding": _bindings(store), "probe": [_probe()]}
    return CheckResult("ic-lora", holds, claims, tables)


def _full() -> list[SetsParams]:
    """Name all runs of the study: every task once, the studied ones with three seeds and more arms."""
    asked = []
    for task in TASKS:
        arms = ARMS if task.id in STUDIED else (BASE, LORA)
        arms = (*arms, *MORE_ARMS) if task.id == FIRST else arms
        seeds = SEEDS if task.id in STUDIED else SEEDS[:1]
        asked += [SetsParams(task.id, arms, n_queries=N_SETS, seed=seed) for seed in seeds]
    return asked


def _run(params: SetsParams, store: Store) -> Result:
    return next(event for event in sets.run(params, store) if isinstance(event, Result))


def _bindings(store: Store) -> list[dict[str, Any]]:
    """Swap the panels of two-panel tasks: how often do the readings swap with them?

    The base draws the first of these tasks alone: where no set succeeds, nothing can swap.
    """
    rows = []
    for task in (each for each in TASKS if each.grid.n_panels == 2):
        for lora in ("", task.id) if task.id == FIRST else (task.id,):
            params = PanelsParams(task.id, lora, n_queries=N_SETS, layouts=("1-2", "2-1"))
            result = next(event for event in panels.run(params, store) if isinstance(event, Result))
            found = binding(result.run_id, params, store, "2-1")
            rows.append({"task": task.id, "lora": lora, **found._asdict(), "n": N_SETS})
    return rows


def _probe() -> dict[str, Any]:
    """Return the probe's own accuracy, which bounds every figure above."""
    import json

    record = json.loads((PROBE / "training.json").read_text(encoding="utf-8"))
    return {key: value for key, value in record.items() if key not in ("loss", "environment", "schedule")}


def _judged(runs: list[tuple[SetsParams, Result]]) -> tuple[bool, list[dict[str, str]]]:
    claims = []
    for params, result in runs:
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
