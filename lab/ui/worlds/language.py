"""The same on a language model: how much the order of the context flips there, and what its heads do."""

from dataclasses import asdict
from functools import cache
from typing import Any

import gradio as gr
import pandas as pd

from lab.experiments.views import paired
from lab.figures import head_map, prediction_change_bars
from lab.learners.catalogue import DEFAULT
from lab.runs.store import Store
from lab.stats.comparisons import compare_layouts
from lab.ui.opened import NO_STORE, Opened
from lab.ui.run_controls import HEAVY
from lab.ui.setting_panel import model_choices
from lab.ui.widgets.markup import note
from lab.ui.worlds.view import Sight, View
from lab.ui.worlds.watch import plotted
from lab.weights.source import WeightsError

_ORDERS = ("sum@0-1-2-3", "sum@3-2-1-0")
SCORES = {
    "induction": "induction: attention to what came after the same token earlier",
    "previous_token": "previous token: attention to the token just before",
    "copy": "copy: answers with what it looks at",
}
FLIPS = (
    "How many answers flip when the context is arranged anew: of this learner, and of the language model on "
    "news topics, whose runs come with the lab."
)
HEADS = (
    "Its heads: random tokens, twice in a row, are read by a model that learned from text. Those that look "
    "for what followed the same token earlier are there as well."
)


def build() -> View:
    """Place the part inside the current block; no model is loaded before a person asks for it."""
    gr.Markdown(FLIPS, elem_id="worlds-language")
    flips = gr.Plot(show_label=False, label="Flips beside the language model", elem_id="worlds-lm-flips")

    def show(sight: Sight) -> list[Any]:
        return [plotted(flips_beside(sight.run, sight.store) if sight.run is not None else None)]

    gr.Markdown(HEADS)
    with gr.Row():
        model = gr.Dropdown(
            model_choices(), value=DEFAULT, label="Model", elem_id="worlds-lm",
            info="One of those that the prompt tabs offer.",
        )  # fmt: skip
        score = gr.Dropdown(
            [(words, name) for name, words in SCORES.items()], value="induction", label="Score",
            elem_id="worlds-lm-score", info="What is told of every head.",
        )  # fmt: skip
    button = gr.Button("Look at its heads", elem_id="worlds-lm-look")
    told = gr.HTML(elem_id="worlds-lm-told", padding=False)
    plot = gr.Plot(
        show_label=False, label="Heads of the language model", elem_id="worlds-lm-heads", visible=False
    )
    gr.on([button.click, score.input], look, [model, score], [told, plot], show_progress="minimal", **HEAVY)
    return View([], [flips], show)


def flips_beside(run: Opened, store: Store) -> Any:
    """Draw the flips of a learner beside those of the language model; None while the learner is not asked."""
    mine = run.summary(store).get("comparisons", [])
    if not mine:
        return None
    rows = [{**each, "layout": f"learner: {each['layout']}"} for each in mine] + _of_language_model()
    most = max(mine, key=lambda each: each["prediction_change"])
    title = f"At most {most['prediction_change']:.0%} of this learner's answers flip"
    if theirs := _of_language_model():
        title += f"; of the language model's, {max(each['prediction_change'] for each in theirs):.0%}"
    return prediction_change_bars(pd.DataFrame(rows), title=title)


@cache
def _of_language_model() -> list[dict[str, Any]]:
    """List what moving demonstrations, and reversing them, flips in the runs that come with the lab."""
    rows = []
    order, position = Opened.first_shipped("order"), Opened.first_shipped("position")
    if order is not None:
        asked = paired(order.predictions(NO_STORE), _ORDERS)
        (reversed_,) = compare_layouts(asked, _ORDERS[0])
        rows.append({**asdict(reversed_), "layout": "model: order reversed"})
    if position is not None:
        found = position.summary(NO_STORE)["comparisons"]
        rows += [
            {**each, "layout": f"model: {each['reference']} to {each['layout']}"}
            for each in found
            if each["layout"] in ("ssp", "esp", "eum")
        ]
    return rows


def look(model: str, score: str) -> list[Any]:
    """Measure the heads of a model, and draw one of their scores."""
    from lab.learners.heads import head_scores
    from lab.learners.load import load

    if score not in SCORES:
        return [note("warn", f"There is no score {score!r}; choose one of the list."), plotted(None)]
    try:
        scores = head_scores(load(model))
    except (ValueError, MemoryError, WeightsError) as error:
        return [note("error", str(error)), plotted(None)]
    name = score.replace("_", " ")
    return ["", plotted(head_map(getattr(scores, score), f"{name} score", model=model))]
