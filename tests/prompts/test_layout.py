"""Layouts are their ids: every one round-trips, every wrong one is refused with the remedy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.prompts.layout import CONTROL_TITLES, CONTROLS, SLOT_TITLES, SLOTS, Layout


@st.composite
def layouts(draw) -> Layout:
    slot = draw(st.sampled_from(SLOTS))
    allowed = ["", "again"]
    if slot != "none":
        allowed.append("shuffled")
        allowed += ["filler"] if slot != "turns" else []
        allowed += ["restated"] if slot == "eum" else []
    order = draw(st.none() | st.integers(1, 12).flatmap(lambda n: st.permutations(range(n))).map(tuple))
    return Layout(slot, draw(st.sampled_from(allowed)), draw(st.integers(0, 99)), order)


@given(layouts())
def test_an_id_gives_the_layout_back(layout):
    assert Layout.parse(layout.id) == layout
    assert Layout.parse(f"  {layout.id}\n") == layout


@given(layouts(), layouts())
def test_different_layouts_have_different_ids(first, second):
    assert (first == second) == (first.id == second.id)


@pytest.mark.parametrize(
    ("text", "layout"),
    [
        ("sum", Layout("sum")),
        ("eum+restated", Layout("eum", "restated")),
        ("sum~1@2-0-1", Layout("sum", draw=1, order=(2, 0, 1))),
        ("ssp+shuffled~3", Layout("ssp", "shuffled", 3)),
        ("turns@0", Layout("turns", order=(0,))),
        ("none+again", Layout("none", "again")),
    ],
)
def test_ids_read_as_written(text, layout):
    assert Layout.parse(text) == layout
    assert layout.id == text


@pytest.mark.parametrize(
    "text", ["", "sum+", "sum~", "sum@", "sum@1-", "sum@0,1", "sum 1", "SUM", "sum@0-1~1", "é"]
)
def test_what_is_no_layout_is_refused_with_examples(text):
    with pytest.raises(ValueError, match=r"layout must look like sum, eum\+restated or sum~1@2-0-1, got "):
        Layout.parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("top", "slot must be one of none, ssp, esp, sum, eum, turns, got 'top'"),
        ("sum+loud", "control must be one of restated, shuffled, filler, again, got 'loud'"),
        ("sum+restated", r"only eum can restate the query, got sum\+restated"),
        ("none+shuffled", r"the zero-shot prompt has no demonstrations to control, got none\+shuffled"),
        ("turns+filler", r"filler text has no turns to stand in; use sum\+filler or eum\+filler"),
        ("sum@1-2", r"order must be a permutation of 0..1, got \(1, 2\)"),
        ("sum@0-0", r"order must be a permutation of 0..1, got \(0, 0\)"),
    ],
)
def test_an_impossible_layout_is_refused_with_the_reason(text, message):
    with pytest.raises(ValueError, match=message):
        Layout.parse(text)


def test_every_slot_and_control_has_a_title():
    assert set(SLOT_TITLES) == set(SLOTS)
    assert set(CONTROL_TITLES) == set(CONTROLS) - {""}
    assert Layout.parse("eum+restated~1@1-0").title == (
        "end of the user message, query restated after the demonstrations, demonstration set 2, order 2 1"
    )
