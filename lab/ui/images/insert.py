"""Put a subject into a picture: attention shifted, nothing tuned; beside it the fill branch alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr
import numpy as np

from lab.images.brush_study import MASK
from lab.images.caption import compose
from lab.images.cutout import cut_out, fitted, subject_panel
from lab.images.grid import STACK
from lab.images.panels import BACKGROUNDS, Panel, draw
from lab.images.pictures import ENDINGS, as_png, panel_of, rgba_of
from lab.images.sampler import Settings
from lab.images.sets import SAME
from lab.ui import running
from lab.ui.images.settings import drawing_choice, guidance_slider, seed_number, steps_slider
from lab.ui.run_controls import HEAVY, LIGHT, QUIET
from lab.ui.running import SAYABLE
from lab.ui.widgets.markup import note
from lab.ui.widgets.mask_paint import MaskPaint, paint_value
from lab.ui.widgets.pictures import grid_html, picture_html

if TYPE_CHECKING:
    from lab.images.brush import Insertion

KEY = "images-insert"
EMPTY = (
    "<p>Press <b>Insert</b>: what is in the hole is drawn twice from the same noise, by the fill branch "
    "alone and with attention shifted toward the subject. Then move the strengths and see when the reading "
    "flips.</p>"
)
_SUBJECT, _PICTURE, _BACKGROUND = ("kangaroo", "flat"), ("car", "flat"), "blue"


class Controls(NamedTuple):
    """What is asked for, in the order that `insertion_of` reads."""

    subject: gr.Dropdown
    subject_style: gr.Dropdown
    subject_file: gr.File
    picture: gr.Dropdown
    picture_style: gr.Dropdown
    background: gr.Dropdown
    picture_file: gr.File
    text: gr.Textbox
    hole: MaskPaint


class Strengths(NamedTuple):
    """How it is drawn."""

    image: gr.Slider
    text: gr.Slider
    heads: gr.Slider
    seed: gr.Number
    n_steps: gr.Slider
    guidance: gr.Slider


def build(tab: gr.Tab) -> None:
    """Build the sub-tab inside the current block, which is `tab`."""
    with gr.Row(equal_height=False, elem_classes="lab-split"):
        with gr.Column(scale=4, min_width=320):
            insert = gr.Button("Insert", variant="primary", elem_id="insert-start")
            controls = _controls()
            strengths = _strengths()
        with gr.Column(scale=6, min_width=320):
            asked = gr.HTML(elem_id="insert-asked", padding=False)
            status = gr.HTML(elem_id="insert-status", padding=False, min_height=24)
            drawn = gr.HTML(EMPTY, elem_id="insert-drawn", padding=False)
    *shown, hole = controls
    gr.on([tab.select, *(each.change for each in shown)], _asked, shown, [asked, hole], **QUIET)

    def begun() -> list[Any]:
        return [gr.Button(interactive=False), note("info", "Begins.")]

    def inserted(request: gr.Request, *values: Any) -> Iterator[list[Any]]:
        yield from _inserting(values, request)

    insert.click(begun, None, [insert, status], **LIGHT).then(
        inserted, [*controls, *strengths], [insert, status, drawn], show_progress="hidden", **HEAVY
    )


def _controls() -> Controls:
    with gr.Row():
        subject = drawing_choice("Subject", "What is put in.", *_SUBJECT, "insert-subject")
    with gr.Row():
        picture = drawing_choice("Picture", "What it is put into.", *_PICTURE, "insert-picture")
        background = gr.Dropdown(
            list(BACKGROUNDS), value=_BACKGROUND, label="Background", info="Of the picture.",
            elem_id="insert-background", min_width=100,
        )  # fmt: skip
    with gr.Accordion("Pictures of your own", open=False):
        subject_file = gr.File(
            label="Subject, on a plain or transparent ground", file_types=list(ENDINGS), height=90,
            elem_id="insert-subject-file",
        )  # fmt: skip
        picture_file = gr.File(
            label="Picture that it is put into", file_types=list(ENDINGS), height=90,
            elem_id="insert-picture-file",
        )  # fmt: skip
    text = gr.Textbox(
        f"{SAME}, flat style, blue background", label="Text of the finished picture", max_length=200,
        info=f'With "{SAME}" only the subject\'s panel tells what to draw; name the subject to help.',
        elem_id="insert-text",
    )  # fmt: skip
    hole = MaskPaint(
        paint_value(None, MASK.astype(np.uint8)), labels=["hole"], elem_id="insert-hole",
        label="The picture: paint the hole that the subject is to fill",
    )  # fmt: skip
    return Controls(*subject, subject_file, *picture, background, picture_file, text, hole)


def _strengths() -> Strengths:
    image = gr.Slider(
        0, 1, 0.3, step=0.05, label="Shift toward the subject", info="0.3 as published; 0 changes nothing.",
        elem_id="insert-image",
    )  # fmt: skip
    text = gr.Slider(
        0, 1, 0.3, step=0.05, label="Shift toward the caption", info="0.3 as published.",
        elem_id="insert-words",
    )  # fmt: skip
    heads = gr.Slider(
        0, 1, 0.2, step=0.05, label="Weigh the heads", elem_id="insert-heads",
        info="How much the head that reads the caption most is amplified; 0.2 as published.",
    )  # fmt: skip
    with gr.Accordion("How it is drawn", open=False), gr.Row():
        seed = seed_number("insert-seed", 1)
        n_steps = steps_slider("insert-steps")
        guidance = guidance_slider("insert-guidance")
    return Strengths(image, text, heads, seed, n_steps, guidance)


def subject_of(values: Any) -> tuple[np.ndarray, str]:
    """Return the subject's panel, uint8, shape (side, side, 3), and its text.

    Raises:
        ValueError: With a sentence for the screen.
    """
    from lab.images.emoji import atlas

    word, style, file = values[:3]
    if file:
        path = Path(file)
        return subject_panel(rgba_of(path.read_bytes(), path.name)), SAME
    panel = Panel(word, style)
    return draw(panel, atlas()), panel.text.replace(panel.word, SAME, 1)


def picture_of(values: Any) -> np.ndarray:
    """Return the picture that it is put into, uint8, shape (side, side, 3).

    Raises:
        ValueError: With a sentence for the screen.
    """
    from lab.images.emoji import atlas

    word, style, ground, file = values[3:7]
    if file:
        path = Path(file)
        return panel_of(path.read_bytes(), path.name)
    return draw(Panel(word, style, ground, "medium"), atlas())


def insertion_of(values: Any) -> "Insertion":
    """Read the values of `Controls`.

    Raises:
        ValueError: With a sentence for the screen.
    """
    from lab.images.brush import Insertion

    subject, told = subject_of(values)
    target, hole = picture_of(values), values[8]
    if hole is None:
        raise ValueError("nothing is marked: paint the hole, or mark a shape by numbers")
    if hole.shape != target.shape[:2]:
        raise ValueError("the hole is of another picture: clear it, and paint it anew")
    return Insertion(fitted(cut_out(subject), hole > 0), target, hole > 0, str(values[7] or ""), told)


def _asked(*values: Any) -> list[Any]:
    """Show the subject and the caption, and the picture under the hole."""
    try:
        subject, told = subject_of(values)
        picture = picture_of(values)
    except SAYABLE as error:
        return [note("error", str(error)), gr.skip()]
    caption = compose([told, str(values[7] or "")], STACK)
    figure = picture_html(as_png(subject), "The subject", "Subject", caption)
    return [grid_html([figure]), paint_value(picture)]


def _inserting(values: Any, request: gr.Request) -> Iterator[list[Any]]:
    """Draw with and without the brush, a yield a picture: button, status, what is drawn."""
    from lab.images.brush import BrushStrength, paint
    from lab.images.probe import load_probe
    from lab.images.shelf import load_weighed

    rest = gr.Button(interactive=True)
    n = len(Controls._fields)
    how = Strengths(*values[n:])
    try:
        insertion = insertion_of(values[:n])
        chosen = BrushStrength(float(how.image), float(how.text), float(how.heads))
        settings = Settings(int(how.n_steps), float(how.guidance))
        figures: list[str] = []
        read: list[str] = []
        with running.turn(request, KEY):
            yield [gr.skip(), note("info", "Loading the model."), gr.skip()]
            model, probe = load_weighed({}), load_probe()
            for title, strength in (("Fill branch alone", BrushStrength(0, 0, 0)), ("Brush", chosen)):
                drawn = paint(model, insertion, int(how.seed or 0), settings, strength)
                reading = _read(drawn, insertion.mask, probe)
                figures.append(
                    picture_html(as_png(drawn), f"{title}: read as {reading}", title, f"read as {reading}")
                )
                read.append(reading)
                words = "Drawing with the brush." if len(read) == 1 else _finding(read)
                canvases = grid_html(figures, "small")
                yield [gr.skip(), note("info", words), canvases]
        yield [rest, gr.skip(), gr.skip()]
    except SAYABLE as error:
        gr.Warning(str(error))
        yield [rest, note("error", str(error)), gr.skip()]


def _read(picture: np.ndarray, mask: np.ndarray, probe: Any) -> str:
    from lab.images.brush_study import crop
    from lab.images.measures import EMPTY as IS_EMPTY
    from lab.images.probe import read_panels

    reading = read_panels(crop(picture, mask)[None], probe)
    return "nothing" if reading.p_empty[0] >= IS_EMPTY else f"{reading.words[0]}, {reading.styles[0]}"


def _finding(read: list[str]) -> str:
    if read[0] == read[1]:
        return f"No flip: with and without the brush the hole is read as {read[0]}."
    return f"A flip: the fill branch alone is read as {read[0]}, with the brush as {read[1]}."
