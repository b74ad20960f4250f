"""Clicks on a plotly figure: gradio's Plot reports none, so an invisible part listens for it."""

import json
import re
from pathlib import Path

import gradio as gr

_JS = (Path(__file__).parent / "plot_click.js").read_text(encoding="utf-8")


class PlotClick(gr.HTML):
    """Tell Python which point of a `gr.Plot` was clicked, also after the figure is replaced.

        plot = gr.Plot(figure, elem_id="order-plot", show_label=False)
        click = PlotClick("order-plot")
        def show(event: gr.EventData):
            return f"{event.x}, {event.y}, point {event.point} of curve {event.curve}"
        click.select(show, outputs=panel, trigger_mode="always_last", api_visibility="private")

    The event holds x, y, curve (trace number), point (index in the trace), and data (its customdata) or None.
    What arrives comes from the browser: check it before use.
    """

    def __init__(self, plot_id: str, *, elem_id: str | None = None, render: bool = True):
        if not re.fullmatch(r"[A-Za-z][\w-]*", plot_id):
            raise ValueError(f"plot_id must be the elem_id of a gr.Plot, such as order-plot, got {plot_id!r}")
        self.plot_id = plot_id
        super().__init__(
            "",
            html_template="<span hidden></span>",
            js_on_load=_JS.replace("/*PLOT*/ ''", json.dumps(plot_id)),
            elem_id=elem_id,
            elem_classes=["lab-plot-click"],
            apply_default_css=False,
            render=render,
        )
