"""The same learned by a model of a few numbers; it needs no learner."""

from typing import Any

import gradio as gr

from lab.ui.worlds.along import figure_of
from lab.ui.worlds.rooms import Room, world_of
from lab.ui.worlds.view import Sight, View
from lab.ui.worlds.watch import plotted


def suits(room: Room) -> bool:
    """Tell whether a world's paper has such a model."""
    return room.has_toy


def build() -> View:
    """Place the part inside the current block."""
    plot = gr.Plot(show_label=False, label="A model of a few numbers", elem_id="worlds-toy")

    def show(sight: Sight) -> list[Any]:
        found = world_of(sight.run).toy() if sight.run is not None else None
        return [plotted(figure_of(found))]

    return View([], [plot], show)
