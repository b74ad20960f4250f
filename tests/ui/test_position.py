"""The Position tab: what it shows of a stored run, how it is filled and opened, when it is out of date."""

from dataclasses import asdict
from types import SimpleNamespace

import gradio as gr
import pytest
from position_run import keep_position_run, params_of

from lab.experiments import position as experiment
from lab.experiments.calibrated import calibrated, obstacle
from lab.experiments.views import split_controls
from lab.ui import position, result_view
from lab.ui import position_view as view
from lab.ui.opened import Opened
from lab.ui.people import Lab
from lab.ui.setting_panel import collect

HERE = SimpleNamespace(session_hash="here")


@pytest.fixture
def lab(own_lab_home) -> Lab:
    return Lab.here()


@pytest.fixture
def tab(lab):
    with gr.Blocks():
        yield position.build(lab)


def result_of(store, **changes):
    keep_position_run(store, **changes)
    return experiment.read(params_of(**changes), store)


def test_filling_the_form_and_reading_it_gives_the_same_recipe(tab):
    handle = tab.handles["position"]
    params = params_of(
        task="sentiment", layouts=("sum", "eum", "eum+restated", "sum@1-0-2-3"), reference="eum", seed=7
    )
    updates = handle.fill(asdict(params))
    values = [updates.get(component, getattr(component, "value", None)) for component in handle.inputs]
    plain = [each["value"] if isinstance(each, dict) else getattr(each, "value", each) for each in values]
    assert handle.recipe(plain) == experiment.Recipe("position", asdict(params))


def test_demonstrations_by_hand_survive_the_form(tab):
    handle = tab.handles["position"]
    params = params_of(selection="by hand", demos=('{"input": "a", "output": "World"}', "p3"))
    updates = handle.fill(asdict(params))
    values = [updates.get(component, getattr(component, "value", None)) for component in handle.inputs]
    assert handle.recipe([getattr(each, "value", each) for each in values]).params["demos"] == list(
        params.demos
    )


def test_by_hand_without_demonstrations_says_what_to_do():
    with pytest.raises(ValueError, match="write one a line"):
        collect({"selection": "by hand", "demos": " \n"})


def test_opening_a_run_restores_inputs_and_results(lab, tab):
    run_id = keep_position_run(lab.store_for(None))
    handle = tab.handles["position"]
    updates = dict(zip(handle.outputs, handle.open_run(run_id, HERE), strict=True))
    by_id = {component.elem_id: update for component, update in updates.items()}
    assert by_id["position-n-queries"] == 16
    assert "eum" in by_id["position-verdict"] and run_id in by_id["position-verdict"]
    assert by_id["position-comparisons"].count("<tr>") == 3  # a head, none, eum
    assert len(by_id["position-matrix"]["rows"]) == 16
    assert by_id["position-matrix"]["columns"] == ["none", "sum", "eum"]
    assert [each.run_id for each in updates.values() if isinstance(each, Opened)] == [run_id]


def test_the_shipped_example_is_drawn_once_the_page_is_there(tab):
    drawn = tab.draw()
    assert len(drawn) == len(tab.late) == 12  # sentence, plot and table of four figures
    assert sum(bool(getattr(each, "data", None)) for each in drawn) == 4


def test_a_stopped_run_without_a_complete_query_still_opens(lab, tab):
    store = lab.store_for(None)
    params = params_of(seed=3)
    run_id = store.begin(experiment.Recipe("position", asdict(params)), {})
    updates = tab.handles["position"].open_run(run_id, HERE)
    assert any("No query is answered under every layout yet." in str(update) for update in updates)


def test_the_mark_names_what_has_changed():
    assert result_view.differences(params_of(), params_of()) == []
    changed = result_view.differences(params_of(n_queries=20, seed=1), params_of())
    assert changed == ["n_queries = 20", "seed = 1"]
    assert "other settings" in result_view.stale_html(changed) and result_view.stale_html([]) == ""


def test_user_text_is_escaped_in_verdict_and_mark():
    assert "<b>" not in result_view.verdict_html("<b>x</b>", "<b>y</b>", "<b>z</b>")
    assert "<b>" not in result_view.stale_html(["instruction = <b>"])


def test_the_tiles_show_the_floor_and_the_tokens_saved(lab):
    store = lab.store_for(None)
    result = result_of(store)
    html = view.tiles_html(result, store.summary(result.run_id))
    assert "40 %" in html  # 400 of 1,000 tokens
    assert "0 of 8 flip" in html
    assert "3 of 16 answers flip from sum to eum" in html or "4 of 16 answers flip from sum to eum" in html


def test_calibration_that_cannot_be_had_says_why(lab):
    result = result_of(lab.store_for(None), scores_content_free=False)
    assert [method for _, method in view.calibrations(result.predictions)] == ["none", "batch"]
    assert "has none" in obstacle(result.predictions, "contextual")
    with pytest.raises(ValueError, match="needs the scores of inputs without content"):
        calibrated(result.predictions, "contextual")
    written = result.predictions.drop(columns=[c for c in result.predictions if c.startswith("logp_")])
    assert [method for _, method in view.calibrations(written)] == ["none"]


@pytest.mark.parametrize("method", ["contextual", "batch"])
def test_calibration_changes_no_row_but_its_scores(lab, method):
    result = result_of(lab.store_for(None))
    table = calibrated(result.predictions, method)
    keys = ["query_id", "layout"]
    assert set(map(tuple, table[keys].to_numpy())) == set(map(tuple, result.predictions[keys].to_numpy()))
    asked, again, _ = split_controls(table)
    first = asked[(asked["layout"] == "sum") & asked["query_id"].isin(again["query_id"])]
    merged = first.merge(again, on="query_id", suffixes=("", "_again"))
    assert (merged["prediction"] == merged["prediction_again"]).all()
    assert merged["logp_World"].to_numpy() == pytest.approx(merged["logp_World_again"].to_numpy())
    assert experiment.summarise(table, params_of(), result.run_id).summary["floor"]["n_flips"] == 0


def test_an_example_is_marked_as_one():
    badge = result_view.example_badge(
        params_of(), {"model": {"id": "smollm2-135m"}, "time": "2026-01-02T03:04"}
    )
    assert badge == "Example: made with smollm2-135m on 2026-01-02; a run of your own takes its place."


def test_every_preset_is_a_run(tab):
    for values in position.PRESETS.values():
        assert experiment.PositionParams(**{**position.FIRST, **values})


def test_an_opened_run_is_small_and_finds_its_parameters(lab):
    store = lab.store_for(None)
    opened = Opened.stored(store, keep_position_run(store))
    assert opened.params == params_of()
    assert "seed 0" in opened.provenance(store)
