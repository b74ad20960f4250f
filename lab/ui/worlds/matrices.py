"""Look at the matrices of a layer of attention, and at what they were on the way."""

from typing import Any

import gradio as gr

from lab.figures import matrices
from lab.ui.opened import Opened
from lab.ui.run_controls import QUIET
from lab.ui.worlds.along import drawn, training
from lab.ui.worlds.rooms import Room
from lab.ui.worlds.view import View
from lab.worlds.shelf import Kept


def suits(room: Room) -> bool:
    """Tell whether a world's learners are single layers whose matrices say it all."""
    return room.has_matrices


def build(opened: gr.State) -> View:
    """Place the part inside the current block."""
    step = training("worlds-matrix-step")
    told = gr.HTML(elem_id="worlds-matrix-told", padding=False)
    plot = gr.Plot(show_label=False, label="KQ", elem_id="worlds-matrices")

    def draw(run: Opened | None, share: float) -> list[Any]:
        return drawn(run, suits, lambda kept: figure_of(kept, share))

    step.change(draw, [opened, step], [told, plot], **QUIET)
    return View([step], [told, plot], lambda sight, share: draw(sight.run, share))


def figure_of(kept: Kept, share: float) -> Any:
    """Draw KQ of every head as it was at a share of the training, OV in its caption."""
    step, learner = kept.at(share)
    kq, ov = learner.body.kq.detach().numpy(), learner.body.ov.detach()[:, -1].tolist()  # type: ignore[union-attr,operator,index]
    blocks = {f"head {head}: OV {gain:+.2f}": kq[head] for head, gain in enumerate(ov)}
    return matrices(blocks, f"KQ after {step:,} steps; the last row and column belong to y")
