"""Panels and canvas are two views of the same pixels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.images.grid import COLUMN, PAIR, ROW, SINGLE, SQUARE, STACK, Grid

GRIDS = st.sampled_from(
    [
        Grid(rows, columns)
        for rows in range(1, 5)
        for columns in range(1, 5 // rows + 1)
        if rows * columns <= 4
    ]
)
BATCHES = st.sampled_from([(), (1,), (3,), (2, 2)])


@given(GRIDS, BATCHES, st.integers(1, 5), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_split_undoes_join_and_join_undoes_split(grid, batch, side, channels, seed):
    panels = np.random.default_rng(seed).random((*batch, grid.n_panels, side, side, channels))
    canvas = grid.join(panels)
    assert canvas.shape == (*batch, *grid.size(side), channels)
    assert np.array_equal(grid.split(canvas), panels)
    assert np.array_equal(grid.join(grid.split(canvas)), canvas)


@pytest.mark.parametrize(
    ("grid", "canvas"),
    [
        (PAIR, [[0, 0, 1, 1], [0, 0, 1, 1]]),
        (STACK, [[0, 0], [0, 0], [1, 1], [1, 1]]),
        (SQUARE, [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]]),
    ],
)
def test_panels_lie_in_reading_order(grid, canvas):
    panels = np.repeat(np.arange(grid.n_panels), 4).reshape(grid.n_panels, 2, 2, 1)
    assert grid.join(panels)[..., 0].tolist() == canvas


@given(GRIDS)
def test_every_panel_has_a_marker_of_its_own_and_sixteen_tokens(grid):
    assert len(set(grid.markers)) == grid.n_panels
    assert grid.n_tokens == 16 * grid.n_panels


def test_markers_name_the_places():
    assert SINGLE.markers == ("",)
    assert ROW.markers == ("[LEFT]", "[MIDDLE]", "[RIGHT]")
    assert COLUMN.markers == ("[TOP]", "[MIDDLE]", "[BOTTOM]")
    assert SQUARE.markers == ("[TOP-LEFT]", "[TOP-RIGHT]", "[BOTTOM-LEFT]", "[BOTTOM-RIGHT]")


@pytest.mark.parametrize(("rows", "columns"), [(0, 1), (1, 0), (-1, -1), (2, 3), (5, 1)])
def test_a_canvas_holds_one_to_four_panels(rows, columns):
    with pytest.raises(ValueError, match=f"1 to 4 panels, got {rows} × {columns}"):
        Grid(rows, columns)


def test_another_number_of_panels_is_refused():
    with pytest.raises(ValueError, match="1 × 2 canvas holds 2 panels, got 3"):
        PAIR.join(np.zeros((3, 4, 4, 1)))


def test_a_canvas_that_the_grid_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="4 × 5 pixels can't be cut into 1 × 2"):
        PAIR.split(np.zeros((4, 5, 1)))
