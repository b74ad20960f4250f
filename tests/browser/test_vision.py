"""The Vision tab in a browser: mark, add, reorder, segment, see what flips, take the masks away."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from strokes import stroke

from lab.vision.asked import READY

pytestmark = [pytest.mark.browser, pytest.mark.model]
LONG = 120_000


def open_tab(page) -> None:
    page.get_by_role("tab", name="Vision", exact=True).click()
    page.get_by_role("tab", name="Segment", exact=True).click()
    expect(page.locator("#segment-paint .lab-demo-count")).to_contain_text("marked")


def choose_set(page, name: str) -> None:
    page.locator("#segment-set input").click()
    page.get_by_role("option", name=name, exact=True).click()


def test_a_person_marks_a_picture_of_their_own_and_gets_masks(page):
    open_tab(page)
    choose_set(page, "pictures of your own")
    expect(page.locator("#segment-examples .thumbnail-item")).to_have_count(0)
    page.get_by_role("button", name="Add examples, or a mask from a file").click()
    page.locator("#segment-more input[type=file]").set_input_files(READY / "bee" / "examples" / "1 3d.jpg")
    expect(page.locator("#segment-examples")).to_contain_text("nothing marked")
    page.locator("#segment-run").click()
    expect(page.locator("#segment-status")).to_contain_text("there is no picture", timeout=LONG)
    canvas = page.locator("#segment-paint canvas")
    stroke(page, canvas, 0.4, 0.6)
    expect(page.locator("#segment-examples")).not_to_contain_text("nothing marked")
    page.get_by_role("tab", name="Runs", exact=True).click()
    open_tab(page)
    expect(page.locator("#segment-paint .lab-demo-count")).not_to_contain_text("0 % marked")
    page.get_by_role("button", name="Segment pictures of your own").click()
    page.locator("#segment-wanted input[type=file]").set_input_files(READY / "bee" / "queries" / "2 flat.jpg")
    expect(page.locator("#segment-asked .thumbnail-item")).to_have_count(1)
    page.locator("#segment-run").click()
    expect(page.locator("#segment-status")).to_contain_text("1 picture is segmented", timeout=LONG)


def test_examples_are_reordered_and_what_flips_is_read(page):
    open_tab(page)
    first = page.locator("#segment-examples .caption-label").first
    expect(first).to_contain_text("3d")
    page.locator("#segment-examples .thumbnail-item").first.click()
    page.locator("#segment-later").click()
    expect(first).to_contain_text("flat")
    page.locator("#segment-remove").click()
    expect(page.locator("#segment-examples .thumbnail-item")).to_have_count(3)
    page.locator("#segment-vary").get_by_text("In which order").click()
    page.locator("#segment-flips").click()
    expect(page.locator("#segment-flipped")).to_contain_text("0 pixels flip in 5 other orders", timeout=LONG)
    page.locator("#segment-vary").get_by_text("Which example").click()
    page.locator("#segment-flips").click()
    flipped = page.locator("#segment-flipped")
    expect(flipped).to_contain_text("of the marked pixels flip", timeout=LONG)
    expect(flipped.locator("figure")).to_have_count(4)
    expect(flipped.get_by_role("rowheader")).to_have_count(4)  # all three, and each alone


def test_masks_are_downloaded_as_labels(page):
    open_tab(page)
    choose_set(page, "house and rabbit")
    expect(page.locator("#segment-examples .thumbnail-item")).to_have_count(4)
    page.locator("#segment-run").click()
    expect(page.locator("#segment-status")).to_contain_text("Mean IoU", timeout=LONG)
    with page.expect_download() as download:
        page.locator("#segment-save").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert len(archive.namelist()) == 4
        masks = [np.asarray(Image.open(io.BytesIO(archive.read(name)))) for name in archive.namelist()]
    assert {int(label) for mask in masks for label in np.unique(mask)} == {0, 1, 2}
