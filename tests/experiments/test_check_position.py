"""The paper's check: the sweep equals a naive encoding, then claim by claim."""

from dataclasses import replace

import pytest

from lab.experiments import protocol
from lab.experiments.check_position import equality_claim, measure
from lab.experiments.events import Result
from lab.experiments.protocol import ProtocolParams
from lab.runs.store import Store


@pytest.fixture
def params(model, label_task, number_task) -> ProtocolParams:
    return ProtocolParams(
        model=model, tasks=(label_task, number_task), n_queries=4, n_demos=2, device="cpu", dtype="float32"
    )


@pytest.fixture
def finished(params) -> tuple[Result, Store]:
    store = Store()
    yield list(protocol.run(params, store))[-1], store
    store.close()


def test_the_sweep_equals_a_naive_encoding(params, finished):
    claim = equality_claim(params, *finished, n_rows=100)
    assert claim["verdict"] == "holds"
    n = 5 * 4 * 2  # layouts, queries, tasks
    assert claim["measured"].startswith(f"0 of {n} predictions differ")


def test_sums_are_compared_where_they_are_not_normalised(params):
    sums = replace(params, is_length_normalised=False, tasks=params.tasks[:1])
    with Store() as store:
        result = list(protocol.run(sums, store))[-1]
        assert equality_claim(sums, result, store, n_rows=6)["verdict"] == "holds"


def test_a_wrong_score_is_found(params, finished):
    result, store = finished
    wrong = result.predictions.assign(logp_fruit=result.predictions["logp_fruit"] + 0.001)
    claim = equality_claim(params, replace(result, predictions=wrong), store, n_rows=6)
    assert claim["verdict"] == "does not hold here" and "1.0e-03 nats" in claim["measured"]


@pytest.mark.parametrize("task", [0, 1])
def test_a_wrong_prediction_is_found(params, finished, task):
    result, store = finished
    of_task = result.predictions["query_id"].str.startswith(params.tasks[task])
    wrong = result.predictions["prediction"].mask(of_task, "something else")
    claim = equality_claim(
        params, replace(result, predictions=result.predictions.assign(prediction=wrong)), store, 6
    )
    assert claim["verdict"] == "does not hold here" and not claim["measured"].startswith("0 of")


def test_prompts_tokenised_in_pieces_are_found(params, monkeypatch):
    """The oracle does not share the sweep's tokenising: labels encoded apart from their prompts show."""
    from lab.learners import asking

    def in_pieces(template, texts):
        return [tuple(template.tokenizer(text, add_special_tokens=False).input_ids[:-1]) for text in texts]

    monkeypatch.setattr(asking, "encode", in_pieces)
    with Store() as store:
        result = list(protocol.run(params, store))[-1]
        assert equality_claim(params, result, store, n_rows=6)["verdict"] == "does not hold here"


def test_the_check_reports_every_claim_as_text(params):
    with Store() as store:
        result = measure(params, store, n_rows=4)
    assert result.paper == "demo-position" and len(result.claims) == 6
    assert all(set(claim) == {"claim", "measured", "verdict"} for claim in result.claims)
    assert all(isinstance(text, str) for claim in result.claims for text in claim.values())
    assert result.holds == all(claim["verdict"] == "holds" for claim in result.claims)
