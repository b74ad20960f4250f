"""The panel lab: the same sets with their panels arranged anew, and which readings flip."""

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from lab.experiments.image_run import TASK_LORA
from lab.experiments.panels import PanelsParams
from lab.images.layout import default_layouts
from lab.images.shelf import names, tuned_tasks
from lab.images.tasks import find_task
from lab.ui.images.form import MODE_TITLES, modes
from lab.ui.images.result import image_study
from lab.ui.images.settings import guidance_slider, seed_number, steps_slider
from lab.ui.people import Lab
from lab.ui.run_controls import LIGHT, ExperimentTab, RunControls, Updates, run_controls
from lab.ui.study import study_tab

NO_RESULT = "Press Run: the same sets are drawn with their panels arranged anew, and what flips appears here."
MEANINGS = {
    "retold": "the caption tells the panels backwards",
    "alone": "each panel is drawn alone",
    "panel-ids": "positions count within each panel",
}


def build(lab: Lab) -> ExperimentTab:
    """Build the sub-tab inside the current block."""
    read = "in the asked panel"
    made = image_study("panels", NO_RESULT, read, lambda params: params.layouts, _form, _filled)
    tab, by_name = study_tab(lab, made)
    _wire(by_name)
    return tab


def _form() -> tuple[RunControls, dict[str, Any]]:
    controls = run_controls("panels")
    defaults = PanelsParams()
    by_name: dict[str, Any] = {}
    by_name["task"] = gr.Dropdown(
        [(task.title, task.id) for task in tuned_tasks()], value=defaults.task, label="Task",
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
        [("None: all are drawn", "none"), *((MODE_TITLES[mode], mode) for mode in modes())],
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
        by_name["n_steps"] = steps_slider("panels-steps")
        by_name["guidance"] = guidance_slider("panels-guidance")
        by_name["seed"] = seed_number("panels-seed", info="Determines sets and noise.")
    return controls, by_name


def _choices(layouts: Sequence[str]) -> list[tuple[str, str]]:
    """Name layouts by what they change."""
    named = []
    for place, layout in enumerate(layouts):
        change = layout.partition("+")[2]
        words = MEANINGS.get(change) or ("as tuned" if place == 0 else "panels in another order")
        named.append((f"{layout}: {words}", layout))
    return named


def _wire(by_name: Mapping[str, Any]) -> None:
    def retask(task_id: str) -> list[Any]:
        layouts = default_layouts(find_task(task_id).grid)
        return [
            gr.CheckboxGroup(choices=_choices(layouts), value=list(layouts)),
            gr.Dropdown(choices=list(layouts), value=layouts[0]),
        ]

    layouts, reference = by_name["layouts"], by_name["reference"]
    by_name["task"].input(retask, by_name["task"], [layouts, reference], **LIGHT)
    layouts.input(references, [layouts, reference], reference, **LIGHT)


def references(columns: Sequence[str], reference: str) -> Any:
    """Offer the chosen columns as the reference; what was chosen stays if it still can."""
    kept = reference if reference in columns else next(iter(columns), None)
    return gr.Dropdown(choices=list(columns), value=kept)


def _filled(by_name: Mapping[str, Any], values: Mapping[str, Any]) -> Updates:
    updates: Updates = {by_name[name]: value for name, value in values.items() if name in by_name}
    if layouts := list(values.get("layouts", ())):
        updates[by_name["layouts"]] = gr.CheckboxGroup(choices=_choices(layouts), value=layouts)
        updates[by_name["reference"]] = gr.Dropdown(
            choices=layouts, value=values.get("reference", layouts[0])
        )
    return updates
