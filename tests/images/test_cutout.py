"""Subjects come out of plain grounds and nothing else does; masks mark the pixels that geometry says."""

import math

import numpy as np
import pytest

from lab.images.cutout import bounds, centred, cut_out, fitted, mask_of, subject_panel

RED, BLUE, GREY = (200, 30, 30), (20, 40, 220), (180, 180, 180)


def picture(height: int = 40, width: int = 60, ground: tuple[int, ...] = GREY) -> np.ndarray:
    """A red block of 20 × 10 with its corner at column 30, row 5."""
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:] = ground
    pixels[5:15, 30:50] = RED
    return pixels


def test_a_plain_background_becomes_transparent():
    cut = cut_out(picture())
    assert bounds(cut[..., 3] > 0) == (30, 5, 50, 15)
    assert (cut[..., 3] > 0).sum() == 200 and (cut[5:15, 30:50, :3] == RED).all()


def test_an_uneven_background_within_tolerance_still_counts_as_plain():
    noise = np.random.default_rng(0).integers(-6, 7, (40, 60, 3))
    uneven = np.clip(picture().astype(int) + noise, 0, 255).astype(np.uint8)
    assert bounds(cut_out(uneven)[..., 3] > 0) == (30, 5, 50, 15)


def test_the_flood_does_not_enter_what_the_subject_encloses():
    ring = picture()
    ring[8:12, 34:46] = GREY
    assert (cut_out(ring)[8:12, 34:46, 3] == 255).all()


def test_transparency_of_the_picture_is_kept_as_it_is():
    busy = np.random.default_rng(0).integers(0, 256, (30, 30, 4), dtype=np.uint8)
    assert np.array_equal(cut_out(busy), busy)


def test_an_opaque_alpha_channel_is_looked_past():
    opaque = np.dstack([picture(), np.full((40, 60), 255, np.uint8)])
    assert np.array_equal(cut_out(opaque), cut_out(picture()))


def test_a_background_that_is_not_plain_is_refused_with_the_share_and_a_remedy():
    half = picture()
    half[:, :24] = BLUE
    with pytest.raises(
        ValueError, match=r"not plain: \d\d% of the border .* plain ground or with transparency"
    ):
        cut_out(half)


def test_pictures_that_show_nothing_are_refused():
    with pytest.raises(ValueError, match="nothing stands out"):
        cut_out(np.full((20, 20, 3), 90, np.uint8))
    with pytest.raises(ValueError, match="transparent everywhere"):
        cut_out(np.zeros((20, 20, 4), np.uint8))


@pytest.mark.parametrize(
    "bad", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)]
)
def test_what_is_no_picture_is_refused(bad):
    with pytest.raises(ValueError, match="must be uint8 of shape"):
        cut_out(bad)


def test_a_tolerance_out_of_range_is_named():
    with pytest.raises(ValueError, match="tolerance must be 0 to 441, got 500"):
        cut_out(picture(), 500)


def test_the_subject_fills_its_panel_and_stands_in_the_middle():
    panel = subject_panel(picture())
    assert panel.shape == (64, 64, 3)
    seen = (np.abs(panel.astype(int) - 255).sum(axis=2)) > 60
    assert bounds(seen) == (3, 17, 61, 46)  # 58 × 29: twice as wide as high, as it was
    assert tuple(panel[32, 32]) == RED and tuple(panel[0, 0]) == (255, 255, 255)


def test_a_large_picture_gives_the_panel_of_a_small_one():
    large = np.repeat(np.repeat(picture(), 20, axis=0), 20, axis=1)
    difference = np.abs(subject_panel(large).astype(int) - subject_panel(picture()))
    assert np.median(difference) == 0 and difference.mean() < 3


def test_a_thin_subject_keeps_a_pixel_and_a_size_out_of_range_is_named():
    line = np.zeros((400, 3, 4), np.uint8)
    line[:, 1] = (0, 0, 0, 255)
    assert (centred(line).min(axis=2) < 128).any()
    with pytest.raises(ValueError, match="size must be 1 to 64, got 65"):
        centred(line, 65)


def test_a_rectangle_marks_the_pixels_whose_middle_lies_in_it():
    mask = mask_of("rectangle", 25, 50, 50, 25, side=64)
    assert bounds(mask) == (16, 32, 48, 48) and mask.sum() == 32 * 16


def test_an_ellipse_has_its_area_and_its_symmetry():
    mask = mask_of("ellipse", 10, 20, 80, 60, side=200)
    assert mask.sum() == pytest.approx(math.pi * 80 * 60, rel=0.005)
    assert np.array_equal(mask, mask[::-1]) and np.array_equal(mask, mask[:, ::-1])


def test_a_mask_can_cover_all():
    assert mask_of("rectangle", 0, 0, 100, 100).all()


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        (("star", 0, 0, 10, 10), "shape must be rectangle or ellipse, got 'star'"),
        (
            ("rectangle", 60, 0, 50, 10),
            r"left and width must lie within 0 to 100 percent together, got 60 \+ 50",
        ),
        (("rectangle", 0, -1, 50, 10), "top and height"),
        (("ellipse", 0, 0, 0, 10), "left and width"),
        (("ellipse", 50, 50, 0.1, 0.1), "holds no pixel: make it larger"),
        (("ellipse", float("nan"), 50, 10, 10), "left and width"),
    ],
)
def test_numbers_that_mark_nothing_are_named(numbers, message):
    with pytest.raises(ValueError, match=message):
        mask_of(*numbers)


def test_an_empty_mask_has_no_bounds():
    with pytest.raises(ValueError, match="the mask is empty"):
        bounds(np.zeros((4, 4), bool))


def test_a_fitted_subject_stands_in_the_hole_with_room_to_its_box():
    subject = np.zeros((100, 300, 4), np.uint8)
    subject[20:80, 50:250] = (200, 0, 0, 255)
    mask = mask_of("rectangle", 50, 0, 50, 50)
    panel = fitted(subject, mask)
    left, top, right, bottom = bounds((panel != 255).any(2))
    assert (right - left, bottom - top) == (27, 8)  # .85 of 32 wide, its own proportions
    assert abs((left + right) / 2 - 48) <= 1 and abs((top + bottom) / 2 - 16) <= 1
    assert (panel[~mask] == 255).all()


def test_a_subject_is_fitted_into_the_smallest_hole():
    subject = np.full((10, 10, 4), 255, np.uint8)
    mask = np.zeros((64, 64), bool)
    mask[5, 5] = True
    assert fitted(subject, mask).shape == (64, 64, 3)
