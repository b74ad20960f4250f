"""Draw a set: the joint caption, previews while it comes, candidates with the best in front."""

import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

import gradio as gr
import numpy as np
from PIL import Image

from lab.images.model import EMBEDDED_ID
from lab.images.studio import Drawn, Order, drawing
from lab.ui import running
from lab.ui.images.form import (
    GRIDS,
    MAX_PANELS,
    MODE_TITLES,
    N_ASKED,
    Asked,
    Form,
    fill,
    form,
    loras_for,
    order_of,
    shown_panels,
)
from lab.ui.images.view import caption_html, drawn_html
from lab.ui.run_controls import HEAVY, LIGHT, QUIET
from lab.ui.running import SAYABLE, say
from lab.ui.widgets.markup import note
from lab.ui.widgets.pictures import grid_html

KEY = "images-draw"
MAX_HISTORY = 12
SHOWN = 256
EMPTY = (
    "<p>Press <b>Draw</b>: the panels come out of noise together, from one caption. "
    "Then take the LoRA away, or move the texts, and see what flips.</p>"
)


class Kept(NamedTuple):
    """A set that was drawn, uint8, shape (height, width, 3), and what was asked for."""

    picture: np.ndarray
    title: str
    values: tuple[Any, ...]


class DrawTab(NamedTuple):
    """What other parts of the page need."""

    form: Form


def build() -> DrawTab:
    """Build the sub-tab inside the current block."""
    with gr.Row(equal_height=False, elem_classes="lab-split"):
        with gr.Column(scale=4, min_width=320):
            with gr.Row():
                draw = gr.Button("Draw", variant="primary", elem_id="images-draw", min_width=120, scale=2)
                stop = gr.Button(
                    "Stop", variant="stop", elem_id="images-stop", interactive=False, min_width=80
                )
            controls = form()
        with gr.Column(scale=6, min_width=320):
            caption = gr.HTML(elem_id="images-caption", padding=False)
            status = gr.HTML(elem_id="images-status", padding=False, min_height=24)
            canvases = gr.HTML(EMPTY, elem_id="images-canvases", padding=False)
            earlier = gr.Gallery(
                label="Drawn in this visit: choose one to have its settings back", visible=False, columns=4,
                height=230, object_fit="contain", allow_preview=False, elem_id="images-earlier",
            )  # fmt: skip
    history = gr.State([])
    _wire_form(controls, caption)
    buttons = [draw, stop, status]

    def pressed(request: gr.Request) -> list[Any]:
        running.announce(request, KEY)
        return [gr.Button(interactive=False), gr.Button(interactive=True), note("info", "Begins.")]

    def drawn(kept: list[Kept], request: gr.Request, *values: Any) -> Iterator[list[Any]]:
        yield from _drawing(kept, values, request)

    draw.click(pressed, None, buttons, **LIGHT).then(
        drawn, [history, *controls.inputs], [*buttons, canvases, earlier, history],
        show_progress="hidden", **HEAVY,
    )  # fmt: skip

    def back(kept: list[Kept], event: gr.SelectData) -> list[Any]:
        return restored(kept, event.index)

    earlier.select(back, history, controls.asked, **QUIET)

    def stopped(request: gr.Request) -> str:
        running.stop(request, KEY)
        return note("info", "Stopping after this step.")

    stop.click(stopped, None, status, **LIGHT)
    return DrawTab(controls)


def _wire_form(controls: Form, caption: gr.HTML) -> None:
    def told(*values: Any) -> str:
        try:
            # only the words count here: the rest as if untouched
            order = order_of([*values, "", 1, "", 1, 0, 1, 20, 3, "blend", EMBEDDED_ID]).order
        except SAYABLE as error:
            return note("error", say(error))
        return caption_html(order.caption, order.findings())

    filled = [controls.grid, controls.summary, *controls.texts, *controls.given, controls.lora]

    def take(task_id: str) -> list[Any]:
        updates = fill(controls, task_id)
        return [updates.get(component, gr.skip()) for component in filled]

    def panels(grid_name: str) -> list[Any]:
        updates = shown_panels(controls, grid_name)
        return [updates[component] for component in [*controls.texts, *controls.given]]

    controls.model.input(loras_for, controls.model, [controls.lora, controls.second], **QUIET)
    controls.example.input(take, controls.example, filled, **QUIET)
    controls.grid.input(panels, controls.grid, [*controls.texts, *controls.given], **QUIET)
    gr.on([each.change for each in controls.worded], told, controls.worded, caption, **QUIET)
    caption.value = told(*(each.value for each in controls.worded))


def restored(kept: list[Kept], place: Any) -> list[Any]:
    """Return the settings that a set was drawn with, for `Form.asked`; what a browser says is looked up."""
    if not isinstance(place, int) or not 0 <= place < len(kept):
        return [gr.skip()] * N_ASKED
    grid, summary, *rest = kept[place].values
    texts, (lora, strength, second, second_strength, *others) = rest[:MAX_PANELS], rest[MAX_PANELS:]
    loras = loras_for(others[-1], (lora, second))
    n_panels = GRIDS[grid].n_panels
    return [
        grid, summary, *(gr.Textbox(text, visible=number < n_panels) for number, text in enumerate(texts)),
        loras[0], strength, loras[1], second_strength, *others,
    ]  # fmt: skip


def _drawing(kept: list[Kept], values: Any, request: gr.Request) -> Iterator[list[Any]]:
    """Draw, a yield a preview: run button, stop button, status, canvases, earlier ones, history."""
    rest = [gr.Button(interactive=True), gr.Button(interactive=False)]
    unchanged = [gr.skip()] * 3
    try:
        asked = order_of(values)
        finished: list[Drawn] = []
        with running.turn(request, KEY) as stopping:
            yield [gr.skip(), gr.skip(), note("info", "Loading the model."), *unchanged]
            done = ""
            for order, drawn in _steps(asked, stopping):
                title = _title(asked, order)
                figures = drawn_html(drawn, order, title)
                words = f"{title}: step" if title else "Step"
                yield [
                    gr.skip(), gr.skip(), note("info", f"{words} {drawn.step} of {drawn.n_steps}."),
                    grid_html([done, figures], ""), gr.skip(), gr.skip(),
                ]  # fmt: skip
                if drawn.is_done:
                    done += figures
                    finished.append(drawn)
        if len(finished) < len(asked.orders):
            yield [*rest, note("warn", "Stopped; what had come is shown."), *unchanged]
            return
        asked_for = tuple(values[:N_ASKED])
        new = [
            Kept(
                _small(order.grid.join(drawn.panels[0])),
                _title(asked, order) or f"seed {drawn.seeds[0]}",
                asked_for,
            )
            for order, drawn in zip(asked.orders, finished, strict=True)
        ]
        kept = [*new, *kept][:MAX_HISTORY]
        shown = gr.Gallery([(each.picture, each.title) for each in kept], visible=True)
        yield [*rest, note("info", "Done."), gr.skip(), shown, kept]
    except SAYABLE as error:
        gr.Warning(str(error))
        yield [*rest, note("error", str(error)), *unchanged]


def _title(asked: Asked, order: Order) -> str:
    return MODE_TITLES[order.mode] if len(asked.orders) > 1 else ""


def _small(picture: np.ndarray) -> np.ndarray:
    """Scale a picture down to what a gallery shows: a visit keeps a dozen of them."""
    image = Image.fromarray(picture)
    image.thumbnail((SHOWN, SHOWN))
    return np.asarray(image)


def _steps(asked: Asked, stopping: threading.Event) -> Iterator[tuple[Order, Drawn]]:
    from lab.images.hub import load_weighed_hub
    from lab.images.probe import load_probe
    from lab.images.shelf import load_weighed

    if asked.model_id == EMBEDDED_ID:
        model, probe = load_weighed(asked.loras), load_probe()
    else:
        model, probe = load_weighed_hub(asked.model_id, asked.loras), None
    for order in asked.orders:
        for drawn in drawing(model, order, probe):
            yield order, drawn
            if stopping.is_set():
                return
