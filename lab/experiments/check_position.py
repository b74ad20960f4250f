"""The check of the DPP paper: first that the sweep equals a naive encoding, then claim by claim."""

from lab.experiments import protocol
from lab.experiments.events import Result
from lab.experiments.protocol import ProtocolParams
from lab.experiments.reencoding import Agreement, agreement
from lab.experiments.registry import CheckResult
from lab.runs.store import Store

LOGP_TOLERANCE = 1e-4  # nats, fp32


def check(is_quick: bool, store: Store) -> CheckResult:
    """Run the protocol and test its claims; quick asks fewer queries on fewer tasks."""
    if is_quick:
        return measure(ProtocolParams(dtype="float32", n_queries=16, tasks=("topic", "capitals")), store, 4)
    return measure(ProtocolParams(dtype="float32"), store, 12)


def measure(params: ProtocolParams, store: Store, n_rows: int) -> CheckResult:
    """Run the protocol, answer `n_rows` of each task's prompts again naively, and test the claims."""
    result = next(event for event in protocol.run(params, store) if isinstance(event, Result))
    claims = [equality_claim(params, result, store, n_rows)]
    claims += [asdict_of_text(claim) for claim in result.summary["claims"]]
    return CheckResult("demo-position", all(claim["verdict"] == "holds" for claim in claims), claims)


def asdict_of_text(claim: dict) -> dict[str, str]:
    """Keep the three texts of a claim."""
    return {key: str(claim[key]) for key in ("claim", "measured", "verdict")}


def equality_claim(params: ProtocolParams, result: Result, store: Store, n_rows: int) -> dict[str, str]:
    """Answer some stored prompts of each task again, naively, and compare scores and predictions."""
    prompts = store.prompts(result.run_id)
    found = sum(
        (agreement(sweep, result.predictions, prompts, n_rows) for sweep in protocol.prepare(params)),
        Agreement(),
    )
    holds = found.largest < LOGP_TOLERANCE and found.n_different == 0
    return asdict_of_text(
        {
            "claim": "The sweep's predictions equal those of a naive encoding of every prompt",
            "measured": f"{found.n_different} of {found.n} predictions differ; "
            f"largest difference of a label's score {found.largest:.1e} nats",
            "verdict": "holds" if holds else "does not hold here",
        }
    )
