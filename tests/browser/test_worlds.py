"""Tiny worlds in a browser: a learner is trained, watched, stopped, taken apart."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
LONG = 120_000


def open_world(page, name: str) -> None:
    page.set_default_timeout(LONG)
    page.get_by_role("tab", name="Tiny worlds", exact=True).click(timeout=LONG)
    page.locator("#worlds-chosen").get_by_label(name, exact=True).check(timeout=LONG)


def number(page, elem_id: str, value: float) -> None:
    field = page.locator(f"#{elem_id} input[type=number]")
    field.fill(str(value))
    field.press("Enter")
    page.keyboard.press("Tab")


def test_a_learner_is_trained_watched_asked_and_taken_apart(page):
    open_world(page, "Induction heads")
    expect(page.locator("#worlds-verdict")).to_contain_text("queries right under drawn")
    expect(page.locator("#worlds-curves-1 .scatterlayer").first).to_be_attached(timeout=LONG)
    expect(page.locator("#worlds-cut")).to_contain_text("with all heads", timeout=LONG)
    page.locator("#induction-preset").get_by_text("Match given").click()
    expect(page.locator("#induction-preset")).to_contain_text("the plateau is gone")
    number(page, "induction-n-steps", 300)
    page.locator("#induction-run").click()
    expect(page.locator("#induction-status")).to_contain_text("of 300 steps", timeout=LONG)
    expect(page.locator("#worlds-curves-1 .scatterlayer").first).to_be_attached(timeout=LONG)
    expect(page.locator("#induction-status")).to_contain_text("Finished", timeout=LONG)
    expect(page.locator("#worlds-verdict")).to_contain_text("queries right under drawn")
    expect(page.locator("#induction-run")).to_have_text("Train and ask")

    cut = page.locator("#worlds-cut")
    expect(cut).to_contain_text("with all heads", timeout=LONG)
    expect(page.locator("#worlds-attention .heatmaplayer").first).to_be_attached()
    page.locator("#worlds-silenced").get_by_label("1.0").check()
    expect(cut).to_contain_text("without 1.0", timeout=LONG)
    page.locator("#worlds-silenced").get_by_label("1.0").uncheck()
    expect(cut).to_contain_text("with all heads", timeout=LONG)
    page.locator("#worlds-heads .nsewdrag").first.click(position={"x": 12, "y": 8})
    expect(cut).to_contain_text("without 0.0", timeout=LONG)
    expect(page.locator("#worlds-silenced").get_by_label("0.0")).to_be_checked()
    number(page, "worlds-step", 0)
    expect(cut).to_contain_text("Step0the nearest", timeout=LONG)
    page.locator("#worlds-closer").get_by_role("tab", name="Layers").click()
    expect(page.locator("#worlds-layers")).to_contain_text("After 300 steps the answer", timeout=LONG)
    page.locator("#worlds-closer").get_by_role("tab", name="Side by side").click()
    expect(page.locator("#worlds-beside-plot")).to_contain_text("known classes", timeout=LONG)

    open_world(page, "Linear regression")
    expect(page.locator("#linear-room")).to_be_visible()
    expect(page.locator("#induction-room")).not_to_be_visible()
    expect(page.locator("#worlds-verdict")).to_contain_text("linear-regression")
    expect(page.locator("#worlds-matrices .heatmaplayer").first).to_be_attached(timeout=LONG)
    expect(cut).not_to_be_visible()
    open_world(page, "Induction heads")
    expect(page.locator("#worlds-verdict")).to_contain_text("induction-heads (seed 0)")
    expect(page.locator("#worlds-curves-1 .scatterlayer").first).to_be_attached()


def test_a_person_draws_balls_and_predicts_where_a_measure_ends(page):
    open_world(page, "Balls and urns")
    page.locator("#worlds-closer").get_by_role("tab", name="Your own").click()
    balls = page.locator("#worlds-own textarea")
    expect(balls).to_have_value("a a b a c a", timeout=LONG)
    balls.press_sequentially(" b")
    expect(page.locator("#worlds-own-plot")).to_contain_text("After 7 balls", timeout=LONG)
    page.locator("#worlds-own-plot .nsewdrag").first.click(position={"x": 20, "y": 100})
    expect(balls).to_have_value("a a b a c a b a", timeout=LONG)
    expect(page.locator("#worlds-own-plot")).to_contain_text("After 8 balls", timeout=LONG)
    balls.press_sequentially(" ?")
    expect(page.locator("#worlds-own-told")).to_contain_text("balls are the letters a to h", timeout=LONG)

    page.get_by_role("button", name="Predict, then reveal").click()
    page.locator("#worlds-guess-keep").click()
    expect(page.locator("#worlds-guess-told")).to_contain_text("Now train a learner")
    number(page, "urns-n-steps", 100)
    page.locator("#urns-run").click()
    expect(page.locator("#worlds-guess-told")).to_contain_text("You said 0.5", timeout=LONG)


def test_a_person_walks_through_an_automaton_and_lets_the_learner_write(page):
    open_world(page, "Random languages")
    page.locator("#worlds-closer").get_by_role("tab", name="The automaton").click()
    graph, string = page.locator("#worlds-automaton"), page.locator("#worlds-automaton-string textarea")
    expect(graph).to_contain_text("At the start it is in state 0", timeout=LONG)
    states = graph.locator(".scatterlayer .trace").last.locator(".point")
    page.wait_for_timeout(2000)  # the run of the world that was turned to is drawn by then
    states.nth(1).click(force=True)  # language 1: from the start a leads there
    expect(string).to_have_value("a", timeout=LONG)
    expect(graph).to_contain_text("After a it is in state 1", timeout=LONG)
    page.get_by_role("button", name="Let it write on").click()
    expect(page.locator("#worlds-automaton-told")).to_contain_text("May come, 3-gram", timeout=LONG)
    page.get_by_role("button", name="Begin a new string").click()
    expect(string).to_have_value("", timeout=LONG)
    string.press_sequentially("zz")
    expect(page.locator("#worlds-automaton-told")).to_contain_text("not in the alphabet", timeout=LONG)


def test_a_world_draws_its_plots_and_the_law_follows_the_sliders(page):
    open_world(page, "Forgetting embeddings")
    page.locator("#worlds-closer").get_by_role("tab", name="More plots").click()
    expect(page.locator("#worlds-plots")).to_contain_text("Of switched frequent words", timeout=LONG)
    page.locator("#worlds-plots-which input").click()
    page.get_by_role("option", name="embeddings in a plane").click()
    expect(page.locator("#worlds-plots")).to_contain_text("A plane keeps", timeout=LONG)
    open_world(page, "Balls and urns")
    page.locator("#worlds-closer").get_by_role("tab", name="The law").click()
    expect(page.locator("#worlds-law")).to_contain_text("r = 0.98", timeout=LONG)
    number(page, "worlds-law-beta", 0.5)
    expect(page.locator("#worlds-law")).not_to_contain_text("r = 0.98", timeout=LONG)
    page.get_by_role("button", name="Set the fitted values").click()
    expect(page.locator("#worlds-law")).to_contain_text("r = 0.98", timeout=LONG)


def test_settings_are_set_on_the_map_and_a_training_of_them_is_stopped(page):
    open_world(page, "Context or weights")
    page.locator("#worlds-closer").get_by_role("tab", name="Map of settings").click()
    expect(page.locator("#worlds-sweep-told")).to_contain_text("90 trainings", timeout=LONG)
    expect(page.locator("#worlds-sweep .heatmaplayer").first).to_be_attached(timeout=LONG)
    page.wait_for_timeout(2000)  # the run of the world that was turned to is drawn, and told of, by then
    right_end = page.locator("#worlds-sweep .nsewdrag").first.bounding_box()["width"] - 8
    page.locator("#worlds-sweep .nsewdrag").first.click(position={"x": right_end, "y": 8})
    expect(page.locator("#worlds-sweep-told")).to_contain_text("classes 4,096, bursty share 1.", timeout=LONG)
    expect(page.locator("#abrupt-n-classes input")).to_have_value("4096")
    expect(page.locator("#abrupt-n-steps input[type=number]")).to_have_value("1500")
    number(page, "abrupt-n-steps", 3000)
    page.locator("#abrupt-run").click()
    expect(page.locator("#abrupt-status")).to_contain_text("of 3,000 steps", timeout=LONG)
    expect(page.locator("#worlds-chosen").get_by_label("Linear regression")).to_be_disabled()
    page.locator("#abrupt-stop").click()
    expect(page.locator("#abrupt-status")).to_contain_text("Stopped at", timeout=LONG)
    expect(page.locator("#abrupt-run")).to_have_text("Resume")
    expect(page.locator("#abrupt-run")).to_be_enabled()
    expect(page.locator("#worlds-chosen").get_by_label("Linear regression")).to_be_enabled()


def test_a_copied_link_opens_the_world_that_was_on_screen(page, open_page):
    open_world(page, "Linear regression")
    number(page, "linear-n-steps", 1200)
    page.get_by_role("button", name="Copy link", exact=True).click()
    expect(page.locator("#lab-link textarea, #lab-link input")).to_have_value(re.compile("recipe="))
    copied = page.evaluate("navigator.clipboard.readText()")
    found = open_page("/" + copied[copied.index("?") :])
    expect(found.locator("#linear-n-steps input[type=number]")).to_have_value("1200", timeout=LONG)
    expect(found.locator("#worlds-chosen").get_by_label("Linear regression")).to_be_checked()


def test_settings_out_of_bounds_are_refused_with_the_bounds(page):
    open_world(page, "Linear regression")
    page.locator("#linear-rate input").fill("5")
    page.keyboard.press("Enter")
    page.locator("#linear-run").click()
    expect(page.locator("#linear-status")).to_contain_text("must be", timeout=LONG)
