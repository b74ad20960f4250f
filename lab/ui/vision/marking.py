"""Where examples are chosen, marked and ordered, and pictures are chosen to ask about."""

from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
import numpy as np

from lab.images.pictures import ENDINGS
from lab.papers import is_waiting
from lab.ui.run_controls import QUIET
from lab.ui.running import SAYABLE
from lab.ui.vision import bank as banks
from lab.ui.vision.bank import CLASS_NAMES, MAX_ASKED, Marked, Pictures
from lab.ui.widgets.mask_paint import MaskPaint, paint_value
from lab.vision.asked import ready_sets, words_of
from lab.vision.files import marks_of
from lab.vision.layouts import MAX_EXAMPLES

OWN = "pictures of your own"
FIRST = "parrot"
MAX_NAME = 120
"""Characters of the classes' names together."""


class Bench(NamedTuple):
    """What is shown and asked."""

    name: gr.Dropdown
    gallery: gr.Gallery
    paint: MaskPaint
    names: gr.Textbox
    asked: gr.Gallery
    shown_state: gr.State
    asked_state: gr.State
    place: gr.State


def marking_bench(outer: gr.Tab) -> Bench:
    """Place the bench inside the current block; the picture to mark is sent once `outer` is chosen."""
    shown, asked = banks.ready(FIRST) if FIRST in ready_sets() else ((), ())
    shown_state, asked_state, place = gr.State(shown), gr.State(asked), gr.State(0)
    name = gr.Dropdown(
        [*ready_sets(), OWN], value=FIRST, label="Set", elem_id="segment-set",
        info="Composed by the lab, of things that no training showed; or begin with your own.",
    )  # fmt: skip
    gr.HTML("<h3>Examples, in their order: choose one to mark it</h3>", padding=False)
    gallery = gr.Gallery(
        banks.thumbnails(shown), label="Examples, in their order", show_label=False, columns=4, height=170,
        object_fit="cover", allow_preview=False, elem_id="segment-examples", buttons=[], interactive=False,
    )  # fmt: skip
    with gr.Row():
        earlier = gr.Button("Move earlier", size="sm", min_width=90, elem_id="segment-earlier")
        later = gr.Button("Move later", size="sm", min_width=90, elem_id="segment-later")
        remove = gr.Button("Remove", size="sm", min_width=90, elem_id="segment-remove")
    paint = MaskPaint(
        None, labels=CLASS_NAMES, label="The chosen example: paint what is meant",
        elem_id="segment-paint",
    )  # fmt: skip
    names = gr.Textbox(
        ", ".join(words_of(FIRST)) if shown else "", label="What it is called", max_length=MAX_NAME,
        elem_id="segment-names", visible=not is_waiting("segic"),
        info="In a word; commas between several classes. Only SEGIC reads it, and it may stay empty.",
    )  # fmt: skip
    with gr.Accordion("Add examples, or a mask from a file", open=False):
        more = gr.File(
            label=f"Example pictures, up to {MAX_EXAMPLES}; cat_mask.png is the mask of cat.png",
            file_types=list(ENDINGS), file_count="multiple", height=110, elem_id="segment-more",
        )  # fmt: skip
        mask = gr.File(
            label="Mask of the chosen example, a PNG: what is light is meant", file_types=[".png"],
            height=90, elem_id="segment-mask",
        )  # fmt: skip
    gr.HTML("<h3>Pictures to segment</h3>", padding=False)
    asked_gallery = gr.Gallery(
        _gallery_of(asked), label="Pictures to segment", show_label=False, columns=4, height=170,
        object_fit="cover", allow_preview=False, elem_id="segment-asked", buttons=[], interactive=False,
    )  # fmt: skip
    with gr.Accordion("Segment pictures of your own", open=False):
        wanted = gr.File(
            label=f"Pictures, up to {MAX_ASKED}; with true masks (cat_mask.png) IoU is measured",
            file_types=list(ENDINGS), file_count="multiple", height=110, elem_id="segment-wanted",
        )  # fmt: skip
    bench = Bench(name, gallery, paint, names, asked_gallery, shown_state, asked_state, place)
    outer.select(_painted, [shown_state, place], paint, **QUIET)
    _wire_sets(bench)
    _wire_bank(bench, earlier, later, remove, more, mask, wanted)
    return bench


def _wire_sets(bench: Bench) -> None:
    def take(name: str) -> list[Any]:
        is_ready = name in ready_sets()
        shown, asked = banks.ready(name) if is_ready else ((), ())
        words = ", ".join(words_of(name)) if is_ready else ""
        return [*_bank_updates(shown, 0), asked, _gallery_of(asked), words]

    outputs = [bench.shown_state, bench.place, bench.gallery, bench.paint]
    bench.name.input(take, bench.name, [*outputs, bench.asked_state, bench.asked, bench.names], **QUIET)


def _wire_bank(
    bench: Bench,
    earlier: gr.Button,
    later: gr.Button,
    remove: gr.Button,
    more: gr.File,
    mask: gr.File,
    wanted: gr.File,
) -> None:
    outputs = [bench.shown_state, bench.place, bench.gallery, bench.paint]
    at = [bench.shown_state, bench.place]

    def chosen(shown: Pictures, event: gr.SelectData) -> list[Any]:
        place = event.index if isinstance(event.index, int) and 0 <= event.index < len(shown) else 0
        return [place, _painted(shown, place)]

    def painted(shown: Pictures, place: int, marks: np.ndarray | None) -> list[Any]:
        changed = banks.marked(shown, place, marks)
        return [changed, banks.thumbnails(changed)]

    def add(shown: Pictures, paths: list[str] | None) -> list[Any]:
        try:
            longer = banks.added(shown, banks.taken(paths or []), MAX_EXAMPLES)
        except SAYABLE as error:
            raise gr.Error(str(error), title="Not added") from error
        return [*_bank_updates(longer, len(longer) - 1), None]

    def take_mask(shown: Pictures, place: int, path: str | None) -> list[Any]:
        if not path or not shown:
            return [gr.skip()] * 5
        try:
            changed = banks.marked(shown, place, _mask_of(path, shown[place]))
        except SAYABLE as error:
            raise gr.Error(str(error), title="Not taken") from error
        return [*_bank_updates(changed, place), None]

    def ask(paths: list[str] | None) -> list[Any]:
        try:
            asked = banks.added((), banks.taken(paths or []), MAX_ASKED)
        except SAYABLE as error:
            raise gr.Error(str(error), title="Not taken") from error
        return [asked, _gallery_of(asked)]

    bench.gallery.select(chosen, bench.shown_state, [bench.place, bench.paint], **QUIET)
    bench.paint.input(painted, [*at, bench.paint], [bench.shown_state, bench.gallery], **QUIET)
    earlier.click(lambda shown, place: _bank_updates(*banks.moved(shown, place, -1)), at, outputs, **QUIET)
    later.click(lambda shown, place: _bank_updates(*banks.moved(shown, place, 1)), at, outputs, **QUIET)
    remove.click(lambda shown, place: _bank_updates(*banks.removed(shown, place)), at, outputs, **QUIET)
    more.upload(add, [bench.shown_state, more], [*outputs, more], **QUIET)
    mask.upload(take_mask, [*at, mask], [*outputs, mask], **QUIET)
    wanted.upload(ask, wanted, [bench.asked_state, bench.asked], **QUIET)


def _bank_updates(shown: Pictures, place: int) -> list[Any]:
    """Say how state, place, gallery and painting change."""
    return [
        shown, place,
        gr.Gallery(banks.thumbnails(shown), selected_index=place if shown else None),
        _painted(shown, place),
    ]  # fmt: skip


def _painted(shown: Pictures, place: int) -> dict[str, Any] | None:
    if not shown:
        return None
    each = shown[place]
    marks = np.zeros(each.picture.shape[:2], np.uint8) if each.marks is None else each.marks
    return paint_value(each.picture, np.minimum(marks, len(CLASS_NAMES)).astype(np.uint8))


def _mask_of(path: str, example: Marked) -> np.ndarray:
    file = Path(path)
    return marks_of(file.read_bytes(), file.name, *example.picture.shape[:2])


def _gallery_of(asked: Pictures) -> list[tuple[np.ndarray, str]]:
    return [(each.picture, each.name) for each in asked]
