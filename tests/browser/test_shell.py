"""The frame of the page in a browser: what shows first, looks, keys, links, the tour, accessibility."""

import re
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from lab.runs.examples import list_examples

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}
TABS = ("Position", "Compose", "Order", "Runs")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]


def tab(page: Page, name: str):
    return page.get_by_role("tab", name=name, exact=True)


def axe_script() -> str:
    """Read axe-core from the package that bundles it."""
    spec = find_spec("axe_playwright_python")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("axe-core is missing: pip install axe-playwright-python==0.1.8")
    return (Path(spec.submodule_search_locations[0]) / "axe.min.js").read_text(encoding="utf-8")


def test_a_finding_and_its_matrix_need_nothing_from_the_server_but_the_page(open_page, app_url):
    """How fast that is depends on the machine: `make bench ONLY=first_screen` measures it."""
    if not list_examples():
        pytest.skip("no example run is shipped yet")
    page = open_page()
    page.route("**/queue/**", lambda route: None)  # no event is ever answered
    page.goto(app_url)
    expect(page.locator("#lab-headline .finding strong")).to_be_visible()
    expect(page.locator("#position-matrix [role=grid]")).to_be_visible()


def test_dark_and_large_type_are_kept(open_page, app_url):
    page = open_page()
    page.get_by_role("button", name="Dark", exact=True).click()
    page.get_by_role("button", name="Large type", exact=True).click()
    page.reload()
    for name in ("Dark", "Large type"):
        expect(page.get_by_role("button", name=name, exact=True)).to_have_attribute("aria-pressed", "true")
    expect(page.locator("body")).to_have_class(re.compile(r"\bdark\b"))
    assert page.evaluate("document.documentElement.classList.contains('projector')")


@pytest.mark.parametrize("name", TABS)
def test_a_phone_needs_no_sideways_scrolling(open_page, name):
    page = open_page(viewport=PHONE)
    tab(page, name).click()
    expect(page.get_by_role("tabpanel").filter(visible=True)).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", TABS)
def test_axe_finds_nothing(open_page, name, scheme):
    script = axe_script()
    page = open_page(color_scheme=scheme)
    tab(page, name).click()
    expect(page.get_by_role("tabpanel").filter(visible=True)).to_have_count(1)
    page.evaluate(script)
    found = page.evaluate(
        "async (rules) => (await axe.run(document, {runOnly: rules})).violations.map((each) => "
        "each.id + ': ' + each.nodes.slice(0, 4).map((node) => node.html.slice(0, 160)).join(' | '))",
        RULES,
    )
    assert found == []


def test_ctrl_enter_asks_and_escape_stops(open_page):
    page = open_page()
    tab(page, "Compose").click()
    page.locator("#compose-query textarea").fill("A goalkeeper was sold for a record sum.")
    page.locator("#compose-query textarea").press("Control+Enter")
    stop = page.locator("#compose-stop")
    expect(stop).to_be_enabled()
    page.keyboard.press("Escape")
    expect(page.locator("#compose-answer-panel")).to_contain_text("Stopped")


def test_a_copied_link_opens_the_same_prompt(open_page):
    page = open_page()
    tab(page, "Compose").click()
    page.locator("#compose-query textarea").fill("Tariffs on steel & <glass> fall.")
    page.get_by_role("radio", name="eum: end of the user message", exact=True).check()
    page.get_by_role("button", name="Copy link", exact=True).click()
    expect(page.locator("#lab-link textarea, #lab-link input")).to_have_value(
        re.compile(r"^http://127\.0\.0\.1:\d+/\?recipe=")
    )
    copied = page.evaluate("navigator.clipboard.readText()")
    other = open_page("/" + copied[copied.index("?") :])
    expect(tab(other, "Compose")).to_have_attribute("aria-selected", "true")
    expect(other.locator("#compose-query textarea")).to_have_value("Tariffs on steel & <glass> fall.")
    expect(other.get_by_role("radio", name="eum: end of the user message", exact=True)).to_be_checked()


def test_a_link_to_a_sweep_fills_its_tab(open_page):
    recipe = '{"experiment":"position","params":{"n_queries":17,"task":"sentiment"},"version":1}'
    page = open_page(f"/?recipe={quote(recipe)}")
    expect(page.locator("#position-n-queries input")).to_have_value("17")
    expect(page.locator("#position-task input")).to_have_value("Classification: Sentiment of a short review")


def test_a_malformed_link_warns_and_shows_the_defaults(open_page):
    page = open_page("/?recipe=%7Bnonsense<b>x</b>")
    expect(page.get_by_text("The link could not be read")).to_be_visible()
    expect(tab(page, "Position")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#position-n-queries input")).to_have_value("24")


def test_the_tour_points_at_its_controls_and_is_offered_once(open_page):
    page = open_page(tour=True)
    page.get_by_role("button", name="Start the tour", exact=True).click()
    dialog = page.get_by_role("dialog")
    for step in range(1, 7):
        expect(dialog).to_contain_text(f"{step} of 6")
        expect(page.locator(".lab-tour-ring")).to_be_visible()
        page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    page.reload()
    tab(page, "Compose").wait_for()
    expect(page.get_by_role("button", name="Tour", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Start the tour", exact=True)).to_have_count(0)


def test_escape_leaves_the_tour_and_the_focus_returns(open_page):
    page = open_page()
    opener = page.get_by_role("button", name="Tour", exact=True)
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("dialog")).to_contain_text("2 of 6")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(opener).to_be_focused()
