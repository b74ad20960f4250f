"""Which queries flip, and how."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.stats.flips import answers, flip_kinds, flip_matrix, normalise_text, transitions, wide

LABELS = "abc"
columns = st.integers(1, 12).flatmap(
    lambda n: st.tuples(*[st.lists(st.sampled_from(LABELS), min_size=n, max_size=n)] * 3)
)


def test_every_kind_of_flip_is_told_apart(labelled):
    table = labelled({"sum": "aabbc", "eum": "abacb"}, "aaaaa", LABELS)
    kinds = flip_kinds(table, "sum")
    assert list(kinds["eum"]) == [
        "same",
        "right→wrong",
        "wrong→right",
        "wrong→other wrong",
        "wrong→other wrong",
    ]
    assert set(kinds["sum"]) == {"same"}


def test_generated_answers_flip_by_what_they_say_not_how_they_are_written(generated):
    said = {"sum": ["The  Mayor.", "Paris", "", ""], "eum": ["the mayor", "Paris, France", "", "x"]}
    table = generated(said, {"sum": [0.7, 1, 0, 0], "eum": [0.7, 1, 0, 0.2]})
    assert list(flip_kinds(table, "sum")["eum"]) == ["same", "right→other right", "same", "wrong→other wrong"]


def test_a_graded_answer_is_right_from_one_half(generated):
    table = generated({"sum": ["u", "u"], "eum": ["v", "v"]}, {"sum": [0.5, 0.49], "eum": [0.49, 0.5]})
    assert list(flip_kinds(table, "sum")["eum"]) == ["right→wrong", "wrong→right"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("  It's 3.5 km!", "it s 3.5 km"),
        ("-4", "-4"),
        ("well-known", "well known"),
        ("1,200", "1,200"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("?", "?"),
        ("", ""),
    ],
)
def test_normalised_text_keeps_words_and_numbers(text, said):
    assert normalise_text(text) == said


def test_labels_that_differ_in_punctuation_only_stay_apart(labelled):
    table = labelled({"sum": ["+"], "eum": ["-"]}, ["+"], "+-")
    assert list(flip_kinds(table, "sum")["eum"]) == ["right→wrong"]
    assert list(answers(table).iloc[0]) == ["+", "-"]


@given(columns)
@settings(max_examples=15, deadline=None)
def test_flips_are_symmetric(labelled, drawn):
    first, second, gold = drawn
    table = labelled({"s": first, "t": second}, gold, LABELS)
    there, back = flip_kinds(table, "s")["t"], flip_kinds(table, "t")["s"]
    assert ((there == "same") == (back == "same")).all()
    assert ((there == "right→wrong") == (back == "wrong→right")).all()
    assert ((there == "wrong→other wrong") == (back == "wrong→other wrong")).all()
    assert "right→other right" not in set(there)


@given(columns, st.permutations(LABELS))
@settings(max_examples=15, deadline=None)
def test_renaming_the_labels_changes_no_flip(labelled, drawn, names):
    first, second, gold = drawn
    rename = dict(zip(LABELS, names, strict=True))
    renamed = [[rename[label] for label in column] for column in drawn]
    before = flip_kinds(labelled({"s": first, "t": second}, gold, LABELS), "s")
    after = flip_kinds(labelled({"s": renamed[0], "t": renamed[1]}, renamed[2], LABELS), "s")
    pd.testing.assert_frame_equal(before, after)


def test_transitions_mark_near_ties_and_keep_both_margins(labelled):
    table = labelled({"sum": "ab", "eum": "bb"}, "aa")
    table["margin"] = [0.05, 2.0, 3.0, 0.1]
    moved = transitions(table, "sum", "eum")
    assert list(moved.columns) == ["query_id", "from", "to", "kind", "margin_from", "margin_to", "near_tie"]
    assert moved.iloc[0].tolist() == ["q0", "a", "b", "right→wrong", 0.05, 3.0, True]
    assert moved["near_tie"].tolist() == [True, False]


def test_generated_answers_are_no_near_ties(generated):
    table = generated({"sum": ["u"], "eum": ["v"]}, {"sum": [1], "eum": [0]})
    assert not transitions(table, "sum", "eum")["near_tie"].any()


def test_flip_matrix_shows_each_query_with_its_instability(labelled):
    table = labelled({"none": "aab", "sum": "aaa", "eum": "abc"}, "abc", LABELS)
    matrix = flip_matrix(table, "sum")
    assert list(matrix.columns) == ["query_id", "gold", "sum", "none", "eum", "instability"]
    assert matrix["gold"].tolist() == ["a", "b", "c"]
    assert matrix["instability"].tolist() == pytest.approx([0, 1 / 3, 2 / 3])


def test_wide_keeps_the_order_of_appearance(labelled):
    table = labelled({"z": "ab", "a": "ba"}, "ab").iloc[[1, 0, 3, 2]]
    spread = wide(table, "prediction")
    assert list(spread.columns) == ["z", "a"]
    assert list(spread.index) == ["q1", "q0"]


def test_wide_names_what_is_missing_or_doubled(labelled):
    table = labelled({"sum": "aaaaa", "eum": "aaaaa"}, "aaaaa")
    with pytest.raises(ValueError, match="no prediction for query 'q1' under layout 'eum': resume"):
        wide(table.drop(index=6), "correct")
    with pytest.raises(ValueError, match="and 1 more"):
        wide(table.iloc[:6], "correct")
    with pytest.raises(ValueError, match="query 'q0' has several predictions under layout 'sum'"):
        wide(pd.concat([table, table]), "correct")
    with pytest.raises(ValueError, match=r"column must be one of run_id, .* got 'score'"):
        wide(table, "score")
    with pytest.raises(ValueError, match="at least one row"):
        wide(table.iloc[:0], "correct")


def test_row_labels_do_not_matter(labelled, generated):
    for table in (
        labelled({"s": "ab", "t": "bb"}, "aa"),
        generated({"s": ["u"], "t": ["v"]}, {"s": [1], "t": [0]}),
    ):
        relabelled = table.set_axis([0] * len(table))
        pd.testing.assert_frame_equal(flip_kinds(relabelled, "s"), flip_kinds(table, "s"))
        pd.testing.assert_frame_equal(transitions(relabelled, "s", "t"), transitions(table, "s", "t"))


def test_a_missing_text_counts_as_unparsed(generated):
    table = generated({"s": [""], "t": [None]}, {"s": [0], "t": [0]})
    assert list(flip_kinds(table, "s")["t"]) == ["same"]


def test_an_unknown_reference_is_refused_with_those_there_are(labelled):
    with pytest.raises(ValueError, match="layout must be one of sum, eum, got 'ssp'"):
        flip_kinds(labelled({"sum": "a", "eum": "a"}, "a"), "ssp")
