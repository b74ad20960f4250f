"""Composing a prompt in a browser: write, reorder, fill, ask, guess, undo, and take it along."""

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
ANSWERED_MS = 180_000


@pytest.fixture
def compose(default_model, page: Page) -> Page:
    """Open the Compose tab with its first preset; the model is on the disk, so that its tokens show."""
    page.get_by_role("tab", name="Compose", exact=True).click()
    expect(page.locator("#compose-query textarea")).not_to_have_value("")
    return page


def ask(page: Page) -> None:
    page.get_by_role("button", name="Ask", exact=True).click()


def test_the_prompt_is_shown_token_by_token_while_it_is_written(compose: Page):
    prompt = compose.locator("#compose-prompt")
    expect(prompt).to_contain_text("tokens")
    expect(prompt).to_contain_text("<|im_start|>")
    compose.locator("#compose-query textarea").fill("Zebra crossing repainted.")
    expect(prompt).to_contain_text("repainted")


def test_one_click_answers_under_every_slot_and_marks_flips(compose: Page):
    ask(compose)
    rows = compose.locator("#compose-slots tbody tr")
    expect(rows).to_have_count(6, timeout=ANSWERED_MS)
    said = compose.locator("#compose-slots caption")
    expect(said).to_contain_text(re.compile("flips under|is the same under"), timeout=ANSWERED_MS)
    n_flips = compose.locator("#compose-slots .flip").count()
    expect(said).to_contain_text(f"flips under {n_flips} of the 5" if n_flips else "is the same")
    expect(compose.locator("#compose-answer")).to_contain_text("Margin")


def test_answers_to_an_older_prompt_are_marked(compose: Page):
    ask(compose)
    expect(compose.locator("#compose-slots caption")).to_contain_text("slots", timeout=ANSWERED_MS)
    compose.locator("#compose-query textarea").fill("Something else entirely.")
    expect(compose.locator("#compose-stale")).to_contain_text("ask again")


def test_a_class_guesses_before_the_answers_show(compose: Page):
    compose.locator("#compose-guess-first input").check()
    ask(compose)
    reveal = compose.get_by_role("button", name="Reveal", exact=True)
    expect(reveal).to_be_visible(timeout=ANSWERED_MS)
    expect(compose.locator("#compose-slots")).to_have_count(0)
    compose.get_by_role("radio", name="eum", exact=True).check()
    reveal.click()
    expect(compose.locator("#compose-stale")).to_contain_text("You guessed 0 of 5 flips; it is")
    expect(compose.locator("#compose-slots tbody tr")).to_have_count(6)


def test_undo_brings_back_what_a_fill_replaced(compose: Page):
    demos = compose.locator("#compose-demos textarea, #compose-demos input[type=text]")
    expect(demos.first).to_be_visible()
    before = demos.first.input_value()
    compose.locator("#compose-seed input").fill("7")
    compose.get_by_role("button", name="Fill", exact=True).click()
    expect(demos.first).not_to_have_value(before)
    compose.get_by_role("button", name="Undo last change", exact=True).click()
    expect(demos.first).to_have_value(before)


def test_a_prompt_that_cannot_be_asked_says_why(compose: Page):
    compose.locator("#compose-query textarea").fill("a " * 9900)
    expect(compose.locator("#compose-prompt")).to_contain_text(
        re.compile(r"has [\d,]+ tokens and the model reads 8,192")
    )
    ask(compose)
    expect(compose.locator("#compose-answer-panel")).to_contain_text("too long", timeout=ANSWERED_MS)


def test_what_is_typed_is_shown_as_text_and_never_run(compose: Page):
    evil = "<img src=x onerror=\"document.title='owned'\"><b>bold</b>"
    compose.locator("#compose-query textarea").fill(evil)
    expect(compose.locator("#compose-prompt")).to_contain_text("onerror")
    ask(compose)
    expect(compose.locator("#compose-slots caption")).to_contain_text("slots", timeout=ANSWERED_MS)
    assert compose.locator("#compose-prompt img").count() == 0
    assert compose.title() != "owned"


@pytest.mark.parametrize("target", ["Position", "Order"])
def test_a_composed_prompt_moves_on_to_a_sweep(compose: Page, target: str):
    compose.get_by_role("button", name=f"Try this in {target}", exact=True).click()
    expect(compose.get_by_role("tab", name=target, exact=True)).to_have_attribute("aria-selected", "true")
    expect(compose.locator(f"#{target.lower()}-selection input")).to_have_value("By hand")


def test_a_preset_replaces_everything_and_its_answer_is_written(compose: Page):
    compose.get_by_role("button", name="A written answer", exact=True).click()
    expect(compose.locator("#compose-query textarea")).to_have_value("Belgium")
    ask(compose)
    expect(compose.locator("#compose-slots tbody tr")).to_have_count(6, timeout=ANSWERED_MS)
