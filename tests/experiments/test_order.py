"""The order experiment: all orders or a sample, a held-out second stage, and what a stopped run can say."""

from itertools import permutations

import pytest
from pandas.testing import assert_frame_equal

from lab.experiments import order
from lab.experiments.events import Progress
from lab.experiments.order import HELD_OUT_FIRST_BATCH, OrderParams, sample_orders
from lab.runs.store import Store


def params(model: str, task: str, **choices) -> OrderParams:
    values = {
        "n_queries": 6,
        "n_demos": 3,
        "n_orders": 6,
        "n_held_out": 4,
        "device": "cpu",
        "dtype": "float32",
    }
    return OrderParams(model=model, task=task, **{**values, **choices})


def test_all_orders_are_taken_where_there_are_no_more():
    assert sample_orders(3, 24, 0) == list(permutations(range(3)))
    assert sample_orders(4, 24, 0) == list(permutations(range(4)))


def test_a_sample_holds_the_first_order_and_no_order_twice():
    chosen = sample_orders(6, 24, seed=5)
    assert chosen[0] == (0, 1, 2, 3, 4, 5)
    assert len(set(chosen)) == len(chosen) == 24
    assert chosen == sample_orders(6, 24, seed=5) != sample_orders(6, 24, seed=6)


def seed_with_another_best(model: str, task: str) -> tuple[OrderParams, order.Result]:
    """Find a seed under which the best order is not the first, so that there is a second stage."""
    for seed in range(8):
        asked = params(model, task, seed=seed)
        with Store() as store:
            result = list(order.run(asked, store))[-1]
        if result.summary["best_order"] != "sum@0-1-2":
            return asked, result
    raise AssertionError("no seed of eight gives another best order")


def test_the_summary_and_the_second_stage(model, label_task):
    _, result = seed_with_another_best(model, label_task)
    summary = result.summary
    assert set(summary) >= {
        "experiment", "task", "model", "slot", "n_queries", "n_orders", "accuracy_low", "accuracy_high",
        "accuracy_zero_shot", "best_order", "held_out", "best_of_chance", "recency_index", "majority_index",
        "common_token_prior", "verdict", "n_tokens", "n_tokens_saved",
    }  # fmt: skip
    assert (summary["n_queries"], summary["n_orders"]) == (6, 6)
    assert summary["accuracy_low"] <= summary["accuracy_high"]
    assert set(result.tables) == {"accuracy", "orders", "entropy", "influence"}
    assert summary["held_out"]["n"] == 4
    assert (summary["held_out"]["reference"], summary["held_out"]["layout"]) == (
        "sum@0-1-2",
        summary["best_order"],
    )
    assert "On 4 new queries" in result.verdict
    table = result.predictions
    assert len(table) == 7 * 6 + 2 * 4
    first_stage = set(table[table["layout"] == "none"]["query_id"])
    assert len(set(table["query_id"]) - first_stage) == 4
    with Store() as store:
        assert max(store.done_batches(result.run_id)) >= HELD_OUT_FIRST_BATCH
        assert len(store.predictions(result.run_id)) == len(table)


def test_a_run_stopped_in_its_second_stage_goes_on_bit_for_bit(model, label_task, tmp_path):
    asked, whole = seed_with_another_best(model, label_task)
    with Store(tmp_path / "other.sqlite3") as store:
        events = order.run(asked, store)
        for event in events:
            if isinstance(event, Progress) and event.total == 8:
                break
        events.close()
        partial = order.read(asked, store)
        assert partial.summary["n_queries"] == 6 and 42 < len(partial.predictions) <= 50
        resumed = list(order.run(asked, store))[-1]
    left, right = (result.predictions.drop(columns="seconds") for result in (resumed, whole))
    assert_frame_equal(left, right, check_exact=True)


def test_a_second_stage_without_a_complete_query_is_no_comparison(model, label_task):
    asked, whole = seed_with_another_best(model, label_task)
    table = whole.predictions
    held_out = ~table["query_id"].isin(table[table["layout"] == "none"]["query_id"])
    queries = list(dict.fromkeys(table[held_out]["query_id"]))
    split = (table["layout"] == "sum@0-1-2") == table["query_id"].isin(queries[:2])
    cut = table[~held_out | split]
    assert cut[~cut["layout"].eq("none") & cut["query_id"].isin(queries)]["layout"].nunique() == 2
    assert order.summarise(cut, asked, "x").summary["held_out"] is None


def test_a_run_without_a_second_stage(model, label_task):
    with Store() as store:
        result = list(order.run(params(model, label_task, n_held_out=0, slot="eum"), store))[-1]
    assert result.summary["held_out"] is None and len(result.predictions) == 42


def test_content_free_inputs_give_the_common_token_prior(model, label_task):
    asked = params(model, label_task, scores_content_free=True, n_held_out=0)
    with Store() as store:
        prior = list(order.run(asked, store))[-1].summary["common_token_prior"]
    assert set(prior) == {"animal", "fruit"} and sum(prior.values()) == pytest.approx(1)


def test_generated_answers_have_accuracies_and_no_label_statistics(model, number_task):
    asked = params(model, number_task, n_queries=3, n_held_out=2)
    with Store() as store:
        result = list(order.run(asked, store))[-1]
    assert set(result.tables) == {"accuracy", "orders"}
    assert result.summary["best_of_chance"] is None


def test_a_run_stopped_at_once_says_so(model, label_task):
    asked = params(model, label_task)
    with Store() as store:
        events = order.run(asked, store)
        next(event for event in events if isinstance(event, Progress))
        events.close()
        assert order.read(asked, store).verdict == "No query is answered under every order yet."


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"slot": "none"}, "slot must be one of ssp, esp, sum, eum, turns, got 'none'"),
        ({"n_orders": 1}, "n_orders must be 2..120, got 1"),
        ({"n_orders": 121}, "n_orders must be 2..120, got 121"),
        ({"n_demos": 1}, "n_demos must be at least 2 to be reordered, got 1"),
        ({"n_held_out": -1}, "n_held_out must be 0 or more, got -1"),
        ({"selection": "bm25"}, "bm25 shows each query other demonstrations: choose random or balanced"),
    ],
)
def test_a_wrong_parameter_is_refused(choices, message):
    with pytest.raises(ValueError, match=message):
        OrderParams(**choices)
