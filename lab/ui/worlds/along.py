"""A learner along its training: the slider over it, and what is told and drawn of it at any step."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from lab.figures import profile_lines, scatter_plot
from lab.ui.opened import Opened
from lab.ui.widgets.markup import note
from lab.ui.worlds.rooms import Room, kept_of, room_of
from lab.ui.worlds.watch import NOT_KEPT, plotted
from lab.worlds.shelf import Kept
from lab.worlds.world import Profile, Scatter


def training(elem_id: str) -> gr.Slider:
    """Place a slider over the training, 0 to 1."""
    return gr.Slider(
        0, 1, 1, step=0.01, label="Training", elem_id=elem_id,
        info="From the first step to the last: what it was on the way.",
    )  # fmt: skip


def drawn(run: Opened | None, suits: Callable[[Room], bool], figure_of: Callable[[Kept], Any]) -> list[Any]:
    """Return what is told, and what is drawn, of a run's learner.

    Args:
        run: The run on screen.
        suits: For which worlds there is something to draw.
        figure_of: Draws it; None hides the plot, and the message of a ValueError is told.
    """
    if run is None or not suits(room_of(run)):
        return ["", plotted(None)]
    kept = kept_of(run)
    if kept is None:
        return [note("info", NOT_KEPT), plotted(None)]
    try:
        return ["", plotted(figure_of(kept))]
    except ValueError as error:
        return [note("warn", str(error)), plotted(None)]


def figure_of(found: Profile | Scatter | None, is_clicked: bool = False) -> Any:
    """Draw lines or dots; clicks on empty paper are told where `is_clicked`."""
    if found is None:
        return None
    if isinstance(found, Scatter):
        return scatter_plot(
            found.dots, found.title, found.x_title, found.y_title, found.names, found.arrows, found.lines
        )
    return profile_lines(
        found.x, found.lines, found.title, found.x_title, found.y_title, found.points, is_clicked
    )


def title_at(title: str, step: int, kept: Kept) -> str:
    """Name the step in a title where it isn't the last."""
    return title if step == kept.snapshots.steps[-1] else f"After {step:,} steps: {title}"
