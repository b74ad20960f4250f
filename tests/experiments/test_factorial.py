"""The factorial experiment: every combination, and shares of variance that sum to one."""

import pytest

from lab.experiments import factorial
from lab.experiments.events import Progress
from lab.experiments.factorial import FactorialParams, layouts_of
from lab.runs.store import Store


def params(model: str, task: str, **choices) -> FactorialParams:
    values = {"n_queries": 6, "n_demos": 3, "slots": ("sum", "eum"), "n_orders": 2, "n_sets": 2}
    return FactorialParams(model=model, task=task, device="cpu", dtype="float32", **{**values, **choices})


def test_every_combination_is_asked_and_shares_sum_to_one(model, label_task):
    asked = params(model, label_task)
    with Store() as store:
        result = list(factorial.run(asked, store))[-1]
    assert len(result.predictions) == 8 * 6
    assert set(result.summary) >= {
        "experiment", "task", "model", "n_queries", "n_layouts", "shares", "sigma_order", "sigma_select",
        "verdict",
    }  # fmt: skip
    assert (result.summary["n_queries"], result.summary["n_layouts"]) == (6, 8)
    assert set(result.tables) == {"variance", "variance_with_queries", "accuracy"}
    assert len(result.tables["accuracy"]) == 8
    for name in ("variance", "variance_with_queries"):
        shares = result.tables[name]["eta2"]
        assert shares.isna().all() or shares.sum() == pytest.approx(1)
    assert list(result.summary["shares"]) == list(result.tables["variance"]["factor"])


def test_the_same_orders_are_crossed_with_every_set_and_slot(model, label_task):
    layouts = layouts_of(params(model, label_task, n_orders=3, n_sets=2))
    assert len({layout.id for layout in layouts}) == len(layouts) == 2 * 3 * 2
    orders = {(layout.slot, layout.draw): [] for layout in layouts}
    for layout in layouts:
        orders[layout.slot, layout.draw].append(layout.order)
    assert len({tuple(each) for each in orders.values()}) == 1


def test_two_demonstrations_have_two_orders_and_the_verdict_counts_them(model, label_task):
    asked = params(model, label_task, n_demos=2, n_orders=3)
    assert len(layouts_of(asked)) == 2 * 2 * 2
    with Store() as store:
        result = list(factorial.run(asked, store))[-1]
    assert result.summary["n_layouts"] == 8
    assert "2 orders" in result.verdict or "no variance" in result.verdict


def test_a_stopped_run_says_so(model, label_task):
    asked = params(model, label_task)
    with Store() as store:
        events = factorial.run(asked, store)
        next(event for event in events if isinstance(event, Progress))
        events.close()
        assert factorial.read(asked, store).verdict == "No query is answered under every layout yet."


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"slots": ("sum",)}, "slots must be two or more of ssp, esp, sum, eum, turns, got sum"),
        ({"slots": ("sum", "sum")}, "slots must be two or more"),
        ({"slots": ("sum", "none")}, "slots must be two or more"),
        ({"n_demos": 1}, "n_demos must be at least 2 to vary, got 1"),
        ({"n_orders": 1}, "n_orders must be at least 2 to vary, got 1"),
        ({"n_sets": 1}, "n_sets must be at least 2 to vary, got 1"),
        ({"n_orders": 9, "n_sets": 9}, "must be at most 240, got 243"),
        ({"selection": "nearest"}, "sets are drawn at random: choose random or balanced, got 'nearest'"),
    ],
)
def test_a_wrong_parameter_is_refused(choices, message):
    with pytest.raises(ValueError, match=message):
        FactorialParams(**choices)
