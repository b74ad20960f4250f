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
    matrix = page.locator("#order-matrix")
    expect(matrix.get_by_role("columnheader")).to_have_count(8)  # the queries, zero-shot, six orders
    expect(matrix.get_by_role("columnheader", name="123")).to_be_visible()
    matrix.get_by_role("gridcell").last.click()
    expect(page.locator("#order-cell .lab-side")).to_have_count(2, timeout=LONG)
    against = matrix.get_by_label("Against", exact=True)
    before = against.input_value()
    other = page.locator("#order-orders .scatterlayer .point").nth(1 if before.endswith("@0-1-2") else 0)
    other.click(force=True)
    expect(against).not_to_have_value(before, timeout=LONG)


def test_the_cross_of_position_order_and_demonstrations_splits_the_variance(page, tmp_path):
    page.get_by_role("tab", name="Order", exact=True).click()
    page.get_by_role("button", name="Position × order × demonstrations", exact=False).click()
    choice = page.locator("#factorial-model input")
    choice.fill(save_tiny_lm(tmp_path / "tiny"))
    choice.press("Enter")
    for name, value in (("n-orders", "2"), ("n-sets", "2"), ("n-queries", "5"), ("n-demos", "2")):
        page.locator(f"#factorial-{name} input").fill(value)
        page.locator(f"#factorial-{name} input").press("Tab")
    page.locator("#factorial-run").click()
    expect(page.locator("#factorial-status")).to_contain_text("Finished in", timeout=LONG)
    expect(page.locator("#factorial-verdict")).to_contain_text("σ order", timeout=LONG)
    expect(page.locator("#factorial-variance .js-plotly-plot")).to_be_visible(timeout=LONG)
