"""The right side of the Position tab: what a run says, from the matrix of its answers to its figures."""

from html import escape
from typing import Any, NamedTuple

import gradio as gr

from lab.experiments import position as experiment
from lab.experiments.calibrated import calibrated
from lab.experiments.events import Result
from lab.experiments.views import paired, split_controls
from lab.figures import transitions_sankey
from lab.runs.store import Store
from lab.stats.flips import transitions
from lab.ui import position_view as view
from lab.ui.drilldown import comparison_html
from lab.ui.figure_card import FigureCard, cards_updates, figure_card
from lab.ui.opened import Opened
from lab.ui.people import Lab
from lab.ui.result_view import query_texts, run_verdict, so_far
from lab.ui.run_controls import QUIET, Updates, in_order
from lab.ui.running import RunState
from lab.ui.widgets.flip_matrix import FlipMatrix, matrix_value


class Panel(NamedTuple):
    """What shows a result."""

    verdict: gr.HTML
    stale: gr.HTML
    tiles: gr.HTML
    calibration: gr.Radio
    notes: gr.HTML
    matrix: FlipMatrix
    cell: gr.HTML
    comparisons: gr.HTML
    pairs: gr.Dataframe
    moved_from: gr.Dropdown
    moved_to: gr.Dropdown
    cards: dict[str, FigureCard]

    @property
    def outputs(self) -> list[Any]:
        """Every component of it."""
        return [*self[:-1], *(part for card in self.cards.values() for part in card)]


def results() -> Panel:
    """Place the panel, empty."""
    verdict = gr.HTML(f"<h2>{view.NO_RESULT}</h2>", elem_id="position-verdict", padding=False)
    stale = gr.HTML(elem_id="position-stale", padding=False)
    matrix = FlipMatrix(elem_id="position-matrix")
    cell = gr.HTML(elem_id="position-cell", padding=False)
    tiles = gr.HTML(elem_id="position-tiles", padding=False)
    calibration = gr.Radio(
        [("None", "none")],
        value="none",
        label="Calibration",
        info="Takes the context's own bias out of the scores; recomputed at once from what is stored.",
        elem_id="position-calibration",
    )
    notes = gr.HTML(elem_id="position-calibration-notes", padding=False)
    gr.Markdown("### Broken, fixed, or chance?")
    comparisons = gr.HTML(elem_id="position-comparisons", padding=False)
    with gr.Accordion("All pairs of layouts", open=False):
        pairs = gr.Dataframe(
            interactive=False, label="All pairs, Holm over all of them", elem_id="position-pairs"
        )
    cards, moved = _cards()
    return Panel(verdict, stale, tiles, calibration, notes, matrix, cell, comparisons, pairs, *moved, cards)


def _cards() -> tuple[dict[str, FigureCard], tuple[gr.Dropdown, gr.Dropdown]]:
    cards = {}
    with gr.Row(equal_height=False):
        cards["Accuracy"] = figure_card("Accuracy", "position-accuracy")
        cards["Prediction change"] = figure_card("Prediction change", "position-change")
    with gr.Row(equal_height=False):
        with gr.Column(min_width=320):
            with gr.Row():
                start = gr.Dropdown(
                    [], label="From", info="Layout on the left.", elem_id="position-from", min_width=120
                )
                end = gr.Dropdown(
                    [], label="To", info="Layout on the right.", elem_id="position-to", min_width=120
                )
            cards["Transitions"] = figure_card("Transitions", "position-transitions")
        cards["Margins"] = figure_card("Margins", "position-margins")
    return cards, (start, end)


def updates_of(panel: Panel, state: RunState, opened: Opened, store: Store) -> Updates:
    """Say how the panel changes while a run goes on, and when it is over."""
    if state.result is not None and state.result.summary:
        return shown(panel, opened, store, state.result)
    return {
        **dict.fromkeys((panel.stale, panel.cell, panel.tiles, panel.comparisons, panel.notes), ""),
        **cards_updates(panel.cards, None, {}, {}),
        panel.verdict: run_verdict(so_far(state.predictions), opened, store),
        panel.matrix: _matrix(state.predictions, opened),
        panel.pairs: None,
    }


def shown(panel: Panel, opened: Opened, store: Store, result: Result) -> Updates:
    """Show a whole result, without calibration."""
    params = opened.params
    most = max(result.summary.get("comparisons", []), key=lambda c: c["prediction_change"], default=None)
    return {
        panel.stale: "",
        panel.calibration: gr.Radio(choices=view.calibrations(result.predictions), value="none"),
        panel.cell: "",
        panel.moved_from: gr.Dropdown(choices=list(params.layouts), value=params.reference),
        panel.moved_to: gr.Dropdown(choices=list(params.layouts), value=most["layout"] if most else None),
        **_numbers(panel, opened, store, result, "none"),
    }


def _numbers(panel: Panel, opened: Opened, store: Store, result: Result, method: str) -> Updates:
    """Show what depends on how scores are calibrated."""
    words = "" if method == "none" else f" (After {method} calibration.)"
    updates: Updates = {
        panel.verdict: run_verdict(result.verdict + words, opened, store),
        panel.matrix: _matrix(result.predictions, opened),
        panel.notes: view.calibration_html(result.predictions, method),
    }
    if not result.summary:
        return updates
    return {
        **updates,
        panel.tiles: view.tiles_html(result, opened.summary(store)),
        panel.comparisons: view.comparisons_html(result),
        panel.pairs: view.pairs_table(result),
        **cards_updates(panel.cards, result, view.sentences(result), view.FIGURES),
    }


def _matrix(predictions: Any, opened: Opened) -> Any:
    if predictions is None or predictions.empty:
        return None
    asked, _, _ = split_controls(predictions)
    params = opened.params
    return matrix_value(asked, query_texts(params.task), params.reference, columns=params.layouts)


def wire(panel: Panel, opened: gr.State, lab: Lab) -> None:
    """Wire what only looks at a run that is stored or shipped."""

    def recompute(run: Opened | None, method: str, request: gr.Request) -> list[Any]:
        if run is None:
            return in_order({}, panel.outputs)
        store = lab.store_for(request)
        result = experiment.summarise(calibrated(run.predictions(store), method), run.params, run.run_id)
        return in_order({**_numbers(panel, run, store, result, method), panel.cell: ""}, panel.outputs)

    def look(run: Opened | None, method: str, request: gr.Request, event: gr.EventData) -> str:
        if run is None:
            return ""
        store = lab.store_for(request)
        table = calibrated(run.predictions(store), method)
        return comparison_html(run, store, table, event.query_id, event.layout, event.reference)

    def move(run: Opened | None, method: str, start: str, end: str, request: gr.Request) -> list[Any]:
        if run is None or not start or not end or start == end:
            return in_order({}, list(card))
        asked, _, _ = split_controls(calibrated(run.predictions(lab.store_for(request)), method))
        asked = paired(asked, [start, end])
        moved = transitions(asked, start, end)
        sentence = f"<p>{escape(view.transition_sentence(moved, start, end))}</p>"
        return [sentence, transitions_sankey(asked, [start, end]), moved.round(4)]

    card = panel.cards["Transitions"]
    panel.calibration.input(recompute, [opened, panel.calibration], panel.outputs, **QUIET)
    panel.matrix.select(look, [opened, panel.calibration], panel.cell, scroll_to_output=True, **QUIET)
    moving = [opened, panel.calibration, panel.moved_from, panel.moved_to]
    gr.on([panel.moved_from.input, panel.moved_to.input], move, moving, list(card), **QUIET)
