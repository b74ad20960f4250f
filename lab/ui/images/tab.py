"""The Image sets tab: draw a set, arrange its panels anew, tune a LoRA; insert a subject, get a LoRA made."""

from typing import Any

import gradio as gr

from lab.papers import is_waiting
from lab.ui.images import arms, draw, generated, insert, panels, tune
from lab.ui.people import Lab
from lab.ui.run_controls import LIGHT, ExperimentTab

INTRO = (
    "Several panels, one canvas, one joint caption: the base model draws each panel for itself; a small "
    "LoRA, tuned on a few dozen sets, teaches it what relates them. In-Context LoRA, on a model small "
    "enough for this machine."
)


def build(lab: Lab) -> ExperimentTab:
    """Build the tab inside the current block."""
    gr.Markdown(INTRO, elem_id="images-intro")
    with gr.Tabs(elem_id="images-tabs", overflow_behavior="wrap") as inner:
        with gr.Tab("Draw", id="draw"):
            drawn = draw.build()
        with gr.Tab("Panel lab", id="panels"):
            in_panels = panels.build(lab)
        with gr.Tab("What the LoRA changes", id="sets"):
            in_arms = arms.build(lab)
        with gr.Tab("Tune", id="tune"):
            finished = tune.build().finished
        if not is_waiting("ic-brush"):
            with gr.Tab("Insert", id="insert") as inserting:
                insert.build(inserting)
        if not is_waiting("icm-lora"):
            with gr.Tab("Examples", id="examples"):
                finished.append(generated.build().finished)

    def refreshed() -> list[Any]:
        return [gr.Dropdown(choices=tune.choices())] * 2

    for each in finished:
        each.then(refreshed, None, [drawn.form.lora, drawn.form.second], **LIGHT)
    handles = {
        name: each._replace(inner={inner: {"selected": name}})
        for name, each in (in_panels.handles | in_arms.handles).items()
    }
    return ExperimentTab(
        handles, [*in_panels.late, *in_arms.late], lambda: [*in_panels.draw(), *in_arms.draw()]
    )
