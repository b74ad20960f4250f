"""The Order tab: the same demonstrations in many orders, and whether the best order is really better."""

from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr

from lab.experiments.events import Result
from lab.experiments.order import OrderParams, layouts_of
from lab.prompts.layout import SLOT_TITLES, SLOTS
from lab.ui import factorial_panel
from lab.ui import order_view as view
from lab.ui.drilldown import comparison_html
from lab.ui.figure_card import FigureCard, cards_updates, figure_card
from lab.ui.opened import NO_STORE, Opened
from lab.ui.people import Lab
from lab.ui.result_view import query_texts, run_verdict, so_far, wire_stale
from lab.ui.run_controls import (
    LIGHT,
    QUIET,
    ExperimentTab,
    RunControls,
    Stage,
    TabHandle,
    Updates,
    in_order,
    run_controls,
    wire_run,
)
from lab.ui.running import RunState
from lab.ui.setting_panel import SettingPanel, setting_panel
from lab.ui.widgets.flip_matrix import FlipMatrix, matrix_value
from lab.ui.widgets.plot_click import PlotClick

if TYPE_CHECKING:
    import pandas as pd

FIRST: dict[str, Any] = {"task": "topic", "n_queries": 16, "n_demos": 4, "n_orders": 24, "n_held_out": 16}
PRESETS: dict[str, dict[str, Any]] = {
    "News topics, 24 orders": {},
    "Three demonstrations, all 6 orders": {"n_demos": 3, "n_orders": 6, "n_queries": 24, "n_held_out": 24},
    "Sentiment at the end of the message": {"task": "sentiment", "slot": "eum"},
    "Six demonstrations, a sample": {"n_demos": 6, "n_orders": 20},
}
MODEL = ("model", "device", "dtype")
NO_RESULT = "How much does the order of the same demonstrations matter? Press Run to see the spread."


class Panel(NamedTuple):
    """What shows a result."""

    verdict: gr.HTML
    stale: gr.HTML
    tiles: gr.HTML
    matrix: FlipMatrix
    cell: gr.HTML
    held_out: gr.HTML
    cards: dict[str, FigureCard]

    @property
    def outputs(self) -> list[Any]:
        """Every component of it."""
        return [*self[:-1], *(part for card in self.cards.values() for part in card)]


def build(lab: Lab) -> ExperimentTab:
    """Build the tab inside the current block; it shows a shipped example until something is run."""
    first = Opened.first_shipped("order")
    opened = gr.State(first)
    with gr.Row(equal_height=False, elem_classes="lab-split"):
        with gr.Column(scale=3, min_width=320):
            form, by_name, controls = _form()
        with gr.Column(scale=8, min_width=320):
            panel, click = _results()
    with gr.Accordion("Position × order × demonstrations: what moves the accuracy most?", open=False):
        factorial = factorial_panel.build(lab)
    stage = Stage(
        lab,
        "order",
        list(by_name.values()),
        form.collect,
        opened,
        panel.outputs,
        lambda state, run, store: _updates_of(panel, state, run, store),
    )
    wire_run(stage, controls)
    _wire_looking(panel, click, opened, lab)
    wire_stale(stage, panel.stale)
    handle = TabHandle.of(stage, form.fill, lambda run, store: _shown(panel, run, store, run.result(store)))

    @cache  # every visitor gets the same
    def draw() -> list[Any]:
        shipped = _shown(panel, first, NO_STORE, first.result(NO_STORE)) if first is not None else {}
        return in_order(shipped, panel.outputs)

    return ExperimentTab({"order": handle, "factorial": factorial}, panel.outputs, draw)


def _form() -> tuple[SettingPanel, dict[str, Any], RunControls]:
    defaults = {field.name: field.default for field in fields(OrderParams)} | FIRST
    gr.Markdown("### Begin with")
    with gr.Row(elem_id="order-presets"):
        presets = [gr.Button(title, size="sm", min_width=140) for title in PRESETS]
    controls = run_controls("order")
    panel = setting_panel(defaults, "order")
    by_name = panel.by_name
    by_name["slot"] = gr.Dropdown(
        [(f"{slot}: {SLOT_TITLES[slot]}", slot) for slot in SLOTS if slot != "none"],
        value=defaults["slot"],
        label="Slot",
        info="Where the demonstrations stand.",
        elem_id="order-slot",
    )
    with gr.Row():
        by_name["n_orders"] = gr.Number(
            defaults["n_orders"],
            label="Orders",
            info="All of them if there are no more, else a sample.",
            precision=0,
            elem_id="order-n-orders",
            min_width=130,
        )
        by_name["n_held_out"] = gr.Number(
            defaults["n_held_out"],
            label="New queries",
            info="Test the best order; 0 skips it.",
            precision=0,
            elem_id="order-n-held-out",
            min_width=130,
        )
    by_name["scores_content_free"] = gr.Checkbox(
        value=False,
        label="Score content-free inputs",
        info="Measures which label the model prefers by itself.",
        elem_id="order-scores-content-free",
    )
    for button, values in zip(presets, PRESETS.values(), strict=True):
        whole = {**{name: defaults[name] for name in defaults if name not in MODEL}, **values, "demos": ()}
        button.click(lambda whole=whole: panel.fill(whole), None, list(by_name.values()), **LIGHT)
    return panel, by_name, controls


def _results() -> tuple[Panel, PlotClick]:
    verdict = gr.HTML(f"<h2>{NO_RESULT}</h2>", elem_id="order-verdict", padding=False)
    stale, tiles = (
        gr.HTML(elem_id="order-stale", padding=False),
        gr.HTML(elem_id="order-tiles", padding=False),
    )
    cards = {"Orders": figure_card("Accuracy by order", "order-orders")}
    click = PlotClick("order-orders", elem_id="order-click")
    gr.Markdown(
        "### Every answer\nA row is a query, a column an order: 213 shows the second demonstration first. "
        "Click a cell to read both prompts; click a point above to count flips against its order."
    )
    matrix = FlipMatrix(elem_id="order-matrix")
    cell = gr.HTML(elem_id="order-cell", padding=False)
    gr.Markdown("### Is the best order really better?")
    held_out = gr.HTML(elem_id="order-held-out", padding=False)
    cards["Held-out"] = figure_card("Chosen order on new queries", "order-held-out-figure")
    with gr.Row(equal_height=False):
        cards["Entropy"] = figure_card("Entropy and accuracy", "order-entropy")
        cards["Influence"] = figure_card("Influence by place", "order-influence")
    return Panel(verdict, stale, tiles, matrix, cell, held_out, cards), click


def _updates_of(panel: Panel, state: RunState, run: Opened, store: Any) -> Updates:
    if state.result is not None:
        return _shown(panel, run, store, state.result)
    return {
        **dict.fromkeys((panel.stale, panel.cell, panel.tiles, panel.held_out), ""),
        **cards_updates(panel.cards, None, {}, {}),
        panel.verdict: run_verdict(so_far(state.predictions), run, store),
        panel.matrix: _matrix(state.predictions, run),
    }


def _shown(panel: Panel, run: Opened, store: Any, result: Result) -> Updates:
    tables = {**result.tables, "held_out": view.held_out_table(result)}
    whole = Result(result.run_id, result.predictions, tables, result.figures, result.verdict, result.summary)
    return {
        panel.verdict: run_verdict(result.verdict, run, store),
        panel.stale: "",
        panel.tiles: view.tiles_html(result),
        panel.held_out: view.held_out_html(result),
        panel.matrix: _matrix(result.predictions, run),
        panel.cell: "",
        **cards_updates(panel.cards, whole, view.sentences(result), view.FIGURES),
    }


def _matrix(predictions: "pd.DataFrame | None", run: Opened, reference: str = "") -> Any:
    """Lay out the answers to the queries of the first stage; flips count against the order as given."""
    if predictions is None or predictions.empty:
        return None
    asked = view.first_stage(predictions, run.params)
    orders = [layout.id for layout in layouts_of(run.params)]
    texts = query_texts(run.params.task)
    return matrix_value(asked, texts, reference or orders[0], columns=["none", *orders])


def _wire_looking(panel: Panel, click: PlotClick, opened: gr.State, lab: Lab) -> None:
    def against(run: Opened | None, request: gr.Request, event: gr.EventData) -> Any:
        """Take the point's place among the orders; it comes from a browser."""
        store = lab.store_for(request)
        orders = run.result(store).tables.get("orders") if run else None
        place = event.point
        if orders is None or not isinstance(place, int) or not 0 <= place < len(orders) or event.curve != 0:
            return gr.skip()
        return _matrix(run.predictions(store), run, orders["layout"].iloc[place])

    def look(run: Opened | None, request: gr.Request, event: gr.EventData) -> str:
        if run is None:
            return ""
        store = lab.store_for(request)
        return comparison_html(run, store, None, event.query_id, event.layout, event.reference)

    click.select(against, opened, panel.matrix, **QUIET)
    panel.matrix.select(look, opened, panel.cell, scroll_to_output=True, **QUIET)
