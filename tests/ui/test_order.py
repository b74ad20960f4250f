"""The Order tab: what it shows of a stored run, and that it can be filled and opened."""

from dataclasses import asdict, replace
from types import SimpleNamespace

import gradio as gr
import pytest

from lab.experiments import order as experiment
from lab.experiments.setting import sample_queries
from lab.prompts.layout import order_words
from lab.runs.recipe import Recipe
from lab.runs.store import Row
from lab.tasks import load_task
from lab.ui import order
from lab.ui import order_view as view
from lab.ui.people import Lab

LABELS = ("World", "Sports", "Business", "Technology")
PARAMS = experiment.OrderParams(n_queries=8, n_demos=3, n_orders=6, n_held_out=8)
HERE = SimpleNamespace(session_hash="here")


def keep_order_run(store) -> str:
    """Keep a run whose orders are wrong on 0..5 queries, the last order being the best."""
    run_id = store.begin(Recipe("order", asdict(PARAMS)), {"model": {"id": "smollm2-135m"}})
    layouts = [layout.id for layout in experiment.layouts_of(PARAMS)]
    queries = sample_queries(load_task("topic"), 16, 0)
    rows = [_row(query, "none", 0) for query in queries[:8]]
    for place, layout in enumerate(layouts):
        rows += [_row(query, layout, k < 5 - place) for k, query in enumerate(queries[:8])]
    for layout in (layouts[0], layouts[-1]):
        rows += [_row(query, layout, layout == layouts[0] and k < 3) for k, query in enumerate(queries[8:])]
    store.add_batch(run_id, 0, rows)
    store.finish(run_id, {})
    return run_id


def _row(query, layout: str, is_wrong: bool) -> Row:
    said = next(label for label in LABELS if label != query.gold) if is_wrong else query.gold
    scores = {label: -0.2 if label == said else -2.0 for label in LABELS}
    return Row(query.id, layout, said, query.gold, float(not is_wrong), 1.8, scores, 9, 0.1, "p", LABELS)


@pytest.fixture
def lab(own_lab_home) -> Lab:
    return Lab.here()


@pytest.fixture
def tab(lab):
    with gr.Blocks():
        yield order.build(lab)


@pytest.fixture
def result(lab):
    keep_order_run(lab.store_for(None))
    return experiment.read(PARAMS, lab.store_for(None))


def test_orders_are_counted_from_one():
    assert order_words("sum@2-0-1") == "3 1 2" and order_words("none") == "none"


def test_tiles_show_chance_and_every_bias_index(result):
    html = view.tiles_html(result)
    for words in ("Best order", "Best of chance", "Recency", "Majority", "Common token", "not measured"):
        assert words in html


def test_the_chosen_order_is_judged_on_new_queries(result):
    assert result.summary["held_out"]["n"] == 8
    assert "On 8 new queries" in view.held_out_html(result)
    assert set(result.figures) == {"Orders", "Entropy", "Influence", "Held-out"}


def test_the_matrix_holds_the_queries_of_the_first_stage(result):
    first = view.first_stage(result.predictions, PARAMS)
    assert first["query_id"].nunique() == 8
    assert set(first["layout"]) == {"none", *(layout.id for layout in experiment.layouts_of(PARAMS))}


def test_answers_are_shown_while_a_run_goes_on(result):
    half = result.predictions[result.predictions["layout"].isin(["none", "sum@0-1-2"])].head(9)
    assert len(view.first_stage(half, PARAMS)) == 9


def test_a_task_that_is_gone_hides_no_answer(result):
    gone = replace(PARAMS, task="file:0000000000000000")
    assert len(view.first_stage(result.predictions, gone)) == len(result.predictions)


def test_opening_a_run_restores_inputs_and_results(lab, tab):
    run_id = keep_order_run(lab.store_for(None))
    handle = tab.handles["order"]
    by_id = {c.elem_id: u for c, u in zip(handle.outputs, handle.open_run(run_id, HERE), strict=True)}
    assert by_id["order-n-orders"] == 6 and by_id["order-slot"] == "sum"
    assert "between 38 % and 100 %" in by_id["order-verdict"]


@pytest.mark.parametrize("experiment_id", ["order", "factorial"])
def test_filling_the_form_and_reading_it_gives_the_same_recipe(tab, experiment_id):
    handle = tab.handles[experiment_id]
    start = handle.recipe([component.value for component in handle.inputs])
    changed = {**start.params, "n_queries": 9, "seed": 4, "task": "sentiment"}
    updates = handle.fill(changed)
    values = [updates.get(component, component.value) for component in handle.inputs]
    plain = [getattr(value, "value", value) for value in values]
    assert handle.recipe(plain).params == changed


def test_every_preset_is_a_run():
    for values in order.PRESETS.values():
        assert experiment.OrderParams(**{**order.FIRST, **values})
