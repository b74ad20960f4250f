"""Painter: show a picture before and after, and have the same done to other pictures."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
import numpy as np

from lab.images.pictures import ENDINGS, as_png
from lab.ui import running
from lab.ui.images.settings import seed_number
from lab.ui.run_controls import HEAVY, LIGHT, QUIET
from lab.ui.running import SAYABLE
from lab.ui.widgets.markup import note
from lab.ui.widgets.mask_paint import MaskPaint, paint_value
from lab.ui.widgets.pictures import grid_html, picture_html
from lab.vision.files import picture_of
from lab.vision.operations import (
    Operation,
    find_operation,
    fitting_view,
    operations,
    random_palette,
    telling_view,
)
from lab.vision.painted import Case, case_of, nearest, quality
from lab.vision.painter import Pair, load_painter, paint

KEY = "painter"
N_PICTURES = 3
SHOWN, DRAWN, FILES = "an operation of the lab", "what I mark", "my own pictures"
GROUND, MARK = (30, 40, 60), (250, 200, 40)
EMPTY = (
    "<p>Press <b>Paint</b>: what the pair shows is done to other pictures, after one pair, after two, and "
    "after a wrong one. If the wrong pair gives the same, the pair was not read.</p>"
)


class Form(NamedTuple):
    """What is asked for; the last two are seen with the source that they belong to."""

    source: gr.Radio
    operation: gr.Dropdown
    wrong: gr.Dropdown
    seed: gr.Number
    marks: MaskPaint
    before: gr.File
    after: gr.File
    pictures: gr.File
    if_drawn: gr.Column
    if_files: gr.Column

    @property
    def values(self) -> list[Any]:
        """Return what holds a value, in the order in which `work_of` reads them."""
        return [part for part in self if not isinstance(part, gr.Column)]


class Work(NamedTuple):
    """Pairs and the pictures that they are asked of.

    Args:
        pairs: By what they are called; the first is the right one.
        pictures: Uint8, shape (height, width, 3) each.
        cases: The same as cases, where it is known what should become of them.
    """

    pairs: dict[str, list[Pair]]
    pictures: list[np.ndarray]
    cases: list[Case | None]


class Scored(NamedTuple):
    """How near what was painted is to what is wanted.

    Args:
        found: The operation whose result is nearest.
        is_right: Whether that is what was asked.
        measure: "IoU", or "PSNR" in decibels.
        value: Of the measure.
    """

    found: Operation
    is_right: bool
    measure: str
    value: float

    @property
    def form(self) -> str:
        """Say how the value is written."""
        return ".2f" if self.measure == "IoU" else ".0f"

    @property
    def subject(self) -> str:
        """Begin a sentence about values."""
        return "IoU with what is wanted:" if self.measure == "IoU" else "Decibels of PSNR to what is wanted:"

    @property
    def words(self) -> str:
        """Say it beside the picture."""
        unit = "" if self.measure == "IoU" else " dB"
        return f"{self.measure} {self.value:{self.form}}{unit}, read as: {self.found.title}"


def build() -> None:
    """Build the sub-tab inside the current block."""
    with gr.Row(equal_height=False, elem_classes="lab-split"):
        with gr.Column(scale=4, min_width=320):
            start = gr.Button("Paint", variant="primary", elem_id="painter-run")
            form = _form()
        with gr.Column(scale=6, min_width=320):
            pairs = gr.HTML(elem_id="painter-pairs", padding=False)
            status = gr.HTML(elem_id="painter-status", padding=False, min_height=24)
            painted = gr.HTML(EMPTY, elem_id="painter-painted", padding=False)
    shown = [form.source, form.operation, form.wrong, form.seed]
    gr.on([each.change for each in shown], _asked, form.values, [pairs, form.marks], **QUIET)
    form.source.change(_seen, form.source, [form.operation, form.if_drawn, form.if_files], **QUIET)
    form.marks.input(lambda *values: _asked(*values)[0], form.values, pairs, **QUIET)
    gr.on([form.before.change, form.after.change], _asked, form.values, [pairs, form.marks], **QUIET)
    pairs.value = _pairs_html(_of_the_lab(form.operation.value, form.wrong.value, 1))

    def begun() -> str:
        return note("info", "Begins.")

    def all_painted(request: gr.Request, *values: Any) -> Iterator[list[Any]]:
        yield from painting(values, request)

    start.click(begun, None, status, **LIGHT).then(
        all_painted, form.values, [status, painted], show_progress="hidden", **HEAVY
    )


def _form() -> Form:
    choices = [(f"{each.title}{' (held out)' * each.is_held_out}", each.id) for each in operations()]
    source = gr.Radio(
        [SHOWN, DRAWN, FILES], value=SHOWN, label="The pair shows", elem_id="painter-source",
        info="A picture before and after.",
    )  # fmt: skip
    operation = gr.Dropdown(
        choices, value="red-circle", label="Operation", elem_id="painter-operation",
        info="“Held out”: training never showed it. Colours of what is marked are drawn anew each time.",
    )  # fmt: skip
    wrong = gr.Dropdown(
        choices, value="colour-blue", label="Wrong pair", elem_id="painter-wrong",
        info="The control: a pair of this operation. What follows it did not read the right one.",
    )  # fmt: skip
    seed = seed_number("painter-seed", 1, "Draws pictures and pairs.")
    with gr.Column(visible=False) as if_drawn:
        marks = MaskPaint(
            None, labels=["what is found"], label="Mark in the pair's picture what is to be found",
            elem_id="painter-marks",
        )  # fmt: skip
    with gr.Column(visible=False) as if_files:
        before = gr.File(label="Before", file_types=list(ENDINGS), height=90, elem_id="painter-before")
        after = gr.File(label="After", file_types=list(ENDINGS), height=90, elem_id="painter-after")
    with gr.Accordion("Paint pictures of your own", open=False):
        pictures = gr.File(
            label=f"Pictures to paint, up to {N_PICTURES}", file_types=list(ENDINGS), height=110,
            file_count="multiple", elem_id="painter-pictures",
        )  # fmt: skip
    return Form(source, operation, wrong, seed, marks, before, after, pictures, if_drawn, if_files)


def _seen(source: str) -> list[Any]:
    """Show what belongs to the source alone: the operation, what is marked, or the pair's files."""
    return [
        gr.Dropdown(visible=source == SHOWN),
        gr.Column(visible=source == DRAWN),
        gr.Column(visible=source == FILES),
    ]


def work_of(values: Sequence[Any]) -> Work:
    """Read `Form.values`.

    Raises:
        ValueError: With a sentence for the screen.
    """
    source, operation_id, wrong_id, seed, marks, before, after, files = values
    operation, other = find_operation(str(operation_id)), find_operation(str(wrong_id))
    random = np.random.default_rng(abs(int(seed or 0)))
    palette = random_palette(random)

    def pair_of(shown: Operation) -> Pair:
        return Pair(*shown.pair(telling_view(shown, random), palette, random))

    first, second, wrong = pair_of(operation), pair_of(operation), pair_of(other)
    cases = [case_of(operation, fitting_view(operation, random), palette, random) for _ in range(N_PICTURES)]
    own = [_read(path) for path in (files or [])[:N_PICTURES]]
    pictures = own or [case.before for case in cases]
    known: list[Case | None] = [None] * len(pictures)
    if source == SHOWN:
        named = {"one pair": [first], "two pairs": [first, second], "a wrong pair": [wrong]}
        return Work(named, pictures, known if own else list(cases))
    if source == DRAWN:
        first = Pair(cases[0].before, _painted_marks(marks, cases[0].before))
        pictures = own or [case.before for case in cases[1:]]
        return Work({"the pair": [first], "a wrong pair": [wrong]}, pictures, [None] * len(pictures))
    if not before or not after:
        raise ValueError("choose both pictures of the pair: one before, one after")
    return Work({"the pair": [Pair(_read(before), _read(after))], "a wrong pair": [wrong]}, pictures, known)


def _painted_marks(marks: np.ndarray | None, picture: np.ndarray) -> np.ndarray:
    if marks is None or marks.shape != picture.shape[:2]:
        marks = np.zeros(picture.shape[:2], np.uint8)
    return np.where(marks[..., None] > 0, MARK, GROUND).astype(np.uint8)


def _read(path: str) -> np.ndarray:
    return picture_of(Path(path).read_bytes(), Path(path).name)


def _asked(*values: Any) -> list[Any]:
    """Show the pairs, and the picture to mark."""
    try:
        work = work_of(values)
    except SAYABLE as error:
        return [note("info", str(error)), gr.skip()]
    seed = int(values[3] or 0)
    return [_pairs_html(work), paint_value(_of_the_lab(values[1], values[2], seed).pictures[0])]


def _of_the_lab(operation_id: str, wrong_id: str, seed: int) -> Work:
    return work_of((SHOWN, operation_id, wrong_id, seed, None, None, None, None))


def _pairs_html(work: Work) -> str:
    figures = []
    for name, pairs in work.pairs.items():
        pair = pairs[-1]
        figures.append(picture_html(as_png(pair.before), f"{name}: before", name, "before"))
        figures.append(picture_html(as_png(pair.after), f"{name}: after", name, "after"))
    return grid_html(figures, "tiny")


def painting(values: Sequence[Any], request: gr.Request) -> Iterator[list[Any]]:
    """Paint every picture after every pair, a yield a picture: status, what is painted."""
    try:
        work = work_of(values)
        rows: list[str] = []
        scored: dict[str, list[Scored]] = {}
        with running.turn(request, KEY) as stopping:
            yield [note("info", "Loading the network."), gr.skip()]
            network = load_painter()
            for picture, case in zip(work.pictures, work.cases, strict=True):
                if stopping.is_set():
                    break
                figures = [picture_html(as_png(picture), "the picture", "Picture")]
                if case is not None:
                    figures.append(picture_html(as_png(case.after), "what should become of it", "Wanted"))
                for name, pairs in work.pairs.items():
                    painted = paint(pairs, picture, network)
                    words = ""
                    if case is not None:
                        score = scored_of(case, painted)
                        scored.setdefault(name, []).append(score)
                        words = score.words
                    figures.append(
                        picture_html(as_png(painted), f"after {name}: {words}", f"After {name}", words)
                    )
                rows.append(grid_html(figures, "tiny"))
                yield [note("info", f"{len(rows)} of {len(work.pictures)} pictures"), "".join(rows)]
        yield [note("verdict", sentence(scored)), "".join(rows)]
    except SAYABLE as error:
        gr.Warning(str(error))
        yield [note("error", str(error)), gr.skip()]


def scored_of(case: Case, painted: np.ndarray) -> Scored:
    """Score what was painted of a case whose answer is known."""
    found = find_operation(nearest(case, painted))
    return Scored(found, found.id == case.operation.id, *quality(case, painted))


def sentence(scored: Mapping[str, Sequence[Scored]]) -> str:
    """Say how near what is wanted each pair led, and in how many pictures its operation was read."""
    if not scored:
        return "Painted. Compare it with what the wrong pair gives: the pictures are the same."
    means = [
        f"{np.mean([each.value for each in of]):{of[0].form}} after {name}" for name, of in scored.items()
    ]
    first = next(iter(scored.values()))
    counts = [str(sum(each.is_right for each in of)) for of in scored.values()]
    return (
        f"{first[0].subject} {', '.join(means)}. The right operation was read in "
        f"{', '.join(counts[:-1])} and {counts[-1]} of {len(first)} pictures."
    )
