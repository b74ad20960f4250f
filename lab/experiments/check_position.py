"""The check of the DPP paper: first that the sweep equals a naive encoding, then claim by claim."""

from collections.abc import Sequence

from lab.experiments import protocol
from lab.experiments.events import Result
from lab.experiments.prompt_sweep import PromptSweep
from lab.experiments.registry import CheckResult
from lab.learners.plan import Pass
from lab.learners.whole import WholeRunner
from lab.runs.store import Store

LOGP_TOLERANCE = 1e-4  # nats, fp32


def check(is_quick: bool, store: Store) -> CheckResult:
    """Run the protocol and test its claims; quick asks fewer queries on fewer tasks."""
    params = (
        protocol.ProtocolParams(n_queries=16, tasks=("topic", "capitals"))
        if is_quick
        else protocol.ProtocolParams()
    )
    result = next(event for event in protocol.run(params, store) if isinstance(event, Result))
    claims = [equality_claim(protocol.prepare(params), n_requests=4 if is_quick else 12)]
    claims += [asdict_of_text(claim) for claim in result.summary["claims"]]
    return CheckResult("demo-position", all(claim["verdict"] == "holds" for claim in claims), claims)


def asdict_of_text(claim: dict) -> dict[str, str]:
    """Keep the three texts of a claim."""
    return {key: str(claim[key]) for key in ("claim", "measured", "verdict")}


def equality_claim(sweeps: Sequence[PromptSweep], n_requests: int) -> dict[str, str]:
    """Answer some requests of each sweep by both ways and compare scores and predictions."""
    worst, n_compared, n_different = 0.0, 0, 0
    for sweep in sweeps:
        engine = sweep.engines[0]
        step = max(1, len(engine.requests) // n_requests)
        wanted = set(range(0, len(engine.requests), step))
        naive = WholeRunner(engine.lm, engine.requests)
        for batch in engine.plan.passes:
            rows = [row for row in batch.rows if row in wanted]
            if not rows:
                continue
            answers = dict(zip(batch.rows, engine.run(batch), strict=True))
            for row, expected in zip(rows, naive.run(Pass(0, tuple(rows), None)), strict=True):
                found = answers[row]
                n_compared += 1
                if expected.logp:
                    worst = max(
                        worst, max(abs(a - b) for a, b in zip(found.logp, expected.logp, strict=True))
                    )
                    first, second = (
                        max(range(len(a.logp)), key=a.logp.__getitem__) for a in (found, expected)
                    )
                    n_different += first != second
                else:
                    n_different += found.text_tokens != expected.text_tokens
    holds = worst < LOGP_TOLERANCE and n_different == 0
    return asdict_of_text(
        {
            "claim": "The sweep's predictions equal those of a naive encoding of every prompt",
            "measured": f"{n_different} of {n_compared} answers differ; largest difference {worst:.1e} nats",
            "verdict": "holds" if holds else "does not hold here",
        }
    )
