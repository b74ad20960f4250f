"""Arrangements of examples: written, read, listed, carried out."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_vision import example

from lab.vision.layouts import MAX_ORDERS, WAYS, Shown, layouts_of, parse_layout, swapped

ONE = example("one", ("red", 8, 8))
TWO = example("two", ("red", 40, 0), ("blue", 0, 0), meant=("red", "blue"))


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.booleans(), st.booleans()),
        min_size=1,
        max_size=6,
        unique_by=lambda x: x[0],
    )
)
def test_what_is_written_is_read(shown):
    text = "-".join(Shown(*each).id for each in shown)
    layout = parse_layout(text)
    assert layout.id == text and [tuple(vars(each).values()) for each in layout.shown] == shown


@pytest.mark.parametrize("text", ["", "0", "1-", "1x~", "a", "1 2"])
def test_what_is_no_layout_is_refused(text):
    with pytest.raises(ValueError, match="a layout is written like"):
        parse_layout(text)


def test_examples_that_are_not_there_or_stand_twice_are_refused():
    with pytest.raises(ValueError, match="more than the 2 examples"):
        parse_layout("3", 2)
    with pytest.raises(ValueError, match="twice"):
        parse_layout("1-1~")


def test_a_layout_is_carried_out():
    mirrored, turned = parse_layout("2~-1x").arranged((ONE, TWO))
    np.testing.assert_array_equal(mirrored.marks, TWO.marks[:, ::-1])
    np.testing.assert_array_equal(mirrored.picture, TWO.picture[:, ::-1])
    np.testing.assert_array_equal(turned.marks, 1 - ONE.marks)


def test_of_several_classes_each_becomes_the_next():
    found = swapped(TWO)
    np.testing.assert_array_equal(found.marks == 2, TWO.marks == 1)
    np.testing.assert_array_equal(found.marks == 1, TWO.marks == 2)


@pytest.mark.parametrize("n", range(1, 7))
def test_ways_list_what_they_promise(n):
    everything = "-".join(str(place) for place in range(1, n + 1))
    listed = {way: layouts_of(way, n) for way in WAYS}
    for way, layouts in listed.items():
        assert layouts[0] == everything and len(set(layouts)) == len(layouts), way
        assert all(parse_layout(text, n).id == text for text in layouts)
    assert len(listed["subsets"]) == 2**n - 1
    assert len(listed["order"]) == min(math.factorial(n), MAX_ORDERS)
    assert set(listed["choice"]) == {everything, *(str(place) for place in range(1, n + 1))}
    assert [text.count("-") + 1 for text in listed["number"]] == [n, *range(1, n)]
    assert everything[::-1] in listed["order"]


def test_an_unknown_way_and_too_many_examples_are_refused():
    with pytest.raises(ValueError, match="vary must be one of"):
        layouts_of("mood", 3)
    with pytest.raises(ValueError, match="1 to 6"):
        layouts_of("choice", 7)
