"""The run store: what is committed stays, whoever writes and whatever breaks."""

import math
import multiprocessing
import os
import sqlite3
import threading
from dataclasses import replace

import pandas as pd
import pytest

from lab.runs.recipe import Recipe
from lab.runs.store import Row, Store, StoreError

RECIPE = Recipe("demo", {"seed": 0})
ROW = Row("q1", "sum", "A", "A", 1.0, 0.5, {"A": -0.1, "B": -0.6}, 12, 0.25, "Input: x", (" A", " B"))
COLUMNS = [
    "run_id",
    "query_id",
    "layout",
    "prediction",
    "gold",
    "correct",
    "margin",
    "logp_A",
    "logp_B",
    "n_tokens",
    "seconds",
]


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "lab.sqlite3") as opened:
        yield opened


def rows(layout: str, queries: range) -> list[Row]:
    return [replace(ROW, layout=layout, query_id=f"q{query:02d}", margin=query / 7) for query in queries]


def test_default_file_lies_under_lab_home(tmp_path, monkeypatch):
    monkeypatch.setenv("LAB_HOME", str(tmp_path / "new" / "home"))
    with Store() as store:
        assert store.path == tmp_path / "new" / "home" / "lab.sqlite3"
        assert store.path.exists()


def test_predictions_have_the_fixed_columns_and_exact_floats(store):
    run_id = store.begin(RECIPE, {})
    scores = {"A": -1 / 3, "B": -math.inf}
    store.add_batch(run_id, 0, [replace(ROW, logp=scores, margin=math.nan, correct=0.1 + 0.2)])
    table = store.predictions(run_id)
    assert list(table.columns) == COLUMNS
    assert table.loc[0, "logp_A"] == -1 / 3
    assert table.loc[0, "logp_B"] == -math.inf
    assert table.loc[0, "correct"] == 0.1 + 0.2
    assert math.isnan(table.loc[0, "margin"])
    assert table["n_tokens"].dtype == "int64"


def test_a_run_without_predictions_still_has_the_columns(store):
    table = store.predictions(store.begin(RECIPE, {}))
    assert list(table.columns) == [column for column in COLUMNS if not column.startswith("logp_")]
    assert len(table) == 0 and table["margin"].dtype == "float64"


def test_rows_are_ordered_by_layout_as_the_batches_name_them_then_query(store):
    run_id = store.begin(RECIPE, {})
    store.add_batch(run_id, 2, rows("esp", range(2)))
    store.add_batch(run_id, 1, rows("none", range(2, 4)))
    store.add_batch(run_id, 0, [*rows("sum", range(2)), *rows("none", range(2))])
    found = store.predictions(run_id)[["layout", "query_id"]].values.tolist()
    assert found == [
        *(["sum", f"q0{query}"] for query in range(2)),
        *(["none", f"q0{query}"] for query in range(4)),
        *(["esp", f"q0{query}"] for query in range(2)),
    ]


def test_prompts_keep_text_and_candidates_exactly(store):
    run_id = store.begin(RECIPE, {})
    prompt = 'a\r\nb\n"c",\té漢😀\u202e\x00'
    store.add_batch(run_id, 0, [replace(ROW, prompt=prompt, answer=" So: A\n")])
    table = store.prompts(run_id)
    assert list(table.columns) == ["query_id", "layout", "prompt", "candidates"]
    assert table.loc[0, "prompt"] == prompt
    assert table.loc[0, "candidates"] == [" A", " B"]
    assert store.answers(run_id).loc[0, "answer"] == " So: A\n"


def test_begin_again_keeps_predictions_and_the_time_of_creation(store):
    run_id = store.begin(RECIPE, {"lab": "1", "time": "monday"})
    store.add_batch(run_id, 0, [ROW])
    created = store.runs().loc[0, "created"]
    store.set_status(run_id, "failed", "out of memory")
    assert store.status(run_id) == ("failed", "out of memory")
    assert store.begin(RECIPE, {"lab": "1", "time": "tuesday"}) == run_id == RECIPE.id
    listed = store.runs().loc[0]
    assert (listed["created"], listed["status"], listed["n_predictions"]) == (created, "running", 1)
    assert listed["recipe"] == RECIPE == store.recipe(run_id)
    assert listed["environment"] == {"lab": "1", "time": "monday"}


def test_resuming_elsewhere_is_recorded_once(store):
    for environment in ({"lab": "1"}, {"lab": "2", "time": "a"}, {"lab": "2", "time": "b"}, {"lab": "1"}):
        run_id = store.begin(RECIPE, environment)
    assert store.environment(run_id) == {"lab": "1", "resumed": [{"lab": "2", "time": "a"}]}


def test_a_batch_is_committed_whole_or_not_at_all(store):
    run_id = store.begin(RECIPE, {})
    with pytest.raises(ValueError, match="one row a \\(query, layout\\), got \\('q1', 'sum'\\)"):
        store.add_batch(run_id, 0, [ROW, ROW])
    with pytest.raises(ValueError, match="surrogate"):
        store.add_batch(run_id, 0, [ROW, replace(ROW, query_id="q2", prompt="\ud800")])
    assert store.done_batches(run_id) == set()
    assert len(store.predictions(run_id)) == 0
    store.add_batch(run_id, 0, [ROW])
    store.add_batch(run_id, 0, [replace(ROW, prediction="B")])
    assert store.predictions(run_id)["prediction"].tolist() == ["A"]


def test_summary_is_strict_json_and_delete_removes_everything(store):
    run_id = store.begin(RECIPE, {})
    store.add_batch(run_id, 0, [ROW])
    store.finish(run_id, {"accuracy": pd.Series([0.5])[0], "p": math.nan, "n": pd.Series([3])[0]})
    assert store.summary(run_id) == {"accuracy": 0.5, "p": None, "n": 3}
    assert store.status(run_id) == ("finished", "")
    store.delete(run_id)
    assert store.status(run_id) is None and store.runs().empty
    left = store.database.connection.execute("SELECT count(*) FROM predictions").fetchone()
    assert left == (0,)


def test_an_unknown_run_is_named_with_the_latest_ones(store):
    with pytest.raises(ValueError, match=r"got 'nope'; none is stored yet"):
        store.predictions("nope")
    store.begin(RECIPE, {})
    for ask in (store.prompts, store.summary, store.recipe, store.delete, store.answers, store.environment):
        with pytest.raises(ValueError, match=f"got 'nope'; the latest are {RECIPE.id}"):
            ask("nope")
    with pytest.raises(ValueError, match="status must be one of"):
        store.set_status(RECIPE.id, "done")


def test_the_last_check_of_each_paper_is_remembered(store):
    store.add_check("udr", "0.1", {"holds": False})
    store.add_check("udr", "0.2", {"holds": True})
    last = store.last_checks()
    assert last["udr"]["holds"] is True and last["udr"]["lab_version"] == "0.2" and last["udr"]["time"] > 0


def test_threads_share_a_store(store):
    run_id = store.begin(RECIPE, {})

    def write(layout: str) -> None:
        for batch in range(10):
            store.add_batch(run_id, batch + 100 * int(layout), rows(layout, range(batch * 3, batch * 3 + 3)))
            store.predictions(run_id)

    threads = [threading.Thread(target=write, args=[str(number)]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.predictions(run_id).groupby("layout").size().tolist() == [30] * 4


def write_from_a_process(path: str, layout: str, start: object) -> None:
    start.wait()
    with Store(path) as store:
        run_id = store.begin(RECIPE, {"pid": layout})
        for batch in range(20):
            store.add_batch(run_id, batch + 100 * int(layout), rows(layout, range(batch * 3, batch * 3 + 3)))
        store.add_batch(run_id, 999, rows("contended", range(3)))


def test_processes_write_one_new_store_at_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(3)
    path = tmp_path / "lab.sqlite3"
    writers = [
        context.Process(target=write_from_a_process, args=[str(path), str(number), start])
        for number in range(3)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    with Store(path) as store:
        counts = store.predictions(RECIPE.id).groupby("layout").size().to_dict()
    assert counts == {"0": 60, "1": 60, "2": 60, "contended": 3}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_a_forked_process_opens_its_own_connection(store):
    run_id = store.begin(RECIPE, {})
    pid = os.fork()
    if pid == 0:
        try:
            store.add_batch(run_id, 1, [ROW])
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0
    store.add_batch(run_id, 2, [replace(ROW, layout="eum")])
    assert store.done_batches(run_id) == {1, 2}


@pytest.mark.parametrize("damage", ["text", "page"])
def test_a_damaged_file_is_named_with_the_remedy(tmp_path, damage):
    path = tmp_path / "lab.sqlite3"
    if damage == "text":
        path.write_text("this is not a database " * 100)
    else:
        with Store(path) as store:
            run_id = store.begin(RECIPE, {})
            for batch in range(20):
                store.add_batch(run_id, batch, rows(f"layout{batch}", range(50)))
        raw = bytearray(path.read_bytes())
        raw[4096:] = b"\xff" * (len(raw) - 4096)
        path.write_bytes(raw)
    with pytest.raises(StoreError, match="damaged") as caught, Store(path) as store:
        store.predictions(RECIPE.id)
    assert str(path) in str(caught.value) and "move this file" in str(caught.value)


def test_a_full_disk_is_named_and_what_was_committed_stays(store):
    run_id = store.begin(RECIPE, {})
    store.add_batch(run_id, 0, rows("sum", range(5)))
    connection = store.database.connection
    n_pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={n_pages + 2}")
    big = [replace(row, prompt="x" * 20_000) for row in rows("eum", range(20))]
    with pytest.raises(StoreError, match="disk is full; free some space or set LAB_HOME") as caught:
        store.add_batch(run_id, 1, big)
    assert str(store.path) in str(caught.value)
    assert store.done_batches(run_id) == {0}
    connection.execute("PRAGMA max_page_count=1000000")
    store.add_batch(run_id, 1, big)
    assert len(store.predictions(run_id)) == 25


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="LAB_HOME"):
        Store(tmp_path / "file" / "lab.sqlite3")


def test_a_store_of_a_newer_lab_is_left_alone(tmp_path):
    path = tmp_path / "lab.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version=99")
    with pytest.raises(StoreError, match="newer lab"):
        Store(path)
