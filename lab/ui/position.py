"""The Position tab: the same demonstrations in several places of the prompt, and which answers flip."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from html import escape
from typing import Any, NamedTuple

import gradio as gr

from lab.experiments import position as experiment
from lab.experiments.calibrated import calibrated
from lab.experiments.events import Result
from lab.experiments.views import split_controls
from lab.prompts.layout import Layout
from lab.runs.examples import list_examples
from lab.runs.store import Store
from lab.ui import paper_mode
from lab.ui import position_view as view
from lab.ui.drilldown import comparison_html
from lab.ui.figure_card import FigureCard, cards_updates, figure_card
from lab.ui.opened import Opened
from lab.ui.people import Lab
from lab.ui.run_controls import LIGHT, RunControls, Stage, Updates, in_order, run_controls, wire_run
from lab.ui.running import SAYABLE, RunState, say
from lab.ui.setting_panel import SettingPanel, setting_panel
from lab.ui.widgets.flip_matrix import FlipMatrix, matrix_value
from lab.ui.widgets.markup import note

SHOWN_LAYOUTS = ("none", "ssp", "esp", "sum", "eum", "turns", "eum+restated", "sum+shuffled", "sum+filler")
FIRST = {"task": "topic", "n_queries": 24}
PRESETS: dict[str, dict[str, Any]] = {
    "Five places, news topics": {"task": "topic", "n_queries": 24, "layouts": ["none", "ssp", "esp", "sum", "eum"]},
    "Place, or only more text?": {
        "task": "topic", "n_queries": 24, "layouts": ["none", "sum", "sum+shuffled", "sum+filler"], "reference": "sum",
    },
    "Is the query just too far up?": {
        "task": "sentiment", "n_queries": 24, "layouts": ["sum", "eum", "eum+restated"], "reference": "sum",
    },
    "Written answers: capitals": {"task": "capitals", "n_queries": 24, "layouts": ["none", "sum", "eum", "turns"]},
}  # fmt: skip


class Panel(NamedTuple):
    """What shows a result."""

    verdict: gr.HTML
    stale: gr.HTML
    tiles: gr.HTML
    calibration: gr.Radio
    calibration_notes: gr.HTML
    sort: gr.Radio
    kind: gr.Dropdown
    matrix: FlipMatrix
    cell: gr.HTML
    comparisons: gr.Dataframe
    pairs: gr.Dataframe
    moved_from: gr.Dropdown
    moved_to: gr.Dropdown
    cards: dict[str, FigureCard]

    @property
    def outputs(self) -> list[gr.components.Component]:
        """Every component of it."""
        return [*self[:-1], *(part for card in self.cards.values() for part in card)]


class PositionTab(NamedTuple):
    """What the rest of the page needs of the tab.

    Args:
        fields: The controls by parameter: `collect` reads their values, `fill` returns one update for each.
        outputs: What `open_run` returns updates for.
        collect: Values of the fields, in order, to those of parameters; may raise ValueError.
        fill: Values of parameters to one update a field.
        open_run: (run id, request) to one update an output: shows a stored run and restores its inputs.
        run: The button.
        opened: The page's state, the `Opened` run on screen.
    """

    fields: dict[str, gr.components.Component]
    outputs: list[gr.components.Component]
    collect: Callable[[Sequence[Any]], Mapping[str, Any]]
    fill: Callable[[Mapping[str, Any]], list[Any]]
    open_run: Callable[[str, gr.Request], list[Any]]
    run: gr.Button
    opened: gr.State


def build(lab: Lab) -> PositionTab:
    """Build the tab inside the current block; it shows a shipped example until something is run."""
    opened = gr.State(None)
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=320):
            chosen, panel, controls, more = _settings()
        with gr.Column(scale=8, min_width=320):
            result = _results()
    with gr.Accordion("Paper mode: which claims of the paper hold for this model?", open=False):
        paper = paper_mode.build(lab)
    stage = Stage(
        lab, "position", list(chosen.values()), panel.collect, opened, result.outputs,
        lambda state, shown, store: updates_of(result, state, shown, store),
    )  # fmt: skip
    wire_run(stage, controls, _after_adding(more, opened, chosen))
    _wire_view(stage, result, opened, lab)
    _wire_form(stage, result, chosen)
    _show_first(opened, result)
    return _handles(lab, stage, result, chosen, panel, controls, paper)


def _settings() -> tuple[dict[str, gr.components.Component], SettingPanel, RunControls, gr.Button]:
    defaults = {field.name: field.default for field in fields(experiment.PositionParams)} | FIRST
    with gr.Row(elem_id="position-presets"):
        presets = [gr.Button(title, size="sm", min_width=150) for title in PRESETS]
    panel = setting_panel(defaults, "position")
    chosen = panel.by_name
    chosen["layouts"] = gr.CheckboxGroup(
        [(f"{layout}: {Layout.parse(layout).title}", layout) for layout in SHOWN_LAYOUTS],
        value=list(defaults["layouts"]),
        label="Layouts",
        info="Where the demonstrations stand; those with a + are controls that explain an effect.",
        elem_id="position-layouts",
    )
    chosen["reference"] = gr.Dropdown(
        list(defaults["layouts"]), value="sum", label="Reference layout",
        info="Flips are counted against it.", elem_id="position-reference",
    )  # fmt: skip
    chosen["measures_floor"] = gr.Checkbox(
        value=True, label="Measure the false-flip floor", elem_id="position-measures-floor",
        info="Ask 32 queries once more through other batches.",
    )  # fmt: skip
    chosen["scores_content_free"] = gr.Checkbox(
        value=False, label="Score content-free inputs", elem_id="position-scores-content-free",
        info="Needed for contextual calibration: three more prompts a layout.",
    )  # fmt: skip
    controls = run_controls("position")
    more = gr.Button("Add 100 more queries", size="sm", elem_id="position-more")
    for button, values in zip(presets, PRESETS.values(), strict=True):
        filled = {**{name: defaults[name] for name in ("reference", "selection", "instruction")}, "demos": (), **values}
        button.click(lambda filled=filled: _fill(panel, chosen, filled), None, list(chosen.values()), **LIGHT)
    chosen["layouts"].change(_references, [chosen["layouts"], chosen["reference"]], chosen["reference"], **LIGHT)
    return chosen, panel, controls, more


def _references(layouts: list[str], reference: str) -> Any:
    return gr.Dropdown(choices=layouts, value=reference if reference in layouts else next(iter(layouts), None))


def _fill(panel: SettingPanel, chosen: Mapping[str, gr.components.Component], values: Mapping[str, Any]) -> list[Any]:
    updates = panel.fill(values)
    layouts = list(values.get("layouts", ()))
    if layouts:
        choices = [(f"{each}: {Layout.parse(each).title}", each) for each in dict.fromkeys([*SHOWN_LAYOUTS, *layouts])]
        updates[chosen["layouts"]] = gr.CheckboxGroup(choices=choices, value=layouts)
        reference = values.get("reference", "sum")
        updates[chosen["reference"]] = _references(layouts, reference)
    return in_order(updates, list(chosen.values()))


def _results() -> Panel:
    verdict = gr.HTML(f"<h2>{view.NO_RESULT}</h2>", elem_id="position-verdict")
    stale, tiles = gr.HTML(elem_id="position-stale"), gr.HTML(elem_id="position-tiles")
    gr.Markdown("### Every answer: queries × layouts. Click a cell to see both prompts side by side.")
    with gr.Row():
        sort = gr.Radio(
            [("Least stable first", "instability"), ("In query order", "query")], value="instability",
            label="Sort", info="Stable: the same answer under every layout.", elem_id="position-sort", min_width=200,
        )  # fmt: skip
        kind = gr.Dropdown(
            view.FILTERS, value="all", label="Show", info="By kind of flip against the reference.",
            elem_id="position-filter", min_width=160,
        )  # fmt: skip
        calibration = gr.Radio(
            [("None", "none")], value="none", label="Calibration", elem_id="position-calibration", min_width=200,
            info="Recomputed at once from stored scores.",
        )  # fmt: skip
    notes = gr.HTML(elem_id="position-calibration-notes")
    matrix = FlipMatrix(elem_id="position-matrix")
    cell = gr.HTML(elem_id="position-cell")
    gr.Markdown("### Broken, fixed, or chance?")
    comparisons = gr.Dataframe(
        interactive=False, wrap=True, label="Comparisons with the reference", elem_id="position-comparisons"
    )
    with gr.Accordion("All pairs of layouts", open=False):
        pairs = gr.Dataframe(interactive=False, label="All pairs, Holm over all of them", elem_id="position-pairs")
    cards = {}
    with gr.Row(equal_height=False):
        cards["Accuracy"] = figure_card("Accuracy", "position-accuracy")
        cards["Prediction change"] = figure_card("Prediction change", "position-change")
    with gr.Row(equal_height=False):
        with gr.Column(min_width=320):
            with gr.Row():
                moved_from = gr.Dropdown([], label="From", info="Layout.", elem_id="position-from", min_width=120)
                moved_to = gr.Dropdown([], label="To", info="Layout.", elem_id="position-to", min_width=120)
            cards["Transitions"] = figure_card("Transitions", "position-transitions")
        cards["Margins"] = figure_card("Margins", "position-margins")
    return Panel(
        verdict, stale, tiles, calibration, notes, sort, kind, matrix, cell, comparisons, pairs, moved_from, moved_to,
        cards,
    )  # fmt: skip


def updates_of(panel: Panel, state: RunState, opened: Opened, store: Store) -> Updates:
    """Say how the results change while a run goes on, and when it is over."""
    if state.result is None or not state.result.summary:
        return {panel.matrix: _matrix(state.predictions, opened, "instability", "all"), panel.stale: "", panel.cell: ""}
    return shown(panel, opened, store, state.result)


def shown(panel: Panel, opened: Opened, store: Store, result: Result) -> Updates:
    """Show a whole result, uncalibrated."""
    params, predictions = opened.params, result.predictions
    badge = view.example_badge(params, opened.environment(store)) if opened.example else ""
    others = [layout for layout in params.layouts if layout != params.reference]
    return {
        panel.stale: "",
        panel.calibration: gr.Radio(choices=view.calibrations(predictions), value="none"),
        panel.calibration_notes: view.calibration_html(predictions, "none"),
        panel.kind: "all",
        panel.cell: "",
        panel.moved_from: gr.Dropdown(choices=list(params.layouts), value=params.reference),
        panel.moved_to: gr.Dropdown(choices=list(params.layouts), value=next(iter(others), None)),
        **_numbers(panel, opened, store, result),
        panel.matrix: _matrix(predictions, opened, "instability", "all"),
        panel.verdict: view.verdict_html(result.verdict, opened.provenance(store), badge),
    }


def _numbers(panel: Panel, opened: Opened, store: Store, result: Result) -> Updates:
    """Show what depends on how scores are calibrated."""
    if not result.summary:
        return {panel.verdict: view.verdict_html(result.verdict, opened.provenance(store))}
    tables = {**result.tables, "margins": result.predictions[["query_id", "layout", "prediction", "gold", "margin"]]}
    result = Result(result.run_id, result.predictions, tables, result.figures, result.verdict, result.summary)
    return {
        panel.tiles: view.tiles_html(result, opened.summary(store)),
        panel.comparisons: view.comparisons_table(result),
        panel.pairs: view.pairs_table(result),
        **cards_updates(panel.cards, result, view.sentences(result), view.FIGURES),
    }


def _matrix(predictions: Any, opened: Opened, sort: str, kind: str) -> Any:
    asked, _, _ = split_controls(predictions)
    params = opened.params
    if params.reference not in set(asked["layout"]):
        return None
    return matrix_value(view.filtered(asked, kind, params.reference), view.query_texts(params.task), params.reference, sort)


def _after_adding(more: gr.Button, opened: gr.State, chosen: Mapping[str, gr.components.Component]) -> Any:
    """Ask for 100 more queries than the run on screen has; the first ones stay the same, since draws are nested."""

    def added(shown: Opened | None, n: float) -> float:
        return (int(shown.values["n_queries"]) if shown else int(n or 0)) + 100

    return more.click(added, [opened, chosen["n_queries"]], chosen["n_queries"], **LIGHT).then


def _wire_view(stage: Stage, panel: Panel, opened: gr.State, lab: Lab) -> None:
    """Wire what only looks at a stored run."""

    def recompute(run: Opened | None, method: str, request: gr.Request) -> Any:
        if run is None:
            return [gr.skip()] * len(outputs)
        store = lab.store_for(request)
        predictions = run.predictions(store)
        table = calibrated(predictions, method)
        result = experiment.summarise(table, run.params, run.run_id)
        words = "" if method == "none" else f" After {method} calibration."
        updates = _numbers(panel, run, store, result)
        updates[panel.verdict] = view.verdict_html(result.verdict + words, run.provenance(store))
        updates[panel.calibration_notes] = view.calibration_html(predictions, method)
        updates[panel.matrix] = _matrix(table, run, "instability", "all")
        return in_order(updates, outputs)

    def rearrange(run: Opened | None, method: str, sort: str, kind: str, request: gr.Request) -> Any:
        if run is None:
            return gr.skip()
        return _matrix(calibrated(run.predictions(lab.store_for(request)), method), run, sort, kind)

    def look(run: Opened | None, method: str, request: gr.Request, event: gr.EventData) -> str:
        if run is None:
            return ""
        store = lab.store_for(request)
        table = calibrated(run.predictions(store), method)
        return comparison_html(
            table, run.prompts(store), event.query_id, event.layout, run.params.reference
        )

    def move(run: Opened | None, method: str, start: str, end: str, request: gr.Request) -> Any:
        if run is None or not start or not end or start == end:
            return [gr.skip()] * len(card)
        table = calibrated(run.predictions(lab.store_for(request)), method)
        figure, moved = transition(table, start, end)
        return [f"<p>{escape(moved_sentence(moved, start, end))}</p>", figure, moved]

    outputs = panel.outputs
    card = panel.cards["Transitions"]
    quiet = {"show_progress": "hidden", "api_visibility": "private"}
    panel.calibration.input(said(recompute, len(outputs)), [opened, panel.calibration], outputs, **quiet)
    gr.on(
        [panel.sort.input, panel.kind.input],
        rearrange, [opened, panel.calibration, panel.sort, panel.kind], panel.matrix, **quiet,
    )  # fmt: skip
    panel.matrix.select(look, [opened, panel.calibration], panel.cell, **quiet)
    gr.on(
        [panel.moved_from.input, panel.moved_to.input],
        said(move, len(card)), [opened, panel.calibration, panel.moved_from, panel.moved_to], list(card), **quiet,
    )  # fmt: skip
