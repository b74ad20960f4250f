"""The Tiny worlds tab: learners that are trained in front of a person, asked, and taken apart."""

from typing import Any, NamedTuple

import gradio as gr

from lab.experiments import EXPERIMENTS
from lab.experiments.registry import find_experiment
from lab.ui.opened import NO_STORE, Opened
from lab.ui.people import Lab
from lab.ui.run_controls import LIGHT, QUIET, ExperimentTab, RunControls, TabHandle, Updates, in_order
from lab.ui.shipped import show_at_build
from lab.ui.study import Panel, Study, Words, cleared, place_results, shown, wire_cells, wire_study
from lab.ui.worlds import closer, form, guess
from lab.ui.worlds.closer import Closer
from lab.ui.worlds.rooms import ROOMS, Room
from lab.ui.worlds.sequences import sequences_html
from lab.ui.worlds.view import Latest
from lab.ui.worlds.watch import WATCH

INTRO = (
    "Models small enough to grow while you watch: choose what to look for, press **Train and ask**, and see "
    "in-context learning appear, or fail to. Then rearrange the context and take the learner apart."
)
CHOOSE = "Each is a paper's question, with a model that grows in a minute or two."
LOCKED = "A learner is growing: it is to end, or to be stopped, before another world can be chosen."
FIGURES = {"Accuracy": "accuracy", "Prediction change": "comparisons"}
WORDS = Words(
    no_result="Press “Train and ask”: a learner grows, then answers the same queries under every layout.",
    matrix="What the learner answers to each query under every layout",
    queries="Queries",
    asked="asked under every layout",
    look="Choose a cell to see the context that was shown.",
    figures={
        "Accuracy": "How often the learner is right under each layout; bars are 95 % intervals.",
        "Prediction change": "How many answers differ from those to the context as drawn.",
    },
)


class Place(NamedTuple):
    """A world's own part of the tab; the results stand in one place for all worlds.

    Args:
        room: The world.
        group: What is hidden while another world is chosen.
        controls: Its buttons.
        by_name: Its controls by parameter.
        stale: Says that the results are for other settings.
    """

    room: Room
    group: gr.Column
    controls: RunControls
    by_name: dict[str, Any]
    stale: gr.HTML

    @property
    def study(self) -> Study:
        """Describe its results."""
        return Study(
            self.room.id,
            WORDS,
            FIGURES,
            lambda params: params.layouts,
            lambda: (self.controls, self.by_name),
            form.filled,
            sequences_html,
            WATCH,
        )


class Shell(NamedTuple):
    """What all worlds share on the tab.

    Args:
        chooser: Which world.
        opened: The run on screen.
        latest: The runs that were on screen in each world, by the world's id.
        n_grown: How many learners have ended their training; it changes when there is one to be seen.
        guessed: What the measure of a prediction is chosen from.
        panel: The results.
        parts: What takes a learner apart and sets it beside others.
    """

    chooser: gr.Radio
    opened: gr.State
    latest: gr.State
    n_grown: gr.State
    guessed: gr.Dropdown
    panel: Panel
    parts: Closer


def build(lab: Lab, outer: gr.Tab) -> ExperimentTab:
    """Build the tab inside the current block, which is `outer`."""
    gr.Markdown(INTRO, elem_id="worlds-intro")
    first = Opened.first_shipped(ROOMS[0].id)
    chooser = gr.Radio(
        [(room.title, room.id) for room in ROOMS], value=ROOMS[0].id, label="World", info=CHOOSE,
        elem_id="worlds-chosen",
    )  # fmt: skip
    opened, n_grown, latest = gr.State(first), gr.State(0), gr.State({})
    guessed = guess.build(chooser, opened, [n_grown.change])
    with gr.Row(equal_height=False, elem_classes="lab-split"):
        with gr.Column(scale=3, min_width=320):
            places = [_place(room) for room in ROOMS]
        with gr.Column(scale=8, min_width=320):
            panel = place_results("worlds", WORDS, FIGURES, WATCH)
    forms = {place.room.id: place.by_name for place in places}
    parts = closer.build(lab, chooser, forms, opened, latest, n_grown)
    shell = Shell(chooser, opened, latest, n_grown, guessed, panel, parts)
    handles = {place.room.id: _wire_place(lab, shell, place) for place in places}
    wire_cells(lab, sequences_html, panel, opened)
    _wire_choosing(lab, shell, places)
    _wire_first_sight(shell, outer)
    study = places[0].study._replace(watch=None)  # its curves need a learner, and that torch
    shipped = shown(study, panel, first, NO_STORE) if first is not None else {}
    show_at_build({part: value for part, value in shipped.items() if part not in panel.figures})
    return ExperimentTab(handles, panel.figures, lambda: in_order(shipped, panel.figures))


def _place(room: Room) -> Place:
    with gr.Column(visible=room is ROOMS[0], elem_id=f"{room.id}-room") as group:
        gr.Markdown(room.question, elem_id=f"{room.id}-question")
        experiment = find_experiment(EXPERIMENTS, room.id)
        made = form.build(experiment, room.world, room.settings, room.presets)
        stale = gr.HTML(elem_id=f"{room.id}-stale", padding=False)
    return Place(room, group, made.controls, made.by_name, stale)


def _wire_place(lab: Lab, shell: Shell, place: Place) -> TabHandle:
    """Let a world's buttons fill the results; it stays chosen while a learner grows in it."""
    panel = shell.panel._replace(stale=place.stale)
    handle, runs = wire_study(
        lab, place.study, panel, shell.opened, place.controls, place.by_name, shares_panel=True
    )
    place.controls.run.click(lambda: gr.Radio(interactive=False, info=LOCKED), None, shell.chooser, **LIGHT)
    for run in runs:
        run.then(
            lambda n_grown: (gr.Radio(interactive=True, info=CHOOSE), n_grown + 1),
            shell.n_grown,
            [shell.chooser, shell.n_grown],
            **QUIET,  # only what is queued tells the page that a state has changed
        )
    return handle._replace(inner={shell.chooser: {"value": place.room.id}})


def _wire_choosing(lab: Lab, shell: Shell, places: list[Place]) -> None:
    """Turn to the world that is chosen, and show the run that was last on screen there."""
    by_id = {place.room.id: place for place in places}

    def turn(world: str, opened: Opened | None, latest: Latest, request: gr.Request) -> Updates:
        room, study = by_id[world].room, by_id[world].study
        turned: Updates = {
            **{place.group: gr.update(visible=place.room is room) for place in places},
            **shell.parts.turned(room),
            shell.guessed: guess.turned(room),
        }
        if opened is not None and opened.experiment == world:
            return turned  # a run was opened, and brought its world along
        run = next(iter(latest.get(world, ())), None) or Opened.first_shipped(world)
        store = lab.store_for(request)
        results = cleared(study, shell.panel) if run is None else shown(study, shell.panel, run, store)
        return {**turned, shell.opened: run, **results}

    shell.chooser.change(
        turn,
        [shell.chooser, shell.opened, shell.latest],
        [
            *(place.group for place in places),
            *shell.parts.outputs,
            shell.guessed,
            shell.opened,
            *shell.panel.outputs,
        ],
        show_progress_on=shell.chooser,
        **QUIET,
    )


def _wire_first_sight(shell: Shell, outer: gr.Tab) -> None:
    """Draw the learner that is shipped when the tab is opened first."""

    def see(run: Opened | None, n_grown: int) -> Updates:
        if run is None or n_grown:
            return {shell.n_grown: n_grown}
        return {shell.n_grown: 1, **WATCH.show(shell.panel.watched, run, None)}

    parts = [shell.n_grown, *shell.panel.watched]
    outer.select(see, [shell.opened, shell.n_grown], parts, show_progress_on=shell.chooser, **QUIET)
