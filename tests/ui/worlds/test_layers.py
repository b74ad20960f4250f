"""Where the answer can be read, as the tab draws it."""

import numpy as np
import pytest

from lab.ui.opened import Opened
from lab.ui.worlds import layers
from lab.ui.worlds.rooms import ROOMS, kept_of
from lab.worlds.probes import Readable, readable


@pytest.fixture(scope="module")
def induction():
    return kept_of(Opened.first_shipped("induction"))


def test_it_is_for_every_world_whose_learners_have_layers():
    assert [room.id for room in ROOMS if not layers.suits(room)] == ["linear", "softmax"]


def test_the_map_shows_what_probes_read_and_its_title_the_best_of_it(induction):
    figure = layers.figure_of(induction, 1.0)
    found = readable(induction.world, induction.learner)
    assert figure.data[0].z.tolist() == found.shares.tolist()
    assert list(figure.data[0].y) == ["what comes in", "after block 0", "after block 1"]
    title = figure.layout.title.text.replace("<br>", " ")
    assert title == layers.sentence(found, 1000)
    assert title.startswith("After 1,000 steps the answer is read best at position 5, after block 1: 100%")


def test_before_training_nothing_can_be_read_that_is_not_shown(induction):
    title = layers.figure_of(induction, 0.0).layout.title.text.replace("<br>", " ")
    assert title.startswith("After 0 steps")
    best = float(layers.figure_of(induction, 0.0).data[0].z.max())
    assert best < 0.75


def test_the_sentence_tells_the_best_place():
    found = Readable(
        ["what comes in", "after block 0"], [3, 4], np.array([[0.1, 0.2], [0.9, 0.3]]), 0.85, 0.25, 500
    )
    assert layers.sentence(found, 20) == (
        "After 20 steps the answer is read best at position 3, after block 0: 90%; the learner says it in "
        "85%, chance is 25% (n = 500)"
    )
