"""An automaton as a graph: states on a circle, edges with their symbols, the state it is in alight."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from lab.figures.frame import framed, shown
from lab.figures.palette import INK, SERIES

Place = tuple[float, float]
_LIT, _PALE = SERIES[1], "#94a3b8"
_RADIUS = 0.13  # of a state, where the circle's is 1
_BEND = 0.22  # how far an edge swerves, as a share of its length: there and back are two lines
_N_PLACES = 15  # of a bent line


class Edge(NamedTuple):
    """An edge of an automaton.

    Args:
        start: The state that it leaves.
        end: The state that it leads to.
        symbol: What is written on the way.
        note: What is told of it when it is pointed at.
    """

    start: int
    end: int
    symbol: str
    note: str


def automaton_graph(n_states: int, edges: Sequence[Edge], here: int, title: str) -> go.Figure:
    """Draw an automaton.

    Args:
        n_states: States, numbered from 0; strings start in the first.
        edges: Between them, none from a state to itself.
        here: The state it is in; the edges that leave it are alight too.
        title: Where it is, and what may come.
    """
    places = state_places(n_states)
    figure = go.Figure()
    for edge in sorted(edges, key=lambda edge: edge.start == here):  # those alight on top
        _edge(figure, edge, places, is_lit=edge.start == here)
    across, up = zip(*places, strict=True)
    figure.add_scatter(
        x=across, y=up, mode="markers+text", showlegend=False,
        marker={"size": 34, "color": [_LIT if state == here else "#0a76c4" for state in range(n_states)],
                "line": {"width": [4 if state == here else 0 for state in range(n_states)], "color": INK}},
        text=[str(state) for state in range(n_states)], textfont={"color": "#ffffff", "size": 15},
        hovertext=[f"state {state}{', where strings start' * (state == 0)}" for state in range(n_states)],
        hoverinfo="text",
    )  # fmt: skip
    framed(figure, title, height=430)
    hidden = {"visible": False, "range": [-1.35, 1.35], "fixedrange": True}
    figure.update_xaxes(**hidden)
    figure.update_yaxes(**hidden, scaleanchor="x", scaleratio=1)
    return figure


def state_places(n_states: int) -> list[Place]:
    """Return where states stand: clockwise on a circle, the first on the left."""
    angles = [math.pi - 2 * math.pi * state / n_states for state in range(n_states)]
    return [(math.cos(angle), math.sin(angle)) for angle in angles]


def symbol_place(start: Place, end: Place) -> Place:
    """Return where the symbol of an edge stands: in the middle of its bent line."""
    x, y = _bent(start, end)[:, _N_PLACES // 2]
    return float(x), float(y)


def _edge(figure: go.Figure, edge: Edge, places: Sequence[Place], is_lit: bool) -> None:
    start, end = places[edge.start], places[edge.end]
    x, y = _bent(start, end)
    color = _LIT if is_lit else _PALE
    figure.add_scatter(
        x=x, y=y, mode="lines+markers", showlegend=False, hoverinfo="skip",
        line={"color": color, "width": 3 if is_lit else 1.5},
        marker={"symbol": "arrow", "angleref": "previous", "color": color, "opacity": 1,
                "size": [0] * (_N_PLACES - 1) + [15 if is_lit else 11]},
    )  # fmt: skip
    across, up = symbol_place(start, end)
    figure.add_scatter(
        x=[across], y=[up], mode="markers+text", showlegend=False,
        marker={"size": 22, "color": color, "opacity": 1},
        text=[shown(edge.symbol)], textfont={"color": "#ffffff" if is_lit else "#0f172a", "size": 13},
        hovertext=[shown(edge.note, 80)], hoverinfo="text",
    )  # fmt: skip


def _bent(start: Place, end: Place) -> np.ndarray:
    """Return places along a line that swerves to its left, from rim to rim of its states, shape (2, n)."""
    first, last = np.array(start), np.array(end)
    along = last - first
    left = np.array([-along[1], along[0]])
    middle = (first + last) / 2 + 2 * _BEND * left / 2
    first = first + _RADIUS * (middle - first) / np.linalg.norm(middle - first)
    last = last + _RADIUS * (middle - last) / np.linalg.norm(middle - last)
    t = np.linspace(0, 1, _N_PLACES)
    curve: np.ndarray = (
        (1 - t) ** 2 * first[:, None] + 2 * t * (1 - t) * middle[:, None] + t**2 * last[:, None]
    )
    return curve
