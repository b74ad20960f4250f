"""Two learners of one world, with something changed between them: a measure of both on one axis."""

from collections.abc import Sequence
from typing import Any

import gradio as gr
import pandas as pd

from lab.figures import growth_curves
from lab.ui.opened import Opened
from lab.ui.run_controls import QUIET
from lab.ui.widgets.markup import note
from lab.ui.widgets.offered import OfferedDropdown
from lab.ui.worlds.rooms import kept_of, room_of, world_of
from lab.ui.worlds.view import Latest, Sight, View
from lab.ui.worlds.watch import plotted
from lab.worlds.settings import bounds_of
from lab.worlds.shelf import Kept

MAX_EARLIER = 8
NOBODY = (
    "There is no second learner of this world yet: change one setting, press “Train and ask”, and both stand "
    "here side by side."
)


def build(opened: gr.State, latest: gr.State) -> View:
    """Place the part inside the current block."""
    with gr.Row():
        other = OfferedDropdown(
            [], label="The other learner", elem_id="worlds-beside-other", min_width=300,
            info="On screen before, or shipped; named by what is different there.",
        )  # fmt: skip
        measure = OfferedDropdown(
            [],
            label="Measure",
            elem_id="worlds-beside-measure",
            min_width=300,
            info="What is drawn of both.",
        )
    told = gr.HTML(elem_id="worlds-beside-told", padding=False)
    plot = gr.Plot(show_label=False, label="Side by side", elem_id="worlds-beside-plot")

    def show(sight: Sight, run_id: str | None, chosen: str | None) -> list[Any]:
        others, measures = others_of(sight.run, sight.latest), measures_of(sight.run)
        run_id, chosen = _one_of(others, run_id), _one_of(measures, chosen)
        offered = [gr.Dropdown(choices=others, value=run_id), gr.Dropdown(choices=measures, value=chosen)]
        return [*offered, *draw(sight.run, sight.latest, run_id, chosen)]

    def draw(run: Opened | None, seen: Latest, run_id: str | None, chosen: str | None) -> list[Any]:
        mine = kept_of(run)
        theirs = next((each for each in _runs(run, seen) if each.run_id == run_id), None)
        kept = kept_of(theirs)
        if run is None or mine is None or theirs is None or kept is None or not chosen:
            return [note("info", NOBODY), plotted(None)]
        return ["", plotted(figure_of(run, mine, theirs, kept, chosen))]

    shown = [told, plot]
    gr.on([other.input, measure.input], draw, [opened, latest, other, measure], shown, **QUIET)
    return View([other, measure], [other, measure, *shown], show)


def remembered(run: Opened | None, seen: Latest) -> Latest:
    """Put a run first among those of its world; the oldest are forgotten."""
    if run is None:
        return seen
    before = [each for each in seen.get(run.experiment, ()) if each.run_id != run.run_id]
    return {**seen, run.experiment: [run, *before][:MAX_EARLIER]}


def others_of(run: Opened | None, seen: Latest) -> list[tuple[str, str]]:
    """List the learners that a run can be compared with: what is different there, and the run's id."""
    if run is None:
        return []
    return [(difference(run, each), each.run_id) for each in _runs(run, seen)]


def difference(run: Opened, other: Opened) -> str:
    """Name what is different in another run of the same world, as its form calls it."""
    named = bounds_of(room_of(run).settings)
    words = [
        f"{bounds.label} {_shown(getattr(other.params, name))}"
        for name, bounds in named.items()
        if getattr(run.params, name) != getattr(other.params, name)
    ]
    if run.params.seed != other.params.seed:
        words.append(f"seed {other.params.seed}")
    return ", ".join(words) or "the same settings, asked otherwise"


def measures_of(run: Opened | None) -> list[tuple[str, str]]:
    """List the curves of a run's world: its words, and its name."""
    return [(curve.label, curve.name) for curve in world_of(run).curves] if run is not None else []


def figure_of(run: Opened, mine: Kept, other: Opened, theirs: Kept, name: str) -> Any:
    """Draw a measure of two learners over the steps of their trainings."""
    label = next((curve.label for curve in world_of(run).curves if curve.name == name), name)
    names = {"this one": mine, difference(run, other): theirs}
    rows = [
        {"step": moment.step, "label": words, "value": moment.measures[name]}
        for words, kept in names.items()
        for moment in kept.history
        if name in moment.measures
    ]
    table = pd.DataFrame(rows, columns=["step", "label", "value"])
    ends = table.groupby("label", sort=False)["value"].last()
    title = f"{label}: " + " and ".join(f"{value:.2f} in {words}" for words, value in ends.items())
    return growth_curves(table, title, label)


def _one_of(choices: Sequence[tuple[str, str]], chosen: str | None) -> str | None:
    """Keep what is chosen if it is there, else take the first."""
    values = [value for _, value in choices]
    return chosen if chosen in values else next(iter(values), None)


def _runs(run: Opened | None, seen: Latest) -> list[Opened]:
    """List the other runs of a world, those that are shipped last."""
    if run is None:
        return []
    listed = [*seen.get(run.experiment, ()), *Opened.all_shipped(run.experiment)]
    by_id = {each.run_id: each for each in listed if each.run_id != run.run_id}
    return list(by_id.values())


def _shown(value: Any) -> str:
    return (
        f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else str(value)
    )
