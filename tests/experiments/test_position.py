"""The position experiment end to end on a tiny model: complete, resumable, killable, partial when stopped."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pandas.testing import assert_frame_equal

from lab.experiments import EXPERIMENTS, position
from lab.experiments.events import Cost, Partial, Progress, Result
from lab.experiments.position import PositionParams
from lab.experiments.registry import find_experiment
from lab.runs.store import Store

ROOT = Path(__file__).parents[2]
LAYOUTS = ("none", "ssp", "esp", "sum", "eum", "eum+restated", "turns")
KILLED_AT_THE_THIRD_BATCH = """
import os, signal, sys
from lab.experiments.prompt_sweep import PromptSweep
from lab.__main__ import main
evaluate, calls = PromptSweep.evaluate, []
def evaluate_or_die(self, batch):
    calls.append(batch)
    if len(calls) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return evaluate(self, batch)
PromptSweep.evaluate = evaluate_or_die
sys.exit(main(sys.argv[1:]))
"""


def params(model: str, task: str, **choices) -> PositionParams:
    values = {"n_queries": 10, "n_demos": 4, "layouts": LAYOUTS, "device": "cpu", "dtype": "float32"}
    return PositionParams(model=model, task=task, **{**values, **choices})


@pytest.fixture(scope="module")
def finished(model, label_task, tmp_path_factory) -> tuple[list, Path]:
    """Run the whole experiment once; return its events and the file it is stored in."""
    home = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch, Store(home / "lab.sqlite3") as store:
        patch.setenv("LAB_HOME", str(home))
        return list(position.run(params(model, label_task), store)), store.path


def bare(predictions):
    """Leave out the seconds, which no two runs have in common."""
    return predictions.drop(columns="seconds")


def test_a_run_yields_cost_progress_and_a_result_with_every_cell(finished):
    events, path = finished
    with Store(path) as store:
        (run_id,) = store.runs()["run_id"]
        assert store.status(run_id)[0] == "finished"
    cost, *between, result = events
    assert isinstance(cost, Cost) and isinstance(result, Result)
    assert {type(event) for event in between} <= {Progress, Partial}
    n = len(LAYOUTS) * 10 + 10  # and the floor
    progress = [event for event in between if isinstance(event, Progress)]
    assert (progress[-1].done, progress[-1].total, cost.n_prompts) == (n, n, n)
    table = result.predictions
    assert len(table) == n
    assert table.groupby("layout")["query_id"].nunique().to_dict() == dict.fromkeys(
        [*LAYOUTS, "sum+again"], 10
    )
    assert table["margin"].notna().all() and table[["logp_animal", "logp_fruit"]].notna().all().all()


def test_the_summary_has_its_documented_keys(finished):
    result = finished[0][-1]
    assert set(result.summary) >= {
        "experiment", "task", "model", "n_queries", "n_predictions", "reference", "accuracy", "comparisons",
        "cochran_q", "floor", "verdict", "n_tokens", "n_tokens_saved", "notes",
    }  # fmt: skip
    assert list(result.summary["accuracy"]) == list(LAYOUTS)  # in the order asked, whatever ran first
    assert [each["layout"] for each in result.summary["comparisons"]] == [x for x in LAYOUTS if x != "sum"]
    assert result.summary["floor"]["n"] == 10 and result.summary["floor"]["n_flips"] == 0
    assert result.summary["n_tokens_saved"] >= 0
    assert set(result.tables) == {"accuracy", "comparisons", "pairs", "flips", "transitions"}
    assert result.verdict == result.summary["verdict"] != ""


def test_a_closed_run_goes_on_bit_for_bit_and_evaluates_nothing_twice(model, label_task, forwards, tmp_path):
    asked = params(model, label_task, scores_content_free=True)
    position.cost(asked)  # measures the speed, once
    with Store(tmp_path / "whole.sqlite3") as store:
        forwards().clear()
        undisturbed = list(position.run(asked, store))[-1].predictions
        in_one_go = list(forwards())
    with Store(tmp_path / "halves.sqlite3") as store:
        forwards().clear()
        events = position.run(asked, store)
        for event in events:
            if isinstance(event, Progress) and event.done > event.total // 2:
                break
        events.close()
        first_half = list(forwards())
        run_id = store.runs()["run_id"][0]
        assert store.status(run_id)[0] == "stopped"
        assert 0 < len(store.predictions(run_id)) < len(undisturbed)
        forwards().clear()
        resumed = list(position.run(asked, store))[-1].predictions
        second_half = list(forwards())
    assert_frame_equal(bare(resumed), bare(undisturbed), check_exact=True)
    n_rows = sum(in_one_go)
    n_prefixes = sum(in_one_go) - len(undisturbed)
    # what was encoded as a prefix may be encoded again for what is left; no row is
    assert n_rows <= sum(first_half) + sum(second_half) <= n_rows + n_prefixes


def test_a_finished_run_is_read_without_a_model(model, label_task, finished, monkeypatch):
    first, path = finished[0][-1], finished[1]
    monkeypatch.setattr(position, "prepare", None)
    with Store(path) as store:
        (again,) = position.run(params(model, label_task), store)
    assert_frame_equal(again.predictions, first.predictions)
    assert again.verdict == first.verdict and set(again.summary) == set(first.summary)


def test_a_killed_run_resumes_to_the_same_predictions(model, label_task, tmp_path):
    words = ["run", "position", "--set", f"model={model}", f"task={label_task}", "n_queries=10", "n_demos=4"]
    words += ["device=cpu", "dtype=float32", "layouts=none,ssp,esp,sum,eum"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "LAB_HOME": str(tmp_path / "killed")}
    lab = [sys.executable, "-c", KILLED_AT_THE_THIRD_BATCH, *words]
    killed = subprocess.run(lab, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with Store(tmp_path / "killed" / "lab.sqlite3") as store:
        (run_id,) = store.runs()["run_id"]
        assert store.done_batches(run_id) == {0, 1}
    resume = [sys.executable, "-m", "lab", "resume", run_id]
    done = subprocess.run(resume, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    undisturbed = params(model, label_task, layouts=("none", "ssp", "esp", "sum", "eum"))
    with Store(tmp_path / "whole.sqlite3") as store:
        expected = list(position.run(undisturbed, store))[-1].predictions
    with Store(tmp_path / "killed" / "lab.sqlite3") as store:
        assert_frame_equal(bare(store.predictions(run_id)), bare(expected), check_exact=True)


def test_a_stopped_run_is_read_as_a_partial_result(model, label_task):
    asked = params(model, label_task, measures_floor=False)
    with Store() as store:
        events = position.run(asked, store)
        for event in events:
            if isinstance(event, Progress):
                break
        events.close()
        partial = position.read(asked, store)
        assert len(partial.predictions) < len(LAYOUTS) * 10
        assert partial.verdict == "No query is answered under every layout yet."
        assert (partial.tables, partial.figures, partial.summary) == ({}, {}, {})


def test_what_is_complete_of_a_partial_table_is_compared(model, label_task, finished):
    asked, table = params(model, label_task), finished[0][-1].predictions
    cut = table[~((table["layout"] == "eum") & table["query_id"].isin(["q0", "q1", "q2"]))]
    result = position.summarise(cut, asked, "x")
    assert result.summary["n_queries"] == 7 and result.summary["floor"]["n"] == 7


def test_content_free_inputs_are_scored_under_every_layout(model, label_task):
    asked = params(model, label_task, scores_content_free=True, layouts=("none", "sum"))
    with Store() as store:
        result = list(position.run(asked, store))[-1]
    free = result.predictions[result.predictions["query_id"].str.startswith("content-free:")]
    assert free.groupby("layout").size().to_dict() == {"none": 3, "sum": 3}
    assert result.summary["n_queries"] == 10


def test_generated_answers_run_to_the_end(model, number_task):
    asked = params(model, number_task, layouts=("none", "sum", "eum"), n_queries=99, scores_content_free=True)
    with Store() as store:
        cost, *_, result = position.run(asked, store)
    assert "The task has 6 queries; all of them are asked." in cost.notes
    assert len(result.predictions) == 3 * 6 + 6
    assert result.predictions["margin"].isna().all()
    assert not any(column.startswith("logp_") for column in result.predictions)


def test_demonstrations_by_hand_stand_in_the_stored_prompts(model, label_task):
    hand = ("p1", '{"input": "crow", "output": "animal"}')
    asked = params(model, label_task, layouts=("none", "sum"), selection="by hand", demos=hand)
    with Store() as store:
        result = list(position.run(asked, store))[-1]
        prompts = store.prompts(result.run_id)
    assert prompts["prompt"].str.contains("crow\nLabel: animal").sum() == 20  # ten, and ten again
    wrong = params(
        model, label_task, selection="by hand", demos=("p1", '{"input": "crow", "output": "bird"}')
    )
    with Store() as store, pytest.raises(ValueError, match="demonstration 2 has the output 'bird'"):
        next(position.run(wrong, store))


def test_the_smallest_visible_difference_is_said_before_the_run(model, label_task):
    note, *_ = position.cost(params(model, label_task)).notes
    assert note.startswith("With 10 queries you will see differences of about 40 points or more")


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"reference": "middle"}, "reference must be one of none, ssp, esp, sum, eum, got 'middle'"),
        ({"layouts": ("none",)}, "reference must be one of none, got 'sum'"),
        ({"layouts": ("sum", "sum")}, "layout sum stands twice"),
        ({"layouts": ("sum", "sum+again")}, r"layouts must not hold \+again: set measures_floor=true"),
    ],
)
def test_a_wrong_parameter_is_refused_before_anything_is_loaded(choices, message):
    with pytest.raises(ValueError, match=message):
        PositionParams(**choices)


def test_one_layout_has_nothing_to_compare(model, label_task):
    with Store() as store:
        result = list(position.run(params(model, label_task, layouts=("sum",)), store))[-1]
    assert result.summary["comparisons"] == [] and "nothing to compare" in result.verdict


def test_the_registry_runs_what_the_module_runs():
    experiment = find_experiment(EXPERIMENTS, "position")
    assert experiment.run is position.run
    assert experiment.recipe(PositionParams()).experiment == "position"
