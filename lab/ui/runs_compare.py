"""The part of the Runs tab that puts two runs side by side."""

from typing import NamedTuple

import gradio as gr

from lab.experiments.views import split_controls
from lab.runs.compare import compare_runs, differences, same_queries
from lab.runs.store import Store
from lab.ui import runs_view as view
from lab.ui.people import Lab
from lab.ui.running import say
from lab.ui.widgets.markup import note

OTHER_TASKS = "The runs ask other tasks, so their answers are not paired; only their accuracies are shown."
NOTHING_SHARED = "The runs share no query under the same layout, so only their accuracies are shown."
TWO_RUNS = "Choose two different runs that hold answers."


class ComparePanel(NamedTuple):
    """Two runs and what is different between them."""

    a: gr.Dropdown
    b: gr.Dropdown
    button: gr.Button
    result: gr.HTML
    differ: gr.Dataframe
    flips: gr.Dataframe


def build(lab: Lab) -> ComparePanel:
    """Build the panel inside the current block."""
    panel = _panel()

    def compare(a: str | None, b: str | None, request: gr.Request) -> tuple:
        hidden = gr.Dataframe(visible=False)
        try:
            if not a or not b or a == b:
                raise ValueError(TWO_RUNS)
            return compared(lab.store_for(request), a, b)
        except Exception as error:  # said, logged if it is nobody's mistake
            return note("error", say(error)), hidden, hidden

    panel.button.click(
        compare,
        [panel.a, panel.b],
        [panel.result, panel.differ, panel.flips],
        show_progress_on=panel.result,
        api_visibility="private",
    )
    return panel


def compared(store: Store, a: str, b: str) -> tuple[str, gr.Dataframe, gr.Dataframe]:
    """Compare two runs of a store: the page's html, the table of differences, the table of flips."""
    asked_a, asked_b = (split_controls(store.predictions(run_id))[0] for run_id in (a, b))
    if asked_a.empty or asked_b.empty:
        raise ValueError(TWO_RUNS)
    is_same_task = same_queries(store.recipe(a), store.recipe(b))
    found = compare_runs(
        asked_a, asked_b if is_same_task else asked_b.assign(query_id="other/" + asked_b["query_id"])
    )
    reason = "" if found.n_shared else NOTHING_SHARED if is_same_task else OTHER_TASKS
    n_flips = len(found.flips)
    title = f"Answers that differ ({n_flips})"
    if n_flips > view.MAX_FLIPS:
        title += f": the first {view.MAX_FLIPS}, the export of both runs holds all"
    return (
        view.comparison_html(found, reason),
        gr.Dataframe(differences(store, a, b), visible=True),
        gr.Dataframe(view.flips_table(found), label=title, visible=n_flips > 0),
    )


def _panel() -> ComparePanel:
    with gr.Row():
        a = gr.Dropdown([], value=None, label="Run A", info="What is compared with.", elem_id="runs-a")
        b = gr.Dropdown([], value=None, label="Run B", info="What is compared.", elem_id="runs-b")
    button = gr.Button("Compare", variant="primary", elem_id="runs-compare-go")
    result = gr.HTML(elem_id="runs-compared")
    differ = gr.Dataframe(
        headers=["what", "A", "B"],
        label="What differs in their recipes and machines",
        elem_id="runs-differences",
        interactive=False,
        wrap=True,
        visible=False,
    )
    flips = gr.Dataframe(
        label="Answers that differ", elem_id="runs-flips", interactive=False, max_height=420, visible=False
    )
    return ComparePanel(a, b, button, result, differ, flips)
