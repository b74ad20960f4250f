"""The map of a world over two settings: what is offered, drawn, and set by a click."""

from collections import defaultdict

import gradio as gr
import pandas as pd
import pytest

from lab.experiments.worlds import sweeps
from lab.ui.worlds import swept
from lab.ui.worlds.rooms import ROOMS
from lab.ui.worlds.view import Sight
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


def test_two_measures_are_drawn_against_each_other_a_dot_a_cell():
    assert swept.measures_of(SWEEP)[-1][1] == swept.AGAINST
    figure = swept.figure_of(SWEEP, swept.AGAINST)
    assert [trace.name for trace in figure.data] == [
        f"Bursty share {each}" for each in (0, 0.25, 0.5, 0.75, 1)
    ]
    assert list(figure.data[-1].text) == [f"Classes {n:,}" for n in (32, 128, 512, 1024, 2048, 4096)]
    table = pd.DataFrame(SWEEP.rows)
    at = table[(table.p_bursty == 0.75) & (table.n_classes == 2048)]
    assert figure.data[3].x[4] == at.new_classes.median() and figure.data[3].y[4] == at.absent.median()
    assert figure.layout.title.text.replace("<br>", " ").startswith("Both over 50% in 0 of 30 cells")


@pytest.mark.parametrize("experiment", sweeps.PLANS)
def test_every_stored_sweep_is_drawn_and_a_click_on_any_cell_sets_it_within_bounds(experiment):
    found = sweeps.stored(experiment)
    for _, measure in swept.measures_of(found):
        assert swept.figure_of(found, measure) is not None
    map_ = swept.figure_of(found, found.measures[0]).data[0]
    bounds = bounds_of(next(room.settings for room in ROOMS if room.id == experiment))
    for x in map_.x:
        for y in map_.y:
            cell = swept.cell_at(found, x, y)
            assert all(bounds[name].low <= value <= bounds[name].high for name, value in cell.items())


def test_a_learner_that_comes_on_screen_leaves_the_map_and_what_is_told_of_a_click():
    with gr.Blocks():
        forms = {room.id: defaultdict(gr.Number) for room in ROOMS}
        view = swept.build(gr.Radio([room.id for room in ROOMS]), forms)
    turned = view.show(Sight(None, {}, None, is_new=False), "forgetting", None)
    assert turned[0].value == "tail_switch" and "75 trainings" in turned[1] and turned[2]["visible"]
    assert view.show(Sight(None, {}, None, is_new=True), "forgetting", None) == [gr.skip()] * 3


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
