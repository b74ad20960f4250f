"""The Runs tab in a browser, on the real app with a store that holds runs."""

import json
import re
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from lab.experiments.position import PositionParams
from lab.runs.recipe import Recipe
from lab.runs.store import Row, Store

LAYOUTS = ("none", "sum", "eum")
ROW = Row("q0", "sum", "World", "World", 1.0, 0.5, {"World": -0.1, "Sports": -0.6}, 9, 0.1, "p", ("World",))


def fill(store: Store) -> None:
    """Keep two finished runs and a stopped one."""
    for seed in range(3):
        params = PositionParams(n_queries=6, n_demos=2, layouts=LAYOUTS, seed=seed, measures_floor=False)
        run_id = store.begin(Recipe("position", asdict(params)), {"cpu": "A processor", "cores": 2})
        cells = [(layout, query) for layout in LAYOUTS for query in range(6)]
        store.add_batch(run_id, 0, [answer(layout, query, seed) for layout, query in cells])
        if seed < 2:
            store.finish(run_id, {"verdict": f"Verdict {seed}.", "n_queries": 6})
        else:
            store.set_status(run_id, "stopped")


def answer(layout: str, query: int, seed: int) -> Row:
    """Answer right, but for the first `seed` queries under eum."""
    row = replace(ROW, query_id=f"q{query}", layout=layout)
    if layout == "eum" and query < seed:
        return replace(row, prediction="Sports", correct=0.0, logp={"World": -0.6, "Sports": -0.1})
    return row


@pytest.fixture(scope="module")
def app_url(browser):
    """Launch the app on a store that holds runs."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as home:
        patch.setenv("LAB_HOME", home)
        for name in ("LAB_SHARED", "SPACE_ID"):
            patch.delenv(name, raising=False)
        with Store(Path(home) / "lab.sqlite3") as store:
            fill(store)
        from lab.ui.app import LAUNCH, build

        app = build()
        options = {**LAUNCH, "server_name": "127.0.0.1", "server_port": None}
        _, url, _ = app.launch(prevent_thread_lock=True, quiet=True, **options)
        yield url.rstrip("/")
        app.close()


@pytest.fixture
def runs(page):
    """Open the tab, with the last touched run chosen."""
    page.get_by_role("tab", name="Runs", exact=True).click()
    page.locator("#runs-details .run-card").wait_for()
    return page


def choose(page, text: str) -> None:
    """Choose the run whose row holds a text."""
    page.locator("#runs-history").get_by_role("gridcell").filter(has_text=text).first.click()


def test_a_row_of_the_history_shows_its_run_and_opens_it(runs):
    choose(runs, "Verdict 1.")
    runs.locator("#runs-details").get_by_text("Verdict 1.").wait_for()
    runs.locator("#runs-details").get_by_text("A processor, 2 cores").wait_for()
    runs.get_by_role("button", name="Open", exact=True).click()
    runs.locator('[role="tab"][aria-selected="true"]', has_text="Position").wait_for()


def test_a_run_is_downloaded_as_csv(runs):
    choose(runs, "Verdict 0.")
    runs.get_by_role("button", name="Export this run").click()
    button = runs.locator("#runs-download")
    button.get_by_text(re.compile(r"Download position-.*\.csv")).wait_for()
    with runs.expect_download() as downloading:
        button.click()
    lines = Path(downloading.value.path()).read_text(encoding="utf-8").split("\n")
    assert lines[0].startswith('"run_id","query_id","layout"') and len(lines) == 1 + 18 + 1


def test_the_whole_run_is_downloaded_as_json(runs):
    runs.get_by_role("button", name="Export this run").click()
    runs.get_by_label("Whole run (JSON)").check()
    button = runs.locator("#runs-download")
    button.get_by_text(re.compile(r"Download position-.*\.json")).wait_for()
    with runs.expect_download() as downloading:
        button.click()
    whole = json.loads(Path(downloading.value.path()).read_text(encoding="utf-8"))
    assert whole["recipe"]["experiment"] == "position" and len(whole["predictions"]["layout"]) == 18


def test_two_runs_are_compared(runs):
    runs.get_by_role("button", name="Compare two runs").click()
    runs.get_by_role("button", name="Compare", exact=True).click()
    runs.get_by_text("1 of 18 answers that both runs give differ (5.6 %).").wait_for()
    runs.get_by_role("region", name="Accuracy by layout").get_by_role("rowheader", name="eum").wait_for()


def test_delete_asks_and_keeps(runs):
    runs.get_by_role("button", name="Delete", exact=True).click()
    runs.get_by_text(re.compile("Delete run .* with its 18 answers")).wait_for()
    runs.get_by_role("button", name="Keep it", exact=True).click()
    runs.get_by_role("button", name="Keep it", exact=True).wait_for(state="hidden")
    runs.get_by_role("button", name="Delete", exact=True).click()
    runs.get_by_role("button", name="Delete for good", exact=True).click()
    runs.get_by_text(re.compile("Run .* is deleted")).wait_for()


def test_on_a_phone_nothing_is_wider_than_the_screen(open_page):
    page = open_page(viewport={"width": 390, "height": 844})
    page.get_by_role("tab", name="Runs", exact=True).click()
    page.locator("#runs-details .run-card").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
