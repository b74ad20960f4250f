"""A world over two of its settings: what was learned in every cell, and a click that sets it to a cell."""

from collections.abc import Mapping
from typing import Any

import gradio as gr
import pandas as pd

from lab.experiments.worlds import sweeps
from lab.experiments.worlds.sweeps import PLANS, Sweep
from lab.figures import scatter_plot, sweep_map
from lab.ui.run_controls import LIGHT, QUIET, Updates
from lab.ui.widgets.markup import note
from lab.ui.widgets.offered import OfferedDropdown
from lab.ui.widgets.plot_click import PlotClick
from lab.ui.worlds import form
from lab.ui.worlds.rooms import ROOMS, Room
from lab.ui.worlds.view import Sight, View
from lab.ui.worlds.watch import plotted
from lab.worlds.settings import bounds_of

AGAINST = "against"
HALF = 0.5
Forms = Mapping[str, Mapping[str, Any]]
"""The controls of every world, by parameter, by the id of its experiment."""


def suits(room: Room) -> bool:
    """Tell whether a sweep of the world is stored."""
    return sweeps.stored(room.id) is not None


def build(chooser: gr.Radio, forms: Forms) -> View:
    """Place the part inside the current block.

    Args:
        chooser: Which world is looked at.
        forms: What a click on a cell sets.
    """
    measure = OfferedDropdown(
        [], label="Show", elem_id="worlds-sweep-measure",
        info="At the end of each training, the median over seeds. A click on a cell sets its settings.",
    )  # fmt: skip
    told = gr.HTML(elem_id="worlds-sweep-told", padding=False)
    plot = gr.Plot(show_label=False, label="Map of settings", elem_id="worlds-sweep")
    clicked = PlotClick("worlds-sweep")
    touched = [forms[room.id][name] for room in ROOMS for name in _set_by(sweeps.stored(room.id))]

    def show(sight: Sight, world: str, chosen: str | None) -> list[Any]:
        if sight.is_new:  # a map is of its world, not of a learner: what is told of a click stays
            return [gr.skip()] * 3
        found = sweeps.stored(world)
        offered = measures_of(found)
        if chosen not in [value for _, value in offered]:
            chosen = offered[0][1] if offered else None
        return [gr.Dropdown(choices=offered, value=chosen), provenance(found), draw(world, chosen)]

    def draw(world: str, chosen: str | None) -> Any:
        found = sweeps.stored(world)
        return plotted(figure_of(found, chosen) if found is not None and chosen else None)

    def choose(world: str, event: gr.EventData) -> Updates:
        found = sweeps.stored(world)
        cell = cell_at(found, event.x, event.y) if found is not None else None
        if found is None or cell is None:
            return {told: gr.skip()}
        said = ", ".join(f"{_label(found, name).lower()} {cell[name]:,g}" for name in (found.x, found.y))
        values = {**found.settings, **cell}
        return {
            told: note("info", f"Set: {said}. Press “Train and ask” to grow that learner in front of you."),
            **{forms[world][name]: form.with_value(forms[world][name], values[name]) for name in values},
        }

    measure.input(draw, [chooser, measure], plot, **QUIET)
    clicked.select(choose, chooser, [told, *touched], **LIGHT)
    return View([chooser, measure], [measure, told, plot], show)


def measures_of(found: Sweep | None) -> list[tuple[str, str]]:
    """List what a sweep can show: measures under the names of their curves, and two against each other."""
    if found is None:
        return []
    labels = _labels(found)
    x, y = PLANS[found.experiment].against
    return [*((labels[name], name) for name in found.measures), (f"{labels[x]} × {labels[y]}", AGAINST)]


def figure_of(found: Sweep, measure: str) -> Any:
    """Draw a measure of a sweep; a name that there is not draws nothing."""
    if measure == AGAINST:
        return _against(found)
    if measure not in found.measures:
        return None
    axes = [(name, _label(found, name)) for name in (found.x, found.y)]
    return sweep_map(pd.DataFrame(found.rows), *axes, measure, _labels(found)[measure])


def _against(found: Sweep) -> Any:
    """Draw two ways to the same end against each other, a dot a cell, its median over seeds."""
    x, y = PLANS[found.experiment].against
    cells = pd.DataFrame(found.rows).groupby([found.y, found.x])[[x, y]].median().reset_index()
    dots, names = {}, {}
    for value, row in cells.groupby(found.y):
        group = f"{_label(found, found.y)} {value:g}"
        dots[group] = list(zip(row[x].tolist(), row[y].tolist(), strict=True))
        names[group] = [f"{_label(found, found.x)} {each:,g}" for each in row[found.x]]
    labels, both = _labels(found), int(((cells[x] > HALF) & (cells[y] > HALF)).sum())
    title = f"Both over {HALF:.0%} in {both} of {len(cells)} cells, one alone in " + str(
        int(((cells[x] > HALF) != (cells[y] > HALF)).sum())
    )
    return scatter_plot(dots, title, labels[x], labels[y], names)


def cell_at(found: Sweep, x: Any, y: Any) -> dict[str, Any] | None:
    """Return the two settings of a cell that a browser names; None for a cell that there is not."""
    for row in found.rows:
        if (f"{row[found.x]:,g}", f"{row[found.y]:g}") == (x, y):
            return {found.x: row[found.x], found.y: row[found.y]}
    return None


def provenance(found: Sweep | None) -> str:
    """Say what was trained, when and where."""
    if found is None:
        return ""
    made, n_seeds = found.environment, len({row["seed"] for row in found.rows})
    minutes = sum(row["seconds"] for row in found.rows) / 60
    cpus = sorted({str(row.get("cpu", made.get("cpu"))) for row in found.rows})
    return note(
        "info",
        f"{len(found.rows)} trainings, {n_seeds} seeds a cell, {minutes:.0f} minutes of one core "
        f"({', '.join(cpus)}), {str(made.get('time'))[:10]}, commit {str(made.get('commit'))[:12]}: "
        f"{found.command}",
    )


def _set_by(found: Sweep | None) -> list[str]:
    return [] if found is None else [found.x, found.y, *found.settings]


def _labels(found: Sweep) -> dict[str, str]:
    """Return the names of its world's curves."""
    room = _room(found)
    return {curve.name: curve.label for curve in room.world(room.settings()).curves}


def _label(found: Sweep, name: str) -> str:
    return bounds_of(_room(found).settings)[name].label


def _room(found: Sweep) -> Room:
    return next(room for room in ROOMS if room.id == found.experiment)
