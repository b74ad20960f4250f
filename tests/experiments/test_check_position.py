"""The paper's check: the sweep equals a naive encoding, then claim by claim."""

from dataclasses import replace

import pytest

from lab.experiments import check_position, protocol
from lab.experiments.check_position import check, equality_claim
from lab.experiments.protocol import ProtocolParams
from lab.learners.request import Answer
from lab.runs.store import Store


@pytest.fixture
def params(model, label_task, number_task) -> ProtocolParams:
    return ProtocolParams(
        model=model, tasks=(label_task, number_task), n_queries=4, n_demos=2, device="cpu", dtype="float32"
    )


def test_the_sweep_equals_a_naive_encoding(params):
    claim = equality_claim(protocol.prepare(params), n_requests=6)
    assert claim["verdict"] == "holds"
    assert claim["measured"].startswith("0 of ")


def test_a_wrong_score_is_found(params, monkeypatch):
    sweeps = protocol.prepare(params)
    engine = sweeps[0].engines[0]
    run = engine.run

    def shifted(batch):
        return [replace(answer, logp=tuple(s - 0.001 * (place == 0) for place, s in enumerate(answer.logp)))
                for answer in run(batch)]  # fmt: skip

    monkeypatch.setattr(engine, "run", shifted)
    claim = equality_claim(sweeps, n_requests=6)
    assert claim["verdict"] == "does not hold here" and "1.0e-03 nats" in claim["measured"]


def test_a_wrong_text_is_found(params, monkeypatch):
    sweeps = protocol.prepare(params)
    engine = sweeps[1].engines[0]
    monkeypatch.setattr(engine, "run", lambda batch: [Answer(text_tokens=(1,)) for _ in batch.rows])
    assert equality_claim(sweeps, n_requests=6)["verdict"] == "does not hold here"


def test_the_check_reports_every_claim_as_text(params, monkeypatch):
    monkeypatch.setattr(check_position.protocol, "ProtocolParams", lambda **choices: params)
    with Store() as store:
        result = check(True, store)
    assert result.paper == "demo-position" and len(result.claims) == 6
    assert all(set(claim) == {"claim", "measured", "verdict"} for claim in result.claims)
    assert all(isinstance(text, str) for claim in result.claims for text in claim.values())
    assert result.holds == all(claim["verdict"] == "holds" for claim in result.claims)
