"""Two runs side by side: counted by hand, paired only where they share a cell."""

import math
from dataclasses import replace

import pytest

from lab.runs.compare import compare_runs, differences, same_queries
from lab.runs.recipe import Recipe
from lab.runs.store import Row, Store
from lab.stats.comparisons import exact_mcnemar

BASE = Row("q0", "sum", "a", "a", 1.0, 0.5, {"a": -0.1, "b": -0.6}, 9, 0.1, "p", (" a", " b"))


def rows(answers: dict[str, str], gold: str = "a") -> list[Row]:
    """Write a letter a query for each layout: 'aab' is a, a, b."""
    return [
        replace(BASE, query_id=f"q{at}", layout=layout, prediction=said, correct=float(said == gold))
        for layout, letters in answers.items()
        for at, said in enumerate(letters)
        if said != " "
    ]


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "lab.sqlite3") as opened:
        yield opened


def run(store, params, answers, environment=None):
    run_id = store.begin(Recipe("position", params), environment or {})
    store.add_batch(run_id, 0, rows(answers))
    return run_id


def test_flips_and_the_paired_test_are_those_counted_by_hand(store):
    a = run(store, {"seed": 0}, {"sum": "aaaaaaaabb", "eum": "aaaaaaaaaa"})
    b = run(store, {"seed": 1}, {"sum": "bbbbbbaabb", "eum": "aaaaaaaaaa"})
    found = compare_runs(store.predictions(a), store.predictions(b))
    assert found.n_shared == 20
    under_sum = found.comparisons["sum"]
    assert (under_sum.n_broken, under_sum.n_fixed, under_sum.n_other) == (6, 0, 0)
    assert under_sum.p == pytest.approx(exact_mcnemar(6, 0)) == pytest.approx(2 / 2**6)
    assert under_sum.p_holm == pytest.approx(2 * under_sum.p)
    assert found.comparisons["eum"].p_holm == 1
    assert list(found.flips["query_id"]) == [f"q{at}" for at in range(6)]
    assert set(found.flips["kind"]) == {"right→wrong"} and set(found.flips["gold"]) == {"a"}
    line = found.accuracy.set_index("layout").loc["sum"]
    assert (line["accuracy_a"], line["accuracy_b"], line["change"]) == pytest.approx((0.8, 0.2, -0.6))


def test_only_shared_cells_are_paired(store):
    a = run(store, {"seed": 0}, {"sum": "aaaa", "ssp": "ab"})
    b = run(store, {"seed": 1}, {"sum": "  bb", "eum": "bb"})
    found = compare_runs(store.predictions(a), store.predictions(b))
    assert found.n_shared == 2 and list(found.comparisons) == ["sum"]
    table = found.accuracy.set_index("layout")
    assert list(table.index) == ["sum", "ssp", "eum"]
    assert (table.loc["sum", "n_a"], table.loc["sum", "n_b"], table.loc["sum", "n_shared"]) == (4, 2, 2)
    assert math.isnan(table.loc["ssp", "change"]) and table.loc["eum", "n_a"] == 0


def test_runs_that_share_nothing_have_no_test_and_no_flips(store):
    a, b = run(store, {"seed": 0}, {"sum": "aa"}), run(store, {"seed": 1}, {"eum": "bb"})
    found = compare_runs(store.predictions(a), store.predictions(b))
    assert (found.n_shared, found.comparisons, len(found.flips)) == (0, {}, 0)


def test_a_run_compared_with_itself_has_no_flips(store):
    a = run(store, {"seed": 0}, {"sum": "aab", "eum": "bba"})
    found = compare_runs(store.predictions(a), store.predictions(a))
    assert found.flips.empty and all(each.p_holm == 1 for each in found.comparisons.values())


def test_differences_name_parameters_and_machine(store):
    a = run(store, {"seed": 0, "task": "topic", "demos": []}, {"sum": "a"}, {"cores": 2, "time": "1"})
    b = run(
        store,
        {"seed": 1, "task": "topic", "layouts": ["sum", "eum"], "demos": []},
        {"sum": "a"},
        {"cores": 4, "time": "2", "model": {"revision": "r1"}},
    )
    found = differences(store, a, b)
    assert list(found.itertuples(index=False, name=None)) == [
        ("seed", "0", "1"),
        ("cores", "2", "4"),
        ("layouts", "—", "sum, eum"),
        ("model revision", "—", "r1"),
    ]
    assert differences(store, a, a).empty


def test_queries_mean_the_same_only_in_the_same_tasks():
    topic, other = Recipe("position", {"task": "topic"}), Recipe("order", {"task": "logic"})
    assert same_queries(topic, Recipe("order", {"task": "topic"})) and not same_queries(topic, other)
