"""The false-flip floor and near-ties."""

import math

import pytest

from lab.stats.floor import false_flip_floor, near_ties
from lab.stats.intervals import wilson


def test_the_same_pass_twice_has_no_flips_but_a_bound(labelled):
    table = labelled({"sum": "ab" * 20}, "ab" * 20)
    floor = false_flip_floor(table, table)
    assert (floor.n, floor.n_flips, floor.rate, floor.max_logp_difference) == (40, 0, 0, 0)
    assert floor.high == wilson(0, 40).high > 0


def test_flips_and_the_largest_difference_are_found_whatever_the_row_order(labelled):
    first = labelled({"sum": "abab"}, "abab")
    second = labelled({"sum": "abaa"}, "abab")
    second.loc[0, "logp_a"] += 0.02
    floor = false_flip_floor(first, second.iloc[::-1])
    assert (floor.n_flips, floor.rate) == (1, 0.25)
    assert floor.max_logp_difference == pytest.approx(1.0)
    assert false_flip_floor(second, first) == false_flip_floor(first, second)


def test_generated_answers_have_no_score_difference(generated):
    table = generated({"sum": ["x", "y"]}, {"sum": [1, 0]})
    floor = false_flip_floor(table, table.assign(prediction=["X.", "z"]))
    assert floor.n_flips == 1
    assert math.isnan(floor.max_logp_difference)


def test_passes_over_other_queries_layouts_or_labels_are_refused(labelled):
    table = labelled({"sum": "ab"}, "ab")
    with pytest.raises(ValueError, match="same queries, only one has q1"):
        false_flip_floor(table, table.iloc[:1])
    with pytest.raises(ValueError, match="same layouts, only one has eum, sum"):
        false_flip_floor(table, table.assign(layout="eum"))
    with pytest.raises(ValueError, match="same labels"):
        false_flip_floor(table, table.drop(columns="logp_b"))


def test_near_ties_are_rows_with_a_margin_below_epsilon(labelled):
    table = labelled({"sum": "abab"}, "abab").assign(margin=[0.0, 0.09, 0.1, float("nan")])
    assert near_ties(table).tolist() == [True, True, False, False]
    assert near_ties(table, epsilon=0).tolist() == [False] * 4
    with pytest.raises(ValueError, match="epsilon must be 0 or more nats, got -1"):
        near_ties(table, epsilon=-1)
