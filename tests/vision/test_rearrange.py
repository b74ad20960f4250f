"""The same pictures under several layouts: masks, flips, what is recommended, what is seen of it."""

import numpy as np
import pytest
from tiny_vision import COLOURS, colour_backbone, example, noisy, squares

from lab.vision.engines import find_engine
from lab.vision.layouts import layouts_of
from lab.vision.overlay import with_flips, with_mask, with_shares
from lab.vision.presence import presence
from lab.vision.question import Question
from lab.vision.rearrange import confidences, majority, rearranged, recommended, rows
from lab.vision.segment import Cutting, segment

ONE = example("one", ("red", 8, 8), ("blue", 40, 40))
WRONG = example("wrong", ("red", 8, 8), ("blue", 40, 40), meant=("blue",))
NOTHING = example("nothing", ("green", 8, 8), meant=("red",))
CLEAN = squares(("red", 32, 16), ("blue", 0, 48))
PICTURE, TRUTH = noisy(CLEAN), (COLOURS["red"] == CLEAN).all(axis=-1).astype(np.uint8)


def masks_of(*examples, way="choice", engine="neighbours"):
    layouts = layouts_of(way, len(examples))
    return dict(rearranged(examples, [PICTURE], layouts, engine, colour_backbone(), Cutting()))


def test_an_example_that_says_otherwise_flips_pixels_and_the_other_is_recommended():
    masks = masks_of(ONE, WRONG)
    table = {row.layout: row for row in rows(masks, "1", [TRUTH])}
    assert table["1"].change == 0 and table["2"].change > 0.9
    assert table["1"].score > 0.6 > table["2"].score and table["1"].knows_truth
    assert recommended(masks, [TRUTH]).layout == "1"
    assert confidences(masks)[0] < 1


def test_order_flips_no_pixel_of_an_engine_that_pools():
    masks = masks_of(ONE, WRONG, example("three", ("red", 40, 0)), way="order")
    assert all(row.change == 0 for row in rows(masks, "1-2-3", [TRUTH]))
    assert confidences(masks) == [1.0]


def test_a_negative_example_alone_marks_nothing():
    masks = masks_of(ONE, NOTHING)
    assert masks["1"][0].any() and not masks["2"][0].any()


def test_where_no_truth_is_known_the_majority_stands_in():
    masks = masks_of(ONE, example("three", ("red", 40, 0)), WRONG)
    table = rows(masks, "1", [None])
    assert not table[0].knows_truth
    assert recommended(masks, [None]).layout != "3"


def test_the_majority_of_masks_is_counted_by_pixel():
    first, second = np.array([[0, 1, 2]], np.uint8), np.array([[0, 1, 1]], np.uint8)
    np.testing.assert_array_equal(majority([first, second, second]), [[0, 1, 1]])
    np.testing.assert_array_equal(majority([first, second]), [[0, 1, 1]])


def test_what_is_absent_is_not_marked_where_that_is_an_answer(monkeypatch):
    question = Question((ONE,), noisy(squares(("green", 0, 0))), colour_backbone())
    present = presence(Question((ONE,), PICTURE, colour_backbone()))[0]
    absent = presence(question)[0]
    assert present > absent
    monkeypatch.setattr("lab.vision.presence.PRESENT_FROM", (present + absent) / 2)
    assert not segment(question, "neighbours", Cutting(cut=0.0, may_be_absent=True)).mask.any()
    assert segment(
        Question((ONE,), PICTURE, colour_backbone()), "neighbours", Cutting(may_be_absent=True)
    ).mask.any()


@pytest.mark.parametrize(("likely", "is_marked"), [(0.6, True), (0.4, False)])
def test_an_engine_that_has_learnt_to_tell_is_asked_whether_a_class_is_there(monkeypatch, likely, is_marked):
    engine = find_engine("neighbours")._replace(presence=lambda question: np.array([likely]))
    monkeypatch.setattr("lab.vision.segment.find_engine", lambda engine_id: engine)
    question = Question((ONE,), PICTURE, colour_backbone())
    assert segment(question, "neighbours", Cutting(may_be_absent=True)).mask.any() == is_marked
    assert segment(question, "neighbours", Cutting()).mask.any()


def test_a_threshold_out_of_bounds_is_refused():
    with pytest.raises(ValueError, match="cut must be 0 to 1"):
        Cutting(cut=1.2)


def test_pictures_of_masks_shares_and_flips_keep_their_size_and_leave_the_rest_alone():
    mask = np.zeros((40, 60), np.uint8)
    mask[10:20, 10:30] = 1
    picture = np.full((40, 60, 3), 100, np.uint8)
    tinted = with_mask(picture, mask)
    assert (
        tinted.shape == picture.shape and (tinted[30:] == 100).all() and (tinted[12:18, 15:25] != 100).any()
    )
    assert (with_mask(picture, mask * 0) == picture).all()
    flips = with_flips(picture, (mask > 0).astype(np.float32))
    assert (np.ptp(flips[30:], axis=-1) == 0).all() and (np.ptp(flips[12:18, 15:25], axis=-1) > 50).all()
    shares = np.stack([1 - mask, mask], axis=-1).astype(np.float32)
    assert with_shares(picture, shares).shape == picture.shape
