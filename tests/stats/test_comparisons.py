"""Paired tests of layouts against hand calculations and direct formulas."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from lab.stats.comparisons import (
    accuracy_table,
    cochran_q,
    compare_layouts,
    exact_mcnemar,
    is_graded,
    pairwise,
)
from lab.stats.intervals import paired_bootstrap, wilson


@pytest.mark.parametrize(
    ("b", "c", "p"), [(10, 20, 0.0987), (15, 30, 0.0357), (0, 0, 1), (7, 7, 1), (0, 5, 0.0625)]
)
def test_mcnemar_matches_the_hand_calculation(b, c, p):
    assert exact_mcnemar(b, c) == pytest.approx(p, abs=5e-5)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_binomial_sum(b, c):
    tail = sum(math.comb(b + c, i) for i in range(min(b, c) + 1)) / 2 ** (b + c)
    assert exact_mcnemar(b, c) == pytest.approx(min(1, 2 * tail))
    assert exact_mcnemar(b, c) == pytest.approx(exact_mcnemar(c, b))


def test_a_comparison_holds_the_counts_of_the_table(discordant):
    (c,) = compare_layouts(discordant(31, 9, 200), "sum")
    assert (c.reference, c.layout, c.n, c.test) == ("sum", "eum", 200, "exact McNemar")
    assert (c.n_broken, c.n_fixed, c.n_other, c.n_flips, c.n_unparsed) == (31, 9, 0, 40, 0)
    assert (c.metric_reference, c.metric_layout) == (191 / 200, 169 / 200)
    assert c.metric_change == pytest.approx(-0.11)
    assert c.prediction_change == 0.2
    assert (c.prediction_change_low, c.prediction_change_high) == wilson(40, 200)
    assert c.p == c.p_holm == exact_mcnemar(31, 9)
    # Normal approximation of the paired difference: -.11 ± 1.96 · sqrt((.2 - .0121) / 200).
    assert (c.ci_low, c.ci_high) == pytest.approx((-0.170, -0.050), abs=0.008)


def test_flips_between_wrong_answers_count_as_other(labelled):
    (c,) = compare_layouts(labelled({"sum": "bba", "eum": "cb" + "a"}, "aaa", "abc"), "sum")
    assert (c.n_flips, c.n_other, c.n_broken, c.n_fixed, c.p) == (1, 1, 0, 0, 1)


@given(
    st.integers(1, 15).flatmap(
        lambda n: st.tuples(*[st.lists(st.sampled_from("abc"), min_size=n, max_size=n)] * 3)
    )
)
@settings(max_examples=12, deadline=None)
def test_swapping_the_reference_mirrors_the_comparison(labelled, drawn):
    first, second, gold = drawn
    table = labelled({"s": first, "t": second}, gold, "abc")
    (there,), (back,) = compare_layouts(table, "s"), compare_layouts(table, "t")
    mirrored = replace(
        there,
        reference="t",
        layout="s",
        metric_reference=there.metric_layout,
        metric_layout=there.metric_reference,
        n_broken=there.n_fixed,
        n_fixed=there.n_broken,
        metric_change=back.metric_change,
        ci_low=back.ci_low,
        ci_high=back.ci_high,
    )
    assert mirrored == back
    assert back.metric_change == pytest.approx(-there.metric_change)
    assert (back.ci_low, back.ci_high) == pytest.approx((-there.ci_high, -there.ci_low))


def test_holm_corrects_over_all_layouts(labelled):
    gold = ["a"] * 40
    broken = {"t": 6, "u": 8, "v": 3}
    said = {"s": gold} | {name: ["b"] * k + ["a"] * (40 - k) for name, k in broken.items()}
    found = {c.layout: c for c in compare_layouts(labelled(said, gold), "s")}
    p = {name: 2 * 0.5**k for name, k in broken.items()}
    assert {name: c.p for name, c in found.items()} == pytest.approx(p)
    assert found["u"].p_holm == pytest.approx(3 * p["u"])
    assert found["t"].p_holm == pytest.approx(2 * p["t"])
    assert found["v"].p_holm == pytest.approx(p["v"])


def test_graded_metrics_are_compared_by_signed_ranks(generated):
    a, b = np.random.default_rng(0).random((2, 30)).round(2)
    table = generated({"s": ["x"] * 30, "t": ["y"] * 30}, {"s": a, "t": b})
    (c,) = compare_layouts(table, "s")
    assert is_graded(table)
    assert c.test == "Wilcoxon signed-rank"
    assert c.p == stats.wilcoxon(b - a).pvalue
    assert (c.ci_low, c.ci_high) == pytest.approx(paired_bootstrap(a, b))


def test_graded_metrics_that_agree_have_p_of_one(generated):
    (c,) = compare_layouts(generated({"s": ["x"] * 3, "t": ["x"] * 3}, {"s": [0.3] * 3, "t": [0.3] * 3}), "s")
    assert (c.p, c.n_flips) == (1, 0)


def test_unparsed_answers_are_counted_apart(labelled):
    (c,) = compare_layouts(labelled({"s": "aba", "t": ["", "b", ""]}, "aaa"), "s")
    assert (c.n_unparsed, c.n_broken, c.n_flips) == (2, 2, 2)


def test_a_single_layout_leaves_nothing_to_compare(labelled):
    table = labelled({"s": "ab"}, "ab")
    assert compare_layouts(table, "s") == []
    assert pairwise(table).empty
    assert "p_holm" in pairwise(table)


def test_pairwise_has_every_pair_once_and_agrees_with_compare_layouts(labelled):
    said = {"s": "abab", "t": "aabb", "u": "bbbb", "v": "aaaa"}
    table = labelled(said, "abaa")
    pairs = pairwise(table)
    assert list(zip(pairs["reference"], pairs["layout"], strict=True)) == [
        ("s", "t"), ("s", "u"), ("s", "v"), ("t", "u"), ("t", "v"), ("u", "v"),
    ]  # fmt: skip
    for c in compare_layouts(table, "s"):
        row = pairs[(pairs["reference"] == "s") & (pairs["layout"] == c.layout)].iloc[0]
        assert (row["ci_low"], row["p"], row["n_flips"]) == (c.ci_low, c.p, c.n_flips)
    assert (pairs["p_holm"] >= pairs["p"]).all()


def test_cochrans_q_is_its_formula_and_is_mcnemar_for_two_layouts(labelled, discordant):
    rng = np.random.default_rng(3)
    said = {name: rng.choice(["a", "b"], 30) for name in "stu"}
    x = np.array([said[name] == "a" for name in "stu"]).T.astype(int)
    columns, rows, k = x.sum(0), x.sum(1), 3
    q = k * (k - 1) * ((columns - columns.mean()) ** 2).sum() / (rows * (k - rows)).sum()
    found = cochran_q(labelled(said, ["a"] * 30))
    assert found == pytest.approx((q, 2, stats.chi2.sf(q, 2)))
    assert cochran_q(discordant(10, 20, 50)).q == pytest.approx((10 - 20) ** 2 / 30)


def test_cochrans_q_is_guarded_where_all_layouts_agree(labelled):
    assert cochran_q(labelled({"s": "aab", "t": "aab", "u": "aab"}, "aaa")) == (0, 2, 1)
    assert cochran_q(labelled({"s": "bb", "t": "cc"}, "aa", "abc")) == (0, 1, 1)
    with pytest.raises(ValueError, match="at least 2 layouts, got 1"):
        cochran_q(labelled({"s": "a"}, "a"))


def test_accuracy_table_measures_the_change_from_zero_shot(labelled):
    said = {"none": "abbb" * 5, "sum": "aaab" * 5, "eum": ["", *"bbb"] * 5}
    table = accuracy_table(labelled(said, ["a"] * 20)).set_index("layout")
    assert table["metric"].tolist() == [0.25, 0.75, 0]
    assert (table.loc["sum", "low"], table.loc["sum", "high"]) == wilson(15, 20)
    assert table.loc["sum", "accuracy_change"] == 0.5
    assert table.loc["sum", "p"] == exact_mcnemar(0, 10)
    assert table.loc["sum", "change_low"] > 0
    assert table.loc["none", ["accuracy_change", "p"]].isna().all()
    assert table["n_unparsed"].tolist() == [0, 0, 5]


def test_accuracy_table_works_without_zero_shot_and_with_graded_metrics(labelled, generated):
    assert accuracy_table(labelled({"sum": "ab"}, "aa"))["accuracy_change"].isna().all()
    graded = generated(
        {"none": ["x"] * 4, "sum": ["y"] * 4}, {"none": [0.1, 0.2, 0.3, 0.4], "sum": [0.5] * 4}
    )
    table = accuracy_table(graded).set_index("layout")
    assert table.loc["none", "low"] < 0.25 < table.loc["none", "high"]
    assert table.loc["sum", "accuracy_change"] == pytest.approx(0.25)


def test_an_unknown_reference_is_refused(discordant):
    with pytest.raises(ValueError, match="layout must be one of sum, eum, got 'none'"):
        compare_layouts(discordant(1, 1, 4), "none")
