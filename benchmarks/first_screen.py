"""The first screen: seconds from opening the page until a finding and its flip matrix are on screen."""

import shutil
import statistics
import time

from lab.ui.app import LAUNCH, build

N_LOADS = 7


def measure(_n_queries: int) -> dict[str, dict]:
    """Open the app in Chromium several times, each as a new visitor, and time until the matrix is there."""
    from playwright.sync_api import sync_playwright

    page_of_app = build()
    _, url, _ = page_of_app.launch(**LAUNCH, prevent_thread_lock=True, quiet=True)
    seconds = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("google-chrome"),
            args=["--no-sandbox", "--disable-background-networking"],
        )
        for _ in range(N_LOADS):
            visitor = browser.new_context(viewport={"width": 1280, "height": 900})
            page = visitor.new_page()
            started = time.perf_counter()
            page.goto(url)
            page.locator("#lab-headline .finding strong").wait_for()
            page.locator("#position-matrix [role=grid]").wait_for()
            seconds.append(time.perf_counter() - started)
            visitor.close()
        browser.close()
    page_of_app.close()
    detail = {"loads": seconds, "spread": [min(seconds), max(seconds)], "n": N_LOADS}
    return {"seconds": {"value": statistics.median(seconds), "unit": "s", "goal": 2, "detail": detail}}
