"""Marks on a picture between page and Python: runs, refusals, pictures."""

import gradio as gr
import numpy as np
import pytest

from lab.images.pictures import from_png
from lab.ui.widgets.mask_paint import MAX_SIDE, MaskPaint, marks_of, paint_value, runs_of


@pytest.mark.parametrize("seed", range(20))
def test_runs_say_what_the_marks_say(seed):
    random = np.random.default_rng(seed)
    height, width = random.integers(1, 40, 2)
    marks = (random.random((height, width)) < random.random()).astype(np.uint8) * random.integers(
        1, 4, (height, width), dtype=np.uint8
    )
    runs = runs_of(marks)
    assert np.array_equal(marks_of(runs, int(width), int(height), n_labels=3), marks)
    assert all(before != after for before, after in zip(runs[::2], runs[2::2], strict=False))


@pytest.mark.parametrize(
    ("runs", "width", "height"),
    [
        ([0, 5], 2, 2),
        ([0, 3], 2, 2),
        ([2, 4], 2, 2),
        ([-1, 4], 2, 2),
        ([0, 0, 1, 4], 2, 2),
        ([0, -4, 0, 8], 2, 2),
        ([0, 4, 1], 2, 2),
        ([0, 2.0, 1, 2], 2, 2),
        ([True, 4], 2, 2),
        (["0", 4], 2, 2),
        ([0, 2**62, 0, 2**62, 0, 2**62, 0, 2**62], 4, 4),  # a sum that wraps around
        ([0, 1], 10**9, 10**9),
        ([0, 0], 0, 0),
    ],
)
def test_what_a_page_cannot_have_meant_is_refused(runs, width, height):
    with pytest.raises(ValueError, match=r"marks must|must have sides"):
        marks_of(runs, width, height)
    with pytest.raises(gr.Error, match="reload the page"):
        MaskPaint(render=False).preprocess({"runs": runs, "width": width, "height": height})


def test_no_marks_are_none():
    paint = MaskPaint(render=False)
    assert paint.preprocess(None) is None and paint.preprocess("") is None
    assert paint.preprocess({"width": 2, "height": 1, "runs": [0, 2]}) is None
    assert paint.preprocess(paint.postprocess(None)) is None


def test_a_picture_goes_to_the_page_without_loss_and_leaves_the_marks():
    picture = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    value = paint_value(picture)
    assert np.array_equal(from_png(value["picture"]), picture)
    assert (value["width"], value["height"]) == (40, 30) and "runs" not in value


def test_marks_alone_go_both_ways():
    marks = np.eye(5, dtype=np.uint8)
    paint = MaskPaint(render=False)
    assert np.array_equal(paint.preprocess(paint.postprocess(paint_value(None, marks))), marks)


def test_a_picture_that_is_too_large_or_too_many_labels_are_refused():
    with pytest.raises(ValueError, match="sides of 1 to 1024"):
        paint_value(np.zeros((MAX_SIDE + 1, 4, 3), np.uint8))
    with pytest.raises(ValueError, match="labels must be"):
        MaskPaint(labels=[], render=False)
