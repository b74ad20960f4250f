"""A picture to mark regions on, by mouse, finger, keys or numbers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from lab.images.pictures import as_png

_JS = (Path(__file__).parent / "mask_paint.js").read_text(encoding="utf-8")
MAX_SIDE = 1024
MAX_LABELS = 6
"""Colours that can be told apart, on a picture and by people who are colour-blind."""


def paint_value(picture: np.ndarray | None, marks: np.ndarray | None = None) -> dict[str, Any]:
    """Say what the widget is to show.

        def change(name): return paint_value(load(name))      # marks stay where the size stays
        choice.change(change, choice, paint)

    Args:
        picture: RGB, uint8, shape (height, width, 3), at most 1,024 pixels a side; None shows no picture.
        marks: Labels from 0 (nothing), uint8, shape (height, width); None leaves what a person has marked.
    """
    value: dict[str, Any] = {}
    if picture is not None:
        _check_size(picture.shape[1], picture.shape[0])
        value |= {"picture": as_png(picture), "width": picture.shape[1], "height": picture.shape[0]}
    if marks is not None:
        _check_size(marks.shape[1], marks.shape[0])
        value |= {"width": marks.shape[1], "height": marks.shape[0], "runs": runs_of(marks)}
    return value


def runs_of(marks: np.ndarray) -> list[int]:
    """Write labels as runs: label, length, label, length and so on, row by row.

    >>> runs_of(np.array([[0, 0, 1], [1, 0, 0]], np.uint8))
    [0, 2, 1, 2, 0, 2]
    """
    flat = marks.ravel()
    starts = np.flatnonzero(np.diff(flat, prepend=flat[0] + 1))
    lengths = np.diff(starts, append=flat.size)
    return [int(number) for run in zip(flat[starts], lengths, strict=True) for number in run]


def marks_of(runs: Sequence[int], width: int, height: int, n_labels: int = 1) -> np.ndarray:
    """Undo `runs_of`: labels, uint8, shape (height, width).

    Raises:
        ValueError: They do not cover the picture, or a label is not 0 to `n_labels`.
    """
    _check_size(width, height)
    if not all(type(number) is int for number in runs) or len(runs) % 2 or len(runs) > 2 * width * height:
        raise ValueError("marks must be runs of whole numbers")
    labels, lengths = np.array(runs[::2], np.int64), np.array(runs[1::2], np.int64)
    if (labels < 0).any() or (labels > n_labels).any() or (lengths < 1).any():
        raise ValueError(f"marks must be runs of labels 0 to {n_labels}")
    if lengths.max(initial=0) > width * height or lengths.sum() != width * height:
        raise ValueError(f"marks must cover {width} × {height} pixels")
    return np.repeat(labels, lengths).astype(np.uint8).reshape(height, width)


class MaskPaint(gr.HTML):
    """Mark regions on a picture; Python reads labels, uint8, shape (height, width), or None without any.

        paint = MaskPaint(paint_value(picture), labels=("hole",), label="Picture and hole")
        paint.input(preview, paint, figure, trigger_mode="always_last")    # a stroke has ended
        insert.click(work, paint, result)                                  # the first argument: labels

    Label n of `labels` stands as n in what Python reads. Marks survive a change of tab, and a new picture of
    the same size. Brush and eraser work by mouse, finger and keys (arrows move, space marks); rectangles and
    ellipses can be given by numbers.
    """

    def __init__(
        self,
        value: Mapping[str, Any] | None = None,
        *,
        labels: Sequence[str] = ("mask",),
        label: str = "Picture",
        visible: bool = True,
        elem_id: str | None = None,
        elem_classes: list[str] | str | None = None,
        render: bool = True,
        key: int | str | None = None,
    ):
        if not 1 <= len(labels) <= MAX_LABELS:
            raise ValueError(f"labels must be 1..{MAX_LABELS}, got {len(labels)}")
        self.labels = [str(each) for each in labels]
        super().__init__(
            value,
            label=label,
            html_template='<div class="lab-paint"></div>',
            js_on_load=_JS,
            visible=visible,
            elem_id=elem_id,
            elem_classes=elem_classes,
            apply_default_css=False,
            render=render,
            key=key,
            labels=self.labels,
        )

    def postprocess(self, value: Mapping[str, Any] | None) -> dict[str, Any]:
        """Send what `paint_value` says; None clears everything."""
        return dict(value) if value is not None else {"picture": "", "width": 64, "height": 64, "runs": []}

    def preprocess(self, payload: Any) -> np.ndarray | None:
        """Return the labels; what does not fit the picture is refused.

        Raises:
            gr.Error: If the page sent something else than runs of labels.
        """
        if not isinstance(payload, dict) or not payload.get("runs"):
            return None
        runs, width, height = payload["runs"], payload.get("width"), payload.get("height")
        if not isinstance(runs, list) or type(width) is not int or type(height) is not int:
            raise gr.Error("The marks on the picture did not arrive whole: reload the page.")
        try:
            marks = marks_of(runs, width, height, len(self.labels))
        except ValueError as error:
            raise gr.Error(f"{error}: reload the page.") from error
        return marks if marks.any() else None

    def api_info(self) -> dict[str, Any]:
        """Describe the value to API clients."""
        return {"type": "object", "description": "width, height and runs: label, length, label, length …"}


def _check_size(width: int, height: int) -> None:
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise ValueError(
            f"a picture to mark must have sides of 1 to {MAX_SIDE} pixels, got {width} × {height}"
        )
