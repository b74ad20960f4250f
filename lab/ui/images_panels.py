"""The panel lab: the same sets with their panels arranged anew, and which readings flip."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

import gradio as gr

from lab.experiments.events import Result
from lab.experiments.image_run import TASK_LORA
from lab.experiments.panels import PanelsParams
from lab.experiments.views import split_controls
from lab.images.layout import default_layouts
from lab.images.sampler import MODES
from lab.images.shelf import names
from lab.images.tasks import TASKS, find_task
from lab.runs.store import Store
from lab.stats.verdict import p_text
from lab.ui.figure_card import FigureCard, cards_updates, figure_card
from lab.ui.images_form import MODE_TITLES
from lab.ui.images_view import picture_html
from lab.ui.opened import NO_STORE, Opened
from lab.ui.people import Lab
from lab.ui.position_view import comparisons_html
from lab.ui.result_view import run_verdict, so_far, wire_stale
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
from lab.ui.shipped import show_at_build
from lab.ui.widgets.flip_matrix import FlipMatrix, matrix_value
from lab.ui.widgets.markup import note, stat_tiles

NO_RESULT = "Press Run: the same sets are drawn with their panels arranged anew, and what flips appears here."
MEANINGS = {
    "retold": "the caption tells the panels backwards",
    "alone": "each panel is drawn alone",
    "panel-ids": "positions count within each panel",
}
FIGURES = {"Accuracy": "accuracy", "Prediction change": "comparisons"}


class Panel(NamedTuple):
    """What shows a result."""

    verdict: gr.HTML
    stale: gr.HTML
    matrix: FlipMatrix
    cell: gr.HTML
    tiles: gr.HTML
    comparisons: gr.HTML
    cards: dict[str, FigureCard]

    @property
    def outputs(self) -> list[Any]:
        """Every component of it."""
        return [*self[:-1], *(part for card in self.cards.values() for part in card)]


def build(lab: Lab) -> ExperimentTab:
    """Build the sub-tab inside the current block."""
    first = Opened.first_shipped("panels")
    opened = gr.State(first)
    with gr.Row(equal_height=False, elem_classes="lab-split"):
        with gr.Column(scale=3, min_width=320):
            controls, by_name = _form()
        with gr.Column(scale=8, min_width=320):
            panel = _results()
    stage = Stage(
        lab,
        "panels",
        list(by_name.values()),
        lambda values: dict(zip(by_name, values, strict=True)),
        opened,
        panel.outputs,
        lambda state, run, store: _updates(panel, state, run, store),
    )
    wire_run(stage, controls)
    wire_stale(stage, panel.stale)
    _wire(panel, by_name, opened, lab)
    shipped = _shown(panel, first, NO_STORE, first.result(NO_STORE)) if first is not None else {}
    figures = [part for card in panel.cards.values() for part in card]
    show_at_build({part: value for part, value in shipped.items() if part not in figures})
    handle = TabHandle.of(
        stage,
        lambda values: _filled(by_name, values),
        lambda run, store: _shown(panel, run, store, run.result(store)),
    )
    return ExperimentTab({"panels": handle}, figures, lambda: in_order(shipped, figures))


def _form() -> tuple[RunControls, dict[str, Any]]:
    controls = run_controls("panels")
    defaults = PanelsParams()
    by_name: dict[str, Any] = {}
    by_name["task"] = gr.Dropdown(
        [(task.title, task.id) for task in TASKS], value=defaults.task, label="Task",
        info="Which relation the panels of a set have.", elem_id="panels-task",
    )  # fmt: skip
    by_name["lora"] = gr.Dropdown(
        [("the task's own", TASK_LORA), ("none: the base alone", ""), *((name, name) for name in names())],
        value=TASK_LORA, label="LoRA", info="What draws.", elem_id="panels-lora",
    )  # fmt: skip
    by_name["layouts"] = gr.CheckboxGroup(
        _choices(defaults.layouts), value=list(defaults.layouts), label="Layouts",
        info="How the panels are arranged; the first is as the task was tuned.", elem_id="panels-layouts",
    )  # fmt: skip
    by_name["reference"] = gr.Dropdown(
        list(defaults.layouts), value=defaults.layouts[0], label="Reference layout",
        info="Flips are counted against it.", elem_id="panels-reference",
    )  # fmt: skip
    by_name["given"] = gr.Radio(
        [("None: all are drawn", "none"), *((MODE_TITLES[mode], mode) for mode in MODES)],
        value=defaults.given, label="Other panels given",
        info="Given panels show the true drawing; only the asked one is left to draw.",
        elem_id="panels-given",
    )  # fmt: skip
    by_name["n_queries"] = gr.Slider(
        1, 96, 16, step=1, label="Sets", info="Held-out concepts, each with its own noise.",
        elem_id="panels-n-queries",
    )  # fmt: skip
    with gr.Accordion("How they are drawn and read", open=False):
        by_name["asked"] = gr.Number(
            0, label="Asked panel", precision=0, minimum=0, maximum=4, elem_id="panels-asked",
            info="Which panel is read, counted from 1; 0 takes the last.",
        )  # fmt: skip
        by_name["strength"] = gr.Slider(
            0, 2, 1, step=0.05, label="LoRA strength", info="1 is as tuned.", elem_id="panels-strength"
        )
        by_name["n_steps"] = gr.Slider(
            1, 50, 20, step=1, label="Steps", info="Fewer are faster.", elem_id="panels-steps"
        )
        by_name["guidance"] = gr.Slider(
            1, 8, 3, step=0.5, label="Guidance", info="Beyond the unprompted picture.",
            elem_id="panels-guidance",
        )  # fmt: skip
        by_name["seed"] = gr.Number(
            0, label="Seed", precision=0, minimum=0, info="Determines sets and noise.", elem_id="panels-seed"
        )
    return controls, by_name


def _choices(layouts: Sequence[str]) -> list[tuple[str, str]]:
    """Name layouts by what they change."""
    named = []
    for place, layout in enumerate(layouts):
        change = layout.partition("+")[2]
        words = MEANINGS.get(change) or ("as tuned" if place == 0 else "panels in another order")
        named.append((f"{layout}: {words}", layout))
    return named


def _results() -> Panel:
    verdict = gr.HTML(f"<h2>{NO_RESULT}</h2>", elem_id="panels-verdict", padding=False)
    stale = gr.HTML(elem_id="panels-stale", padding=False)
    matrix = FlipMatrix(elem_id="panels-matrix", label="What the probe reads from the asked panel")
    cell = gr.HTML(elem_id="panels-cell", padding=False)
    tiles = gr.HTML(elem_id="panels-tiles", padding=False)
    gr.Markdown("### Broken, fixed, or chance?")
    comparisons = gr.HTML(elem_id="panels-comparisons", padding=False)
    with gr.Row(equal_height=False):
        cards = {
            "Accuracy": figure_card("Accuracy", "panels-accuracy"),
            "Prediction change": figure_card("Prediction change", "panels-change"),
        }
    return Panel(verdict, stale, matrix, cell, tiles, comparisons, cards)


def _updates(panel: Panel, state: RunState, opened: Opened, store: Store) -> Updates:
    """Say how the panel changes while a run goes on, and when it is over."""
    if state.result is not None and state.result.summary:
        return _shown(panel, opened, store, state.result)
    return {
        **dict.fromkeys((panel.stale, panel.cell, panel.tiles, panel.comparisons), ""),
        **cards_updates(panel.cards, None, {}, {}),
        panel.verdict: run_verdict(so_far(state.predictions), opened, store),
        panel.matrix: _matrix(state.predictions, opened),
    }


def _shown(panel: Panel, opened: Opened, store: Store, result: Result) -> Updates:
    """Show a whole result."""
    facts = result.summary
    updates: Updates = {
        panel.stale: "",
        panel.cell: "<p>Choose a cell to see the pictures behind it.</p>",
        panel.verdict: run_verdict(result.verdict, opened, store),
        panel.matrix: _matrix(result.predictions, opened),
    }
    if not facts:
        return updates
    return {
        **updates,
        panel.tiles: _tiles(facts),
        panel.comparisons: comparisons_html(result),
        **cards_updates(panel.cards, result, _sentences(facts), FIGURES),
    }


def _tiles(facts: Mapping[str, Any]) -> str:
    tiles = [("Sets", f"{facts['n_queries']:,}", "drawn under every layout, from the same noise")]
    if facts["comparisons"]:
        most = max(facts["comparisons"], key=lambda c: c["prediction_change"])
        words = f"{most['n_flips']} of {most['n']} readings flip from {most['reference']} to {most['layout']}"
        tiles.append(("Most flips", f"{100 * most['prediction_change']:.0f} %", words))
    if floor := facts.get("floor"):
        words = f"{floor['n_flips']} of {floor['n']} flip when only the batch changes; the 95 % bound"
        tiles.append(("False-flip floor", f"≤ {100 * floor['high']:.0f} %", words))
    if q := facts.get("cochran_q"):
        tiles.append(("All layouts alike?", p_text(q["p"]), f"Cochran's Q = {q['q']:.1f}, {q['df']} df"))
    return stat_tiles(tiles)


def _sentences(facts: Mapping[str, Any]) -> dict[str, str]:
    return {
        "Accuracy": f"How often the probe reads the right concept and style in the asked panel, over "
        f"{facts['n_queries']} sets; bars are 95 % intervals.",
        "Prediction change": f"How many readings differ from those under {facts['reference']}.",
    }


def _matrix(predictions: Any, opened: Opened) -> Any:
    if predictions is None or predictions.empty:
        return None
    asked, _, _ = split_controls(predictions)
    params = opened.params
    return matrix_value(asked, {}, params.reference, columns=params.layouts)


def _wire(panel: Panel, by_name: Mapping[str, Any], opened: gr.State, lab: Lab) -> None:
    def look(run: Opened | None, request: gr.Request, event: gr.EventData) -> str:
        if run is None:
            return ""
        return pictures_html(run, lab.store_for(request), str(event.query_id), str(event.layout))

    def retask(task_id: str) -> list[Any]:
        layouts = default_layouts(find_task(task_id).grid)
        return [
            gr.CheckboxGroup(choices=_choices(layouts), value=list(layouts)),
            gr.Dropdown(choices=list(layouts), value=layouts[0]),
        ]

    def references(layouts: Sequence[str], reference: str) -> Any:
        kept = reference if reference in layouts else next(iter(layouts), None)
        return gr.Dropdown(choices=list(layouts), value=kept)

    layouts, reference = by_name["layouts"], by_name["reference"]
    panel.matrix.select(look, opened, panel.cell, scroll_to_output=True, **QUIET)
    by_name["task"].input(retask, by_name["task"], [layouts, reference], **LIGHT)
    layouts.input(references, [layouts, reference], reference, **LIGHT)


def pictures_html(run: Opened, store: Store, query_id: str, layout: str) -> str:
    """Show what was drawn for one set under every layout; what arrives from a browser is only looked up."""
    table = run.predictions(store)
    rows = table[table["query_id"] == query_id]
    if rows.empty:
        return note("info", "This set is not drawn yet.")
    answers = run.answers(store)
    prompts = run.prompts(store).set_index(["query_id", "layout"])["prompt"]
    figures = []
    for row in rows.itertuples():
        url = answers.get((query_id, row.layout), "")
        if not url.startswith("data:image/png;base64,") or "+again" in row.layout:
            continue
        caption = str(prompts.get((query_id, row.layout), ""))
        mark = "right" if row.correct else "wrong"
        title = f"{row.layout}{' (chosen)' if row.layout == layout else ''}"
        figures.append(picture_html(url, caption, title, f"read as {row.prediction}, {mark}. {caption}"))
    gold = escape(str(rows["gold"].iloc[0]))
    heading = f'<h3 tabindex="-1">{escape(query_id)}: asked for “{gold}”</h3>'
    return f'{heading}<div class="lab-canvases">{"".join(figures)}</div>'


def _filled(by_name: Mapping[str, Any], values: Mapping[str, Any]) -> Updates:
    updates: Updates = {by_name[name]: value for name, value in values.items() if name in by_name}
    if layouts := list(values.get("layouts", ())):
        updates[by_name["layouts"]] = gr.CheckboxGroup(choices=_choices(layouts), value=layouts)
        updates[by_name["reference"]] = gr.Dropdown(
            choices=layouts, value=values.get("reference", layouts[0])
        )
    return updates
