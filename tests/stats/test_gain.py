"""The share of a gain: closed forms, and when none is told."""

import doctest

import numpy as np
import pytest

from lab.stats import gain
from lab.stats.gain import gain_ratio

BASE, TRAINED = np.zeros(40), np.array([1.0] * 30 + [0.0] * 10)


def test_its_example_holds():
    assert doctest.testmod(gain).failed == 0


def test_the_trained_itself_reaches_all_of_it_and_the_base_none():
    assert gain_ratio(BASE, TRAINED, TRAINED) == (1, 1, 1)
    assert gain_ratio(BASE, TRAINED, BASE) == (0, 0, 0)


def test_half_of_the_gain_is_bounded_on_both_sides():
    half = np.array([1.0] * 15 + [0.0] * 25)
    value, low, high = gain_ratio(BASE, TRAINED, half)
    assert value == 0.5 and low < 0.5 < high
    # of about 30 gained sets a half are reached: ± 1.96 √(¼ / 30) is .18
    assert (low, high) == pytest.approx((0.32, 0.68), abs=0.04)


def test_a_loss_is_a_negative_share():
    worse = gain_ratio(np.array([1.0] * 20 + [0.0] * 20), np.ones(40), np.zeros(40))
    assert worse.value == -1 and worse.high < 0


def test_nothing_is_told_where_there_is_no_clear_gain():
    assert gain_ratio(BASE, BASE, TRAINED) is None
    assert gain_ratio([0, 1, 0, 1], [1, 0, 0, 1], [0, 0, 0, 0]) is None
    assert gain_ratio([], [], []) is None
