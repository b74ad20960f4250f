"""Image sets hold together, and come apart for the ordinary LoRA."""

import numpy as np
import pytest

from lab.images.grid import PAIR, ROW, SINGLE
from lab.images.panels import Panel
from lab.images.sets import ImageSet, single_panels


def pixels(n: int) -> np.ndarray:
    return np.random.default_rng(n).integers(0, 256, (n, 64, 64, 3), np.uint8)


def pair(texts=("fox, outline style", "the same thing, flat style"), panels=None, **changed) -> ImageSet:
    panels = panels or (Panel("fox", "outline"), Panel("fox", "flat"))
    given = {"pixels": pixels(2), "summary": "two pictures", "markers": None, **changed}
    return ImageSet(grid=PAIR, texts=tuple(texts), panels=panels, name="fox", **given)


def test_caption_joins_summary_markers_and_texts():
    expected = "two pictures: [LEFT] fox, outline style; [RIGHT] the same thing, flat style"
    assert pair().caption == expected
    assert pair(summary="", markers=("[A]", "[B]")).caption == (
        "[A] fox, outline style; [B] the same thing, flat style"
    )


def test_canvas_lays_the_panels_out():
    made = pair()
    assert made.canvas.shape == (64, 128, 3)
    assert np.array_equal(made.canvas[:, :64], made.pixels[0])
    assert np.array_equal(made.canvas[:, 64:], made.pixels[1])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"pixels": pixels(3)}, r"shape \(2, 64, 64, 3\), got uint8 \(3, 64, 64, 3\)"),
        ({"pixels": pixels(2).astype(np.float32)}, "must be uint8 .* got float32"),
        ({"pixels": pixels(2)[:, :32]}, r"got uint8 \(2, 32, 64, 3\)"),
        ({"texts": ("fox",)}, "2 panels need as many texts, got 1"),
        ({"markers": ("[LEFT]",)}, "2 panels need as many markers, got 1"),
        ({"panels": (None,)}, "2 panels need as many panels, got 1"),
    ],
)
def test_parts_that_do_not_fit_are_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        pair(**changed)


def test_single_panels_keep_pixels_and_name_what_they_show():
    made = pair()
    alone = single_panels(made)
    assert [each.caption for each in alone] == ["fox, outline style", "fox, flat style"]
    assert [each.panels for each in alone] == [(panel,) for panel in made.panels]
    assert all(each.grid == SINGLE for each in alone)
    assert np.array_equal(np.concatenate([each.pixels for each in alone]), made.pixels)


def test_a_character_is_told_alone_with_what_it_is():
    texts = ("<Mia> the ice cream, flat style", "small <Mia>, night background", "<Mia>")
    shown = tuple(Panel("ice cream", "flat", "white", size) for size in ("large", "small", "large"))
    story = ImageSet(ROW, pixels(3), texts, "", None, shown, "ice cream")
    assert [each.caption for each in single_panels(story)] == [
        "<Mia> the ice cream, flat style",
        "small <Mia> the ice cream, night background",
        "<Mia> the ice cream",
    ]


def test_texts_of_unknown_pictures_are_left_as_they_are():
    made = pair(texts=("my cat", "the same thing again"), panels=(None, None))
    assert [each.caption for each in single_panels(made)] == ["my cat", "the same thing again"]
