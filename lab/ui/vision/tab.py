"""The Vision tab: segment from marked examples, do what a pair shows, find copies; and what flips."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from lab.papers import is_waiting
from lab.ui.people import Lab
from lab.ui.run_controls import ExperimentTab
from lab.ui.vision import copies, disguises, layouts, operations, painter, segment

INTRO = (
    "Mark what is meant in a picture or a few, and it is found in others, without any training. Then hold "
    "the pictures still and rearrange the examples: which pixels flip?"
)


def build(lab: Lab, outer: gr.Tab) -> ExperimentTab:
    """Build the tab inside the current block, which is `outer`."""
    gr.Markdown(INTRO, elem_id="vision-intro")
    tabs: list[tuple[str, ExperimentTab]] = []
    with gr.Tabs(elem_id="vision-tabs", overflow_behavior="wrap") as inner:
        with gr.Tab("Segment", id="segment"):
            segment.build(outer)
        with gr.Tab("Layout lab", id="layouts"):
            tabs.append(("layouts", layouts.build(lab)))
        if not is_waiting("painter"):
            with gr.Tab("Painter", id="painter"):
                painter.build()
            with gr.Tab("Right pair, wrong pair", id="operations"):
                tabs.append(("operations", operations.build(lab)))
        if not is_waiting("anypattern"):
            with gr.Tab("Copies", id="copies"):
                copies.build()
            with gr.Tab("Does a pair help?", id="disguises"):
                tabs.append(("disguises", disguises.build(lab)))
    handles = {
        name: handle._replace(inner={inner: {"selected": place}})
        for place, tab in tabs
        for name, handle in tab.handles.items()
    }
    return ExperimentTab(handles, [each for _, tab in tabs for each in tab.late], _drawn(tabs))


def _drawn(tabs: list[tuple[str, ExperimentTab]]) -> Callable[[], list[Any]]:
    return lambda: [each for _, tab in tabs for each in tab.draw()]
