"""The smallest difference that a number of queries can show."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.stats.power import minimum_detectable_difference, smallest_n


@pytest.mark.parametrize(
    ("n", "discordance", "points"),
    [
        (200, 0.1, 6.3),
        (200, 0.2, 8.9),
        (200, 0.3, 10.8),
        (1000, 0.1, 2.8),
        (1000, 0.2, 4.0),
        (1000, 0.3, 4.9),
    ],
)
def test_it_is_about_two_point_eight_standard_errors(n, discordance, points):
    found = minimum_detectable_difference(n, discordance)
    assert 100 * found == pytest.approx(points, abs=0.06)
    assert found == pytest.approx(2.8 * math.sqrt(discordance / n), rel=0.002)


@settings(max_examples=50, deadline=None)
@given(st.floats(0.02, 0.9), st.floats(0.05, 1))
def test_smallest_n_is_the_inverse(share, discordance):
    difference = share * discordance
    n = smallest_n(difference, discordance)
    assert minimum_detectable_difference(n, discordance) <= difference * (1 + 1e-6)
    if n > 1:
        assert minimum_detectable_difference(n - 1, discordance) > difference * (1 - 1e-6)


def test_the_detectable_difference_is_found_with_about_the_stated_power():
    rng, n, discordance = np.random.default_rng(0), 2000, 0.2
    delta = minimum_detectable_difference(n, discordance)
    shares = [(discordance + delta) / 2, (discordance - delta) / 2, 1 - discordance]
    fixed, broken, _ = rng.multinomial(n, shares, size=4000).T
    z = (fixed - broken) / np.sqrt(fixed + broken)
    assert (np.abs(z) > 1.96).mean() == pytest.approx(0.8, abs=0.03)


def test_it_never_exceeds_the_whole_scale_and_vanishes_without_discordance():
    assert minimum_detectable_difference(1, 1) == 1
    assert minimum_detectable_difference(50, 0) == 0


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="n must be at least 1, got 0"):
        minimum_detectable_difference(0, 0.1)
    with pytest.raises(ValueError, match=r"discordance must be 0\.\.1, got 20"):
        minimum_detectable_difference(10, 20)
    with pytest.raises(ValueError, match=r"alpha and power must lie between 0 and 1, got 5 and 0\.8"):
        minimum_detectable_difference(10, 0.2, alpha=5)
    with pytest.raises(ValueError, match=r"at most the discordance, got 0\.3 and 0\.2"):
        smallest_n(0.3, 0.2)
