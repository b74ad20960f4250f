"""The map of a world over two settings: what is offered, drawn, and set by a click."""

import pytest

from lab.experiments.worlds import sweeps
from lab.ui.worlds import swept
from lab.ui.worlds.rooms import ROOMS
from lab.worlds.settings import bounds_of

SWEEP = sweeps.stored("abrupt")


def test_it_is_for_the_worlds_whose_sweep_is_stored():
    assert [room.id for room in ROOMS if swept.suits(room)] == list(sweeps.PLANS)


def test_measures_go_by_the_names_of_their_curves():
    assert swept.measures_of(SWEEP)[0] == ("new classes (context only)", "new_classes")
    assert swept.measures_of(None) == []


def test_a_measure_is_drawn_and_a_name_that_there_is_not_draws_nothing():
    figure = swept.figure_of(SWEEP, "absent")
    assert figure.layout.xaxis.title.text == "Classes"
    assert len(figure.data[0].z) == 5
    assert swept.figure_of(SWEEP, "nothing") is None


def test_a_click_finds_the_settings_of_its_cell_and_they_are_within_bounds():
    assert swept.cell_at(SWEEP, "2,048", "0.75") == {"n_classes": 2048, "p_bursty": 0.75}
    bounds = bounds_of(next(room.settings for room in ROOMS if room.id == "abrupt"))
    for row in SWEEP.rows:
        assert all(bounds[name].low <= row[name] <= bounds[name].high for name in (SWEEP.x, SWEEP.y))


@pytest.mark.parametrize("place", [("17", "0.75"), (2048, 0.75), (None, None), ("2,048", "nan")])
def test_a_click_on_no_cell_finds_nothing(place):
    assert swept.cell_at(SWEEP, *place) is None


def test_it_says_what_was_trained_and_by_which_command():
    told = swept.provenance(SWEEP)
    assert "90 trainings, 3 seeds a cell" in told
    assert SWEEP.command in told
