"""A browser on the running app; a test fails on page errors, console errors, requests to other hosts."""

import os
import shutil
from collections.abc import Iterator
from urllib.parse import urlparse

import pytest
from running_app import running_app

# A page that is left while Gradio streams to it logs the last two; a failing server shows in what is expected
HARMLESS = ("favicon", "AbortError: signal is aborted", "Connection errored out")


def chromium() -> str | None:
    """Find a Chromium: LAB_CHROMIUM, or one on the path."""
    names = (os.environ.get("LAB_CHROMIUM"), "chromium", "google-chrome")
    return next((found for name in names if name and (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def app_url() -> str:
    """Launch the app once for all tests."""
    return running_app()


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """Start one browser for all tests, or skip them with the reason."""
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="BROWSER TESTS SKIPPED: playwright is not installed"
    )
    path = chromium()
    if path is None:
        pytest.skip(
            "BROWSER TESTS SKIPPED: no Chromium; set LAB_CHROMIUM, or install chromium or google-chrome"
        )
    sync_api.expect.set_options(timeout=30_000)
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, app_url) -> Iterator[object]:
    """Return `open_page(path="", tour=False, **context)`: the watched page of a new visitor."""
    contexts, faults = [], []

    def watch(page) -> None:
        page.on("pageerror", lambda error: faults.append(f"page error: {error}"))
        page.on("console", lambda message: _note_console(message, faults))
        page.on("request", lambda request: _note_host(request.url, app_url, faults))

    def open_one(path: str = "", tour: bool = False, **context):
        options = {
            "viewport": {"width": 1280, "height": 900},
            "permissions": ["clipboard-read", "clipboard-write"],
        }
        contexts.append(browser.new_context(**{**options, **context}))
        page = contexts[-1].new_page()
        page.set_default_timeout(30_000)
        watch(page)
        if not tour:
            page.add_init_script("try { localStorage.setItem('lab-tour-seen', '1') } catch {}")
        page.goto(app_url + path)
        page.get_by_role("tab", name="Compose", exact=True).wait_for()
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def page(open_page) -> object:
    """Open the app as a visitor who has seen the tour."""
    return open_page()


def _note_console(message, faults: list[str]) -> None:
    if message.type == "error" and not any(word in message.text for word in HARMLESS):
        faults.append(f"console: {message.text}")


def _note_host(url: str, app_url: str, faults: list[str]) -> None:
    address = urlparse(url)
    if address.scheme in ("http", "https", "ws", "wss") and address.netloc != urlparse(app_url).netloc:
        faults.append(f"request to another host: {url}")
