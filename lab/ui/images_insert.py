"""Put a subject into a picture: attention shifted, nothing tuned; beside it the fill branch alone."""

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr
import numpy as np

from lab.images.concepts import STYLES, concepts
from lab.images.cutout import SHAPES, mask_of, subject_panel
from lab.images.panels import BACKGROUNDS, Panel, draw
from lab.images.pictures import ENDINGS, as_png, panel_of, rgba_of
from lab.images.sampler import Settings
from lab.images.sets import SAME
from lab.ui import running
from lab.ui.images_view import picture_html
from lab.ui.run_controls import HEAVY, LIGHT, QUIET
from lab.ui.running import SAYABLE
from lab.ui.widgets.markup import note

if TYPE_CHECKING:
    from lab.images.brush import Insertion

KEY = "images-insert"
EMPTY = (
    "<p>Press <b>Insert</b>: what is in the hole is drawn twice from the same noise, by the fill branch "
    "alone and with attention shifted toward the subject. Then move the strengths and see when the reading "
    "flips.</p>"
)
_SUBJECT, _PICTURE = ("kangaroo", "flat"), ("car", "flat", "blue")


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
    shape: gr.Radio
    left: gr.Slider
    top: gr.Slider
    width: gr.Slider
    height: gr.Slider


class Strengths(NamedTuple):
    """How it is drawn."""

    image: gr.Slider
    text: gr.Slider
    heads: gr.Slider
    seed: gr.Number
    n_steps: gr.Slider
    guidance: gr.Slider


def build() -> None:
    """Build the sub-tab inside the current block."""
    with gr.Row(equal_height=False, elem_classes="lab-split"):
        with gr.Column(scale=4, min_width=320):
            insert = gr.Button("Insert", variant="primary", elem_id="insert-start")
            controls = _controls()
            strengths = _strengths()
        with gr.Column(scale=6, min_width=320):
            asked = gr.HTML(elem_id="insert-asked", padding=False)
            status = gr.HTML(elem_id="insert-status", padding=False, min_height=24)
            drawn = gr.HTML(EMPTY, elem_id="insert-drawn", padding=False)
    gr.on([each.change for each in controls], _asked_html, list(controls), asked, **QUIET)

    def begun() -> list[Any]:
        return [gr.Button(interactive=False), note("info", "Begins.")]

    def inserted(request: gr.Request, *values: Any) -> Iterator[list[Any]]:
        yield from _inserting(values, request)

    insert.click(begun, None, [insert, status], **LIGHT).then(
        inserted, [*controls, *strengths], [insert, status, asked, drawn], show_progress="hidden", **HEAVY
    )


def _controls() -> Controls:
    words = [concept.word for concept in concepts()]
    with gr.Row():
        subject = gr.Dropdown(
            words, value=_SUBJECT[0], label="Subject", info="What is put in.", elem_id="insert-subject",
            min_width=130,
        )  # fmt: skip
        subject_style = gr.Dropdown(
            list(STYLES), value=_SUBJECT[1], label="Its style", elem_id="insert-subject-style", min_width=100
        )
    with gr.Row():
        picture = gr.Dropdown(
            words, value=_PICTURE[0], label="Picture", info="What it is put into.", elem_id="insert-picture",
            min_width=130,
        )  # fmt: skip
        picture_style = gr.Dropdown(
            list(STYLES), value=_PICTURE[1], label="Its style", elem_id="insert-picture-style", min_width=100
        )
        background = gr.Dropdown(
            list(BACKGROUNDS), value=_PICTURE[2], label="Background", elem_id="insert-background",
            min_width=100,
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
    shape = gr.Radio(list(SHAPES), value=SHAPES[0], label="Hole", elem_id="insert-shape")
    with gr.Row():
        left, top = (_percent(*each) for each in (("Left", 12.5), ("Top", 12.5)))
    with gr.Row():
        width, height = (_percent(*each) for each in (("Width", 75), ("Height", 75)))
    return Controls(
        subject, subject_style, subject_file, picture, picture_style, background, picture_file, text, shape,
        left, top, width, height,
    )  # fmt: skip


def _percent(label: str, value: float) -> gr.Slider:
    return gr.Slider(
        0, 100, value, step=2.5, label=label, info="Percent of the side.", min_width=120,
        elem_id=f"insert-{label.lower()}",
    )  # fmt: skip


def _strengths() -> Strengths:
    image = gr.Slider(
        0, 1, 0.3, step=0.05, label="Shift toward the subject", info="0.3 as published; 0 changes nothing.",
        elem_id="insert-image",
    )  # fmt: skip
    text = gr.Slider(
        0,
        1,
        0.3,
        step=0.05,
        label="Shift toward the caption",
        info="0.3 as published.",
        elem_id="insert-words",
    )
    heads = gr.Slider(
        0, 1, 0.2, step=0.05, label="Weigh the heads", elem_id="insert-heads",
        info="How much the head that reads the caption most is amplified; 0.2 as published.",
    )  # fmt: skip
    with gr.Accordion("How it is drawn", open=False), gr.Row():
        seed = gr.Number(
            1, label="Seed", precision=0, minimum=0, maximum=2**31 - 1, elem_id="insert-seed", min_width=100
        )
        n_steps = gr.Slider(1, 50, 20, step=1, label="Steps", elem_id="insert-steps", min_width=120)
        guidance = gr.Slider(1, 8, 3, step=0.5, label="Guidance", elem_id="insert-guidance", min_width=120)
    return Strengths(image, text, heads, seed, n_steps, guidance)


def insertion_of(values: Any) -> "Insertion":
    """Read the values of `Controls`.

    Raises:
        ValueError: With a sentence for the screen.
    """
    from lab.images.brush import Insertion
    from lab.images.emoji import atlas

    asked = Controls(*values)
    if asked.subject_file:
        path = Path(asked.subject_file)
        subject, told = subject_panel(rgba_of(path.read_bytes(), path.name)), SAME
    else:
        panel = Panel(asked.subject, asked.subject_style)
        subject, told = draw(panel, atlas()), panel.text.replace(panel.word, SAME, 1)
    if asked.picture_file:
        path = Path(asked.picture_file)
        target = panel_of(path.read_bytes(), path.name)
    else:
        target = draw(Panel(asked.picture, asked.picture_style, asked.background, "medium"), atlas())
    box = (float(asked.left), float(asked.top), float(asked.width), float(asked.height))
    return Insertion(subject, target, mask_of(str(asked.shape), *box), str(asked.text or ""), told)


def marked(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Show where the hole is: mid-grey, as the fill branch sees it, uint8, shape (side, side, 3)."""
    return np.where(mask[..., None], np.uint8(128), picture)


def _asked_html(*values: Any) -> str:
    try:
        insertion = insertion_of(values)
    except SAYABLE as error:
        return note("error", str(error))
    figures = [
        picture_html(as_png(insertion.subject), "The subject", "Subject"),
        picture_html(
            as_png(marked(insertion.target, insertion.mask)),
            "The picture with a grey hole",
            "Picture and hole",
        ),
    ]
    return f'<div class="lab-canvases lab-small">{"".join(figures)}</div><p>{escape(insertion.caption)}</p>'


def _inserting(values: Any, request: gr.Request) -> Iterator[list[Any]]:
    """Draw with and without the brush, a yield a picture: button, status, what is asked, what is drawn."""
    from lab.images.brush import BrushStrength, paint
    from lab.images.probe import load_probe
    from lab.images.shelf import load_weighed

    rest = gr.Button(interactive=True)
    n = len(Controls._fields)
    how = Strengths(*values[n:])
    try:
        insertion = insertion_of(values[:n])
        shown = _asked_html(*values[:n])
        chosen = BrushStrength(float(how.image), float(how.text), float(how.heads))
        settings = Settings(int(how.n_steps), float(how.guidance))
        figures: list[str] = []
        read: list[str] = []
        with running.turn(request, KEY):
            yield [gr.skip(), note("info", "Loading the model."), shown, gr.skip()]
            model, probe = load_weighed({}), load_probe()
            for title, strength in (("Fill branch alone", BrushStrength(0, 0, 0)), ("Brush", chosen)):
                drawn = paint(model, insertion, int(how.seed or 0), settings, strength)
                reading = _read(drawn, insertion.mask, probe)
                figures.append(
                    picture_html(as_png(drawn), f"{title}: read as {reading}", title, f"read as {reading}")
                )
                read.append(reading)
                words = "Drawing with the brush." if len(read) == 1 else _finding(read)
                canvases = f'<div class="lab-canvases lab-small">{"".join(figures)}</div>'
                yield [gr.skip(), note("info", words), gr.skip(), canvases]
        yield [rest, gr.skip(), gr.skip(), gr.skip()]
    except SAYABLE as error:
        gr.Warning(str(error))
        yield [rest, note("error", str(error)), gr.skip(), gr.skip()]


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
