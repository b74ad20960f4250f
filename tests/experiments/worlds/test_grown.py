import math

import numpy as np
import pytest

from lab.experiments import EXPERIMENTS
from lab.experiments.events import Cost, Partial, Progress, Result
from lab.experiments.registry import build_params, find_experiment
from lab.experiments.worlds.grown import _margin
from lab.runs.store import Store
from lab.worlds import shelf
from lab.worlds.growth import Moment

INDUCTION = find_experiment(EXPERIMENTS, "induction")
LINEAR = find_experiment(EXPERIMENTS, "linear")


@pytest.fixture(autouse=True)
def measured_twice(monkeypatch):
    monkeypatch.setattr("lab.worlds.growth.N_MEASURED", 2)


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """Train one learner for this file: its parameters, its events, and the store that holds it."""
    params = build_params(
        INDUCTION, {"n_steps": 150, "n_heads": 1, "n_classes": 20, "n_queries": 80, "clamp": "match"}
    )
    store = Store(tmp_path_factory.mktemp("grown") / "lab.sqlite3")
    yield params, list(INDUCTION.run(params, store)), store
    store.close()


def test_it_tells_its_cost_then_how_the_learner_gets_on_then_answers(learned):
    _, events, _ = learned
    assert isinstance(events[0], Cost) and isinstance(events[-1], Result)
    learning = [event for event in events if isinstance(event, Moment)]
    assert learning[-1].step == 150
    assert learning[-1].measures["accuracy"] > 0.9
    kinds = [type(event) for event in events if not isinstance(event, Partial)]
    assert kinds.index(Moment) < len(kinds) - 1 - kinds[::-1].index(Progress)


def test_every_query_is_asked_under_every_layout_and_some_once_more(learned):
    params, events, _ = learned
    table = events[-1].predictions
    counts = table["layout"].value_counts().to_dict()
    assert counts == {layout: 80 for layout in params.layouts} | {"drawn+again": 80}
    assert set(table["gold"]) <= set("abcde")
    accuracy = events[-1].summary["accuracy"]
    assert accuracy["drawn"] == pytest.approx(table[table["layout"] == "drawn"]["correct"].mean())


def test_arrangements_of_one_order_get_one_answer(learned):
    """Two pairs stand in two orders only: the drawn one and the reversed, match first and match last."""
    table = learned[1][-1].predictions.pivot(index="query_id", columns="layout", values="prediction")
    by_place = table[["match-first", "match-last"]].apply(sorted, axis=1)
    assert (table[["drawn", "reversed"]].apply(sorted, axis=1) == by_place).all()


def test_the_margin_is_that_of_the_two_best_labels(learned):
    table = learned[1][-1].predictions
    logp = table[[f"logp_{word}" for word in "abcde"]].to_numpy()
    logp = np.sort(logp, axis=1)
    assert table["margin"].to_numpy() == pytest.approx(logp[:, -1] - logp[:, -2], abs=1e-6)


def test_a_finished_run_is_read_without_training(learned, monkeypatch):
    params, events, store = learned
    monkeypatch.setattr("lab.experiments.worlds.grown.Growth", None)
    (again,) = INDUCTION.run(params, store)
    assert again.verdict == events[-1].verdict
    assert again.summary == events[-1].summary


def test_a_run_broken_off_while_asking_ends_as_one_that_was_not(learned, tmp_path):
    params, events, _ = learned
    with Store(tmp_path / "other.sqlite3") as store:
        begun = INDUCTION.run(params, store)
        for event in begun:
            if isinstance(event, Progress) and "training" not in event.message and event.done > 100:
                break
        begun.close()
        shelf._kept.clear()  # as in a new process
        *_, result = INDUCTION.run(params, store)
    columns = ["query_id", "layout", "prediction"]
    assert result.predictions[columns].equals(events[-1].predictions[columns])


def test_a_learner_that_can_not_tell_orders_apart_flips_nothing(tmp_path):
    params = build_params(LINEAR, {"n_steps": 200, "n_queries": 100})
    with Store(tmp_path / "lab.sqlite3") as store:
        *_, result = LINEAR.run(params, store)
    flips = {each["layout"]: each["n_flips"] for each in result.summary["comparisons"]}
    assert flips["reversed"] == flips["nearest-last"] == 0
    assert flips["half"] > 0
    assert math.isnan(result.predictions["margin"].iloc[0])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n_queries": 0}, "n_queries must be 1 to 5000, got 0"),
        ({"questions": "pears"}, "questions must be one of train, classes, got 'pears'"),
        ({"layouts": ("drawn", "sorted")}, "layouts must be different ones of drawn, reversed"),
        ({"layouts": ()}, "layouts must be different ones"),
        ({"seed": -1}, "seed must be 0 or more"),
        ({"n_heads": 3}, "n_heads must be one of 1, 2, 4, 8"),
        ({"n_classes": 1000}, "n_classes must be 10 to 400"),
    ],
)
def test_wrong_parameters_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        INDUCTION.params(**wrong)


def test_without_words_there_is_no_margin():
    assert math.isnan(_margin({}))
    assert _margin({"a": -0.5, "b": -2.0, "c": -3.0}) == 1.5
