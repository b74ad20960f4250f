"""Predict, then reveal: a person says where a measure will end, trains, and sees how far off that was."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import gradio as gr
import pandas as pd

from lab.figures import growth_curves
from lab.ui.opened import Opened
from lab.ui.run_controls import LIGHT, QUIET
from lab.ui.widgets.markup import note
from lab.ui.widgets.offered import OfferedDropdown
from lab.ui.worlds.rooms import ROOMS, Room, kept_of, world_of
from lab.worlds.shelf import Kept

ABOUT = "Say where a measure will end before you press “Train and ask”; then see how far off you were."


class Guess(NamedTuple):
    """What a person expects of the next learner of a world."""

    world: str
    measure: str
    value: float


def build(chooser: gr.Radio, opened: gr.State, when: Sequence[Any]) -> gr.Dropdown:
    """Place the part inside the current block; `when` are events at which a training has ended.

    Returns:
        What the measure is chosen from; `turned` says what it offers in another world.
    """
    guess = gr.State(None)
    with gr.Accordion("Predict, then reveal", open=False, elem_id="worlds-guess"):
        gr.Markdown(ABOUT)
        with gr.Row():
            choices = measures_of(ROOMS[0])
            measure = OfferedDropdown(
                choices, value=choices[0][1], label="Measure", elem_id="worlds-guess-measure",
                info="One of the curves of the world that is chosen.",
            )  # fmt: skip
            value = gr.Number(
                0.5, label="Where it ends", elem_id="worlds-guess-value", info="A share is 0 to 1.", step=0.05
            )
        keep = gr.Button("That is my prediction", elem_id="worlds-guess-keep")
        told = gr.HTML(elem_id="worlds-guess-told", padding=False)
        plot = gr.Plot(show_label=False, label="Prediction", elem_id="worlds-guess-plot", visible=False)

    def lock(world: str, name: str, expected: float | None) -> list[Any]:
        if expected is None:
            return [None, note("warn", "Write a number first: where the measure will end."), gr.skip()]
        kept = Guess(world, name, float(expected))
        return [kept, note("info", f"Kept: {expected:g}. Now train a learner."), gr.Plot(visible=False)]

    def reveal(run: Opened | None, kept: Guess | None) -> list[Any]:
        learner = kept_of(run)
        if run is None or kept is None or learner is None or run.experiment != kept.world:
            return [gr.skip(), gr.skip(), gr.skip()]
        told, figure = revealed(run, learner, kept)
        return [None, note("verdict", told), gr.Plot(figure, visible=True)]

    keep.click(lock, [chooser, measure, value], [guess, told, plot], **LIGHT)
    gr.on(list(when), reveal, [opened, guess], [guess, told, plot], **QUIET)
    return measure


def turned(room: Room) -> gr.Dropdown:
    """Offer the measures of a world."""
    found = measures_of(room)
    return gr.Dropdown(choices=found, value=found[0][1])


def measures_of(room: Room) -> list[tuple[str, str]]:
    """List the curves of a world under its first settings: words, and name."""
    return [(curve.label, curve.name) for curve in room.world(room.settings()).curves]


def revealed(run: Opened, learner: Kept, guess: Guess) -> tuple[str, Any]:
    """Say how far off a guess was, and draw the measure with the guess across it.

    Returns:
        A sentence, and a figure; the sentence alone where this learner has no such measure.
    """
    label = next(
        (curve.label for curve in world_of(run).curves if curve.name == guess.measure), guess.measure
    )
    line = [
        (moment.step, moment.measures[guess.measure])
        for moment in learner.history
        if guess.measure in moment.measures
    ]
    if not line:
        return f"With these settings {label} is not measured; predict another.", None
    last, end = line[-1]
    told = f"You said {guess.value:g}, {label} ended at {end:.2f}: off by {abs(end - guess.value):.2f}."
    rows = [{"step": step, "label": label, "value": value} for step, value in line]
    rows += [{"step": step, "label": "your prediction", "value": guess.value} for step in (line[0][0], last)]
    return told, growth_curves(pd.DataFrame(rows), told, label)
