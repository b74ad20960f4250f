"""The check of Painter: on operations that no training showed, is the right one read from the pair?"""

from lab.experiments import painting
from lab.experiments.events import Result
from lab.experiments.painting import RIGHT, WRONG, PaintingParams
from lab.experiments.registry import CheckResult
from lab.runs.store import Store
from lab.stats.intervals import wilson

WANTED = 0.9
N_QUICK, N_FULL = 96, 480
SEEDS = (0, 1, 2)


def check(is_quick: bool, store: Store) -> CheckResult:
    """Paint held-out operations with the right pair and with a wrong one; the full check has three seeds."""
    claims: list[dict[str, str]] = []
    tables = {}
    for seed in SEEDS[:1] if is_quick else SEEDS:
        result = _run(PaintingParams(n_queries=N_QUICK if is_quick else N_FULL, seed=seed), store)
        claims += [_chosen(result, seed), *_better(result, seed)]
        tables[f"operations, seed {seed}"] = result.tables["operations"].to_dict("records")
    if not is_quick:
        seen = _run(PaintingParams("seen", n_queries=N_FULL), store)
        tables["seen operations"] = seen.tables["operations"].to_dict("records")
    return CheckResult("painter", all(claim["verdict"] == "holds" for claim in claims), claims, tables)


def _run(params: PaintingParams, store: Store) -> Result:
    return next(event for event in painting.run(params, store) if isinstance(event, Result))


def _chosen(result: Result, seed: int) -> dict[str, str]:
    """Judge the share of cases, of these operations: they are all that are held out, not drawn from more."""
    share, n = result.summary["accuracy"][RIGHT], result.summary["n_queries"]
    low, high = wilson(round(share * n), n)
    verdict = "holds" if low > WANTED else "does not hold here" if high < WANTED else "undecided"
    return {
        "claim": f"seed {seed}: on held-out operations the right one is read from the pair in over 90 %",
        "measured": f"{share:.0%} (95 % {low:.0%} to {high:.0%}) of {n} cases of "
        f"{result.summary['n_operations']} operations",
        "verdict": verdict,
    }


def _better(result: Result, seed: int) -> list[dict[str, str]]:
    claims = []
    for row in result.summary["quality"]:
        if row["layout"] != RIGHT:
            continue
        unit = " dB" if row["measure"] == "PSNR" else ""
        low, high = row["lead_low"], row["lead_high"]
        verdict = "holds" if low > 0 else "does not hold here" if high < 0 else "undecided"
        claims.append(
            {
                "claim": f"seed {seed}: {row['measure']} is higher with the right pair than with a {WRONG}",
                "measured": f"{row['mean']:.2f}{unit} on average, {row['lead']:+.2f}{unit} against the wrong "
                f"pair (95 % {low:+.2f} to {high:+.2f}), n = {row['n']}",
                "verdict": verdict,
            }
        )
    return claims
