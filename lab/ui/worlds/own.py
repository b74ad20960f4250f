"""A sequence of a person's own: what the learner, and what exact answers, say of it at any step."""

from typing import Any

import gradio as gr

from lab.ui.opened import Opened
from lab.ui.run_controls import QUIET
from lab.ui.widgets.plot_click import PlotClick
from lab.ui.worlds.along import drawn, figure_of, title_at, training
from lab.ui.worlds.rooms import ROOMS, Room, room_of
from lab.ui.worlds.view import Sight, View
from lab.ui.worlds.watch import plotted
from lab.worlds.shelf import Kept
from lab.worlds.world import Own, Profile


def suits(room: Room) -> bool:
    """Tell whether a world takes sequences of a person's own."""
    return room.world.own is not None


def build(opened: gr.State) -> View:
    """Place the part inside the current block."""
    text = gr.Textbox("", label="A sequence of your own", lines=2, elem_id="worlds-own")
    step = training("worlds-own-step")
    told = gr.HTML(elem_id="worlds-own-told", padding=False)
    plot = gr.Plot(show_label=False, label="What it says", elem_id="worlds-own-plot")
    clicked = PlotClick("worlds-own-plot")

    def show(sight: Sight, written: str, share: float) -> list[Any]:
        own = room_of(sight.run).world.own if sight.run is not None else None
        if own is None:
            return [gr.skip(), "", plotted(None)]
        examples = {each.world.own.example for each in ROOMS if each.world.own is not None}
        if not written.strip() or written in examples:
            written = own.example
        field = gr.Textbox(written, label=own.label, info=own.info)
        return [field, *draw(sight.run, written, share)]

    def draw(run: Opened | None, written: str, share: float) -> list[Any]:
        is_clicked = run is not None and bool(room_of(run).world.own and room_of(run).world.own.click)
        return drawn(run, suits, lambda kept: figure_of(told_of(kept, share, written), is_clicked))

    def add(run: Opened | None, written: str, event: gr.EventData) -> str:
        own = room_of(run).world.own if run is not None else None
        return written if own is None else added(own, written, event.x, event.y)

    gr.on([text.input, text.submit, step.change], draw, [opened, text, step], [told, plot], **QUIET)
    clicked.select(add, [opened, text], text, **QUIET).then(draw, [opened, text, step], [told, plot], **QUIET)
    return View([text, step], [text, told, plot], show)


def added(own: Own, written: str, x: Any, y: Any) -> str:
    """Add to a sequence what a click at a place means; what can't be meant adds nothing.

    >>> added(Own("Points", "x:y", "0:1", " {x:.1f}:{y:.1f}"), "0:1", 2.04, -0.5)
    '0:1 2.0:-0.5'
    """
    try:
        return (written + own.click.format(x=x, y=y)).strip()
    except (ValueError, TypeError):  # words where numbers are meant: it came from a browser
        return written


def told_of(kept: Kept, share: float, text: str) -> Profile:
    """Return what a learner says of a text, as it was at a share of its training.

    Raises:
        ValueError: The text can't be read; says how it is written.
    """
    import torch

    step, learner = kept.at(share)
    with torch.no_grad():
        found = kept.world.told(learner, text)
    return found._replace(title=title_at(found.title, step, kept))
