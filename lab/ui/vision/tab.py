"""The Vision tab: segment from marked examples, and what flips when the examples change."""

import gradio as gr

from lab.ui.people import Lab
from lab.ui.run_controls import NO_TAB, ExperimentTab
from lab.ui.vision import segment

INTRO = (
    "Mark what is meant in a picture or a few; it is found in others, without any training. Then hold the "
    "pictures still and rearrange the examples: which pixels flip?"
)


def build(lab: Lab, outer: gr.Tab) -> ExperimentTab:
    """Build the tab inside the current block, which is `outer`."""
    gr.Markdown(INTRO, elem_id="vision-intro")
    with gr.Tabs(elem_id="vision-tabs", overflow_behavior="wrap"), gr.Tab("Segment", id="segment"):
        segment.build(outer)
    return NO_TAB
