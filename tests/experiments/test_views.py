"""Views of a predictions table."""

import math

import pandas as pd

from lab.experiments.views import content_free_queries, floor_of, paired, split_controls


def table(*rows: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(
        [(q, layout, said, 1.0, 0.5, -0.1 * place) for place, (q, layout, said) in enumerate(rows)],
        columns=["query_id", "layout", "prediction", "correct", "margin", "logp_a"],
    )


ROWS = table(
    ("q1", "eum", "a"), ("q2", "eum", "b"), ("q1", "sum", "a"), ("q2", "sum", "a"), ("q3", "sum", "a"),
    ("q1", "sum+again", "a"), ("q2", "sum+again", "b"), ("content-free:N/A", "sum", "a"),
)  # fmt: skip


def test_controls_are_taken_apart():
    asked, again, free = split_controls(ROWS)
    assert (len(asked), len(again), len(free)) == (5, 2, 1)
    assert set(asked["layout"]) == {"sum", "eum"} and set(free["query_id"]) == {"content-free:N/A"}


def test_only_complete_queries_stay_and_layouts_come_in_the_order_asked():
    kept = paired(split_controls(ROWS)[0], ["sum", "eum"])
    assert list(zip(kept["query_id"], kept["layout"], strict=True)) == [
        ("q1", "sum"), ("q2", "sum"), ("q1", "eum"), ("q2", "eum"),
    ]  # fmt: skip
    assert paired(ROWS, ["sum", "absent"]).empty
    assert paired(ROWS.iloc[:0], ["sum"]).empty


def test_the_floor_counts_answers_that_changed_by_themselves():
    asked, again, _ = split_controls(ROWS)
    floor = floor_of(asked, again)
    assert (floor.n, floor.n_flips, floor.rate) == (2, 1, 0.5)
    assert math.isclose(floor.max_logp_difference, 0.3)
    assert floor_of(asked, again.iloc[:0]) is None
    assert floor_of(asked[asked["layout"] == "eum"], again) is None


def test_content_free_inputs_are_those_that_can_be_rendered():
    queries = content_free_queries()
    assert [query.input for query in queries] == ["N/A", "nothing", "[MASK]"]
    assert all(query.id.startswith("content-free:") and query.gold == "" for query in queries)
