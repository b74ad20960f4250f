"""Position × order × demonstrations: what moves the accuracy most? A panel of the Order tab."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import gradio as gr

from lab.experiments.events import Result
from lab.experiments.factorial import FactorialParams
from lab.prompts.layout import SLOT_TITLES, SLOTS
from lab.ui import order_view as view
from lab.ui.figure_card import cards_updates, figure_card
from lab.ui.opened import Opened
from lab.ui.people import Lab
from lab.ui.run_controls import Stage, TabHandle, Updates, run_controls, wire_run
from lab.ui.running import RunState
from lab.ui.setting_panel import SELECTIONS, collect, model_choices, shown, task_choices

ABOUT = (
    "Crosses slots, orders and demonstration sets and splits the variance of accuracy over them "
    "(after Li et al. 2025, [Order Matters](https://arxiv.org/abs/2511.09700), with the slot as a third "
    "factor)."
)
DRAWN = [choice for choice in SELECTIONS if choice[1] in ("balanced", "random")]


def build(lab: Lab) -> TabHandle:
    """Build the panel inside the current block."""
    gr.Markdown(ABOUT)
    inputs = _inputs()
    controls = run_controls("factorial", "Run the cross")
    said = gr.HTML(elem_id="factorial-verdict", padding=False)
    with gr.Row(equal_height=False):
        cards = {
            "Variance": figure_card("Variance of accuracy", "factorial-variance"),
            "Variance with queries": figure_card("Variance of single answers", "factorial-queries"),
        }
    opened = gr.State(None)

    def updates(result: Result, run: Opened, store: Any) -> Updates:
        filled = cards_updates(cards, result, view.FACTORIAL_SENTENCES, view.FACTORIAL_FIGURES)
        return {said: view.factorial_html(result, run.provenance(store)), **filled}

    def show(state: RunState, run: Opened, store: Any) -> Updates:
        return updates(state.result, run, store) if state.result else {}

    def show_stored(run: Opened, store: Any) -> Updates:
        return updates(run.result(store), run, store)

    def read(values: Sequence[Any]) -> Mapping[str, Any]:
        return collect(dict(zip(inputs, values, strict=True)))

    def fill(values: Mapping[str, Any]) -> Updates:
        return {inputs[name]: shown(name, value) for name, value in values.items() if name in inputs}

    outputs = [said, *(part for card in cards.values() for part in card)]
    stage = Stage(lab, "factorial", list(inputs.values()), read, opened, outputs, show)
    wire_run(stage, controls)
    return TabHandle.of(stage, fill, show_stored)


def _inputs() -> dict[str, Any]:
    first = {field.name: field.default for field in fields(FactorialParams)}
    found: dict[str, Any] = {}
    with gr.Row():
        found["task"] = gr.Dropdown(
            task_choices(), value=first["task"], label="Task", info="What is asked.",
            allow_custom_value=True, elem_id="factorial-task",
        )  # fmt: skip
        found["model"] = gr.Dropdown(
            model_choices(), value=first["model"], label="Model",
            info="Or type the id of a model of the hub.",
            allow_custom_value=True, elem_id="factorial-model",
        )  # fmt: skip
        found["selection"] = gr.Dropdown(
            DRAWN, value=first["selection"], label="Selection", info="How each set is drawn.",
            elem_id="factorial-selection",
        )  # fmt: skip
    found["slots"] = gr.CheckboxGroup(
        [(f"{slot}: {SLOT_TITLES[slot]}", slot) for slot in SLOTS if slot != "none"],
        value=list(first["slots"]), label="Slots", info="Two or more.", elem_id="factorial-slots",
    )  # fmt: skip
    numbers = {
        "n_orders": ("Orders", "The same permutations for every set."),
        "n_sets": ("Demonstration sets", "How many are drawn."),
        "n_demos": ("Demonstrations", "In each set."),
        "n_queries": ("Queries", "Asked under every combination."),
        "seed": ("Seed", "Determines every draw."),
    }
    with gr.Row():
        for name, (label, info) in numbers.items():
            found[name] = gr.Number(
                first[name], label=label, info=info, precision=0, min_width=110,
                elem_id=f"factorial-{name.replace('_', '-')}",
            )  # fmt: skip
    return found
