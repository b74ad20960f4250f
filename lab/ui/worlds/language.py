"""The same scores of heads, on the language model: what was just grown, found in a model that read text."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from lab.figures import head_map
from lab.learners.catalogue import DEFAULT
from lab.ui.run_controls import HEAVY
from lab.ui.setting_panel import model_choices
from lab.ui.widgets.markup import note
from lab.ui.worlds.rooms import Room
from lab.weights.source import WeightsError

SCORES = {
    "induction": "induction: attention to what came after the same token earlier",
    "previous_token": "previous token: attention to the token just before",
    "copy": "copy: answers with what it looks at",
}
ABOUT = (
    "### The same heads in a language model\n"
    "Random tokens, twice in a row, are read by a model that learned from text. Heads that look for what "
    "followed the same token earlier are there as well."
)


def suits(room: Room) -> bool:
    """Tell whether a world's learners have heads to compare with."""
    return room.has_heads


def build(opened: gr.State, when: Sequence[Any]) -> None:
    """Place the part inside the current block; nothing is loaded before a person asks for it."""
    gr.Markdown(ABOUT)
    with gr.Row():
        model = gr.Dropdown(
            model_choices(), value=DEFAULT, label="Model", elem_id="worlds-lm",
            info="One of those that the prompt tabs offer.",
        )  # fmt: skip
        score = gr.Dropdown(
            [(words, name) for name, words in SCORES.items()], value="induction", label="Score",
            elem_id="worlds-lm-score", info="What is told of every head.",
        )  # fmt: skip
    show = gr.Button("Look at its heads", elem_id="worlds-lm-look")
    told = gr.HTML(elem_id="worlds-lm-told", padding=False)
    plot = gr.Plot(show_label=False, label="Heads of the language model", elem_id="worlds-lm-heads")
    gr.on([show.click, score.input], look, [model, score], [told, plot], show_progress="minimal", **HEAVY)


def look(model: str, score: str) -> list[Any]:
    """Measure the heads of a model, and draw one of their scores."""
    from lab.learners.heads import head_scores
    from lab.learners.load import load

    if score not in SCORES:
        return [note("warn", f"There is no score {score!r}; choose one of the list."), None]
    try:
        scores = head_scores(load(model))
    except (ValueError, MemoryError, WeightsError) as error:
        return [note("error", str(error)), None]
    name = score.replace("_", " ")
    return ["", head_map(getattr(scores, score), f"{name} score", model=model)]
