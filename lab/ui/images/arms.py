"""What a LoRA changes: the same sets drawn by the base, by LoRAs and by what they are compared with."""

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from lab.experiments.sets import BASE, LORA, ORDINARY, WRONG, SetsParams, wrong_task
from lab.images.model import has_fill
from lab.images.sampler import MODES
from lab.images.shelf import names, tuned_tasks
from lab.ui.images.form import MODE_TITLES
from lab.ui.images.panels import references
from lab.ui.images.result import image_study
from lab.ui.images.settings import guidance_slider, seed_number, steps_slider
from lab.ui.people import Lab
from lab.ui.run_controls import LIGHT, ExperimentTab, RunControls, Updates, run_controls
from lab.ui.study import study_tab

NO_RESULT = (
    "Press Run: the same held-out sets are drawn with and without the LoRA, and what flips appears here."
)
MEANINGS = {
    BASE: "the base alone",
    LORA: "the task's LoRA",
    "lora@0.5": "the same at half strength",
    "lora@1.5": "the same, half as strong again",
    ORDINARY: "a LoRA of the same pixels, a panel at a time",
    WRONG: "the LoRA of another task",
}


def build(lab: Lab) -> ExperimentTab:
    """Build the sub-tab inside the current block."""
    made = image_study("sets", NO_RESULT, "in every panel", lambda params: params.arms, _form, _filled)
    tab, by_name = study_tab(lab, made)
    arms, reference = by_name["arms"], by_name["reference"]
    by_name["task"].input(_rearmed, by_name["task"], [arms, reference], **LIGHT)
    arms.input(references, [arms, reference], reference, **LIGHT)
    return tab


def offered(task_id: str) -> list[str]:
    """List the arms that can be drawn for a task, with the LoRAs that are there."""
    known = names()
    arms = [BASE]
    if task_id in known:
        arms += [LORA, "lora@0.5", "lora@1.5"]
    if f"{task_id}-ordinary" in known:
        arms.append(ORDINARY)
    if wrong_task(task_id) in known:
        arms.append(WRONG)
    arms += [name for name in known if name.startswith(f"{task_id}-") and name != f"{task_id}-ordinary"]
    if task_id in known:
        arms += [f"{LORA}+{mode}" for mode in MODES if mode != "fill" or has_fill()]
    return [*arms, *(name for name in known if name.startswith("own/"))]


def _chosen(arms: Sequence[str]) -> list[str]:
    return [arm for arm in (BASE, LORA, ORDINARY, WRONG) if arm in arms]


def _form() -> tuple[RunControls, dict[str, Any]]:
    controls = run_controls("sets")
    defaults = SetsParams()
    arms = offered(defaults.task)
    by_name: dict[str, Any] = {}
    by_name["task"] = gr.Dropdown(
        [(task.title, task.id) for task in tuned_tasks()], value=defaults.task, label="Task",
        info="Which relation the panels of a set have.", elem_id="sets-task",
    )  # fmt: skip
    by_name["arms"] = gr.CheckboxGroup(
        _choices(arms), value=_chosen(arms), label="Drawn by", elem_id="sets-arms",
        info="Each draws the same sets from the same noise; a set succeeds if every panel is read right.",
    )  # fmt: skip
    by_name["reference"] = gr.Dropdown(
        _chosen(arms), value=LORA if LORA in arms else BASE, label="Compared with",
        info="Flips are counted against it.", elem_id="sets-reference",
    )  # fmt: skip
    by_name["n_queries"] = gr.Slider(
        1, 96, 24, step=1, label="Sets", info="Held-out concepts, each with its own noise.",
        elem_id="sets-n-queries",
    )  # fmt: skip
    with gr.Accordion("How they are drawn", open=False):
        by_name["n_steps"] = steps_slider("sets-steps")
        by_name["guidance"] = guidance_slider("sets-guidance")
        by_name["seed"] = seed_number("sets-seed", info="Determines sets and noise.")
    return controls, by_name


def _choices(arms: Sequence[str]) -> list[tuple[str, str]]:
    """Name arms by what draws."""
    titles = {f"{LORA}+{mode}": f"the first panel given: {MODE_TITLES[mode].lower()}" for mode in MODES}
    told = MEANINGS | titles
    return [(f"{arm}: {told[arm]}" if arm in told else arm, arm) for arm in arms]


def _rearmed(task_id: str) -> list[Any]:
    arms = offered(task_id)
    return [
        gr.CheckboxGroup(choices=_choices(arms), value=_chosen(arms)),
        gr.Dropdown(choices=_chosen(arms), value=LORA if LORA in arms else BASE),
    ]


def _filled(by_name: Mapping[str, Any], values: Mapping[str, Any]) -> Updates:
    updates: Updates = {by_name[name]: value for name, value in values.items() if name in by_name}
    if arms := list(values.get("arms", ())):
        every = list(dict.fromkeys([*offered(str(values.get("task", SetsParams().task))), *arms]))
        updates[by_name["arms"]] = gr.CheckboxGroup(choices=_choices(every), value=arms)
        updates[by_name["reference"]] = gr.Dropdown(choices=arms, value=values.get("reference", arms[0]))
    return updates
