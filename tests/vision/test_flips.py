"""Flips between masks, agreement, and which examples to take, on masks whose answer is known."""

import numpy as np
import pytest

from lab.vision.flips import (
    agreement,
    confidence,
    flip_map,
    iou,
    pixel_flips,
    prediction_change,
    recommend,
)


def square(left: int, top: int, side: int = 4, label: int = 1) -> np.ndarray:
    mask = np.zeros((10, 10), np.uint8)
    mask[top : top + side, left : left + side] = label
    return mask


def test_iou_is_counted_class_by_class():
    assert iou(square(0, 0), square(2, 0)).tolist() == [8 / 24]
    found = square(0, 0) + square(6, 6, label=2)
    values = iou(found, square(0, 0), n_classes=3)
    assert values[:2].tolist() == [1, 0] and np.isnan(values[2])
    with pytest.raises(ValueError, match="the same shape"):
        iou(square(0, 0), np.zeros((4, 4)))


@pytest.mark.parametrize("seed", range(6))
def test_prediction_change_of_one_class_is_one_less_iou(seed):
    random = np.random.default_rng(seed)
    one, other = ((random.random((12, 9)) < 0.4).astype(np.uint8) for _ in range(2))
    assert prediction_change(one, other) == pytest.approx(1 - iou(one, other)[0])
    assert prediction_change(one, other) == prediction_change(other, one)
    assert prediction_change(one, one) == 0


def test_two_empty_masks_do_not_differ_and_a_change_of_class_is_a_flip():
    empty = np.zeros((5, 5), np.uint8)
    assert prediction_change(empty, empty) == 0
    assert prediction_change(square(0, 0), square(0, 0, label=2)) == 1
    assert pixel_flips(square(0, 0), square(0, 0, label=2)).sum() == 16


def test_the_flip_map_is_the_share_of_layouts_that_differ():
    reference = square(0, 0)
    found = flip_map([reference, square(2, 0), square(5, 5)], reference)
    assert found[0, 0] == pytest.approx(2 / 3) and found[0, 2] == pytest.approx(1 / 3)
    assert found[6, 6] == pytest.approx(1 / 3) and found[9, 0] == 0
    assert not flip_map([], reference).any()


def test_agreement_is_the_share_of_the_commonest_label():
    masks = [square(0, 0), square(0, 0), square(0, 0, label=2), square(5, 5)]
    found = agreement(masks)
    assert found[0, 0] == 0.5 and found[6, 6] == 0.75 and found[0, 9] == 1
    assert confidence(masks) == pytest.approx((16 * 0.5 + 16 * 0.75) / 32)
    assert confidence([np.zeros((3, 3), np.uint8)] * 2) == 1
    with pytest.raises(ValueError, match="no mask"):
        agreement([])


def test_a_set_that_is_always_better_is_recommended_with_certainty():
    random = np.random.default_rng(0)
    worse = random.random(20) * 0.5
    found = recommend({"1": worse.tolist(), "1-2": (worse + 0.1).tolist(), "2": (worse - 0.2).tolist()})
    assert found.layout == "1-2" and found.p_best == 1
    assert found.mean == pytest.approx(worse.mean() + 0.1) and found.low < found.mean < found.high


def test_sets_that_cannot_be_told_apart_are_a_guess():
    same = np.random.default_rng(1).random(15).tolist()
    found = recommend({"1": same, "2": same})
    assert found.p_best == 0.5 and found.rival == ("2" if found.layout == "1" else "1")
    random = np.random.default_rng(2)
    noise = {str(place): random.random(12).tolist() for place in range(4)}
    assert recommend(noise).p_best < 0.95
    assert recommend({"1": [0.5]}).rival == ""


def test_scores_that_are_missing_are_refused():
    for scores in ({}, {"1": []}, {"1": [0.1], "2": [0.1, 0.2]}):
        with pytest.raises(ValueError, match="every layout needs a score"):
            recommend(scores)
