"""Two answers side by side: what is said of them, and that the stored prompt is shown as it was."""

import re
from html import unescape

import pytest
from position_run import keep_position_run

from lab.experiments.setting import sample_queries
from lab.tasks import load_task
from lab.ui.drilldown import cell_html, comparison_html, located
from lab.ui.opened import Opened
from lab.ui.people import Lab


@pytest.fixture
def store(own_lab_home):
    return Lab.here().store_for(None)


@pytest.fixture
def run_id(store) -> str:
    return keep_position_run(store)


@pytest.fixture
def flipped(store, run_id) -> str:
    table = store.predictions(run_id)
    wrong = table[(table["layout"] == "eum") & (table["correct"] == 0) & table["gold"].ne("")]
    return wrong["query_id"].iloc[0]


def test_a_flip_is_named_with_both_answers_and_its_near_tie(store, run_id, flipped):
    html = unescape(cell_html(store, run_id, flipped, "eum", "sum"))
    assert "“World” under eum: a flip, right→wrong" in html
    assert "Under eum it is a near-tie" in html
    assert html.count('class="lab-side"') == 2


def test_the_reference_itself_is_shown_beside_the_layout_that_differs(store, run_id, flipped):
    assert "under eum" in cell_html(store, run_id, flipped, "sum", "sum")


def test_what_a_browser_sends_is_checked(store, run_id):
    for query, layout in (("<b>", "sum"), ("q0", "<b>"), (None, None)):
        html = cell_html(store, run_id, query, layout, "sum")
        assert "not answered under both layouts" in html and "<b>" not in html


@pytest.mark.parametrize("layout", ["none", "sum", "eum"])
def test_every_block_of_a_stored_prompt_is_found(store, run_id, layout):
    query = sample_queries(load_task("topic"), 16, 0)[1]
    text = store.prompts(run_id).set_index(["query_id", "layout"]).loc[(query.id, layout), "prompt"]
    prompt = located(Opened.stored(store, run_id), text, query.id, layout)
    assert "".join(span.block.text for span in prompt.spans) == text
    kinds = [span.block.kind for span in prompt.spans]
    assert kinds.count("demonstration") == (0 if layout == "none" else 4)
    assert kinds.count("query") == kinds.count("instruction") == 1


def test_a_prompt_whose_task_is_gone_is_shown_whole(store, run_id):
    opened = Opened.stored(store, run_id)
    prompt = located(opened, "a prompt", "no such query", "sum")
    assert [span.block.text for span in prompt.spans] == ["a prompt"]


def test_text_is_escaped(store):
    bad = "<img src=x onerror=alert(1)>"
    run_id = keep_position_run(store, instruction=bad)
    query = sample_queries(load_task("topic"), 16, 0)[0]
    html = comparison_html(Opened.stored(store, run_id), store, None, query.id, "eum", "sum")
    assert bad not in html and bad in unescape(re.sub(r"<[^>]+>", "", html))
