"""The Position tab in a browser: from a preset to a click on a cell, with a tiny random model."""

import re

import pytest
from playwright.sync_api import expect
from tiny_models import save_tiny_lm

pytestmark = pytest.mark.browser
LONG = 120_000


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> str:
    return save_tiny_lm(tmp_path_factory.mktemp("tiny"))


def set_up(page, model: str, n_queries: int, prefix: str = "position") -> None:
    """Open the tab and ask the tiny model a few queries."""
    page.get_by_role("tab", name=prefix.capitalize(), exact=True).click()
    page.locator(f"#{prefix}-n-queries input").fill(str(n_queries))
    page.get_by_role("button", name="Model and scoring").locator("visible=true").first.click()
    choice = page.locator(f"#{prefix}-model input")
    choice.fill(model)
    choice.press("Enter")
    page.locator(f"#{prefix}-seed input").fill("3")
    page.locator(f"#{prefix}-seed input").press("Tab")


def choose_layouts(page, *wanted: str) -> None:
    for box in page.locator("#position-layouts input[type=checkbox]").all():
        name = box.locator("xpath=..").inner_text().partition(":")[0].strip()
        box.set_checked(name in wanted)


def test_from_the_cost_to_the_prompts_behind_a_cell(page, tiny):
    set_up(page, tiny, 4)
    choose_layouts(page, "none", "sum", "eum")
    page.locator("#position-cost").click()
    status = page.locator("#position-status")
    expect(status).to_contain_text("Tokens to compute", timeout=LONG)
    expect(status).to_contain_text("With 4 queries you will see differences of about")
    page.locator("#position-run").click()
    expect(status).to_contain_text("Finished in", timeout=LONG)
    expect(page.locator("#position-verdict")).to_contain_text("Against sum", timeout=LONG)
    expect(page.locator("#position-tiles")).to_contain_text("Tokens saved")
    expect(page.locator("#position-accuracy .js-plotly-plot")).to_be_visible(timeout=LONG)
    page.locator("#position-matrix td .lab-cell, #position-matrix td.lab-cell").nth(2).click()
    expect(page.locator("#position-cell .lab-side")).to_have_count(2, timeout=LONG)
    page.locator("#position-calibration").get_by_text("Batch", exact=True).click()
    expect(page.locator("#position-verdict")).to_contain_text("After batch calibration", timeout=LONG)
    page.locator("#position-seed input").fill("4")
    page.locator("#position-seed input").press("Tab")
    expect(page.locator("#position-stale")).to_contain_text("These results are for other settings")


def test_a_stopped_run_goes_on_where_it_stopped(page, tiny):
    set_up(page, tiny, 150)
    choose_layouts(page, "none", "sum", "eum")
    page.locator("#position-run").click()
    status = page.locator("#position-status")
    expect(status).to_contain_text(re.compile(r"[1-9][\d,]* of [\d,]+ prompts"), timeout=LONG)
    page.locator("#position-stop").click()
    expect(status).to_contain_text("Everything answered so far is kept", timeout=LONG)
    expect(page.locator("#position-run")).to_have_text("Resume")
    expect(page.locator("#position-stop")).to_be_disabled()
    done = int(status.inner_text().partition("Stopped at ")[2].partition(" of")[0].replace(",", ""))
    assert done > 0
    page.locator("#position-run").click()
    expect(status).to_contain_text("Finished in", timeout=LONG)
    expect(page.locator("#position-matrix .lab-matrix-count")).to_contain_text("150 queries")
    expect(page.locator("#position-run")).to_have_text("Run")


def upload(page, path) -> None:
    page.get_by_role("button", name="Use your own CSV or JSONL").locator("visible=true").first.click()
    page.locator("#position-upload input[type=file]").set_input_files(path)


def test_a_file_of_ones_own_is_asked_and_a_hundred_queries_are_added(page, tiny, tmp_path):
    own = tmp_path / "kinds.csv"
    rows = [
        f"{word} {n},{kind}" for n in range(90) for word, kind in (("tiger", "animal"), ("plum", "fruit"))
    ]
    own.write_text("\n".join(["input,output", *rows]), encoding="utf-8")
    set_up(page, tiny, 4)
    choose_layouts(page, "sum", "eum")
    upload(page, own)
    expect(page.locator("#position-task-notice")).to_contain_text("labels animal, fruit")
    expect(page.locator("#position-task input")).to_have_value(re.compile("^Your file"))
    page.locator("#position-run").click()
    status, count = page.locator("#position-status"), page.locator("#position-matrix .lab-matrix-count")
    expect(status).to_contain_text("Finished in", timeout=LONG)
    expect(count).to_have_text(re.compile("^4 queries"))
    page.locator("#position-more").click()
    expect(count).to_contain_text("104 queries", timeout=LONG)
    expect(status).to_contain_text("Finished in", timeout=LONG)
    expect(page.locator("#position-n-queries input")).to_have_value("104")


def test_a_malformed_file_is_explained(page, tmp_path):
    broken = tmp_path / "broken.csv"
    broken.write_text("only\none\ncolumn\n", encoding="utf-8")
    upload(page, broken)
    expect(page.locator("#position-task-notice")).to_contain_text("column")
    expect(page.locator("#position-task input")).not_to_have_value(re.compile("^Your file"))


def test_the_flow_of_answers_is_drawn_between_the_layouts_that_are_chosen(page):
    title = page.locator("#position-transitions .gtitle")
    expect(title).to_be_visible(timeout=LONG)
    choose_option(page, "#position-from", "esp")
    choose_option(page, "#position-to", "ssp")
    expect(page.locator("#position-transitions-sentence")).to_contain_text("From esp to ssp,", timeout=LONG)


def choose_option(page, selector: str, name: str) -> None:
    page.locator(f"{selector} input").click()
    page.locator(f'li[role=option][aria-label="{name}"]').click()


def test_paper_mode_judges_the_claims(page, tiny):
    page.get_by_role("button", name="Paper mode", exact=False).click()
    for box in page.locator("#paper-tasks input[type=checkbox]").all():
        name = box.locator("xpath=..").inner_text()
        box.set_checked("Topic of a news item" in name or "apital" in name)
    choice = page.locator("#paper-model input")
    choice.fill(tiny)
    choice.press("Enter")
    page.locator("#paper-n-queries input").fill("6")
    page.locator("#paper-n-queries input").press("Tab")
    page.locator("#paper-run").click()
    expect(page.locator("#paper-status")).to_contain_text("Finished in", timeout=LONG)
    expect(page.locator("#paper-claims tr")).to_have_count(6, timeout=LONG)  # a head and five claims
    expect(page.locator("#paper-claims")).to_contain_text("of 5 claims hold for this model")
    expect(page.locator("#paper-accuracy .js-plotly-plot")).to_be_visible(timeout=LONG)


def test_a_mistake_is_explained_in_place(page):
    page.get_by_role("tab", name="Position", exact=True).click()
    page.locator("#position-n-demos input").fill("65")
    page.locator("#position-n-demos input").press("Tab")
    page.locator("#position-run").click()
    expect(page.locator("#position-status")).to_contain_text("n_demos must be 1..64, got 65", timeout=LONG)
    expect(page.locator("#position-run")).to_be_enabled()


def test_a_preset_fills_the_form(page):
    page.get_by_role("tab", name="Position", exact=True).click()
    page.get_by_role("button", name="Is the query too far up?").click()
    expect(page.get_by_role("checkbox", name="eum+restated", exact=False)).to_be_checked()
    expect(page.locator("#position-layouts input:checked")).to_have_count(3)
