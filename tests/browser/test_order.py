"""The Order tab in a browser: a run of six orders of a tiny random model, and a look at one of them."""

import pytest
from playwright.sync_api import expect
from tiny_models import save_tiny_lm

pytestmark = pytest.mark.browser
LONG = 120_000


def test_from_a_preset_to_the_answers_of_an_order(page, tmp_path):
    page.get_by_role("tab", name="Order", exact=True).click()
    page.get_by_role("button", name="Three demonstrations, all 6 orders").click()
    page.get_by_role("button", name="Model and scoring").locator("visible=true").first.click()
    choice = page.locator("#order-model input")
    choice.fill(save_tiny_lm(tmp_path / "tiny"))
    choice.press("Enter")
    for name in ("n-queries", "n-held-out"):
        page.locator(f"#order-{name} input").fill("4")
        page.locator(f"#order-{name} input").press("Tab")
    page.locator("#order-run").click()
    expect(page.locator("#order-status")).to_contain_text("Finished in", timeout=LONG)
    expect(page.locator("#order-verdict")).to_contain_text("(6 orders, 4 queries)", timeout=LONG)
    expect(page.locator("#order-tiles")).to_contain_text("Best of chance")
    page.locator("#order-picked input").click()
    page.get_by_role("option").first.click()
    expect(page.locator("#order-answers")).to_be_visible()
    page.locator("#order-answers").get_by_role("gridcell").first.click()
    expect(page.locator("#order-cell .lab-side")).to_have_count(2, timeout=LONG)


def test_the_cross_of_position_order_and_demonstrations_has_its_panel(page):
    page.get_by_role("tab", name="Order", exact=True).click()
    page.get_by_role("button", name="Position × order × demonstrations", exact=False).click()
    expect(page.locator("#factorial-run")).to_be_visible()
