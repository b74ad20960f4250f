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
from lab.ui.worlds.rooms import world_of
from lab.worlds import shelf
from lab.worlds.growth import Moment
from lab.worlds.world import Curve

SHARES = ("accuracy", "attention", "previous token", "induction strength")
NOT_KEPT = (
    "Its curves and its learner went with the process that made them: press “Train and ask” to grow the same "
    "learner again, from the same seed."
)


def curves_watch(experiment_id: str, curves: Sequence[Curve]) -> Watch:
    """Describe the plots of a world: one for each group of its curves, two side by side."""
    groups = list(dict.fromkeys(curve.group for curve in curves))

    def build() -> list[Any]:
        parts: list[Any] = [gr.HTML(elem_id=f"{experiment_id}-kept", padding=False)]
        for start in range(0, len(groups), 2):
            with gr.Row(equal_height=False):
                for group in groups[start : start + 2]:
                    slug = group.lower().replace(" ", "-")
                    parts.append(
                        gr.Plot(label=group, show_label=False, elem_id=f"{experiment_id}-curve-{slug}")
                    )
        return parts

    def show(parts: list[Any], opened: Opened, state: RunState | None) -> Updates:
        history = _history(opened, state)
        if not history:
            return {parts[0]: note("info", NOT_KEPT), **dict.fromkeys(parts[1:])}
        if state is not None and state.predictions is not None and state.result is None:
            return {}  # it is being asked: its curves are drawn already
        figures = {
            part: growth_curves(_table(history, group, opened), y_title=group, is_share=group in SHARES)
            for part, group in zip(parts[1:], groups, strict=True)
        }
        return {parts[0]: "", **figures}

    return Watch(build, show)


def _history(opened: Opened, state: RunState | None) -> Sequence[Moment]:
    if state is not None and state.learned:
        return [event for event in state.learned if event.measures]
    kept = shelf.find(opened.run_id)
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
