"""What a world draws of a learner at any step of its training: beside exact answers, or in a plane."""

from typing import Any

import gradio as gr

from lab.ui.opened import Opened
from lab.ui.run_controls import QUIET
from lab.ui.widgets.offered import OfferedDropdown
from lab.ui.worlds.along import drawn, figure_of, title_at, training
from lab.ui.worlds.rooms import Room, room_of
from lab.ui.worlds.view import Sight, View
from lab.worlds.shelf import Kept
from lab.worlds.world import Profile, Scatter


def suits(room: Room) -> bool:
    """Tell whether a world draws anything of its learners."""
    return bool(room.world.plots)


def build(opened: gr.State) -> View:
    """Place the part inside the current block."""
    which = OfferedDropdown(
        [], label="Show", elem_id="worlds-plots-which", info="The learner, and what it is compared with."
    )
    step = training("worlds-plots-step")
    told = gr.HTML(elem_id="worlds-plots-told", padding=False)
    plot = gr.Plot(show_label=False, label="The learner at a step", elem_id="worlds-plots")

    def show(sight: Sight, chosen: str | None, share: float) -> list[Any]:
        """Offer what the world draws."""
        offered = room_of(sight.run).world.plots if sight.run is not None else {}
        name = chosen if chosen in offered else next(iter(offered), None)
        field = gr.Dropdown(choices=[(words, each) for each, words in offered.items()], value=name)
        return [field, *draw(sight.run, name, share)]

    def draw(run: Opened | None, name: str | None, share: float) -> list[Any]:
        return drawn(run, suits, lambda kept: figure_of(plot_of(kept, name or "", share)))

    gr.on([which.input, step.change], draw, [opened, which, step], [told, plot], **QUIET)
    return View([which, step], [which, told, plot], show)


def plot_of(kept: Kept, name: str, share: float) -> Profile | Scatter:
    """Return one of a world's plots of a learner as it was at a share of its training.

    Raises:
        ValueError: There is no such plot, or none in these settings.
    """
    import torch

    step, learner = kept.at(share)
    with torch.no_grad():
        found = kept.world.plot(learner, name)
    return found._replace(title=title_at(found.title, step, kept))
