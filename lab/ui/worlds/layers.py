"""Where in a learner the right answer can be read: a linear probe at every layer and position."""

from typing import Any

import gradio as gr

from lab.figures import stream_map
from lab.ui.opened import Opened
from lab.ui.run_controls import QUIET
from lab.ui.worlds.along import drawn, training
from lab.ui.worlds.rooms import Room
from lab.ui.worlds.view import View
from lab.worlds.probes import Readable, readable
from lab.worlds.shelf import Kept

ABOUT = (
    "**Where in the learner can the right answer be read?** At every position, before and after each block, "
    "a linear map is fitted to name it on half of the sequences, and judged on the other half."
)


def suits(room: Room) -> bool:
    """Tell whether a world's learners have layers, not matrices alone."""
    return not room.has_matrices


def build(opened: gr.State) -> View:
    """Place the part inside the current block."""
    gr.Markdown(ABOUT, elem_id="worlds-layers-about")
    step = training("worlds-layers-step")
    told = gr.HTML(elem_id="worlds-layers-told", padding=False)
    plot = gr.Plot(show_label=False, label="Where the answer can be read", elem_id="worlds-layers")

    def draw(run: Opened | None, share: float) -> list[Any]:
        return drawn(run, suits, lambda kept: figure_of(kept, share))

    step.change(draw, [opened, step], [told, plot], **QUIET)
    return View([step], [told, plot], lambda sight, share: draw(sight.run, share))


def figure_of(kept: Kept, share: float) -> Any:
    """Draw what can be read of a learner as it was at a share of its training.

    Raises:
        ValueError: There are too many different answers.
    """
    step, learner = kept.at(share)
    found = readable(kept.world, learner)
    return stream_map(found.shares, found.layers, found.positions, sentence(found, step))


def sentence(found: Readable, step: int) -> str:
    """Say where the answer can be read best, beside the learner itself and chance."""
    layer, place = divmod(int(found.shares.argmax()), len(found.positions))
    return (
        f"After {step:,} steps the answer is read best at position {found.positions[place]}, "
        f"{found.layers[layer]}: {found.shares[layer, place]:.0%}; the learner says it in "
        f"{found.learner:.0%}, chance is {found.chance:.0%} (n = {found.n:,})"
    )
