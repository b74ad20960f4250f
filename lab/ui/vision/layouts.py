"""The layout lab: the same scenes under other examples, or another order of them, as a run that is kept."""

from collections.abc import Mapping
from html import escape
from typing import Any

import gradio as gr
import numpy as np

from lab.experiments.segmentation import SegmentationParams
from lab.images.pictures import as_png, from_png
from lab.runs.store import Store
from lab.ui.images.settings import seed_number
from lab.ui.opened import Opened
from lab.ui.people import Lab
from lab.ui.run_controls import LIGHT, ExperimentTab, RunControls, Updates, run_controls
from lab.ui.running import SAYABLE
from lab.ui.study import Study, Words, study_tab
from lab.ui.vision.segment import WAYS, backbone_choices, engine_choices, refinements
from lab.ui.widgets.markup import note
from lab.ui.widgets.pictures import grid_html, picture_html
from lab.vision.asked import COMPOSITES, ready_sets
from lab.vision.flips import flip_map
from lab.vision.layouts import MAX_EXAMPLES, layouts_of
from lab.vision.overlay import with_flips, with_mask

ID = "segmentation"
WORDS = Words(
    no_result="Press Run: the same scenes are segmented under other examples, and what flips appears here.",
    matrix="Whether what is meant is found in each scene",
    queries="Questions",
    asked="a scene and a class, the same under every layout",
    look="Choose a cell to see the scene's mask under every layout, and the pixels that flip.",
    figures={
        "IoU": "Mean IoU with the true masks under each layout; bars are 95 % intervals over classes.",
        "Prediction change": "How many scenes change between found, missed and nothing.",
    },
)
FIGURES = {"IoU": "accuracy", "Prediction change": "comparisons"}
MAX_PICTURES = 16


def build(lab: Lab) -> ExperimentTab:
    """Build the sub-tab inside the current block."""
    study = Study(ID, WORDS, FIGURES, lambda params: params.arms, _form, _filled, masks_html)
    tab, by_name = study_tab(lab, study)
    vary, n_examples, layouts = by_name["vary"], by_name["n_examples"], by_name["layouts"]
    gr.on([vary.input, n_examples.input], _relaid, [vary, n_examples], layouts, **LIGHT)
    return tab


def _form() -> tuple[RunControls, dict[str, Any]]:
    controls = run_controls(ID)
    defaults = SegmentationParams()
    by_name: dict[str, Any] = {}
    by_name["examples"] = gr.Dropdown(
        [("composed scenes of 24 classes", COMPOSITES), *((name, name) for name in ready_sets())],
        value=COMPOSITES, label="Scenes", elem_id="segmentation-examples",
        info="Of classes that no training shows; each composed scene has examples of its own.",
    )  # fmt: skip
    by_name["n_queries"] = gr.Slider(
        1, 96, 24, step=1, label="Composed scenes", elem_id="segmentation-n-queries",
        info="A shipped set has its own four.",
    )  # fmt: skip
    by_name["engines"] = gr.Dropdown(
        engine_choices(), value=["neighbours"], multiselect=True, label="Engines",
        info="Of several, each answers under every layout.", elem_id="segmentation-engines",
    )  # fmt: skip
    by_name["n_examples"] = gr.Slider(
        1, MAX_EXAMPLES, 4, step=1, label="Examples", info="How many a layout can show.",
        elem_id="segmentation-n-examples",
    )  # fmt: skip
    by_name["vary"] = gr.Radio(
        [(title, way) for way, title in WAYS.items()], value=defaults.vary, label="Rearrange",
        info="What differs between layouts.", elem_id="segmentation-vary",
    )  # fmt: skip
    by_name["layouts"] = gr.Dropdown(
        list(defaults.layouts), value=list(defaults.layouts), multiselect=True, allow_custom_value=True,
        label="Layouts", elem_id="segmentation-layouts",
        info="The first is the reference. 2~ is mirrored, 2x has its labels swapped; write your own.",
    )  # fmt: skip
    with gr.Accordion("How pictures are segmented", open=False):
        by_name["backbone"] = gr.Dropdown(
            backbone_choices(), value=defaults.backbone, label="Backbone", info="What describes places.",
            elem_id="segmentation-backbone",
        )  # fmt: skip
        by_name["refine"] = gr.Dropdown(
            refinements(), value="none", label="Sharpen borders", info="GrabCut, or SAM 2 of the hub.",
            elem_id="segmentation-refine",
        )  # fmt: skip
        by_name["with_mirrored"] = gr.Checkbox(
            True, label="Show examples mirrored as well", info="Each example counts twice.",
            elem_id="segmentation-mirrored",
        )  # fmt: skip
        by_name["seed"] = seed_number("segmentation-seed", info="Determines the scenes.")
    return controls, by_name


def _relaid(way: str, n_examples: float) -> Any:
    layouts = list(layouts_of(way, int(n_examples)))
    return gr.Dropdown(choices=layouts, value=layouts)


def _filled(by_name: Mapping[str, Any], values: Mapping[str, Any]) -> Updates:
    updates: Updates = {by_name[name]: value for name, value in values.items() if name in by_name}
    for name in ("layouts", "engines"):
        chosen = list(values.get(name, ()))
        choices = chosen if name == "layouts" else engine_choices()
        updates[by_name[name]] = gr.Dropdown(choices=choices, value=chosen)
    return updates


def masks_html(run: Opened, store: Store, query_id: str, arm: str) -> str:
    """Show a scene's mask under every layout, and where they differ; what a browser sends is looked up."""
    params = run.params
    try:
        asked = params.asked_as(query_id)
    except SAYABLE as error:  # drawings that scenes are composed of can't be had
        return note("warn", f"The scene can't be composed again here: {error}")
    if asked is None:
        return note("info", "This scene is not part of the run.")
    answers = run.answers(store)
    urls = {each: answers.get((query_id, each), "") for each in params.arms}
    masks = {
        each: from_png(url)[..., 0] > 0 for each, url in urls.items() if url.startswith("data:image/png")
    }
    if not masks:
        return note("info", "This scene is not segmented yet.")
    table = run.predictions(store)
    scores = table[table["query_id"] == query_id].set_index("layout")["correct"].to_dict()
    figures = [_figure(asked.picture, asked.truth, "the true mask", "")]
    chosen = [each for each in masks if each == arm] + [each for each in masks if each != arm]
    figures += [
        _figure(asked.picture, masks[each], each, f"IoU {scores.get(each, float('nan')):.2f}")
        for each in chosen[:MAX_PICTURES]
    ]
    if params.reference in masks and len(masks) > 1:
        others = [mask for each, mask in masks.items() if each != params.reference]
        flips = with_flips(asked.picture, flip_map(others, masks[params.reference]))
        words = f"how often each pixel flips against {params.reference}"
        figures.insert(1, picture_html(as_png(flips), words, "Flips", words))
    shown = [
        _figure(each.picture, each.marks > 0, f"Example {place}", "")
        for place, each in enumerate(asked.examples, 1)
    ]
    return (
        f'<h3 tabindex="-1">{escape(query_id)}</h3>{grid_html(figures)}'
        f"<h3>Its examples</h3>{grid_html(shown)}"
    )


def _figure(picture: np.ndarray, mask: np.ndarray, title: str, details: str) -> str:
    url = as_png(with_mask(picture, mask.astype(np.uint8)))
    return picture_html(url, f"{title}: {details}", title, details)
