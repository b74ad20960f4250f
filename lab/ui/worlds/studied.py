"""What the paper claims of a world, and what trainings from several seeds gave: the stored full check."""

from typing import Any

import gradio as gr
import pandas as pd

from lab.experiments import EXPERIMENTS, studies
from lab.experiments.registry import find_experiment
from lab.experiments.studies import Study
from lab.figures import seed_bands
from lab.ui.run_controls import QUIET
from lab.ui.widgets.markup import claims_table, note
from lab.ui.widgets.offered import OfferedDropdown
from lab.ui.worlds.rooms import Room
from lab.ui.worlds.view import Sight, View
from lab.ui.worlds.watch import plotted

Choices = list[tuple[str, str]]


def suits(room: Room) -> bool:
    """Tell whether a full study of the world is stored."""
    return _study(room.id) is not None


def build(chooser: gr.Radio) -> View:
    """Place the part inside the current block; `chooser` says which world is looked at."""
    claims = gr.HTML(elem_id="worlds-study-claims", padding=False)
    measure = OfferedDropdown(
        [], label="Show", elem_id="worlds-study-measure",
        info="A band holds all seeds, the line is their median.",
    )  # fmt: skip
    plot = gr.Plot(show_label=False, label="Over seeds", elem_id="worlds-study-plot")

    def show(_: Sight, world: str, chosen: str | None) -> list[Any]:
        offered = measures_of(_study(world))
        if chosen not in [value for _, value in offered]:
            chosen = offered[0][1] if offered else None
        field = gr.Dropdown(choices=offered, value=chosen, visible=bool(offered))
        return [_told(world), field, draw(world, chosen)]

    def draw(world: str, chosen: str | None) -> Any:
        study = _study(world)
        return plotted(figure_of(study, chosen) if study is not None and chosen else None)

    measure.input(draw, [chooser, measure], plot, **QUIET)
    return View([chooser, measure], [claims, measure, plot], show)


def measures_of(study: Study | None) -> Choices:
    """List what a study can show: every measure of every table that tells its seeds."""
    if study is None:
        return []
    found = []
    for name, rows in study.tables.items():
        columns = list(rows[0]) if rows else []
        if "seed" not in columns:
            continue
        rest = columns[columns.index("seed") + 1 :]
        of_table = rest[1:] if len(rest) > 1 else rest
        found += [(f"{name}: {measure.replace('_', ' ')}", f"{name}/{measure}") for measure in of_table]
    return found


def figure_of(study: Study, chosen: str) -> Any:
    """Draw a measure of a study; a name that there is not draws nothing."""
    if chosen not in [value for _, value in measures_of(study)]:
        return None
    name, measure = chosen.rsplit("/", 1)
    table = pd.DataFrame(study.tables[name])
    n_seeds = table["seed"].nunique()
    return seed_bands(table, measure, f"{measure.replace('_', ' ').capitalize()}, {n_seeds} seeds")


def _told(world: str) -> str:
    study = _study(world)
    if study is None:
        return ""
    n_met = sum(each["verdict"] == "holds" for each in study.claims)
    told = f"{n_met} of {len(study.claims)} claims hold here ({study.provenance({})})."
    return note("verdict", told) + claims_table(study.claims)


def _study(world: str) -> Study | None:
    return studies.stored(find_experiment(EXPERIMENTS, world).paper)
