"""Wilson and bootstrap intervals against closed forms and other implementations."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from lab.stats.intervals import bootstrap_mean, estimate, paired_bootstrap, wilson


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_its_closed_form(counts):
    k, n = counts
    z, share = stats.norm.ppf(0.975), k / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low, high = wilson(k, n)
    assert (low, high) == pytest.approx((centre - half, centre + half), abs=1e-9)
    assert 0 <= low <= share <= high <= 1


@pytest.mark.parametrize(("k", "n"), [(-1, 5), (6, 5), (0, 0)])
def test_wilson_refuses_impossible_counts(k, n):
    with pytest.raises(ValueError, match=r"k must be 0\.\.n"):
        wilson(k, n)


def test_wilson_refuses_an_impossible_level():
    with pytest.raises(ValueError, match="level must lie between 0 and 1, got 95"):
        wilson(1, 2, level=95)


def test_bootstrap_agrees_with_a_loop_and_with_scipy():
    values = np.random.default_rng(1).normal(size=60)
    ours = bootstrap_mean(values, n_resamples=20_000)
    rng = np.random.default_rng(2)
    loop = np.quantile([rng.choice(values, 60).mean() for _ in range(20_000)], [0.025, 0.975])
    scipy = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=20_000, rng=3)
    assert ours == pytest.approx(tuple(loop), abs=0.012)
    assert ours == pytest.approx(tuple(scipy.confidence_interval), abs=0.012)


def test_clusters_are_drawn_whole():
    """Copies of a row add no information: the interval is that of the rows without copies."""
    values = np.random.default_rng(4).normal(size=40)
    copied = bootstrap_mean(np.repeat(values, 6), cluster=np.repeat(np.arange(40), 6))
    assert copied == pytest.approx(bootstrap_mean(values))
    alone = bootstrap_mean(np.repeat(values, 6))
    assert alone.high - alone.low < 0.5 * (copied.high - copied.low)


def test_clusters_of_unequal_size_agree_with_a_loop():
    rng = np.random.default_rng(5)
    cluster = rng.integers(0, 15, size=80)
    values = rng.normal(size=80) + cluster / 5
    names = np.unique(cluster)
    drawn = (
        np.concatenate([values[cluster == name] for name in rng.choice(names, len(names))])
        for _ in range(4000)
    )
    loop = np.quantile([rows.mean() for rows in drawn], [0.025, 0.975])
    assert bootstrap_mean(values, cluster=cluster, n_resamples=4000) == pytest.approx(tuple(loop), abs=0.07)


def test_several_figures_are_resampled_as_each_alone():
    values = np.random.default_rng(6).random((30, 3))
    together = bootstrap_mean(values)
    for column in range(3):
        assert (together.low[column], together.high[column]) == pytest.approx(
            bootstrap_mean(values[:, column])
        )


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=20), st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_paired_bootstrap_is_finite_and_antisymmetric(pairs, seed):
    a, b = np.array(pairs).T
    low, high = paired_bootstrap(a, b, n_resamples=200, seed=seed)
    assert -1 - 1e-9 <= low <= high <= 1 + 1e-9
    assert paired_bootstrap(b, a, n_resamples=200, seed=seed) == pytest.approx((-high, -low), abs=1e-9)


def test_equal_metrics_leave_room_for_what_was_not_seen():
    a = np.array([1.0, 0, 1, 0])
    bound = wilson(0, 4).high
    assert paired_bootstrap(a, a) == pytest.approx((-bound, bound))
    assert paired_bootstrap(np.zeros(4), np.ones(4)) == pytest.approx((1 - 2 * bound, 1))
    pooled = paired_bootstrap(np.tile(a, 5), np.tile(a, 5), cluster=np.tile(np.arange(4), 5))
    assert pooled == pytest.approx((-bound, bound))


def test_the_interval_covers_the_true_change_about_as_often_as_it_says():
    rng = np.random.default_rng(7)
    hits = 0
    for trial in range(150):
        a, b = rng.random(100) < 0.6, rng.random(100) < 0.7
        low, high = paired_bootstrap(a, b, n_resamples=400, seed=trial)
        hits += low <= 0.1 <= high
    assert 0.90 <= hits / 150 <= 0.99


def test_intervals_are_reproducible_from_their_seed():
    a, b = np.random.default_rng(8).random((2, 50))
    assert paired_bootstrap(a, b, seed=3) == paired_bootstrap(a, b, seed=3)
    assert paired_bootstrap(a, b, seed=3) != paired_bootstrap(a, b, seed=4)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"paired, got shapes \(2,\) and \(3,\)"):
        paired_bootstrap([0, 1], [0, 1, 1])
    with pytest.raises(ValueError, match=r"metric must lie in 0\.\.1, got 0.0 to 70.0"):
        paired_bootstrap([0, 1], [0, 70])
    with pytest.raises(ValueError, match="values must be finite"):
        bootstrap_mean([])
    with pytest.raises(ValueError, match="values must be finite"):
        bootstrap_mean([1.0, np.nan])
    with pytest.raises(ValueError, match=r"one entry a value \(2\), got 3"):
        bootstrap_mean([1.0, 2.0], cluster=[0, 1, 1])


def test_an_estimate_resamples_whole_clusters():
    values, groups = np.array([1, 0, 1, 1, 0, 0.0]), [0, 0, 1, 1, 2, 2]
    found = estimate(values, groups)
    assert found.value == 0.5
    assert (found.low, found.high) == bootstrap_mean(values, groups)


def test_an_estimate_without_variation_still_has_a_width():
    assert estimate([True] * 8, [0, 0, 1, 1, 2, 2, 3, 3]) == (1.0, *wilson(4, 4))
    assert estimate([0, 0, 0]) == (0.0, *wilson(0, 3))
    with pytest.raises(ValueError, match="at least one"):
        estimate([])
