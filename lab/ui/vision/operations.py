"""Right pair, wrong pair: the same pictures painted after both, as a run that is kept."""

from collections.abc import Mapping
from html import escape
from typing import Any

import gradio as gr

from lab.experiments.painting import ARMS, GROUPS, WRONG, PaintingParams, shown_of
from lab.images.pictures import as_png
from lab.runs.store import Store
from lab.ui.images.settings import seed_number
from lab.ui.opened import Opened
from lab.ui.people import Lab
from lab.ui.run_controls import ExperimentTab, RunControls, Updates, run_controls
from lab.ui.study import Study, Words, place_of, study_tab
from lab.ui.widgets.markup import note
from lab.ui.widgets.pictures import grid_html, picture_html
from lab.vision.operations import operations

ID = "painting"
WORDS = Words(
    no_result="Press Run: the same pictures are painted after the right pair and a wrong one.",
    matrix="Which operation was painted",
    queries="Pictures",
    asked="painted in every column",
    look="Choose a cell to see the pairs and what was painted.",
    figures={
        "Accuracy": "How often the operation of the pair is what was painted; bars are 95 % intervals.",
        "Prediction change": "How often another operation is painted than with the right pair.",
    },
)
FIGURES = {"Accuracy": "accuracy", "Prediction change": "comparisons"}


def build(lab: Lab) -> ExperimentTab:
    """Build the sub-tab inside the current block."""
    study = Study(ID, WORDS, FIGURES, lambda params: params.arms, _form, _filled, painted_html)
    return study_tab(lab, study)[0]


def _form() -> tuple[RunControls, dict[str, Any]]:
    controls = run_controls(ID)
    by_name: dict[str, Any] = {}
    titles = {"held-out": "held out of training", "seen": "seen in training", "all": "all of them"}
    by_name["operations"] = gr.Dropdown(
        [*((titles[name], name) for name in GROUPS), *((each.title, each.id) for each in operations())],
        value="held-out", label="Operations", info="What pairs show.", elem_id="painting-operations",
    )  # fmt: skip
    by_name["n_queries"] = gr.Slider(
        1, 240, 48, step=1, label="Pictures", info="Operations take turns.", elem_id="painting-n-queries"
    )
    by_name["arms"] = gr.CheckboxGroup(
        list(ARMS), value=list(ARMS), label="Shown", info="The right pair is the reference.",
        elem_id="painting-arms",
    )  # fmt: skip
    by_name["seed"] = seed_number("painting-seed", info="Draws pictures and pairs.")
    return controls, by_name


def _filled(by_name: Mapping[str, Any], values: Mapping[str, Any]) -> Updates:
    updates: Updates = {by_name[name]: value for name, value in values.items() if name in by_name}
    return {**updates, by_name["arms"]: list(values.get("arms", ARMS))}


def painted_html(run: Opened, store: Store, query_id: str, arm: str) -> str:
    """Show a case with its pairs and what was painted after each; what a browser sends is looked up."""
    params: PaintingParams = run.params
    place = place_of(query_id, params.n_queries)
    if place is None:
        return note("info", "This picture is not part of the run.")
    shown = shown_of(params, place)
    answers, table = run.answers(store), run.predictions(store)
    read = table[table["query_id"] == query_id].set_index("layout")["prediction"].to_dict()
    figures = [
        picture_html(as_png(shown.case.before), "the picture", "Picture"),
        picture_html(
            as_png(shown.case.after), "what should become of it", "Wanted", shown.case.operation.title
        ),
    ]
    for each in params.arms:
        title = shown.other.title if each == WRONG else shown.case.operation.title
        for pair in shown.pairs[each]:
            figures.append(picture_html(as_png(pair.before), f"{each}: before", f"{each}: before"))
            figures.append(picture_html(as_png(pair.after), f"{each}: after", f"{each}: after", title))
        if (url := answers.get((query_id, each), "")).startswith("data:image/png"):
            words = f"painted after the {each}, read as {read.get(each, '')}"
            figures.append(picture_html(url, words, "Painted", words))
    return f'<h3 tabindex="-1">{escape(query_id)}</h3>{grid_html(figures, "tiny")}'
