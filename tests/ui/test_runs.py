"""The Runs tab: what it shows of a store, and what it says when a run or the store is not as expected."""

import errno
import json
import time
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import gradio as gr
import pytest

from lab.experiments.position import PositionParams
from lab.runs.recipe import Recipe
from lab.runs.store import Row, Store, StoreError
from lab.ui import runs, runs_compare
from lab.ui import runs_view as view
from lab.ui.people import Lab

LAYOUTS = ("none", "sum", "eum")
LABELS = ("World", "Sports")
HERE = SimpleNamespace(session_hash="here")


def keep_run(store: Store, seed: int = 0, n: int = 4, status: str = "finished", task: str = "topic") -> str:
    """Keep a position run whose eum is wrong for the first `seed` queries."""
    params = PositionParams(
        task=task, n_queries=n, n_demos=2, layouts=LAYOUTS, seed=seed, measures_floor=False
    )
    made = {"cpu": "A processor", "model": {"id": "smollm2-135m", "revision": "r1", "device": "cpu"}}
    run_id = store.begin(Recipe("position", asdict(params)), made)
    rows = []
    for layout in LAYOUTS:
        for query in range(n):
            is_right = not (layout == "eum" and query < seed)
            said = LABELS[0 if is_right else 1]
            scores = {said: -0.1, LABELS[is_right]: -0.6}
            prompt = f"prompt {query} {layout}"
            rows.append(
                Row(
                    f"q{query}", layout, said, LABELS[0], float(is_right), 0.5, scores, 9, 0.1, prompt, LABELS
                )
            )
    store.add_batch(run_id, 0, rows)
    if status == "finished":
        store.finish(run_id, {"verdict": f"Verdict of <b>{seed}</b>.", "n_queries": n})
    else:
        store.set_status(run_id, status, "the disk is full" if status == "failed" else "")
    return run_id


@pytest.fixture
def lab(own_lab_home) -> Lab:
    return Lab.here()


@pytest.fixture
def store(lab) -> Store:
    return lab.store_for(None)


class Page:
    """The tab in a page of its own, whose events a test can call."""

    def __init__(self, lab: Lab) -> None:
        self.opened = []
        with gr.Blocks() as self.blocks:
            target = gr.Textbox()
            opener = runs.Opener(lambda run_id, _: [self.opened.append(run_id) or "shown"], [target])
            self.tab = runs.build(lab, {"position": opener})

    def call(self, elem_id: str, event: str, *values, changes: str = ""):
        """Call what an element's event calls, if need be the one that changes another element."""
        for function in self.blocks.fns.values():
            outputs = [output.elem_id for output in function.outputs]
            for target, name in function.targets:
                is_it = name == event and getattr(self.blocks.blocks.get(target), "elem_id", None) == elem_id
                if is_it and (not changes or changes in outputs):
                    return function.fn(*values)
        raise LookupError(f"{elem_id} has no {event}")

    def show(self, run_id: str | None, request=HERE):
        """Choose a run: (details, open, resume, delete, question)."""
        return self.call("runs-chosen", "change", run_id, request, changes="runs-details")

    def refresh(self, experiment=runs.ALL, chosen=None):
        """Read the history: (table, chosen, message, examples, a, b)."""
        return self.tab.refresh.fn(experiment, chosen, None, None, HERE)


@pytest.fixture
def page(lab) -> Page:
    return Page(lab)


def test_an_empty_history_says_what_to_do(page):
    table, chosen, message, *_ = page.refresh()
    assert len(table) == 0 and chosen.value is None and "Press Run in the Position" in message
    assert "Choose a run" in page.show(None)[0]


def test_the_history_lists_the_last_touched_first_and_keeps_the_choice(page, store):
    first, second = keep_run(store, 0), keep_run(store, 1, status="stopped")
    table, chosen, message, _, a, b = page.refresh()
    assert list(table["Run"]) == [second, first] and list(table.columns) == view.HISTORY_COLUMNS
    assert list(table["Status"]) == ["‖ stopped", "✓ finished"] and list(table["Answers"]) == [12, 12]
    assert chosen.value == second and message == "" and (a.value, b.value) == (first, second)
    assert page.refresh(chosen=first)[1].value == first


def test_the_filter_shows_one_experiment(page, store):
    keep_run(store)
    table, chosen, message, *_ = page.refresh("order")
    assert len(table) == 0 and chosen.value is None and "No run of this experiment" in message


def test_choosing_a_row_chooses_its_run(page, store):
    row = page.refresh()[0]
    event = SimpleNamespace(row_value=["", "position", "run-id"], index=[0, 0], value="")
    assert page.call("runs-history", "select", event) == "run-id" and len(row) == 0


def test_details_show_verdict_and_provenance_escaped(page, store):
    run_id = keep_run(store, 2)
    details, open_, resume, delete, _ = page.show(run_id)
    for text in (
        "Verdict of &lt;b&gt;2&lt;/b&gt;.",
        run_id,
        "smollm2-135m, revision r1",
        "A processor",
        "topic",
    ):
        assert text in details
    assert "<b>2" not in details
    assert (open_.interactive, resume.interactive, delete.interactive) == (True, False, True)


def test_a_failed_run_says_why_and_can_go_on(page, store):
    run_id = keep_run(store, status="failed")
    details, _, resume, *_ = page.show(run_id)
    assert "the disk is full" in details and "12 answers are kept" in details and resume.interactive


@pytest.mark.parametrize(("silent_s", "status"), [(10, "running"), (200, "killed")])
def test_a_run_without_a_sign_of_life_counts_as_killed(silent_s, status):
    now = datetime.now(timezone.utc)
    assert view.status_of("running", now - timedelta(seconds=silent_s), now) == status
    assert view.status_of("stopped", now - timedelta(days=2), now) == "stopped"


def test_open_hands_the_run_to_the_tab_of_its_experiment(page, store):
    run_id = keep_run(store)
    assert page.call("runs-open", "click", run_id, HERE) == ["", "shown"] and page.opened == [run_id]


def test_a_run_that_was_deleted_elsewhere_is_said_wherever_it_is_used(page, store):
    run_id = keep_run(store)
    store.delete(run_id)
    answers = [
        page.show(run_id)[0],
        page.call("runs-open", "click", run_id, HERE)[0],
        page.call("runs-resume", "click", run_id, HERE)[0],
        page.call("runs-delete", "click", run_id, HERE)[2],
        page.call("runs-confirm", "click", run_id, HERE)[1],
        page.call("runs-compare-go", "click", run_id, "other", HERE)[0],
    ]
    for html in answers:
        assert "lab-note-error" in html and "run must be one kept in" in html
    assert page.opened == []


def test_delete_asks_first_and_keeps_until_confirmed(page, store):
    run_id = keep_run(store)
    group, question, _ = page.call("runs-delete", "click", run_id, HERE)
    assert group.visible and f"Delete run {run_id} with its 12 answers?" in question
    assert page.call("runs-keep", "click").visible is False and len(store.runs()) == 1
    group, said = page.call("runs-confirm", "click", run_id, HERE)
    assert not group.visible and "is deleted" in said and store.runs().empty


def test_compare_shows_paired_tests_flips_and_what_differs(page, store):
    a, b = keep_run(store, 0), keep_run(store, 3)
    html, differ, flips = page.call("runs-compare-go", "click", a, b, HERE)
    assert "3 of 12 answers that both runs give differ (25.0 %)." in html and "under eum" in html
    assert differ.value["data"] == [["seed", "0", "3"]] and differ.visible
    assert [line[:2] for line in flips.value["data"]] == [["q0", "eum"], ["q1", "eum"], ["q2", "eum"]]


def test_runs_of_other_tasks_are_not_paired(store):
    a, b = keep_run(store), keep_run(store, task="sentiment")
    html, _, flips = runs_compare.compared(store, a, b)
    assert runs_compare.OTHER_TASKS in html and not flips.visible


@pytest.mark.parametrize("pair", [(None, None), ("same", "same")])
def test_compare_needs_two_runs(page, pair):
    assert "Choose two different runs" in page.call("runs-compare-go", "click", *pair, HERE)[0]


def test_an_export_follows_the_format(page, store, tmp_path):
    run_id = keep_run(store)
    row, query, layout = page.call("runs-format", "input", run_id, "snippet", HERE)
    assert row.visible and query.value == "q0" and layout.value == "none"
    about, file = page.call("runs-query", "input", run_id, "csv", None, None, HERE)
    assert "without loss" in about and file.interactive and f"position-{run_id}.csv (" in file.label
    about, file = page.call("runs-query", "input", run_id, "messages", "q99", "sum", HERE)
    assert "lab-note-error" in about and "q99" in about and not file.interactive


def test_a_damaged_store_is_said_in_every_place(page, lab, store):
    run_id = keep_run(store)
    store.close()
    lab.visits.stores.clear()
    for file in store.path.parent.glob("lab.sqlite3*"):
        file.unlink()
    store.path.write_bytes(b"not a database" * 500)
    table, _, message, *_ = page.refresh()
    assert len(table) == 0 and "damaged" in message and "lab-note-error" in message
    for html in (
        page.show(run_id)[0],
        page.call("runs-delete", "click", run_id, HERE)[2],
        page.call("runs-compare-go", "click", run_id, "b", HERE)[0],
        page.call("runs-query", "input", run_id, "csv", None, None, HERE)[0],
    ):
        assert "damaged" in html and "move this file" in html


def test_a_run_cut_short_by_a_full_disk_is_listed_and_says_so(page, store):
    run_id = keep_run(store)
    n_pages = store.database.connection.execute("PRAGMA page_count").fetchone()[0]
    store.database.connection.execute(f"PRAGMA max_page_count={n_pages}")
    with pytest.raises(StoreError, match="the disk is full; free some space"):
        keep_run(store, 1, n=500)
    store.database.connection.execute("PRAGMA max_page_count=1000000")
    table = page.refresh()[0]
    assert set(table["Run"]) >= {run_id}
    assert "Verdict of" in page.show(run_id)[0]


def test_an_export_to_a_full_disk_is_said(page, store, monkeypatch):
    run_id = keep_run(store)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("lab.ui.exports.tempfile.mkdtemp", full)
    about, file = page.call("runs-query", "input", run_id, "csv", None, None, HERE)
    assert "lab-note-error" in about and "disk is full" in about and not file.interactive


def test_a_run_of_ten_thousand_rows_stays_quick(page, store):
    run_id, other = keep_run(store, 1, n=3400), keep_run(store, 2, n=3400)
    started = time.monotonic()
    page.refresh()
    page.show(run_id)
    shown_s = time.monotonic() - started
    page.call("runs-compare-go", "click", run_id, other, HERE)
    assert shown_s < 2 and time.monotonic() - started < 30


def test_two_people_on_a_shared_server_see_their_own_runs(own_lab_home, monkeypatch):
    monkeypatch.setenv("LAB_SHARED", "1")
    shared = Lab.here()
    page, other = Page(shared), SimpleNamespace(session_hash="other")
    run_id = keep_run(shared.store_for(HERE))
    assert list(page.refresh()[0]["Run"]) == [run_id]
    assert len(page.tab.refresh.fn(runs.ALL, run_id, None, None, other)[0]) == 0
    assert "run must be one kept" in page.show(run_id, other)[0]
    assert "run must be one kept" in page.call("runs-query", "input", run_id, "csv", None, None, other)[0]
    assert "run must be one kept" in page.call("runs-confirm", "click", run_id, other)[1]


def test_no_event_of_the_tab_is_public(page):
    config = page.blocks.get_api_info()
    assert config["named_endpoints"] == {} and config["unnamed_endpoints"] == {}


def test_the_recipe_on_screen_is_the_stored_one(page, store):
    run_id = keep_run(store)
    details = page.show(run_id)[0]
    shown = details.partition("<pre>")[2].partition("</pre>")[0].replace("&quot;", '"')
    assert Recipe(**{k: v for k, v in json.loads(shown).items()}).id == run_id
