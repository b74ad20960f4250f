"""The Image sets tab in a browser, on the weights that come with the lab: draw, tune a little, see flips."""

import pytest
from playwright.sync_api import expect

from lab.images.model import is_trained

pytestmark = [
    pytest.mark.browser,
    pytest.mark.model,
    pytest.mark.skipif(not is_trained(), reason="the image model is not trained yet"),
]
LONG = 240_000


def slide(page, elem_id: str, value: str) -> None:
    """Set a slider through its number."""
    page.locator(f"#{elem_id} input[type=number]").fill(value)
    page.locator(f"#{elem_id} input[type=number]").press("Tab")


def open_tab(page, name: str) -> None:
    page.get_by_role("tab", name="Image sets", exact=True).click()
    page.get_by_role("tab", name=name, exact=True).click()


def test_a_set_is_drawn_from_its_caption_with_previews(page):
    open_tab(page, "Draw")
    caption = page.locator("#images-caption")
    expect(caption).to_contain_text("[LEFT]")
    page.locator("#images-text-1 textarea").fill("zebra, outline style")
    expect(caption).to_contain_text("zebra, outline style")
    page.get_by_role("button", name="How it is drawn").locator("visible=true").first.click()
    slide(page, "images-steps", "5")
    page.locator("#images-draw").click()
    expect(page.locator("#images-status")).to_contain_text("Done.", timeout=LONG)
    expect(page.locator("#images-canvases img")).to_have_count(2)
    expect(page.locator("#images-canvases")).to_contain_text("Best")


def test_a_word_that_the_model_does_not_know_is_said_while_it_is_typed(page):
    open_tab(page, "Draw")
    page.locator("#images-text-1 textarea").fill("zeppelin, flat style")
    expect(page.locator("#images-caption")).to_contain_text("never shown 'zeppelin'")


def test_panels_in_other_places_flip_or_not_and_their_pictures_are_shown(page):
    open_tab(page, "Panel lab")
    page.locator("#panels-lora input").click()
    page.get_by_role("option", name="none: the base alone").click()
    slide(page, "panels-n-queries", "2")
    page.get_by_role("button", name="How they are drawn and read").locator("visible=true").first.click()
    slide(page, "panels-steps", "3")
    page.locator("#panels-run").click()
    expect(page.locator("#panels-status")).to_contain_text("Finished in", timeout=LONG)
    matrix = page.locator("#panels-matrix")
    expect(matrix.get_by_role("columnheader")).to_have_count(6)  # the sets, five layouts
    matrix.get_by_role("gridcell").last.click()
    expect(page.locator("#panels-cell img")).to_have_count(5, timeout=LONG)


def test_a_lora_is_tuned_live_and_kept(page):
    open_tab(page, "Tune")
    slide(page, "tune-n-sets", "5")
    slide(page, "tune-steps", "20")
    page.locator("#tune-name textarea, #tune-name input").first.fill("from-the-browser")
    page.locator("#tune-start").click()
    expect(page.locator("#tune-status")).to_contain_text("Kept as own/from-the-browser", timeout=LONG)
    expect(page.locator("#tune-samples img")).to_have_count(1)
    expect(page.locator("#tune-download")).to_be_visible()
