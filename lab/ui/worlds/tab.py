"""The Tiny worlds tab: learners that are trained in front of a person, asked, and taken apart."""

from typing import Any

import gradio as gr

from lab.experiments import EXPERIMENTS
from lab.experiments.registry import find_experiment
from lab.ui.people import Lab
from lab.ui.run_controls import ExperimentTab, RunControls
from lab.ui.study import Study, Words, study_tab
from lab.ui.worlds import apart, form, matrices
from lab.ui.worlds.rooms import ROOMS, Room
from lab.ui.worlds.sequences import sequences_html
from lab.ui.worlds.watch import curves_watch

INTRO = (
    "Models small enough to grow while you watch: choose what to look for, press **Train and ask**, and see "
    "in-context learning appear, or fail to. Then rearrange the context and take the learner apart."
)
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


def build(lab: Lab) -> ExperimentTab:
    """Build the tab inside the current block."""
    gr.Markdown(INTRO, elem_id="worlds-intro")
    tabs: list[tuple[Room, ExperimentTab]] = []
    with gr.Tabs(elem_id="worlds-tabs", overflow_behavior="wrap") as inner:
        for room in ROOMS:
            with gr.Tab(room.title, id=room.id):
                tabs.append((room, _room(lab, room)))
    handles = {
        name: handle._replace(inner={inner: room.id})
        for room, tab in tabs
        for name, handle in tab.handles.items()
    }
    late = [each for _, tab in tabs for each in tab.late]
    return ExperimentTab(handles, late, lambda: [each for _, tab in tabs for each in tab.draw()])


def _room(lab: Lab, room: Room) -> ExperimentTab:
    gr.Markdown(room.question, elem_id=f"{room.id}-question")
    experiment = find_experiment(EXPERIMENTS, room.id)

    def place_form() -> tuple[RunControls, dict[str, Any]]:
        made = form.build(experiment, room.world, room.settings, room.presets)
        return made.controls, made.by_name

    study = Study(
        room.id,
        WORDS,
        FIGURES,
        lambda params: params.layouts,
        place_form,
        form.filled,
        sequences_html,
        curves_watch(room.id, room.world(room.settings()).curves),
    )
    built = study_tab(lab, study)
    look = apart.build if room.has_heads else matrices.build
    look(room.id, built.opened, [*(run.then for run in built.runs), built.opened.change])
    return built.tab
