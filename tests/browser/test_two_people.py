"""Two people on a shared server: one waits for her turn and sees her place; neither sees the other's runs."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_stand_in import HubStandIn
from playwright.sync_api import expect
from tiny_models import save_tiny_lm

pytestmark = pytest.mark.browser
LONG = 120_000
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def app_url(tmp_path_factory) -> Iterator[str]:
    """Serve a shared lab in a process of its own, whose only other model is on a hub on this machine."""
    folder = tmp_path_factory.mktemp("shared")
    save_tiny_lm(folder / "hub" / "tiny" / "llama")
    with HubStandIn(folder / "hub") as hub, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        url = f"http://127.0.0.1:{port}"
        here = {
            "LAB_HOME": str(folder / "home"),
            "LAB_SHARED": "1",
            "LAB_ALLOWED_MODELS": "tiny/llama",
            "HF_ENDPOINT": hub.url,
            "HF_HUB_CACHE": str(folder / "cache"),
            "GRADIO_SERVER_NAME": "127.0.0.1",
            "GRADIO_SERVER_PORT": str(port),
        }
        with open(folder / "log.txt", "w") as log:
            app = subprocess.Popen(
                [sys.executable, "app.py"], cwd=ROOT, env={**os.environ, **here}, stdout=log, stderr=log
            )
        try:
            _wait_for(url, app, folder / "log.txt")
            yield url
        finally:
            app.terminate()
            app.wait(timeout=30)


def _wait_for(url: str, app: subprocess.Popen, log: Path) -> None:
    for _ in range(240):
        if app.poll() is not None:
            break
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.5)
    raise RuntimeError(f"the app did not answer: {log.read_text()[-2000:]}")


def ask(page, n_queries: int, seed: int, n_demos: int = 5) -> None:
    """Ask the tiny model from the Position tab."""
    page.get_by_role("button", name="Model and scoring").locator("visible=true").first.click()
    page.locator("#position-model input").click()
    page.get_by_role("option", name="llama").click()
    for name, value in (("n-queries", n_queries), ("n-demos", n_demos), ("seed", seed)):
        page.locator(f"#position-{name} input").fill(str(value))
        page.locator(f"#position-{name} input").press("Tab")
    page.locator("#position-run").click()


def runs_of(page):
    page.get_by_role("tab", name="Runs", exact=True).click()
    return page.locator("#runs-history [role=row]:has([role=gridcell])")


def test_one_waits_for_the_other_and_neither_sees_her_runs(open_page):
    first, second = open_page(), open_page()
    ask(first, 200, seed=1, n_demos=24)
    status = second.locator("#position-status")
    expect(first.locator("#position-status").get_by_role("progressbar")).to_be_visible(timeout=LONG)
    ask(second, 4, seed=2)
    expect(status).to_contain_text("Waiting for its turn")
    expect(second.get_by_text(re.compile(r"queue: \d+/\d+")).first).to_be_visible()
    first.locator("#position-stop").click()
    expect(first.locator("#position-status")).to_contain_text(
        "Everything answered so far is kept", timeout=LONG
    )
    expect(status).to_contain_text("Finished in", timeout=LONG)
    assert "seed 2" in second.locator("#position-verdict").inner_text()
    assert "seed 1" in first.locator("#position-verdict").inner_text()
    for page, state in ((first, "stopped"), (second, "finished")):
        expect(runs_of(page)).to_have_count(1)
        expect(runs_of(page)).to_contain_text(state)


def test_a_model_that_is_not_allowed_is_no_choice(open_page):
    page = open_page()
    page.get_by_role("button", name="Model and scoring").locator("visible=true").first.click()
    page.locator("#position-model input").click()
    expect(page.locator("li[role=option]")).to_have_count(2)  # the default, and the one that is allowed
