"""The curves of a learner, drawn while it is trained and afterwards."""

from collections.abc import Sequence
from typing import Any

import gradio as gr
import pandas as pd

from lab.figures import growth_curves
from lab.ui.opened import Opened
from lab.ui.run_controls import Updates
from lab.ui.running import RunState
from lab.ui.study import Watch
from lab.ui.widgets.markup import note
from lab.ui.worlds.rooms import ROOMS, kept_of, world_of
from lab.worlds.growth import Moment
from lab.worlds.world import World

SHARES = ("accuracy", "attention", "previous token", "induction strength")
NOT_KEPT = (
    "Its curves and its learner went with the process that made them: press “Train and ask” to grow the same "
    "learner again, from the same seed."
)


def plotted(figure: Any) -> Any:
    """Show a figure; its place is hidden while there is none."""
    return gr.update(value=figure, visible=figure is not None)


def _build() -> list[Any]:
    """Place a note and as many plots as the world with the most groups of curves needs, two side by side."""
    parts: list[Any] = [gr.HTML(elem_id="worlds-kept", padding=False)]
    for start in range(0, MOST_GROUPS, 2):
        with gr.Row(equal_height=False):
            for place in range(start, min(start + 2, MOST_GROUPS)):
                name = f"Curves {place + 1}"
                parts.append(
                    gr.Plot(label=name, show_label=False, visible=False, elem_id=f"worlds-curves-{place + 1}")
                )
    return parts


def _show(parts: list[Any], opened: Opened | None, state: RunState | None) -> Updates:
    """Draw a plot for each group of a world's curves; plots that it does not need are hidden."""
    hidden = {part: gr.update(value=None, visible=False) for part in parts[1:]}
    if opened is None:
        return {parts[0]: "", **hidden}
    history = _history(opened, state)
    if not history:
        return {parts[0]: note("info", NOT_KEPT), **hidden}
    if state is not None and state.predictions is not None and state.result is None:
        return {}  # it is being asked: its curves are drawn already
    figures = {
        part: gr.update(
            value=growth_curves(_table(history, group, opened), y_title=group, is_share=group in SHARES),
            visible=True,
        )
        for part, group in zip(parts[1:], groups_of(world_of(opened)), strict=False)
    }
    return {parts[0]: "", **hidden, **figures}


def groups_of(world: World) -> list[str]:
    """Name the groups of a world's curves; each has a plot."""
    return list(dict.fromkeys(curve.group for curve in world.curves))


MOST_GROUPS = max(len(groups_of(room.world(room.settings()))) for room in ROOMS)
WATCH = Watch(_build, _show)


def _history(opened: Opened, state: RunState | None) -> Sequence[Moment]:
    if state is not None and state.learned:
        return [event for event in state.learned if event.measures]
    kept = kept_of(opened)
    return [moment for moment in kept.history if moment.measures] if kept else []


def _table(history: Sequence[Moment], group: str, opened: Opened) -> pd.DataFrame:
    """List the values of a group: step, label, value."""
    rows = [
        {"step": moment.step, "label": curve.label, "value": moment.measures[curve.name]}
        for curve in world_of(opened).curves
        if curve.group == group
        for moment in history
        if curve.name in moment.measures
    ]
    return pd.DataFrame(rows, columns=["step", "label", "value"])
