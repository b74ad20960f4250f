"""The widgets in Chromium, on one small page without the app: mouse, keys, live values, hostile texts.

The page is loaded once: a test chooses what it depends on, and those that replace values stand last.
"""

import re
from collections.abc import Iterator

import gradio as gr
import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from playwright.sync_api import Browser, Page, expect

from lab.ui.theme import CSS, THEME
from lab.ui.tour import head
from lab.ui.widgets.demo_list import DemoList, demos_value
from lab.ui.widgets.flip_matrix import FlipMatrix, matrix_value
from lab.ui.widgets.mask_paint import MaskPaint, paint_value
from lab.ui.widgets.plot_click import PlotClick

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)  # a busy machine; a passing expectation returns at once
HOSTILE = (
    '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script> ${window.hacked=1} {{value}} `'
)
N_QUERIES, LAYOUTS = 600, ["none", *(f"sum@{i}-0" for i in range(1, 24))]
PICTURE = np.full((60, 80, 3), 200, np.uint8)
LABELS = ["business", "sport", "<b>${1}</b>"]


def predictions(n_queries: int = N_QUERIES) -> pd.DataFrame:
    """Query i is right under the first i modulo 25 layouts; query 1 flips most."""
    rows = [
        (
            f"q{i}",
            layout,
            LABELS[(place >= i % 25) * (1 + place % 2)],
            "business",
            float(place < i % 25),
            0.05 if i == 3 else 1.0,
        )
        for i in range(n_queries)
        for place, layout in enumerate(LAYOUTS)
    ]
    return pd.DataFrame(rows, columns=["query_id", "layout", "prediction", "gold", "correct", "margin"])


def counted(marks: np.ndarray | None) -> str:
    """Say how many pixels have which label, and where the first of them is."""
    if marks is None:
        return "nothing"
    labels, counts = np.unique(marks[marks > 0], return_counts=True)
    row, column = np.argwhere(marks)[0]
    told = ", ".join(f"{n} of {label}" for label, n in zip(labels, counts, strict=True))
    return f"{told} in {marks.shape}, first {row},{column}"


def page_of_widgets() -> gr.Blocks:
    table, texts = predictions(), {f"q{i}": f"Query {i} {HOSTILE}" for i in range(N_QUERIES)}
    items = [
        {"id": "one", "input": "first", "output": "business"},
        {"id": "two", "input": HOSTILE, "output": "sport"},
    ]

    def chosen(event: gr.EventData) -> str:
        return f"{event.query_id} {event.layout} {event.reference}"

    def clicked(event: gr.EventData) -> str:
        return f"{event.x} {event.y} {event.curve} {event.point} {event.data}"

    def written(found: list[dict[str, str]]) -> str:
        return " | ".join(f"{demo['id']}:{demo['input']}:{demo['output']}" for demo in found)

    with gr.Blocks() as page:
        matrix = FlipMatrix(matrix_value(table, texts, "none"), elem_id="matrix")
        cell = gr.Textbox(label="Cell")
        matrix.select(chosen, outputs=cell, trigger_mode="always_last")
        half = gr.Button("Half of the layouts")
        half.click(
            lambda: matrix_value(table[table["layout"].isin(LAYOUTS[:12])], texts, "none"), outputs=matrix
        )
        demos = DemoList(
            items, labels=["business", "sport"], input_name="News", output_name="Topic", elem_id="demos"
        )
        seen = gr.Textbox(label="Seen")
        demos.input(written, demos, seen, trigger_mode="always_last")
        typed = gr.Button("Typed outputs", elem_id="typed-run")
        typed.click(
            lambda: demos_value([{"input": "2+2", "output": "4"}], (), "Sum", "Result"), outputs=demos
        )
        figure = go.Figure(go.Bar(x=["a", "b"], y=[3, 3], customdata=["A", "B"])).update_layout(height=240)
        plot = gr.Plot(figure, elem_id="plot", show_label=False)
        point = gr.Textbox(label="Point")
        PlotClick("plot").select(clicked, outputs=point)
        other = gr.Button("Another figure")
        other.click(lambda: go.Figure(go.Bar(x=["c"], y=[5])).update_layout(height=240), outputs=plot)
        paint = MaskPaint(paint_value(PICTURE), labels=["cat", HOSTILE], label="Two animals", elem_id="paint")
        marked = gr.Textbox(label="Marked")
        paint.input(lambda marks: counted(marks), paint, marked, trigger_mode="always_last")
        repainted = gr.Button("Another picture")
        repainted.click(lambda: paint_value(255 - PICTURE), outputs=paint)
        ask = gr.Button("What is marked?")
        ask.click(lambda marks: f"asked: {counted(marks)}", paint, marked)
    return page


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    page = page_of_widgets()
    _, local, _ = page.launch(theme=THEME, css=CSS, head=head(), prevent_thread_lock=True, quiet=True)
    yield local
    page.close()


@pytest.fixture(scope="module")
def page(browser: Browser, url: str) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1100, "height": 900})
    page.set_default_timeout(20_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith((url, "data:", "blob:")) else errors.append(request.url)
        ),
    )
    page.goto(url)
    page.locator("#matrix td[data-column]").first.wait_for()
    yield page
    assert page.evaluate("window.hacked") is None
    assert errors == []
    page.close()


def matrix_rows(page: Page) -> list[str]:
    return [
        re.findall(r"Query (\d+)", text)[0]
        for text in page.locator("#matrix .lab-query-text").all_text_contents()
    ]


def show_all(page: Page, sort: str) -> None:
    for label, choice in (("Show", "all"), ("In", "any"), ("Against", "none"), ("Sort by", sort)):
        page.get_by_label(label, exact=True).select_option(choice)


def test_matrix_shows_only_rows_in_view_and_sorts_and_filters_at_once(page: Page) -> None:
    assert len(matrix_rows(page)) < 50
    assert (
        matrix_rows(page)[0] == "8"
    )  # 8 right, 8 and 8 of the two wrong labels: no answer is commoner than a third
    page.get_by_label("Sort by", exact=True).select_option("file")
    assert matrix_rows(page)[:3] == ["0", "1", "2"]
    page.get_by_label("Show", exact=True).select_option("tie")
    expect(page.locator("#matrix .lab-matrix-count")).to_contain_text("1 of 600 queries")
    page.get_by_label("Show", exact=True).select_option("right→wrong")
    # Against "none" in any layout: right first and wrong later is i % 25 in 1..23.
    expect(page.locator("#matrix .lab-matrix-count")).to_contain_text("552 of 600 queries")
    page.get_by_label("In", exact=True).select_option("sum@1-0")
    expect(page.locator("#matrix .lab-matrix-count")).to_contain_text("24 of 600 queries")
    page.get_by_label("Against", exact=True).select_option("sum@1-0")
    expect(page.locator("#matrix .lab-matrix-empty")).to_contain_text("No query matches")


def test_matrix_is_walked_with_arrow_keys_and_tells_python_what_was_chosen(page: Page) -> None:
    show_all(page, "file")
    page.locator('#matrix tr[data-place="0"] td[data-column="0"]').click()
    expect(page.get_by_label("Cell", exact=True)).to_have_value("q0 none none")
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "PageDown", "End", "Enter"):
        page.keyboard.press(key)
    place = page.evaluate("document.activeElement.parentElement.dataset.place")
    expect(page.get_by_label("Cell", exact=True)).to_have_value(f"q{place} {LAYOUTS[-1]} none")
    assert int(place) > 8
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith(LAYOUTS[-1])


def test_matrix_keeps_scroll_sort_and_cell_when_python_sends_new_answers(page: Page) -> None:
    show_all(page, "file")
    box = page.locator("#matrix .lab-matrix-box")
    box.evaluate("box => { box.scrollTop = 34 * 300 }")
    page.locator('#matrix tr[data-place="305"] td[data-column="2"]').click()
    page.get_by_role("button", name="Half of the layouts").click()
    expect(page.locator("#matrix .lab-head")).to_have_count(12)
    assert box.evaluate("box => box.scrollTop") == pytest.approx(34 * 300, abs=40)
    assert page.locator("#matrix .lab-at").count() == 1
    assert page.get_by_label("Sort by", exact=True).input_value() == "file"


def test_demonstrations_are_edited_moved_removed_and_undone(page: Page) -> None:
    seen = page.get_by_label("Seen", exact=True)
    page.get_by_label("News of demonstration 1", exact=True).fill("edited")
    page.get_by_label("News of demonstration 1", exact=True).press("Alt+ArrowDown")
    expect(seen).to_have_value(re.compile(r"^two:.*:sport \| one:edited:business$", re.S))
    assert page.evaluate("document.activeElement.value") == "edited"
    expect(page.locator("#demos [aria-live]")).to_have_text("Demonstration moved to place 2 of 2")
    page.get_by_label("Topic of demonstration 2", exact=True).select_option("sport")
    expect(seen).to_have_value(re.compile(r"one:edited:sport$"))
    page.get_by_role("button", name="Remove demonstration 1").click()
    expect(seen).to_have_value("one:edited:sport")
    page.get_by_role("button", name="Undo the last change").click()
    expect(seen).to_have_value(re.compile(r"^two:.*:sport \| one:edited:sport$", re.S))
    page.locator("#demos .lab-demo-handle").nth(1).drag_to(
        page.locator("#demos .lab-demo-card").nth(0), target_position={"x": 40, "y": 4}
    )
    expect(seen).to_have_value(re.compile(r"^one:edited:sport \| two:", re.S))
    page.get_by_role("button", name="+ Add demonstration").click()
    expect(seen).to_have_value(re.compile(r"\| new-[\w-]+::business$"))


def test_ctrl_enter_runs_and_new_outputs_may_be_typed(page: Page) -> None:
    page.keyboard.press("Control+Enter")
    expect(page.get_by_label("Result of demonstration 1", exact=True)).to_have_value("4")
    page.get_by_label("Result of demonstration 1", exact=True).fill("5")
    expect(page.get_by_label("Seen", exact=True)).to_have_value("demo-1:2+2:5")


def test_a_click_on_a_figure_reaches_python_also_after_it_is_replaced(page: Page) -> None:
    def click(place: float) -> None:
        drag = page.locator("#plot .nsewdrag").first
        drag.scroll_into_view_if_needed()
        size = drag.bounding_box()
        page.mouse.move(size["x"] + size["width"] * place, size["y"] + size["height"] * 0.7)
        page.wait_for_function("document.querySelector('#plot .hoverlayer').childElementCount > 0")
        page.mouse.down()
        page.mouse.up()

    page.locator("#plot .nsewdrag").first.wait_for()
    page.wait_for_function(
        "document.querySelector('#plot .js-plotly-plot')?._ev?.listenerCount?.('plotly_click') > 0"
    )
    click(0.75)
    expect(page.get_by_label("Point", exact=True)).to_have_value("b 3 0 1 B")
    page.get_by_role("button", name="Another figure").click()
    expect(page.locator("#plot .xtick")).to_have_count(1)
    click(0.5)
    expect(page.get_by_label("Point", exact=True)).to_have_value("c 5 0 0 None")


def test_a_region_is_painted_erased_and_undone_by_mouse(page: Page) -> None:
    marked = page.get_by_label("Marked", exact=True)
    canvas = page.locator("#paint canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()

    def stroke(*places: tuple[float, float]) -> None:
        for at, (x, y) in enumerate(places):
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
            if at == 0:
                page.mouse.down()
        page.mouse.up()

    stroke((0.25, 0.5), (0.75, 0.5))
    # A disc of 14 % of 80 pixels, drawn 40 pixels far: 40 · 11.2 + π · 5.6², give or take its rim.
    expect(marked).to_have_value(re.compile(r"^(5[3-6]\d) of 1 in \(60, 80\)"))
    whole = marked.input_value()
    page.get_by_role("button", name="Eraser").click()
    stroke((0.4, 0.1), (0.4, 0.9))
    expect(marked).not_to_have_value(whole)
    page.locator("#paint").get_by_role("button", name="Undo").click()
    expect(marked).to_have_value(whole)
    page.get_by_role("button", name="Another picture").click()
    page.get_by_role("button", name="What is marked?").click()
    expect(marked).to_have_value(f"asked: {whole}")  # a new picture of the same size leaves the marks
    page.locator("#paint").get_by_role("button", name="Clear").click()
    expect(marked).to_have_value("nothing")


def test_a_region_is_marked_by_keys_and_by_numbers(page: Page) -> None:
    marked = page.get_by_label("Marked", exact=True)
    page.get_by_label("What the brush marks", exact=True).select_option("2")
    page.locator("#paint canvas").focus()
    page.keyboard.press("Space")
    expect(marked).to_have_value(re.compile(r"^\d+ of 2 in"))
    page.keyboard.press("e")
    page.keyboard.press("Space")
    expect(marked).to_have_value("nothing")
    page.get_by_text("Shapes by numbers").click()
    for name, value in (("Left", "25"), ("Top", "50"), ("Width", "50"), ("Height", "25")):
        page.get_by_label(f"{name}, percent of the side", exact=True).fill(value)
    page.get_by_role("button", name="Mark", exact=True).click()
    expect(marked).to_have_value("600 of 2 in (60, 80), first 30,20")
    page.get_by_label("Width, percent of the side", exact=True).fill("90")
    page.get_by_role("button", name="Mark", exact=True).click()
    expect(page.locator("#paint .lab-paint-told")).to_contain_text("within 0 and 100 %")


def test_a_phone_scrolls_the_matrix_and_not_the_page(browser: Browser, url: str) -> None:
    phone = browser.new_page(viewport={"width": 390, "height": 844})
    phone.goto(url)
    phone.locator("#matrix td[data-column]").first.wait_for()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    assert phone.locator("#matrix .lab-matrix-box").evaluate("box => box.scrollWidth > box.clientWidth")
    phone.close()
