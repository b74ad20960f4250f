"""The terminal: exit codes, one-line errors, and runs that survive being killed."""

import json
import os
import runpy
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from pandas.testing import assert_frame_equal

from lab.__main__ import main
from lab.experiments.registry import Experiment, parse_params
from lab.runs.export import read_predictions
from lab.runs.recipe import Recipe
from lab.runs.store import Store

SCRIPT = Path(__file__).parent / "runs" / "adding.py"
ROOT = Path(__file__).parents[1]
ADDING: Experiment = runpy.run_path(str(SCRIPT))["ADDING"]


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    """Give every test a run store of its own."""
    monkeypatch.setenv("LAB_HOME", str(tmp_path / "home"))
    for name in ("ADDING_LOG", "ADDING_SLEEP_S", "ADDING_BREAKS", "ADDING_HOLDS", "LAB_TRACEBACK"):
        monkeypatch.delenv(name, raising=False)


def lab(*words: str, experiments: tuple[Experiment, ...] = (ADDING,)) -> int:
    """Obey a command line with the adding experiment as the registry."""
    return main(words, experiments=lambda: experiments)


def run_id_of(*pairs: str) -> str:
    return ADDING.recipe(parse_params(ADDING, pairs)).id


def test_run_prints_the_summary_as_the_last_line(capsys):
    assert lab("run", "adding", "--set", "n_queries=4", "--json") == 0
    captured = capsys.readouterr()
    (line,) = captured.out.splitlines()
    summary = json.loads(line)
    assert summary["run_id"] == run_id_of("n_queries=4")
    assert summary["accuracy"] == {"eum": 0.5, "none": 1.0, "sum": 1.0}
    assert captured.err.startswith(
        "12 prompts, 1000 tokens to compute (2000 without shared prefixes), about 1 s, 1 MB"
    )
    assert "a note\n" in captured.err and "12/12 (100%)" in captured.err
    assert "\r" not in captured.err


def test_run_without_json_says_the_verdict_and_a_readable_summary(capsys):
    assert lab("run", "adding", "--set", "n_queries=4") == 0
    run_id = run_id_of("n_queries=4")
    assert (
        capsys.readouterr().out
        == f"eum is worse.\nrun_id {run_id}, n 12, worst eum, and 1 more with --json\n"
    )


def test_out_gets_every_file_of_the_contract(tmp_path):
    out = tmp_path / "new" / "out"
    assert lab("run", "adding", "--out", str(out)) == 0
    with Store() as store:
        stored = store.predictions(run_id_of())
    assert_frame_equal(read_predictions(out / "predictions.csv"), stored, check_exact=True)
    assert Recipe.from_json((out / "recipe.json").read_text()).id == run_id_of()
    assert json.loads((out / "summary.json").read_text())["n"] == 60
    first = json.loads((out / "prompts.jsonl").read_text().splitlines()[0])
    assert first == {
        "query_id": "q000",
        "layout": "none",
        "prompt": "[none] 0 + 0 =",
        "candidates": [" even", " odd"],
    }
    assert (out / "figures" / "accuracy-by-layout.html").exists()
    assert "Does the slot change a sum?" in (out / "report.html").read_text()


def test_a_recipe_file_gives_the_parameters_and_set_overrides_them(tmp_path, capsys):
    recipe = Recipe("adding", {"n_queries": 3, "layouts": ["sum"]})
    (tmp_path / "recipe.json").write_text(recipe.to_json(), encoding="utf-8-sig")
    assert lab("run", "adding", "--recipe", str(tmp_path / "recipe.json"), "--json") == 0
    assert json.loads(capsys.readouterr().out)["n"] == 3
    assert (
        lab("run", "adding", "--recipe", str(tmp_path / "recipe.json"), "--set", "n_queries=5", "--json") == 0
    )
    assert json.loads(capsys.readouterr().out)["n"] == 5
    assert lab("run", "--recipe", str(tmp_path / "recipe.json"), "--json") == 0  # it names its experiment
    assert json.loads(capsys.readouterr().out)["n"] == 3


def test_a_finished_run_is_not_evaluated_again(tmp_path, monkeypatch):
    monkeypatch.setenv("ADDING_LOG", str(tmp_path / "log"))
    assert lab("run", "adding") == lab("run", "adding") == lab("resume", run_id_of()) == 0
    assert (tmp_path / "log").read_text().split() == [str(batch) for batch in range(10)]


def test_a_killed_run_resumes_without_scoring_anything_twice(tmp_path, monkeypatch, capsys):
    log = tmp_path / "log"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "ADDING_LOG": str(log)}
    killed = subprocess.Popen(
        [sys.executable, str(SCRIPT), "run", "adding"],
        env={**environment, "ADDING_SLEEP_S": "0.3"},
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 50
    while (not log.exists() or len(log.read_text().split()) < 4) and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.15)  # until it sleeps inside the next batch: the log is written before the commit
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    with Store() as store:
        assert store.status(run_id_of()) == ("running", "")
        assert store.done_batches(run_id_of()) == {0, 1, 2, 3}
    monkeypatch.setenv("ADDING_LOG", str(log))
    assert lab("resume", run_id_of(), "--json") == 0
    assert log.read_text().split() == [str(batch) for batch in range(10)]
    with Store() as store:
        resumed = store.predictions(run_id_of())
        assert store.status(run_id_of()) == ("finished", "")
    monkeypatch.setenv("LAB_HOME", str(tmp_path / "other-home"))
    assert lab("run", "adding", "--json") == 0
    with Store() as store:
        assert_frame_equal(resumed, store.predictions(run_id_of()), check_exact=True)
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert first == second


def test_interrupting_stops_the_run_and_says_how_to_go_on(monkeypatch, capsys):
    monkeypatch.setenv("ADDING_BREAKS", "interrupt")
    assert lab("run", "adding") == 130
    captured = capsys.readouterr()
    assert captured.err.splitlines()[-1] == f"stopped; go on with: python -m lab resume {run_id_of()}"
    with Store() as store:
        assert store.status(run_id_of()) == ("stopped", "interrupted from the keyboard")
        assert store.done_batches(run_id_of()) == {0, 1, 2}
    monkeypatch.delenv("ADDING_BREAKS")
    assert lab("resume", run_id_of()) == 0


def test_an_unexpected_error_is_one_line_with_the_way_on(monkeypatch, capsys):
    monkeypatch.setenv("ADDING_BREAKS", "key")
    assert lab("run", "adding") == 1
    message = (
        f"lab: run {run_id_of()} failed: KeyError: 'sum'; go on with: python -m lab resume {run_id_of()}"
    )
    assert capsys.readouterr().err.splitlines()[-1].startswith(message)
    with Store() as store:
        assert store.status(run_id_of())[0] == "failed"
    monkeypatch.setenv("LAB_TRACEBACK", "1")
    with pytest.raises(KeyError):
        lab("run", "adding")


def test_a_value_error_inside_a_run_is_a_bad_argument(monkeypatch, capsys):
    monkeypatch.setenv("ADDING_BREAKS", "value")
    assert lab("run", "adding") == 2
    assert capsys.readouterr().err.splitlines()[-1] == "lab: sum"


def test_a_run_without_a_result_fails(capsys):
    silent = replace(ADDING, run=lambda params, store: iter(()))
    assert lab("run", "adding", experiments=(silent,)) == 1
    assert "ended without a result" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "arguments are required: COMMAND"),
        ("fly", "invalid choice: 'fly'"),
        ("run", "name an experiment, such as `run position`"),
        ("run adding --sett n=1", "unrecognized arguments: --sett"),
        ("run ading", "unknown experiment 'ading'; known: adding; did you mean 'adding'?"),
        (
            "run adding --set n_querys=3",
            "unknown parameter 'n_querys'; known: n_queries, noise, task, is_quiet",
        ),
        ("run adding --set n_querys=3", "did you mean 'n_queries'?"),
        ("run adding --set n_queries", "given as key=value, got 'n_queries'"),
        ("run adding --set =3", "given as key=value, got '=3'"),
        ("run adding --set n_queries=3.5", "n_queries must be a whole number, got '3.5'"),
        ("run adding --set n_queries=0", "n_queries must be 1..1000, got 0"),
        ("run adding --set noise=nan", "noise must be a finite number, got 'nan'"),
        ("run adding --set noise=loud", "noise must be a finite number, got 'loud'"),
        ("run adding --set is_quiet=maybe", "is_quiet must be true or false, got 'maybe'"),
        ("run adding --set layouts=[1", "layouts must be a list"),
        ("run adding --recipe nowhere.json", "--recipe must name a readable file, got 'nowhere.json'"),
        ("run adding --recipe {tmp}/binary", "--recipe must name a UTF-8 JSON file"),
        ("run adding --recipe {tmp}/huge", "at most 65536 bytes"),
        ("run adding --recipe {tmp}/broken", "recipe must be JSON"),
        ("run adding --recipe {tmp}/newer", "recipe version must be 1, got 9"),
        ("run adding --recipe {tmp}/other", "is for experiment 'other', got 'adding'; use `run other`"),
        ("run adding --recipe {tmp}/odd", "unknown parameter 'odd'"),
        ("run adding --recipe {tmp}/typed", "n_queries must be a whole number, got '[1]'"),
        ("run adding --out {tmp}/broken", "--out must name a folder, got"),
        ("run adding --out {tmp}/broken/deeper", "--out must name a folder, got"),
        ("resume 0123456789ab", "got '0123456789ab'; none is stored yet"),
        ("check udrr", "unknown paper 'udrr'"),
        ("check udrr", "did you mean 'udr'?"),
        ("check udr", "paper 'udr' is planned and has no check yet"),
    ],
)
def test_a_bad_argument_is_one_line_and_exit_code_2(tmp_path, capsys, words, message):
    files = {
        "binary": b"\xff\xfe\x00",
        "huge": b" " * 70_000,
        "broken": b"{",
        "newer": b'{"experiment":"adding","params":{},"version":9}',
        "other": b'{"experiment":"other","params":{},"version":1}',
        "odd": b'{"experiment":"adding","params":{"odd":1},"version":1}',
        "typed": b'{"experiment":"adding","params":{"n_queries":[1]},"version":1}',
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    try:
        code = lab(*words.format(tmp=tmp_path).split())
    except SystemExit as end:
        code = end.code
    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("lab: ") and message in line


def test_resume_of_a_run_whose_experiment_is_gone_or_changed_is_refused(capsys):
    with Store() as store:
        gone = store.begin(Recipe("gone", {}), {})
        older = store.begin(Recipe("adding", {"n_queries": 4}), {})
    assert lab("resume", gone) == 2
    assert "unknown experiment 'gone'" in capsys.readouterr().err
    assert lab("resume", older) == 2
    assert "had other parameters and can't go on" in capsys.readouterr().err


def test_a_damaged_store_is_one_line_and_lists_are_shown_without_it(tmp_path, capsys):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "lab.sqlite3").write_text("not a database " * 100)
    assert lab("run", "adding") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "the run store is damaged" in line and "move this file" in line
    assert lab("list") == lab("papers") == 0
    captured = capsys.readouterr()
    assert "Does the slot change a sum?" in captured.out and "35 papers" in captured.out
    assert captured.err.count("last checks are not shown") == 2


@pytest.mark.parametrize(
    ("holds", "code", "words"), [("True", 0, "holds"), ("False", 1, "does not hold here")]
)
def test_check_answers_with_its_exit_code_and_papers_shows_the_figures(
    monkeypatch, capsys, holds, code, words
):
    monkeypatch.setenv("ADDING_HOLDS", holds)
    assert lab("check", "demo-position", "--quick", "--json") == code
    outcome = json.loads(capsys.readouterr().out)
    assert outcome["claims"][0]["measured"] == "0.65 against 1.00, n = 20"
    assert outcome["holds"] is (code == 0) and outcome["is_quick"] is True
    assert lab("papers", "--json") == 0
    row = json.loads(capsys.readouterr().out)[0]
    assert row["id"] == "demo-position" and row["last_check"]["claims"] == outcome["claims"]
    assert lab("papers") == 0
    shown = capsys.readouterr().out
    assert words in shown and "quick check of 20" in shown and "0.65 against 1.00" in shown
    assert lab("list") == 0
    assert f"adding  [ready, {words}]" in capsys.readouterr().out


def test_a_check_that_could_not_run_exits_with_2(monkeypatch, capsys):
    monkeypatch.setenv("ADDING_HOLDS", "None")
    assert lab("check", "demo-position") == 2
    assert capsys.readouterr().out.splitlines()[-1] == "demo-position: could not be run"


def test_list_as_json_names_parameters_and_example(capsys):
    assert lab("list", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["id"], row["paper"], row["state"]) == ("adding", "demo-position", "ready")
    assert row["params"]["layouts"] == ["none", "sum", "eum"] and row["example"] == {"n_queries": 4}


def test_papers_imports_nothing_heavy():
    code = (
        "import sys; from lab.__main__ import main; main(['papers']); main(['papers', '--json']); print("
        "[n for n in ('pandas', 'numpy', 'plotly', 'torch', 'lab.experiments') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    lines = done.stdout.splitlines()
    assert lines[-1] == "[]"
    assert len(json.loads(lines[-2])) == 35


def test_the_module_runs_as_a_program_and_survives_a_closed_pipe():
    done = subprocess.run(
        [sys.executable, "-m", "lab", "--version"], capture_output=True, text=True, cwd=ROOT
    )
    assert (done.returncode, done.stdout) == (0, "In-Context Lab 0.1.0\n")
    piped = f"{sys.executable} -u -m lab papers | head -1"
    done = subprocess.run(piped, shell=True, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.startswith("demo-position") and done.stderr == ""
