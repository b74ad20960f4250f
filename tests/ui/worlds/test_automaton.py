"""The tab of an automaton: what is drawn, what a click means, and what is told of what was written."""

from dataclasses import replace

import pytest

from lab.figures.automaton import state_places, symbol_place
from lab.ui.opened import Opened
from lab.ui.worlds import automaton
from lab.ui.worlds.rooms import ROOMS
from lab.worlds.languages import Language

ABC = Language([[1, -1, -1], [-1, 2, 0], [0, -1, 1]], [0, 1, 3])


@pytest.fixture(scope="module")
def run():
    return Opened.first_shipped("automata")


def test_it_is_for_the_world_of_automata_alone():
    assert [room.id for room in ROOMS if automaton.suits(room)] == ["automata"]


def test_a_click_on_a_state_an_edge_or_a_bar_goes_on_with_the_string():
    places = state_places(3)
    assert automaton.continued(ABC, "", *places[1]) == "a"
    assert automaton.continued(ABC, "a", *places[2]) == "ab"
    assert automaton.continued(ABC, "a", *symbol_place(places[1], places[0])) == "ac"
    assert automaton.continued(ABC, "ab ", "c", 0.5) == "abc"


@pytest.mark.parametrize("click", [("a", 0.1), ("<b>", 1), (None, None), (9.0, 9.0), ({}, 1)])
def test_a_click_that_means_nothing_that_may_come_leaves_the_string(click):
    assert automaton.continued(ABC, "a", *click) == "a"
    assert automaton.continued(ABC, "aa", *click) == "aa"  # which is no string of it


def test_what_is_drawn_says_where_the_automaton_is_and_how_far_the_learner_is_from_it(run):
    told, graph, bars = automaton._drawn(run, 1, 1.0, "", is_writing=False)
    assert "It reads" in told and "lab-tile" not in told
    title = graph["value"].layout.title.text.replace("<br>", " ")
    assert title.startswith("At the start it is in state 0: next comes")
    shown = {trace.name: sum(trace.y) for trace in bars["value"].data}
    assert shown == pytest.approx(dict.fromkeys(["learner", "automaton", "2-gram", "3-gram"], 1), abs=1e-4)


def test_what_was_written_is_marked_and_counted(run):
    told, *_ = automaton._drawn(run, 1, 1.0, "", is_writing=True)
    assert told.count("It writes") == automaton.N_SHOWN
    assert told.count("May come, ") == 4 and "underline wavy" in told


def test_a_string_that_is_none_and_a_learner_that_is_gone_are_told(run):
    told, graph, bars = automaton._drawn(run, 1, 1.0, "<script>", is_writing=True)
    assert "not in the alphabet" in told and "<script>" not in told
    assert not graph["visible"] and not bars["visible"]
    assert automaton._drawn(None, 1, 1.0, "", is_writing=False)[0] == ""
    gone = replace(run, run_id="gone", example="")
    assert "lab-note" in automaton._drawn(gone, 1, 1.0, "", is_writing=False)[0]
