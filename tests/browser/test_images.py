"""The Image sets tab in a browser, on the weights that come with the lab: draw, tune a little, see flips."""

import pytest
from PIL import Image
from playwright.sync_api import expect

from lab.papers import is_waiting

pytestmark = [
    pytest.mark.browser,
    pytest.mark.model,
    pytest.mark.skipif(is_waiting("ic-lora"), reason="the LoRAs are not trained yet"),
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
    page.locator("#images-text-1 textarea").fill("owl, outline style")
    page.locator("#images-earlier .thumbnail-item").first.click()
    expect(page.locator("#images-text-1 textarea")).to_have_value("zebra, outline style")


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


def test_on_a_phone_a_comparison_is_no_column_of_single_words(open_page):
    page = open_page(viewport={"width": 390, "height": 844})
    open_tab(page, "Panel lab")
    rows = page.locator(".in-words tbody tr").locator("visible=true")
    expect(rows).to_have_count(4)
    assert max(row.bounding_box()["height"] for row in rows.all()) < 200
    fills = page.locator("#panels-given").get_by_text("Fill branch")
    expect(fills).to_have_count(0 if is_waiting("ic-brush") else 1)


def test_a_lora_is_tuned_live_and_kept(page):
    open_tab(page, "Tune")
    slide(page, "tune-n-sets", "5")
    slide(page, "tune-steps", "20")
    page.locator("#tune-name textarea, #tune-name input").first.fill("from-the-browser")
    page.locator("#tune-start").click()
    expect(page.locator("#tune-status")).to_contain_text("Kept as own/from-the-browser", timeout=LONG)
    expect(page.locator("#tune-samples img").first).to_be_visible()  # one more every few seconds
    expect(page.locator("#tune-download")).to_be_visible()


def test_pictures_of_ones_own_become_sets_that_can_be_looked_at(page, tmp_path):
    paths = []
    for name, colour in (("1_fox.png", "red"), ("2_owl.png", "blue")):
        Image.new("RGB", (90, 60), colour).save(tmp_path / name)
        paths.append(str(tmp_path / name))
    open_tab(page, "Tune")
    page.locator("#tune-task input").click()
    page.get_by_role("option", name="My own sets").click()
    page.get_by_label("Pictures and texts").check()
    page.locator("#tune-pictures input[type=file]").set_input_files(paths)
    expect(page.locator("#tune-texts textarea")).to_have_value("fox\nowl")
    page.locator("#tune-preview").click()
    expect(page.locator("#tune-sets")).to_contain_text("[CUSTOM] two pictures: [LEFT] fox; [RIGHT] owl")
    page.locator("#tune-pack").click()
    expect(page.locator("#tune-told")).to_contain_text("1 set:")


@pytest.mark.skipif(is_waiting("ic-brush"), reason="the fill branch is not trained yet")
def test_a_subject_is_inserted_with_and_without_the_shift(page):
    open_tab(page, "Insert")
    slide(page, "insert-image", "0.6")
    page.locator("#insert-start").click()
    expect(page.locator("#insert-drawn img")).to_have_count(2, timeout=LONG)
    expect(page.locator("#insert-status")).to_contain_text("flip", ignore_case=True)


@pytest.mark.skipif(is_waiting("icm-lora"), reason="the generator of LoRAs is not trained yet")
def test_a_lora_is_made_from_examples(page):
    open_tab(page, "Examples")
    page.locator("#examples-start").click()
    expect(page.locator("#examples-drawn h3")).to_have_count(3, timeout=LONG)
