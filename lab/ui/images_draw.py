"""Draw a set: the joint caption, previews while it comes, candidates with the best in front."""

import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

import gradio as gr

from lab.images.model import EMBEDDED_ID
from lab.images.pictures import as_png
from lab.images.studio import drawing
from lab.ui import running
from lab.ui.images_form import Form, fill, form, loras_for, order_of, shown_panels
from lab.ui.images_view import caption_html, drawn_html, picture_html
from lab.ui.run_controls import HEAVY, LIGHT, QUIET
from lab.ui.running import SAYABLE, say
from lab.ui.widgets.markup import note

KEY = "images-draw"
MAX_HISTORY = 12
EMPTY = (
    "<p>Press <b>Draw</b>: the panels come out of noise together, from one caption. "
    "Then take the LoRA away, or move the texts, and see what flips.</p>"
)


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
            with gr.Accordion("Drawn before, in this visit", open=False):
                earlier = gr.HTML("<p>Nothing yet.</p>", elem_id="images-earlier", padding=False)
    history = gr.State([])
    _wire_form(controls, caption)
    buttons = [draw, stop, status]

    def pressed(request: gr.Request) -> list[Any]:
        running.announce(request, KEY)
        return [gr.Button(interactive=False), gr.Button(interactive=True), note("info", "Begins.")]

    def drawn(kept: list[str], request: gr.Request, *values: Any) -> Iterator[list[Any]]:
        yield from _drawing(kept, values, request)

    draw.click(pressed, None, buttons, **LIGHT).then(
        drawn, [history, *controls.inputs], [*buttons, canvases, earlier, history],
        show_progress="hidden", **HEAVY,
    )  # fmt: skip

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


def _drawing(kept: list[str], values: Any, request: gr.Request) -> Iterator[list[Any]]:
    """Draw, a yield a preview: run button, stop button, status, canvases, earlier ones, history."""
    rest = [gr.Button(interactive=True), gr.Button(interactive=False)]
    try:
        asked = order_of(values)
        with running.turn(request, KEY) as stopping:
            yield [gr.skip(), gr.skip(), note("info", "Loading the model."), gr.skip(), gr.skip(), gr.skip()]
            last = None
            for last in _steps(asked, stopping):
                words = f"Step {last.step} of {last.n_steps}."
                yield [
                    gr.skip(), gr.skip(), note("info", words), drawn_html(last, asked.order), gr.skip(),
                    gr.skip(),
                ]  # fmt: skip
        if last is None or not last.is_done:
            yield [*rest, note("warn", "Stopped; what had come is shown."), gr.skip(), gr.skip(), gr.skip()]
            return
        best = asked.order.grid.join(last.panels[0])
        figure = picture_html(
            as_png(best), asked.order.caption, "", f"{asked.order.caption} · seed {last.seeds[0]}"
        )
        kept = [figure, *kept][:MAX_HISTORY]
        shown = f'<div class="lab-canvases lab-small">{"".join(kept)}</div>'
        yield [*rest, note("info", "Done."), drawn_html(last, asked.order), shown, kept]
    except SAYABLE as error:
        gr.Warning(str(error))
        yield [*rest, note("error", str(error)), gr.skip(), gr.skip(), gr.skip()]


def _steps(asked: Any, stopping: threading.Event) -> Iterator[Any]:
    from lab.images.hub import load_weighed_hub
    from lab.images.probe import load_probe
    from lab.images.shelf import load_weighed

    if asked.model_id == EMBEDDED_ID:
        model, probe = load_weighed(asked.loras), load_probe()
    else:
        model, probe = load_weighed_hub(asked.model_id, asked.loras), None
    for drawn in drawing(model, asked.order, probe):
        yield drawn
        if stopping.is_set():
            return
