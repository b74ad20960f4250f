"""Composed scenes: marks are where the thing is seen, and classes are told apart by a fixed list."""

import numpy as np
import pytest
from polygons import polygon_atlas

from lab.vision.composites import STYLES_SHOWN, Scenery, classes, episode, ground, scene

DRAWINGS = polygon_atlas()
TRAIN, TEST = classes(False), classes(True)


def composed(seed: int, **changes):
    chosen = {"concept": TRAIN[3], "style": "flat", "others": TRAIN, "drawings": DRAWINGS, **changes}
    return scene(random=np.random.default_rng(seed), **chosen)


def test_training_and_test_classes_have_nothing_in_common():
    assert len(TRAIN) == 136 and len(TEST) == 24 and not set(TRAIN) & set(TEST)


def test_a_scene_is_reproducible_and_differs_from_the_next():
    one, again, other = composed(1), composed(1), composed(2)
    assert np.array_equal(one.picture, again.picture) and np.array_equal(one.marks, again.marks)
    assert not np.array_equal(one.picture, other.picture)
    assert one.picture.shape == (320, 320, 3) and one.name == f"{TRAIN[3].word} flat"


def test_marks_are_where_the_thing_changed_the_picture():
    # one other thing, so that whatever differs between a scene with and without is the thing itself
    scenery = Scenery(n_others=1, turn=0.0)
    for seed in range(8):
        with_it = composed(seed, scenery=scenery)
        is_marked = with_it.marks == 1
        assert set(np.unique(with_it.marks)) <= {0, 1}
        if is_marked.any():
            inside = with_it.picture[is_marked].astype(float)
            assert inside.std(axis=0).mean() < 60  # polygons have one colour; the ground has several


def test_a_negative_scene_marks_nothing_and_two_things_are_both_marked():
    assert composed(5, n_meant=0).is_negative
    twice = [composed(seed, n_meant=2).marks.sum() for seed in range(12)]
    once = [composed(seed).marks.sum() for seed in range(12)]
    assert np.mean(twice) > 1.3 * np.mean(once)


@pytest.mark.parametrize("seed", range(3))
def test_an_episode_shows_its_class_in_other_styles_than_the_query(seed):
    examples, query = episode(TEST[0], 3, TRAIN, DRAWINGS, np.random.default_rng(seed))
    styles = [each.name.rsplit(" ", 1)[1] for each in (*examples, query)]
    assert len(set(styles)) == 4 and set(styles) == set(STYLES_SHOWN)
    assert all(each.name.startswith(TEST[0].word) for each in (*examples, query))


def test_grounds_have_colour_and_no_seam():
    painted = ground(96, np.random.default_rng(0))
    assert painted.shape == (96, 96, 3) and painted.std() > 10
    steps = np.abs(np.diff(painted.astype(float).mean(axis=2), axis=0))
    assert steps.max() < 60
