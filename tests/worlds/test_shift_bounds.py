import math

import numpy as np
import pytest

from lab.worlds.exact.shift_bounds import SHIFTS, Shifts, elementary, proved


def drawn(kind: str, radius: float = 1.0, n_draws: int = 400) -> Shifts:
    return SHIFTS[kind](n_draws, 24, 4, radius, np.random.default_rng(0))


kinds = pytest.mark.parametrize("kind", SHIFTS)


def test_the_proved_bound_is_that_of_the_theorem():
    assert proved(1, 0.0) == 1
    assert proved(4, 0.5) == pytest.approx(8 * math.exp(2.5))


@kinds
@pytest.mark.parametrize("radius", [0.5, 1.0, 4.0])
def test_no_draw_breaks_either_bound(kind, radius):
    shifts = drawn(kind, radius)
    assert (shifts.shift > 0).all() and (shifts.change > 0).all()
    assert shifts.n_broken(elementary(radius)) == shifts.n_broken(proved(24, radius)) == 0


@kinds
def test_what_is_below_the_largest_ratio_is_broken(kind):
    shifts = drawn(kind)
    ratios = shifts.change / shifts.shift
    assert shifts.n_broken(float(np.median(ratios))) == 200


@kinds
def test_decades_are_powers_of_ten_between_bound_and_change(kind):
    shifts = drawn(kind)
    assert shifts.decades(100.0) == pytest.approx(np.log10(100 * shifts.shift / shifts.change))
    assert (shifts.decades(100.0) - shifts.decades(1.0)) == pytest.approx(2)


@kinds
def test_small_shifts_change_in_proportion_and_none_leads_far_out_of_the_ball(kind):
    shifts = drawn(kind)
    assert shifts.shift.max() <= 2  # two points of a ball of radius 1
    assert shifts.shift.min() < 0.01 < shifts.shift.max()


@kinds
def test_the_same_seed_draws_the_same(kind):
    assert np.array_equal(drawn(kind).change, drawn(kind).change)
