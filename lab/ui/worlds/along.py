"""A learner beside exact answers: as its context grows, and on a person's sequence; and a smaller model."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from lab.figures import profile_lines
from lab.ui.opened import Opened
from lab.ui.run_controls import QUIET
from lab.ui.widgets.markup import note
from lab.ui.widgets.plot_click import PlotClick
from lab.ui.worlds.rooms import ROOMS, Room, kept_of, room_of, world_of
from lab.ui.worlds.view import Sight, View
from lab.ui.worlds.watch import NOT_KEPT, plotted
from lab.worlds import world
from lab.worlds.shelf import Kept
from lab.worlds.world import Profile


class Growing:
    """The part that shows what a longer context brings, at any step of the training."""

    @staticmethod
    def suits(room: Room) -> bool:
        """Tell whether a world draws a profile."""
        return room.has_profile

    @staticmethod
    def build(opened: gr.State) -> View:
        """Place the part inside the current block."""
        step = training("worlds-profile-step")
        told = gr.HTML(elem_id="worlds-profile-told", padding=False)
        plot = gr.Plot(show_label=False, label="As the context grows", elem_id="worlds-profile")

        def draw(run: Opened | None, share: float) -> list[Any]:
            return drawn(run, Growing.suits, lambda kept: _figure(profile_of(kept, share)))

        step.change(draw, [opened, step], [told, plot], **QUIET)
        return View([step], [told, plot], lambda sight, share: draw(sight.run, share))


class Toy:
    """The part that shows the same learned by a model of a few numbers; it needs no learner."""

    @staticmethod
    def suits(room: Room) -> bool:
        """Tell whether a world's paper has such a model."""
        return room.has_toy

    @staticmethod
    def build(opened: gr.State) -> View:
        """Place the part inside the current block."""
        plot = gr.Plot(show_label=False, label="A model of a few numbers", elem_id="worlds-toy")

        def show(sight: Sight) -> list[Any]:
            found = world_of(sight.run).toy() if sight.run is not None else None
            return [plotted(_figure(found))]

        return View([], [plot], show)


class Own:
    """The part that answers a sequence of a person's own."""

    @staticmethod
    def suits(room: Room) -> bool:
        """Tell whether a world takes sequences of a person's own."""
        return room.world.own is not None

    @staticmethod
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
            return drawn(run, Own.suits, lambda kept: _figure(told_of(kept, share, written), is_clicked))

        def add(run: Opened | None, written: str, event: gr.EventData) -> str:
            own = room_of(run).world.own if run is not None else None
            return written if own is None else added(own, written, event.x, event.y)

        gr.on([text.input, text.submit, step.change], draw, [opened, text, step], [told, plot], **QUIET)
        clicked.select(add, [opened, text], text, **QUIET).then(
            draw, [opened, text, step], [told, plot], **QUIET
        )
        return View([text, step], [text, told, plot], show)


def added(own: world.Own, written: str, x: Any, y: Any) -> str:
    """Add to a sequence what a click at a place means; what can't be meant adds nothing.

    >>> added(world.Own("Points", "x:y", "0:1", " {x:.1f}:{y:.1f}"), "0:1", 2.04, -0.5)
    '0:1 2.0:-0.5'
    """
    try:
        return (written + own.click.format(x=x, y=y)).strip()
    except (ValueError, TypeError):  # words where numbers are meant: it came from a browser
        return written


def profile_of(kept: Kept, share: float) -> Profile | None:
    """Return the profile of a learner as it was at a share of its training."""
    import torch

    step, learner = kept.at(share)
    with torch.no_grad():
        found = kept.world.profile(learner)
    return _at(found, step, kept)


def told_of(kept: Kept, share: float, text: str) -> Profile | None:
    """Return what a learner says of a text, as it was at a share of its training.

    Raises:
        ValueError: The text can't be read; says how it is written.
    """
    import torch

    step, learner = kept.at(share)
    with torch.no_grad():
        found = kept.world.told(learner, text)
    return _at(found, step, kept)


def _at(found: Profile | None, step: int, kept: Kept) -> Profile | None:
    """Name the step in a title where it isn't the last."""
    if found is None or step == kept.snapshots.steps[-1]:
        return found
    return found._replace(title=f"After {step:,} steps: {found.title}")


def drawn(run: Opened | None, suits: Callable[[Room], bool], figure_of: Callable[[Kept], Any]) -> list[Any]:
    """Return what is told, and what is drawn, of a run's learner.

    Args:
        run: The run on screen.
        suits: For which worlds there is something to draw.
        figure_of: Draws it; None hides the plot, and the message of a ValueError is told.
    """
    if run is None or not suits(room_of(run)):
        return ["", plotted(None)]
    kept = kept_of(run)
    if kept is None:
        return [note("info", NOT_KEPT), plotted(None)]
    try:
        return ["", plotted(figure_of(kept))]
    except ValueError as error:
        return [note("warn", str(error)), plotted(None)]


def _figure(found: Profile | None, is_clicked: bool = False) -> Any:
    if found is None:
        return None
    return profile_lines(
        found.x, found.lines, found.title, found.x_title, found.y_title, found.points, is_clicked
    )


def training(elem_id: str) -> gr.Slider:
    """Place a slider over the training, 0 to 1."""
    return gr.Slider(
        0, 1, 1, step=0.01, label="Training", elem_id=elem_id,
        info="From the first step to the last: what it was on the way.",
    )  # fmt: skip
