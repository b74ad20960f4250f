"""Tamper patterns: every one changes a picture, keeps its shape, and can be drawn again."""

import numpy as np
import pytest
from tiny_vision import noisy, squares

from lab.vision.tampers.listed import find_pattern, patterns

PICTURE = noisy(squares(("red", 5, 8), ("green", 30, 4), ("blue", 40, 36)))
PICTURE[40:60, 4:24] = np.linspace(0, 255, 20).astype(np.uint8)[:, None]


@pytest.mark.parametrize("pattern", patterns(), ids=lambda pattern: pattern.id)
@pytest.mark.parametrize("side", [64, 97])
def test_a_pattern_changes_a_picture_keeps_its_shape_and_can_be_drawn_again(pattern, side):
    picture = PICTURE if side == 64 else np.tile(PICTURE, (2, 2, 1))[:side, :side].copy()
    before = picture.copy()
    found = [pattern.tamper(picture, np.random.default_rng(seed)) for seed in (3, 3)]
    assert np.array_equal(*found)
    assert found[0].shape == picture.shape and found[0].dtype == np.uint8
    assert np.abs(found[0].astype(int) - picture).mean() > 2
    assert np.array_equal(picture, before)


@pytest.mark.parametrize("pattern_id", ["mirror", "upside-down", "invert"])
def test_patterns_that_undo_themselves_do(pattern_id):
    tamper, random = find_pattern(pattern_id).tamper, np.random.default_rng(0)
    assert np.array_equal(tamper(tamper(PICTURE, random), random), PICTURE)


@pytest.mark.parametrize("pattern_id", ["jigsaw", "rows", "halves"])
def test_patterns_that_only_move_parts_keep_every_pixel(pattern_id):
    picture = PICTURE[:48, :48].copy()  # parts of three and of eight come out even
    found = find_pattern(pattern_id).tamper(picture, np.random.default_rng(1))
    assert sorted(map(tuple, found.reshape(-1, 3))) == sorted(map(tuple, picture.reshape(-1, 3)))


def test_ten_patterns_are_held_out_and_all_have_names_of_their_own():
    assert sum(each.is_held_out for each in patterns()) == 10
    assert sum(not each.is_held_out for each in patterns()) == 38
    assert len({each.id for each in patterns()}) == len({each.title for each in patterns()}) == 48
    with pytest.raises(ValueError, match="no pattern is called 'magic'"):
        find_pattern("magic")
