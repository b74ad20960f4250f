"""The Tiny worlds tab: controls from settings, curves of a training, a learner that is taken apart."""

import math
from types import SimpleNamespace

import gradio as gr
import pytest

from lab.experiments import EXPERIMENTS
from lab.experiments.registry import build_params, find_experiment
from lab.runs.store import Store
from lab.ui.opened import Opened
from lab.ui.running import RunState
from lab.ui.worlds import apart, form, language, own, plots, tab
from lab.ui.worlds.apart import Cut
from lab.ui.worlds.matrices import figure_of
from lab.ui.worlds.rooms import ROOMS, world_of
from lab.ui.worlds.sequences import sequences_html
from lab.ui.worlds.watch import WATCH
from lab.worlds import shelf
from lab.worlds.growth import Moment
from lab.worlds.scores import SCORES
from lab.worlds.settings import bounds_of
from lab.worlds.world import Own
from tests.tiny_models import save_tiny_lm

INDUCTION = find_experiment(EXPERIMENTS, "induction")
VALUES = {"n_steps": 150, "n_heads": 2, "n_classes": 20, "n_queries": 20, "clamp": "match"}
rooms = pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.id)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with Store(tmp_path_factory.mktemp("worlds") / "lab.sqlite3") as made:
        yield made


@pytest.fixture(scope="module")
def opened(store) -> Opened:
    """Train a learner once for this file; it is on the shelf then."""
    params = build_params(INDUCTION, VALUES)
    *_, result = INDUCTION.run(params, store)
    return Opened.stored(store, result.run_id)


@pytest.fixture
def kept(opened):
    return shelf.find(opened.run_id)


@rooms
def test_every_setting_has_a_control_that_says_what_it_does_and_takes_its_default(room):
    experiment = find_experiment(EXPERIMENTS, room.id)
    with gr.Blocks():
        made = form.build(experiment, room.world, room.settings, room.presets)
    assert set(bounds_of(room.settings)) < set(made.by_name)
    for name, bounds in bounds_of(room.settings).items():
        control = made.by_name[name]
        assert (control.label, control.info) == (bounds.label, bounds.what)
        assert control.value == getattr(experiment.params(), name)
    params = build_params(experiment, {name: control.value for name, control in made.by_name.items()})
    assert params == experiment.params()


@rooms
def test_every_value_that_a_list_offers_is_allowed(room):
    experiment = find_experiment(EXPERIMENTS, room.id)
    with gr.Blocks():
        made = form.build(experiment, room.world, room.settings, room.presets)
    for name, control in made.by_name.items():
        if isinstance(control, gr.Dropdown | gr.Radio):
            for _, value in control.choices:
                build_params(experiment, {name: value})
        if isinstance(control, gr.Slider):
            for value in (control.minimum, control.maximum):
                build_params(experiment, {name: value})


@rooms
def test_a_preset_that_is_chosen_fills_the_form_and_says_what_to_look_for(room):
    experiment = find_experiment(EXPERIMENTS, room.id)
    with gr.Blocks() as page:
        form.build(experiment, room.world, room.settings, room.presets)
    (choose,) = [each for each in page.fns.values() if each.name == "choose"]
    preset = room.presets[-1]
    radio, *controls = choose.fn(preset.name)
    assert radio.info == preset.look_for
    names = list(bounds_of(room.settings))
    values = [each.value if isinstance(each, gr.Dropdown) else each for each in controls]
    made = dict(zip(names, values, strict=True))
    assert {name: made[name] for name in preset.settings} == dict(preset.settings)


def test_a_run_fills_the_form_that_made_it(opened):
    with gr.Blocks():
        room = ROOMS[0]
        made = form.build(INDUCTION, room.world, room.settings, room.presets)
    updates = form.filled(made.by_name, opened.values)
    assert updates[made.by_name["n_classes"]] == 20
    assert updates[made.by_name["layouts"]] == list(opened.params.layouts)


@pytest.fixture
def turned(store, tmp_path):
    """Return `turned(world, opened, latest)`: how the tab changes, by the ids of its parts."""
    lab = SimpleNamespace(store_for=lambda request: store)
    with gr.Blocks() as page, gr.Tabs(), gr.Tab() as outer:
        tab.build(lab, outer)
    (turn,) = [each for each in page.fns.values() if each.name == "turn"]

    def of(world, opened, latest):
        updates = turn.fn(world, opened, latest, None)
        return {getattr(part, "elem_id", None) or type(part).__name__: each for part, each in updates.items()}

    return of


def test_a_world_that_is_chosen_shows_its_own_controls_and_its_latest_run(turned, opened):
    there = turned("linear", opened, {"induction": [opened]})
    assert there["linear-room"]["visible"] and not there["induction-room"]["visible"]
    assert there["State"].example == "linear-regression" and there["worlds-curves-1"]["visible"]
    back = turned("induction", None, {"induction": [opened]})
    assert back["State"] == opened and "queries right under drawn" in back["worlds-verdict"]
    assert back["worlds-curves-1"]["visible"] and back["worlds-matrix"] is not None


def test_a_run_that_was_opened_stays_when_the_tab_turns_to_its_world(turned, opened):
    assert "worlds-verdict" not in turned("induction", opened, {})


def test_the_world_of_a_run_is_made_from_its_parameters(opened):
    world = world_of(opened)
    assert world.settings.n_classes == 20
    assert world.seed == 0


def watching(opened, state):
    with gr.Blocks():
        parts = WATCH.build()
    return parts, WATCH.show(parts, opened, state)


def test_curves_are_drawn_while_it_learns(opened):
    measured = {curve.name: 0.5 for curve in world_of(opened).curves}
    learned = (
        Moment(0, 10, math.nan, 0.0, measured),
        Moment(5, 10, 1.0, 0.1, {}),
        Moment(10, 10, 0.5, 0.2, {**measured, "accuracy": 0.9}),
    )
    parts, updates = watching(opened, RunState("running", learned=learned))
    figure = updates[parts[1]]["value"]
    assert [trace.name for trace in figure.data][:2] == ["known classes", "held-out label pairs"]
    assert list(figure.data[0].x) == [0, 10]
    assert list(figure.data[0].y) == [0.5, 0.9]


def test_curves_of_a_finished_run_come_from_what_was_kept(opened, kept):
    parts, updates = watching(opened, None)
    measured = [moment for moment in kept.history if moment.measures]
    assert len(updates[parts[1]]["value"].data[0].x) == len(measured)
    assert updates[parts[0]] == ""


def test_where_nothing_was_kept_the_remedy_is_named(opened, monkeypatch):
    monkeypatch.setattr(shelf, "_kept", type(shelf._kept)())
    parts, updates = watching(opened, None)
    assert "to grow the same learner again" in updates[parts[0]]
    assert all(not updates[part]["visible"] for part in parts[1:])


def test_a_learner_is_seen_whole_at_its_last_step(kept):
    found = apart.seen(kept, Cut(1.0, [], False, "1.0", 3))
    assert found.step == 150
    assert found.accuracy == found.whole > 0.9
    assert found.pattern.shape == (5, 5)
    assert found.pattern.sum(1) == pytest.approx([1] * 5, abs=1e-5)
    assert found.tokens[-1].endswith("?")


def test_at_its_first_step_it_knows_nothing(kept):
    found = apart.seen(kept, Cut(0.0, [], False, "1.0", 1))
    assert found.step == 0
    assert found.whole < 0.6


def test_without_the_head_that_was_given_the_match_it_answers_worse(kept):
    found = apart.seen(kept, Cut(1.0, ["1.0"], False, "1.0", 1))
    assert found.accuracy < found.whole - 0.2


def test_heads_that_there_are_not_are_left_out(kept):
    found = apart.seen(kept, Cut(1.0, ["7.9", "oops"], True, "9.9", 10_000))
    assert found.accuracy == found.whole


def test_looking_at_a_learner_leaves_it_as_it_was(kept):
    before = {name: value.clone() for name, value in kept.learner.state_dict().items()}
    apart.seen(kept, Cut(0.0, ["0.0"], True, "0.0", 1))
    assert all((value == before[name]).all() for name, value in kept.learner.state_dict().items())


def test_every_head_can_be_chosen(kept):
    assert apart.heads_of(kept) == ["0.0", "0.1", "1.0", "1.1"]


def test_behind_a_cell_stand_the_contexts_of_its_query(opened, store):
    html = sequences_html(opened, store, "query 1", "reversed")
    assert html.count("<tr>") == 5
    assert "reversed (chosen)" in html
    assert "=?" in html
    assert "not asked yet" in sequences_html(opened, store, "<b>", "drawn")


def test_the_shelf_keeps_the_learners_looked_at_last(monkeypatch):
    monkeypatch.setattr(shelf, "_kept", type(shelf._kept)())
    monkeypatch.setattr(shelf, "N_KEPT", 2)
    for name in ("a", "b"):
        shelf.keep(name, name)
    assert shelf.find("a") == "a"
    shelf.keep("c", "c")
    assert shelf.find("b") is None
    assert (shelf.find("a"), shelf.find("c")) == ("a", "c")


def test_the_matrices_of_a_layer_are_shown_as_they_were_at_a_step(store):
    linear = find_experiment(EXPERIMENTS, "linear")
    *_, result = linear.run(build_params(linear, {"n_steps": 200, "n_queries": 10}), store)
    kept = shelf.find(result.run_id)
    first, last = figure_of(kept, 0.0), figure_of(kept, 1.0)
    assert len(last.data) == 2 and last.data[0].z.shape == (6, 6)
    assert (first.data[0].z != last.data[0].z).any()
    assert "after 200 steps" in last.layout.title.text.replace("<br>", " ")
    ov = kept.learner.body.ov[0, -1].item()
    assert last.layout.annotations[0].text == f"head 0<br>OV {ov:+.2f}"


def test_settings_are_compared_with_a_run_of_their_own_world_alone(tmp_path, opened):
    with gr.Blocks() as page, gr.Tabs(), gr.Tab() as outer:
        tab.build(SimpleNamespace(), outer)
    # each is wired twice: to its controls, and to the end of its runs
    marks = [each for each in page.fns.values() if each.name == "mark" and len(each.targets) > 1]
    assert len(marks) == len(ROOMS)
    for room, mark in zip(ROOMS, marks, strict=True):
        values = [each.value for each in mark.inputs[1:]]
        said = mark.fn(opened, *values)
        assert ("n_classes = 50" in said) == (room.id == opened.experiment)


@pytest.fixture(scope="module")
def lines(store) -> shelf.Kept:
    """Train a learner of a world that draws a profile."""
    linear = find_experiment(EXPERIMENTS, "linear")
    *_, result = linear.run(build_params(linear, {"n_steps": 200, "n_queries": 10, "n_points": 12}), store)
    return shelf.find(result.run_id)


def test_a_profile_shows_the_learner_beside_the_best_answer(lines):
    found = plots.plot_of(lines, "profile", 1.0)
    assert list(found.x) == [5, 10, 12, 20, 40, 80, 160]
    assert next(iter(found.lines)) == "learner"
    best = found.lines["ridge (Bayes)"]
    assert all(low <= high for low, high in zip(best, found.lines["debiased step"], strict=True))
    assert plots.plot_of(lines, "profile", 0.0).title.startswith("After 0 steps: Trained on 12 points")


@rooms
def test_every_room_has_its_parts_and_refuses_what_it_does_not_take(room):
    world = room.world(room.settings())
    for name in world.plots:
        assert getattr(world, name).__doc__.startswith("Draw "), name
    with pytest.raises(ValueError, match=r"plot must be one of .*, got 'measure'"):
        world.plot(None, "measure")
    if world.own is None:
        with pytest.raises(ValueError, match="takes no sequences of your own"):
            world.told(None, "1 2 3")
    else:
        assert world.own.label and world.own.info and world.own.example


def test_every_head_is_scored_on_what_it_read(kept):
    found = apart.seen(kept, Cut(1.0, [], False, "1.0", 1)).scores
    assert {name: values.shape for name, values in found.items()} == dict.fromkeys(SCORES, (2, 2))
    assert found["induction"][1].max() > 0.9  # the match was given to it
    assert found["induction"][0].max() < 0.9


@pytest.fixture
def toggle(opened):
    """Return what a click on a head of the map does to the heads that are switched off."""
    with gr.Blocks() as page, gr.Tabs(), gr.Tab() as outer:
        tab.build(SimpleNamespace(), outer)
    (found,) = [each for each in page.fns.values() if each.name == "toggle"]
    return lambda off, layer, head: found.fn(opened, off, SimpleNamespace(x=head, y=layer))


def test_a_click_on_a_head_switches_it_off_and_on_again(toggle):
    assert toggle(["0.1"], "1", "0") == ["0.1", "1.0"]
    assert toggle(["0.1", "1.0"], "1", "0") == ["0.1"]
    assert toggle(["0.1"], "7", "<b>") == ["0.1"]


def test_the_heads_of_a_language_model_are_drawn(tmp_path):
    told, shown = language.look(save_tiny_lm(tmp_path / "tiny"), "induction")
    assert told == "" and shown["visible"]
    assert "has the highest induction score" in shown["value"].layout.title.text.replace("<br>", " ")
    told, shown = language.look("no/such/model", "induction")
    assert not shown["visible"] and "model must be one of" in told
    assert "choose one of the list" in language.look("smollm2-135m", "<b>")[0]


def test_a_click_adds_a_point_and_what_is_no_number_adds_nothing():
    points = Own("Points", "x:y", "0:1", " {x:.1f}:{y:.1f}")
    assert own.added(points, "", 1, 2) == "1.0:2.0"
    assert own.added(points, "0:1", "<b>", 2) == "0:1"
    assert own.added(Own("Balls", "letters", "a", " {x}"), "a b", "c", 0.5) == "a b c"
    assert own.added(Own("Balls", "letters", "a"), "a b", "c", 0.5) == "a b"
