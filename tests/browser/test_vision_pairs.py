"""Painter and Copies in a browser: a pair is shown, pictures are painted, a disguised one is looked for."""

import pytest
from playwright.sync_api import expect
from strokes import stroke

from lab.papers import is_waiting

pytestmark = [pytest.mark.browser, pytest.mark.model]
LONG = 120_000
needs_painter = pytest.mark.skipif(is_waiting("painter"), reason="Painter's network is not trained yet")
needs_stacker = pytest.mark.skipif(is_waiting("anypattern"), reason="ImageStacker is not trained yet")


def open_tab(page, name: str) -> None:
    page.get_by_role("tab", name="Vision", exact=True).click()
    page.get_by_role("tab", name=name, exact=True).click()


def choose(page, dropdown: str, option: str) -> None:
    page.locator(f"#{dropdown} input").click()
    page.get_by_role("option", name=option).first.click()


@needs_painter
def test_pictures_are_painted_after_the_pair_and_after_a_wrong_one(page):
    open_tab(page, "Painter")
    expect(page.locator("#painter-pairs figure")).to_have_count(6)
    page.locator("#painter-run").click()
    expect(page.locator("#painter-status")).to_contain_text("after a wrong pair.", timeout=LONG)
    expect(page.locator("#painter-painted figure")).to_have_count(15)


@needs_painter
def test_what_a_person_marks_is_the_pair(page):
    open_tab(page, "Painter")
    expect(page.locator("#painter-marks")).to_be_hidden()
    page.get_by_label("what I mark").check()
    canvas = page.locator("#painter-marks canvas")
    expect(canvas).to_be_visible()
    expect(page.locator("#painter-operation")).to_be_hidden()
    expect(page.locator("#painter-pairs figure")).to_have_count(4)
    unmarked = page.locator("#painter-pairs img").nth(1).get_attribute("src")
    stroke(page, canvas, 0.3, 0.6)
    expect(page.locator("#painter-pairs img").nth(1)).not_to_have_attribute("src", unmarked)
    page.locator("#painter-run").click()
    expect(page.locator("#painter-status")).to_contain_text("Painted.", timeout=LONG)


@needs_painter
def test_a_pair_of_ones_own_that_is_not_there_names_the_remedy(page):
    open_tab(page, "Painter")
    page.get_by_label("my own pictures").check()
    expect(page.locator("#painter-before")).to_be_visible()
    page.locator("#painter-run").click()
    expect(page.locator("#painter-status")).to_contain_text("choose both pictures of the pair", timeout=LONG)


@needs_stacker
def test_a_disguised_picture_is_ranked_without_and_with_a_pair(page):
    open_tab(page, "Copies")
    page.locator("#copies-live-run").click()
    status = page.locator("#copies-live-status")
    expect(status).to_contain_text("Of 300 references", timeout=LONG)
    found = page.locator("#copies-live-found")
    expect(found).to_contain_text("Nearest with the pair")
    expect(found.locator("figure")).to_have_count(16)
    choose(page, "copies-live-pair", "no pair")
    page.locator("#copies-live-run").click()
    expect(found.locator("figure")).to_have_count(8, timeout=LONG)
    expect(status).not_to_contain_text("with the pair")
