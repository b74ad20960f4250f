"""Does a pair help? Disguised pictures looked for with and without one, as a run that is kept."""

import json
from collections.abc import Mapping
from html import escape
from typing import Any

import gradio as gr

from lab.experiments.copies import ARMS, CONCATENATED, GROUPS, CopiesParams, looked_for, references_of
from lab.images.pictures import as_png
from lab.runs.store import Store
from lab.ui.images.settings import seed_number
from lab.ui.opened import Opened
from lab.ui.people import Lab
from lab.ui.run_controls import ExperimentTab, RunControls, Updates, run_controls
from lab.ui.running import SAYABLE
from lab.ui.study import Study, Words, place_of, study_tab
from lab.ui.widgets.markup import note
from lab.ui.widgets.pictures import grid_html, picture_html
from lab.vision.stacker import LATE
from lab.vision.tampers.listed import patterns

ID = "copies"
WORDS = Words(
    no_result="Press Run: disguised pictures are looked for among a thousand, with and without a pair.",
    matrix="Which reference is the nearest",
    queries="Disguised pictures",
    asked="looked for in every column",
    look="Choose a cell to see the picture, its original, and what was nearest.",
    figures={
        "Accuracy": "How often the original is the nearest reference; bars are 95 % intervals over patterns.",
        "Prediction change": "How often another reference is the nearest than without a pair.",
    },
)
FIGURES = {"Accuracy": "accuracy", "Prediction change": "comparisons"}
N_SHOWN = 3


def build(lab: Lab) -> ExperimentTab:
    """Build the sub-tab inside the current block."""
    study = Study(ID, WORDS, FIGURES, lambda params: params.arms, _form, _filled, nearest_html)
    return study_tab(lab, study)[0]


def offered() -> list[str]:
    """List the arms whose networks are there."""
    return [*ARMS, *([CONCATENATED] if (LATE / "model.safetensors").is_file() else [])]


def _form() -> tuple[RunControls, dict[str, Any]]:
    controls = run_controls(ID)
    by_name: dict[str, Any] = {}
    titles = {"held-out": "held out of training", "seen": "shown in training"}
    by_name["patterns"] = gr.Dropdown(
        [*((titles[name], name) for name in GROUPS), *((each.title, each.id) for each in patterns())],
        value="held-out", label="Disguises", info="What was done to the pictures.", elem_id="copies-patterns",
    )  # fmt: skip
    by_name["arms"] = gr.CheckboxGroup(
        offered(), value=list(ARMS), label="The pair beside the picture", elem_id="copies-arms",
        info="None, one of any disguise, one that was retrieved, one of the true disguise.",
    )  # fmt: skip
    by_name["n_queries"] = gr.Slider(
        10, 400, 100, step=10, label="Disguised pictures", info="Disguises take turns.",
        elem_id="copies-n-queries",
    )  # fmt: skip
    by_name["n_references"] = gr.Slider(
        400, 4000, 1000, step=100, label="References", info="What the original is looked for among.",
        elem_id="copies-n-references",
    )  # fmt: skip
    by_name["seed"] = seed_number("copies-seed", info="Draws pictures, disguises and pairs.")
    return controls, by_name


def _filled(by_name: Mapping[str, Any], values: Mapping[str, Any]) -> Updates:
    updates: Updates = {by_name[name]: value for name, value in values.items() if name in by_name}
    return {**updates, by_name["arms"]: list(values.get("arms", ARMS))}


def nearest_html(run: Opened, store: Store, query_id: str, arm: str) -> str:
    """Show a disguised picture with what is nearest in every arm; what a browser sends is looked up."""
    params: CopiesParams = run.params
    place = place_of(query_id, params.n_queries)
    if place is None:
        return note("info", "This picture is not part of the run.")
    try:
        references = references_of(params.n_references, params.seed)
    except SAYABLE as error:  # drawings that pictures are composed of can't be had
        return note("warn", f"The pictures can't be composed again here: {error}")
    looked = looked_for(params, place, references)
    answers = run.answers(store)
    figures = [
        picture_html(as_png(looked.query), "the disguised picture", "Picture", looked.pattern.title),
        picture_html(as_png(references[looked.original]), "its original", "Original"),
        picture_html(as_png(looked.oracle.original), "of the oracle's pair", "Oracle: before"),
        picture_html(as_png(looked.oracle.replica), "of the oracle's pair", "Oracle: after"),
    ]
    for each in params.arms:
        for rank, (reference, score) in enumerate(
            json.loads(answers.get((query_id, each), "[]"))[:N_SHOWN], 1
        ):
            mark = "the original" if reference == looked.original else f"reference {reference}"
            words = f"{mark}, cosine {score:.2f}"
            figures.append(picture_html(as_png(references[reference]), words, f"{each}, {rank}.", words))
    return f'<h3 tabindex="-1">{escape(query_id)}</h3>{grid_html(figures, "tiny")}'
