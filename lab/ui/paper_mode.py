"""Paper mode: the whole protocol of the DPP paper in one click, judged claim by claim."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import gradio as gr

from lab.experiments.events import Result
from lab.experiments.protocol import ProtocolParams
from lab.tasks import list_tasks
from lab.ui.figure_card import FigureCard, card_updates, figure_card
from lab.ui.opened import Opened
from lab.ui.people import Lab
from lab.ui.result_view import verdict_html
from lab.ui.run_controls import Stage, TabHandle, Updates, run_controls, wire_run
from lab.ui.running import RunState
from lab.ui.setting_panel import collect, model_choices
from lab.ui.widgets.markup import claims_table

ABOUT = (
    "Runs zero-shot and the four slots on several tasks and tests each claim of Cobbina & Zhou 2025, "
    "[Where to show Demos in Your Prompt](https://arxiv.org/abs/2507.22887), with paired tests. "
    "A claim that does not hold here is a result like any other."
)


def build(lab: Lab) -> TabHandle:
    """Build the panel inside the current block."""
    gr.Markdown(ABOUT)
    inputs = _inputs()
    controls = run_controls("paper", "Run the protocol")
    claims = gr.HTML(elem_id="paper-claims", padding=False)
    card = figure_card("Accuracy change by task", "paper-accuracy")
    opened = gr.State(None)

    def show(state: RunState, run: Opened, store: Any) -> Updates:
        return _shown(claims, card, state.result, run.provenance(store)) if state.result else {}

    def show_stored(run: Opened, store: Any) -> Updates:
        return _shown(claims, card, run.result(store), run.provenance(store))

    def read(values: Sequence[Any]) -> Mapping[str, Any]:
        return collect(dict(zip(inputs, values, strict=True)))

    def fill(values: Mapping[str, Any]) -> Updates:
        known = {name: value for name, value in values.items() if name in inputs}
        return {inputs[name]: list(v) if isinstance(v, list | tuple) else v for name, v in known.items()}

    stage = Stage(lab, "protocol", list(inputs.values()), read, opened, [claims, *card], show)
    wire_run(stage, controls)
    return TabHandle.of(stage, fill, show_stored)


def _inputs() -> dict[str, Any]:
    first = {field.name: field.default for field in fields(ProtocolParams)}
    tasks = gr.CheckboxGroup(
        [(f"{head.family.capitalize()}: {head.title}", head.id) for head in list_tasks()],
        value=list(first["tasks"]),
        label="Tasks",
        info="Each claim is tested on all of them.",
        elem_id="paper-tasks",
    )
    with gr.Row():
        n_queries = gr.Number(
            first["n_queries"], label="Queries a task", info="More queries see smaller differences.",
            precision=0, elem_id="paper-n-queries",
        )  # fmt: skip
        n_demos = gr.Number(
            first["n_demos"], label="Demonstrations", info="Five in the paper.",
            precision=0, elem_id="paper-n-demos",
        )  # fmt: skip
        seed = gr.Number(0, label="Seed", info="Determines every draw.", precision=0, elem_id="paper-seed")
        model = gr.Dropdown(
            model_choices(), value=first["model"], label="Model",
            info="Or type the id of a model of the hub.",
            allow_custom_value=True, elem_id="paper-model",
        )  # fmt: skip
    return {"tasks": tasks, "n_queries": n_queries, "n_demos": n_demos, "seed": seed, "model": model}


def _shown(claims: gr.HTML, card: FigureCard, result: Result, provenance: str) -> Updates:
    figure = result.figures.get("Accuracy change by task")
    sentence = (
        "Each marker is a layout on one task, measured from zero-shot; hover for n and the 95 % interval."
    )
    return {
        claims: claims_html(result, provenance),
        **card_updates(card, sentence, figure, result.tables.get("accuracy")),
    }


def claims_html(result: Result, provenance: str) -> str:
    """Print the claims with what was measured and the verdict, one below the other."""
    found = result.summary.get("claims", [])
    holding = sum(claim["verdict"] == "holds" for claim in found)
    verdict = f"{holding} of {len(found)} claims hold for this model." if found else result.verdict
    return verdict_html(verdict, provenance) + claims_table(found)
