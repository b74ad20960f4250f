"""Thresholds, masks, regions and GrabCut, on shares whose answer is known."""

import numpy as np
import pytest
from tiny_vision import COLOURS, squares

from lab.vision.decide import enlarged, mask_of, otsu, regions, threshold
from lab.vision.refine import grabcut


@pytest.mark.parametrize(("low", "high", "share"), [(0.1, 0.8, 0.5), (0.2, 0.4, 0.1), (0.05, 0.95, 0.9)])
def test_otsu_parts_two_heaps_between_them(low, high, share):
    random = np.random.default_rng(0)
    is_high = random.random(20_000) < share
    values = np.where(is_high, high, low) + random.normal(0, 0.02, len(is_high))
    found = otsu(np.clip(values, 0, 1))
    assert low + 0.05 < found < high - 0.05
    assert threshold(np.clip(values, 0, 1)) == pytest.approx((found + 0.5) / 2)


def test_otsu_equals_the_definition_on_a_grid():
    values = np.random.default_rng(1).beta(1, 3, 5000)

    def between(cut):
        low, high = values[values < cut], values[values >= cut]
        return len(low) * len(high) * (low.mean() - high.mean()) ** 2 if len(low) and len(high) else 0

    cuts = np.arange(1, 256) / 256
    assert otsu(values) == pytest.approx(cuts[np.argmax([between(cut) for cut in cuts])], abs=2 / 256)


def test_otsu_of_one_value_is_one_half():
    assert otsu(np.full(100, 0.3)) == 0.5


def test_a_pixel_gets_the_class_with_the_largest_share_above_its_threshold():
    shares = np.array([[[0.2, 0.7, 0.1], [0.1, 0.3, 0.6], [0.8, 0.1, 0.1], [0.0, 0.55, 0.45]]])
    assert mask_of(shares, 0.5).tolist() == [[1, 2, 0, 1]]
    assert mask_of(shares, 0.65).tolist() == [[1, 0, 0, 0]]


def test_shares_keep_their_corners_when_they_are_enlarged():
    shares = np.zeros((2, 2, 2), np.float32)
    shares[0, 1, 1] = 1
    big = enlarged(shares, 40, 60)
    assert big.shape == (40, 60, 2) and big[0, -1, 1] == 1 and big[-1, 0, 1] == 0
    assert (np.diff(big[0, :, 1]) >= 0).all()


def test_regions_are_parted_sorted_and_without_specks():
    mask = np.zeros((100, 100), np.uint8)
    mask[10:30, 10:20] = 1
    mask[50:60, 50:60] = 1
    mask[80:95, 70:95] = 2
    mask[0, 99] = 1  # one pixel of ten thousand
    found = regions(mask)
    assert [(region.label, region.n_pixels) for region in found] == [(2, 375), (1, 200), (1, 100)]
    assert found[1].box == (10, 10, 20, 30)
    assert regions(np.zeros((8, 8), np.uint8)) == []


def test_grabcut_moves_a_coarse_mask_to_the_edges_of_colour():
    picture = squares(("red", 20, 24))
    truth = (picture == COLOURS["red"]).all(axis=-1)
    shares = np.zeros((64, 64, 2), np.float32)
    shares[16:48, 16:40, 1] = 0.6
    shares[28:36, 24:32, 1] = 0.95
    shares[..., 0] = 1 - shares[..., 1]
    mask = mask_of(shares, 0.5)
    cut = grabcut(picture, shares, mask)

    def overlap(found):
        return ((found == 1) & truth).sum() / ((found == 1) | truth).sum()

    assert overlap(mask) < 0.5 and overlap(cut) > 0.95


def test_grabcut_leaves_what_has_no_colour_of_its_own_to_learn_from():
    picture = squares()
    shares = np.zeros((64, 64, 2), np.float32)
    mask = np.zeros((64, 64), np.uint8)
    mask[0, :5] = 1
    assert np.array_equal(grabcut(picture, shares, mask), mask)
