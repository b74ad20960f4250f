"""The Compose tab without a browser: undo, and picking a query of the task."""

from dataclasses import replace

import gradio as gr
import pytest

from lab.ui.compose import Seen, look, undo
from lab.ui.compose_fields import query_choices, query_text
from lab.ui.composed import Composed

FIRST = Composed("topic", "smollm2-135m", (("A", "World"), ("B", "Sports")), "C", "sum")
SECOND = replace(FIRST, demos=(("B", "Sports"), ("A", "World")))


def on_screen(composed: Composed) -> list:
    rows = [{"input": i, "output": o} for i, o in composed.demos]
    return [
        composed.task, composed.model, rows, composed.query, composed.slot, composed.instruction,
        composed.scoring,
    ]  # fmt: skip


@pytest.mark.parametrize("history", [[FIRST, SECOND], [FIRST]], ids=["seen", "not seen yet"])
def test_undo_goes_back_whether_or_not_the_change_was_seen(history):
    past, _, _, demos, query, *_ = undo(Seen(history, 7.0), *on_screen(SECOND))
    assert past == Seen([FIRST], 7.0) and query == "C"
    assert [item["input"] for item in demos["items"]] == ["A", "B"]


def test_there_may_be_nothing_to_undo():
    history, *updates = undo(Seen([FIRST], 0.0), *on_screen(FIRST))
    assert history == Seen([FIRST], 0.0) and len(updates) == 8


def test_a_request_that_was_overtaken_changes_nothing_that_a_newer_one_has_shown():
    newest, preview, stale = look(Seen([FIRST], 0.0), FIRST, 20.0, *on_screen(SECOND))
    assert newest == Seen([FIRST, SECOND], 20.0) and preview and "ask again" in stale
    assert look(newest, FIRST, 10.0, *on_screen(FIRST)) == (gr.skip(), gr.skip(), gr.skip())
    back, _, stale = look(newest, FIRST, 30.0, *on_screen(FIRST))
    assert back.prompts[-1] == FIRST and stale == ""


def test_a_query_is_picked_by_its_id():
    label, query_id = query_choices("topic")[0]
    assert query_text("topic", query_id).startswith(label[:40])
    assert query_text("topic", "no such query") is None
