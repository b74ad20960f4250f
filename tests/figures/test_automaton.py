import math

import pytest

from lab.figures import automaton_graph
from lab.figures.automaton import Edge, state_places, symbol_place

EDGES = [Edge(0, 1, "a", "0 to 1"), Edge(1, 0, "b", "1 to 0"), Edge(1, 2, "<c>", "<i>")]


def test_the_state_it_is_in_and_the_edges_that_leave_it_are_alight():
    figure = automaton_graph(3, EDGES, 1, "In state 1")
    *edges, states = figure.data
    lines, symbols = edges[::2], edges[1::2]
    assert [symbol.text[0] for symbol in symbols] == ["a", "b", "&lt;c&gt;"]
    assert lines[0].line.color != lines[1].line.color == lines[2].line.color
    assert states.marker.color[1] == lines[1].line.color and states.marker.color[0] != states.marker.color[1]
    assert [hover for hover in states.hovertext if "start" in hover] == ["state 0, where strings start"]
    assert symbols[2].hovertext[0] == "&lt;i&gt;"


def test_states_stand_apart_on_a_circle_and_edges_there_and_back_do_not_lie_on_each_other():
    places = state_places(6)
    assert places[0] == pytest.approx((-1, 0), abs=1e-9)
    assert all(math.hypot(*place) == pytest.approx(1) for place in places)
    there, back = symbol_place(places[0], places[3]), symbol_place(places[3], places[0])
    assert math.dist(there, back) > 0.3


def test_an_edge_runs_from_rim_to_rim_with_a_head_at_its_end():
    line = automaton_graph(3, EDGES[:1], 0, "").data[0]
    start, end = state_places(3)[:2]
    assert math.dist((line.x[0], line.y[0]), start) == pytest.approx(0.13)
    assert math.dist((line.x[-1], line.y[-1]), end) == pytest.approx(0.13)
    assert [size > 0 for size in line.marker.size] == [False] * 14 + [True]
