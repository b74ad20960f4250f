"""The Position tab: the same demonstrations in several places of the prompt, and which answers flip."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, NamedTuple

import gradio as gr

from lab.experiments.position import PositionParams
from lab.prompts.layout import Layout
from lab.ui import paper_mode
from lab.ui.opened import NO_STORE, Opened
from lab.ui.people import Lab
from lab.ui.position_results import results, shown, updates_of, wire
from lab.ui.result_view import wire_stale
from lab.ui.run_controls import (
    LIGHT,
    ExperimentTab,
    RunControls,
    Stage,
    TabHandle,
    Updates,
    in_order,
    run_controls,
    wire_run,
)
from lab.ui.setting_panel import SettingPanel, setting_panel
from lab.ui.shipped import show_at_build

LAYOUTS = ("none", "ssp", "esp", "sum", "eum", "turns", "eum+restated", "sum+shuffled", "sum+filler")
MODEL = ("model", "device", "dtype")  # a preset leaves them as they are
FIRST: dict[str, Any] = {"task": "topic", "n_queries": 24}
PRESETS: dict[str, dict[str, Any]] = {
    "Five places, news topics": {"layouts": ("none", "ssp", "esp", "sum", "eum")},
    "The place, or only more text?": {"layouts": ("none", "sum", "sum+shuffled", "sum+filler")},
    "Is the query too far up?": {"task": "sentiment", "layouts": ("sum", "eum", "eum+restated")},
    "Written answers: capitals": {"task": "capitals", "layouts": ("none", "sum", "eum", "turns")},
}


class Form(NamedTuple):
    """The controls: the shared ones, all of them by parameter, and the buttons."""

    panel: SettingPanel
    by_name: dict[str, Any]
    controls: RunControls
    more: gr.Button

    def fill(self, values: Mapping[str, Any]) -> Updates:
        """Show values of parameters; others stay as they are."""
        updates = self.panel.fill(values)
        if layouts := list(values.get("layouts", ())):
            updates[self.by_name["layouts"]] = gr.CheckboxGroup(
                choices=layout_choices(layouts), value=layouts
            )
            updates[self.by_name["reference"]] = _references(layouts, values.get("reference", "sum"))
        return updates


def build(lab: Lab) -> ExperimentTab:
    """Build the tab inside the current block; it shows a shipped example until something is run."""
    first = Opened.first_shipped("position")
    opened = gr.State(first)
    with gr.Row(equal_height=False, elem_classes="lab-split"):
        with gr.Column(scale=3, min_width=320):
            form = _form()
        with gr.Column(scale=8, min_width=320):
            panel = results()
    with gr.Accordion("Paper mode: which claims of the paper hold for this model?", open=False):
        paper = paper_mode.build(lab)
    stage = Stage(
        lab,
        "position",
        list(form.by_name.values()),
        form.panel.collect,
        opened,
        panel.outputs,
        lambda state, run, store: updates_of(panel, state, run, store),
    )
    wire_run(stage, form.controls, _adding(form, opened))
    wire(panel, opened, lab)
    wire_stale(stage, panel.stale)
    layouts, reference = form.by_name["layouts"], form.by_name["reference"]
    layouts.change(_references, [layouts, reference], reference, **LIGHT)
    shipped = shown(panel, first, NO_STORE, first.result(NO_STORE)) if first is not None else {}
    figures = [part for card in panel.cards.values() for part in card]
    show_at_build({part: value for part, value in shipped.items() if part not in figures})
    handle = TabHandle.of(stage, form.fill, lambda run, store: shown(panel, run, store, run.result(store)))
    return ExperimentTab({"position": handle, "protocol": paper}, figures, lambda: in_order(shipped, figures))


def layout_choices(more: Sequence[str] = ()) -> list[tuple[str, str]]:
    """List the layouts with their titles, and others that a recipe names."""
    return [(f"{each}: {Layout.parse(each).title}", each) for each in dict.fromkeys([*LAYOUTS, *more])]


def _form() -> Form:
    defaults = {field.name: field.default for field in fields(PositionParams)} | FIRST
    gr.Markdown("### Begin with")
    with gr.Row(elem_id="position-presets"):
        presets = [gr.Button(title, size="sm", min_width=140) for title in PRESETS]
    controls = run_controls("position")
    panel = setting_panel(defaults, "position")
    by_name = panel.by_name
    by_name["layouts"] = gr.CheckboxGroup(
        layout_choices(),
        value=list(defaults["layouts"]),
        label="Layouts",
        info="Where the demonstrations stand. Those with a + are controls that explain an effect.",
        elem_id="position-layouts",
    )
    by_name["reference"] = gr.Dropdown(
        list(defaults["layouts"]),
        value="sum",
        label="Reference layout",
        info="Flips are counted against it.",
        elem_id="position-reference",
    )
    with gr.Accordion("Controls of the measurement", open=False):
        by_name["measures_floor"] = gr.Checkbox(
            value=True,
            label="Measure the false-flip floor",
            info="Ask 32 queries once more through other batches: how many flip for no reason?",
            elem_id="position-measures-floor",
        )
        by_name["scores_content_free"] = gr.Checkbox(
            value=False,
            label="Score content-free inputs",
            info="Contextual calibration needs them: three more prompts a layout.",
            elem_id="position-scores-content-free",
        )
    more = gr.Button("Add 100 more queries", size="sm", elem_id="position-more")
    form = Form(panel, by_name, controls, more)
    for button, values in zip(presets, PRESETS.values(), strict=True):
        whole = {**{name: defaults[name] for name in defaults if name not in MODEL}, **values, "demos": ()}
        button.click(_filling(form, whole), None, list(by_name.values()), **LIGHT)
    return form


def _filling(form: Form, values: Mapping[str, Any]) -> Any:
    return lambda: (
        form.fill(values)
        | {form.by_name[name]: values[name] for name in ("measures_floor", "scores_content_free")}
    )


def _references(layouts: Sequence[str], reference: str) -> Any:
    choices = list(layouts)
    return gr.Dropdown(
        choices=choices, value=reference if reference in choices else next(iter(choices), None)
    )


def _adding(form: Form, opened: gr.State) -> Any:
    """Ask 100 more queries than the run on screen has; the first stay the same, since draws are nested."""

    def added(run: Opened | None, n: float) -> float:
        return (int(run.values.get("n_queries", 0)) if run else int(n or 0)) + 100

    n_queries = form.by_name["n_queries"]
    return form.more.click(added, [opened, n_queries], n_queries, **LIGHT).then
