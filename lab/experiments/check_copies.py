"""The check of AnyPattern: under disguises that no training showed, does a pair help to find the original?"""

from typing import Any

from lab.experiments import copies
from lab.experiments.copies import ARMS, CONCATENATED, NONE, ORACLE, RANDOM, RETRIEVED, CopiesParams
from lab.experiments.events import Result
from lab.experiments.registry import CheckResult
from lab.runs.store import Store
from lab.vision.stacker import LATE

TOLD = "told, not judged"
SEEDS = (0, 1, 2)
N_QUICK, N_FULL = 200, 600


def check(is_quick: bool, store: Store) -> CheckResult:
    """Look for originals with and without pairs; the full check has three seeds, and shown patterns too."""
    claims: list[dict[str, str]] = []
    tables: dict[str, list[dict[str, Any]]] = {}
    arms = (*ARMS, CONCATENATED) if (LATE / "model.safetensors").is_file() else ARMS
    for seed in SEEDS[:1] if is_quick else SEEDS:
        result = _run(CopiesParams(arms=arms, n_queries=N_QUICK if is_quick else N_FULL, seed=seed), store)
        claims += _claims(result, seed)
        tables[f"unseen patterns, seed {seed}"] = result.tables["precision"].to_dict("records")
    if not is_quick:
        seen = _run(CopiesParams("seen", arms, N_FULL), store)
        tables["shown patterns"] = seen.tables["precision"].to_dict("records")
    judged = [claim for claim in claims if claim["verdict"] != TOLD]
    return CheckResult("anypattern", all(each["verdict"] == "holds" for each in judged), claims, tables)


def _run(params: CopiesParams, store: Store) -> Result:
    return next(event for event in copies.run(params, store) if isinstance(event, Result))


def _claims(result: Result, seed: int) -> list[dict[str, str]]:
    rows = result.tables["precision"].set_index("layout")
    found = []
    for arm in (ORACLE, RETRIEVED, RANDOM):
        row = rows.loc[arm]
        low, high = row["lead_low"], row["lead_high"]
        verdict = "holds" if low > 0 else "does not hold here" if high < 0 else "undecided"
        found.append(
            {
                "claim": f"seed {seed}: on unseen patterns micro AP is higher with the {arm} pair",
                "measured": f"{row['micro_ap']:.3f} against {rows.loc[NONE, 'micro_ap']:.3f}, "
                f"{row['lead']:+.3f} (95 % {low:+.3f} to {high:+.3f}), recall at 1 "
                f"{result.summary['recall_at_1'][arm]:.0%} of {result.summary['n_queries']}",
                "verdict": TOLD if arm == RANDOM else verdict,
            }
        )
    if CONCATENATED in rows.index:
        late = rows.loc[CONCATENATED]
        found.append(
            {
                "claim": f"seed {seed}: stacking against concatenation, both with the oracle pair",
                "measured": f"micro AP {rows.loc[ORACLE, 'micro_ap']:.3f} stacked, {late['micro_ap']:.3f} "
                "concatenated",
                "verdict": TOLD,
            }
        )
    return found
