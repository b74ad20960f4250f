"""What engines answer on pictures of coloured squares, and which of them the order of examples can move."""

from concurrent.futures import ThreadPoolExecutor
from itertools import permutations

import numpy as np
import pytest
from tiny_vision import COLOURS, colour_backbone, example, noisy, squares

from lab.vision.bank import Bank
from lab.vision.decide import enlarged, mask_of
from lab.vision.engines import ENGINES, find_engine
from lab.vision.example import Example
from lab.vision.propagate import compressed, neighbours
from lab.vision.question import Question

ONE = example("one", ("red", 8, 8), ("blue", 40, 40))
TWO = example("two", ("red", 40, 0), ("green", 0, 40), ("blue", 0, 0))
CLEAN = squares(("red", 32, 16), ("green", 0, 0), ("blue", 0, 48))
PICTURE = noisy(CLEAN)
# SEGIC's decoder knows lite0 alone, and SegGPT is of the hub
UNTRAINED = [engine for engine in ENGINES if not engine.id.startswith("seg")]
RED, BLUE = ((COLOURS[colour] == CLEAN).all(axis=-1) for colour in ("red", "blue"))


def asked(*examples: Example, picture: np.ndarray = PICTURE, with_mirrored: bool = True) -> Question:
    return Question(examples, picture, colour_backbone(), with_mirrored)


def overlap(found: np.ndarray, truth: np.ndarray) -> float:
    return (found & truth).sum() / (found | truth).sum()


@pytest.mark.parametrize("engine", UNTRAINED, ids=lambda engine: engine.id)
def test_every_engine_finds_the_marked_colour_elsewhere(engine):
    shares = engine.answer(asked(ONE, TWO))
    assert shares.ndim == 3 and shares.shape[-1] == 2
    np.testing.assert_allclose(shares.sum(axis=-1), 1, atol=1e-5)
    big = enlarged(shares, 64, 64)
    if engine.id in (
        "stitched",
        "ridge",
        "clusters",
        "prototypes-2",
    ):  # few places, numbers or groups: no exact border
        assert big[RED, 1].mean() > 3 * big[~RED, 1].mean()
    else:  # corners are round where 8 × 8 places are enlarged to 64 × 64 pixels
        assert overlap(mask_of(big) == 1, RED) > 0.6


@pytest.mark.parametrize("engine", UNTRAINED, ids=lambda engine: engine.id)
def test_order_matters_to_those_engines_that_say_so(engine):
    third = example("three", ("green", 8, 8), ("red", 40, 40), meant=("green",))  # disagrees with the others
    answers = [engine.answer(asked(*order)) for order in permutations((ONE, TWO, third))]
    differs = max(np.abs(each - answers[0]).max() for each in answers)
    assert (differs > 1e-3) if engine.is_ordered else (differs < 1e-5)


def test_neighbours_equal_a_loop_over_places_and_rows():
    question = asked(ONE, TWO)
    bank, places = question.bank, question.places[:12]
    found = neighbours(bank, places, n=5, temperature=0.1)
    for place, row in zip(places, found, strict=True):
        cosines = [float(np.dot(key, place)) for key in bank.keys]
        nearest = sorted(range(len(cosines)), key=lambda each: -cosines[each])[:5]
        weights = np.exp([cosines[each] / 0.1 for each in nearest])
        want = sum(w * bank.labels[each] for w, each in zip(weights, nearest, strict=True)) / weights.sum()
        np.testing.assert_allclose(row, want, atol=1e-4)


def test_the_bank_joins_examples_and_their_mirror_images_in_order():
    bank = asked(ONE, TWO).bank
    assert bank.keys.shape == (4 * 64, 4) and bank.labels.shape == (4 * 64, 2)
    assert list(np.bincount(bank.example)) == [128, 128] and (np.diff(bank.example) >= 0).all()
    np.testing.assert_allclose(bank.labels.sum(axis=1), 1, atol=1e-6)
    plain = asked(ONE, with_mirrored=False).bank.labels[:, 1].reshape(8, 8)
    both = asked(ONE).bank.labels[:, 1].reshape(2, 8, 8)
    np.testing.assert_allclose(both[1], plain[:, ::-1], atol=1e-6)
    assert plain.sum() == pytest.approx(16 * 16 / 64)


def test_compression_keeps_each_class_apart():
    bank = asked(ONE, TWO).bank
    small = compressed(bank, 1, 3)
    assert len(small.keys) <= 4 and set(small.labels.argmax(axis=1)) == {0, 1}
    np.testing.assert_allclose(np.linalg.norm(small.keys, axis=1), 1, atol=1e-5)
    red = small.keys[small.labels[:, 1] == 1][0]
    assert float(red @ bank.keys[bank.labels[:, 1] == 1][0]) > 0.99


def test_a_class_of_one_place_is_compressed_to_that_place():
    keys = np.eye(4, dtype=np.float32)[[0, 1, 1, 2]]
    labels = np.eye(2, dtype=np.float32)[[1, 0, 0, 0]]
    small = compressed(Bank(keys, labels, np.zeros(4, int), np.zeros((4, 1, 2), np.float32)), 3, 2)
    np.testing.assert_array_equal(small.keys[small.labels[:, 1] == 1], keys[:1])
    assert len(small.keys) == 3


def test_compression_is_the_same_in_every_thread_whatever_was_drawn_before():
    random = np.random.default_rng(0)
    rows = random.normal(size=(300, 4)).astype(np.float32)
    labels = np.eye(2, dtype=np.float32)[np.arange(300) % 2]
    bank = Bank(rows, labels, np.zeros(300, int), np.zeros((300, 1, 2), np.float32))
    first = compressed(bank, 5, 7).keys
    with ThreadPoolExecutor(3) as pool:
        for found in pool.map(lambda _: compressed(bank, 5, 7).keys, range(6)):
            np.testing.assert_array_equal(found, first)


def test_several_classes_are_told_apart_at_once():
    both = example("both", ("red", 8, 8), ("blue", 40, 40), meant=("red", "blue"))
    mask = mask_of(enlarged(find_engine("neighbours").answer(asked(both)), 64, 64))
    assert overlap(mask == 1, RED) > 0.75 and overlap(mask == 2, BLUE) > 0.75


def test_a_negative_example_takes_away_what_it_shows():
    pink = squares(("red", 8, 8))
    pink[8:24, 8:24] = (235, 60, 60)
    picture = pink[:, ::-1].copy()
    shares = find_engine("neighbours").answer(asked(ONE, picture=picture))
    negative = Example("pink", pink, np.zeros((64, 64), np.uint8))
    without = find_engine("neighbours").answer(asked(ONE, negative, picture=picture))
    is_pink = (picture == (235, 60, 60)).all(axis=-1)[4::8, 4::8]
    assert shares[is_pink][:, 1].mean() > 0.9 and without[is_pink][:, 1].mean() < 0.5


def test_examples_that_mark_nothing_are_refused():
    nothing = Example("empty", squares(), np.zeros((64, 64), np.uint8))
    with pytest.raises(ValueError, match="paint what is meant in at least one"):
        _ = asked(nothing).bank
    with pytest.raises(ValueError, match="there is no example"):
        _ = asked().bank
    with pytest.raises(ValueError, match="mark this very picture"):
        Example("odd", squares(), np.zeros((32, 64), np.uint8))
    with pytest.raises(ValueError, match="engine must be one of neighbours"):
        find_engine("magic")


def test_a_memory_whose_last_examples_mark_nothing_falls_back_on_all():
    nothing = Example("empty", squares(("blue", 0, 0)), np.zeros((64, 64), np.uint8))
    for engine_id in ("last", "self-prompted"):
        shares = find_engine(engine_id).answer(asked(ONE, nothing, nothing))
        assert np.isfinite(shares).all() and shares[..., 1].max() > 0.5


def test_features_are_kept_and_cannot_be_written_to():
    backbone = colour_backbone()
    first = backbone.features(PICTURE)
    assert backbone.features(PICTURE.copy()) is first
    with pytest.raises(ValueError, match="read-only"):
        first[0, 0] = 0
    assert backbone.features(PICTURE[:, ::-1]) is not first
