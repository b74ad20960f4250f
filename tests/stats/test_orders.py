"""Orders: luck, entropies, influence of places, recency and majority."""

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lab.stats.orders import (
    common_token_prior,
    entropy_correlations,
    expected_best_of_chance,
    global_entropy,
    influence,
    local_entropy,
    majority_index,
    order_table,
    recency_index,
)

BALANCED = {f"sum@{order}": labels for order, labels in enumerate(sorted(set(permutations("aabb"))))}


@pytest.mark.parametrize(
    ("n", "p", "best"),
    [
        (50, 0.5, {4: 0.573, 24: 0.637, 120: 0.680}),
        (100, 0.5, {4: 0.551, 24: 0.597, 120: 0.628}),
        (200, 0.5, {4: 0.536, 24: 0.569, 120: 0.591}),
        (50, 0.25, {24: 0.373}),
        (100, 0.25, {24: 0.337}),
        (200, 0.25, {24: 0.311}),
    ],
)
def test_expected_best_matches_the_known_table(n, p, best):
    for t, value in best.items():
        assert expected_best_of_chance(n, p, t) == pytest.approx(value, abs=5e-4)


@pytest.mark.parametrize(("n", "p", "t"), [(1, 0.5, 3), (2, 0.3, 3), (3, 0.5, 2), (4, 0.25, 2)])
def test_expected_best_is_the_mean_over_all_outcomes(n, p, t):
    mean = 0.0
    for outcome in product([0, 1], repeat=n * t):
        chance = np.prod([p if hit else 1 - p for hit in outcome])
        mean += chance * np.reshape(outcome, (t, n)).mean(axis=1).max()
    assert expected_best_of_chance(n, p, t) == pytest.approx(mean)


@given(st.integers(1, 100), st.floats(0, 1), st.integers(1, 30))
@settings(max_examples=40, deadline=None)
def test_expected_best_grows_with_tries_from_p(n, p, t):
    assert expected_best_of_chance(n, p, 1) == pytest.approx(p)
    assert (
        p - 1e-9
        <= expected_best_of_chance(n, p, t)
        <= expected_best_of_chance(n, p, t + 1) + 1e-12
        <= 1 + 1e-9
    )


def test_expected_best_refuses_impossible_arguments():
    with pytest.raises(ValueError, match=r"got n = 0, t = 1, p = 0\.5"):
        expected_best_of_chance(0, 0.5, 1)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=30))
def test_global_entropy_lies_between_none_and_log_of_the_labels(predicted):
    found = global_entropy(predicted)
    assert -1e-12 <= found <= np.log(len(set(predicted))) + 1e-12
    assert global_entropy(predicted[::-1] * 2) == pytest.approx(found)


@given(arrays(float, st.tuples(st.integers(1, 6), st.integers(2, 5)), elements=st.floats(-20, 0)))
@settings(deadline=None, max_examples=25)
def test_local_entropy_lies_between_none_and_log_of_the_labels(logp):
    p = np.exp(logp) / np.exp(logp).sum(axis=1, keepdims=True)
    assert local_entropy(logp) == pytest.approx(-(p * np.log(p)).sum(axis=1).mean())
    assert -1e-12 <= local_entropy(logp) <= np.log(logp.shape[1]) + 1e-12


def test_entropies_by_hand():
    assert global_entropy(list("aabb")) == pytest.approx(np.log(2))
    assert global_entropy(list("aaab")) == pytest.approx(0.75 * np.log(4 / 3) + 0.25 * np.log(4))
    assert local_entropy(np.zeros((3, 4))) == pytest.approx(np.log(4))
    with pytest.raises(ValueError, match="at least one label"):
        global_entropy([])


def test_order_table_has_one_row_an_order(labelled):
    table = order_table(labelled({"sum@0-1": "abab", "sum@1-0": "aaab", "eum": "aaaa"}, "abab"))
    assert table["order"].tolist() == ["0-1", "1-0", ""]
    assert table["accuracy"].tolist() == [1, 0.75, 0.5]
    assert table["global_entropy"].tolist() == pytest.approx([np.log(2), global_entropy(list("aaab")), 0])
    # One label is 1 nat ahead of the other in every row.
    p = 1 / (1 + np.exp(-1))
    assert table["local_entropy"].tolist() == pytest.approx([-p * np.log(p) - (1 - p) * np.log(1 - p)] * 3)


def test_correlations_say_whether_an_entropy_ranks_orders(labelled):
    table = order_table(labelled({"sum@0-1": "abab", "sum@1-0": "aaab", "eum": "aaaa"}, "abab"))
    table["local_entropy"] = 0.5
    found = entropy_correlations(table).set_index("entropy")
    assert found.loc["global_entropy", "spearman"] == pytest.approx(1)
    assert found.loc["global_entropy", "pearson"] == pytest.approx(
        np.corrcoef(table["global_entropy"], table["accuracy"])[0, 1]
    )
    assert np.isnan(found.loc["local_entropy", "pearson"])
    assert entropy_correlations(table.iloc[:2])["spearman"].isna().all()


@pytest.fixture(scope="module")
def pulled(labelled):
    """Build a table where a demonstration of label a at place j adds pull[j] nats to the log-odds of a."""

    def build(pull, demo_labels):
        rng = np.random.default_rng(0)
        base = rng.normal(size=20)
        table = labelled({name: ["a"] * 20 for name in demo_labels}, ["a", "b"] * 10)
        odds = [
            base
            + sum(shift * (1 if label == "a" else -1) / 2 for shift, label in zip(pull, shown, strict=True))
            for shown in demo_labels.values()
        ]
        table["logp_a"], table["logp_b"] = np.concatenate(odds), 0.0
        table["prediction"] = np.where(table["logp_a"] > 0, "a", "b")
        return table

    return build


def test_influence_recovers_the_pull_of_each_place_in_a_full_factorial(pulled):
    factorial = {f"sum~{draw}": labels for draw, labels in enumerate(product("ab", repeat=3))}
    found = influence(pulled((0.1, 0.5, 2.0), factorial), factorial).set_index(["place", "label"])
    for place, shift in enumerate((0.1, 0.5, 2.0)):
        for label in "ab":
            row = found.loc[(place, label)]
            assert row["effect"] == pytest.approx(shift)
            assert (row["low"], row["high"]) == pytest.approx((shift, shift))  # the same for every query
            assert (row["n_with"], row["n_without"]) == (4, 4)


def test_influence_contrasts_places_when_the_demonstrations_are_fixed(pulled):
    found = influence(pulled((0.0, 0.0, 0.0, 3.0), BALANCED), BALANCED)
    at_a = found[found["label"] == "a"]["effect"].to_numpy()
    assert at_a[3] == pytest.approx(3)
    # With a at place j, the last place holds a in 1 of 3 orders; without it in 2 of 3.
    assert at_a[:3] == pytest.approx(np.full(3, -1))


def test_influence_is_unknown_where_a_place_never_changes(pulled):
    demo_labels = {"s": "ab", "t": "aa"}
    found = influence(pulled((1.0, 1.0), demo_labels), demo_labels)
    assert found[found["place"] == 0]["effect"].isna().all()
    assert found[found["place"] == 1]["effect"].notna().all()


def test_influence_is_resampled_by_query(pulled):
    table = pulled((1.0, 1.0), {"s": "ab", "t": "aa"})
    table.loc[table["layout"] == "t", "logp_a"] += np.random.default_rng(1).normal(size=20)
    row = influence(table, {"s": "ab", "t": "aa"}).iloc[2]
    assert row["low"] < row["effect"] < row["high"]


def test_recency_is_whole_when_the_last_label_is_repeated_and_none_when_it_is_ignored(labelled):
    gold = list("ab" * 5)
    repeats = labelled({name: [shown[-1]] * 10 for name, shown in BALANCED.items()}, gold)
    assert recency_index(repeats, BALANCED) == pytest.approx((1, 1, 1))
    ignores = labelled({name: gold for name in BALANCED}, gold)
    assert recency_index(ignores, BALANCED) == pytest.approx((0, 0, 0))
    avoids = labelled({n: ["b" if shown[-1] == "a" else "a"] * 10 for n, shown in BALANCED.items()}, gold)
    assert recency_index(avoids, BALANCED).value == pytest.approx(-1)


def test_recency_is_the_difference_of_shares_averaged_over_orders(labelled):
    rng = np.random.default_rng(2)
    table = labelled({name: rng.choice(["a", "b"], 15) for name in BALANCED}, ["a"] * 15)
    share = {name: (table[table["layout"] == name]["prediction"] == "a").mean() for name in BALANCED}
    terms = []
    for name, shown in BALANCED.items():
        others = [n for n, s in BALANCED.items() if s[-1] != shown[-1]]
        p = {n: share[n] if shown[-1] == "a" else 1 - share[n] for n in BALANCED}
        terms.append(p[name] - np.mean([p[n] for n in others]))
    found = recency_index(table, BALANCED)
    assert found.value == pytest.approx(np.mean(terms))
    assert found.low < found.value < found.high


def test_recency_is_unknown_when_every_order_ends_alike(labelled):
    found = recency_index(labelled({"s": "ab", "t": "aa"}, "ab"), {"s": "ba", "t": "aa"})
    assert all(np.isnan(found))


def test_majority_index_follows_the_commonest_demonstration_label(labelled):
    demo_labels = {"s": "aab", "t": "abb"}
    follows = majority_index(labelled({"s": "aaaa", "t": "bbbb"}, "abab"), demo_labels)
    assert follows == pytest.approx((1, 0.5, 2))
    ignores = majority_index(labelled({"s": "abab", "t": "baba"}, "abab"), demo_labels)
    assert np.isnan(ignores.correlation)
    assert ignores.excess == 0


def test_majority_index_is_unknown_with_balanced_demonstrations(labelled):
    found = majority_index(labelled({"s": "aaaa"}, "abab"), {"s": "ab"})
    assert np.isnan(found.correlation) and np.isnan(found.excess) and found.n_layouts == 0


def test_common_token_prior_is_the_mean_distribution():
    np.testing.assert_allclose(common_token_prior(np.log([[0.9, 0.1], [0.2, 0.2]])), [0.7, 0.3])


def test_demonstration_labels_that_do_not_fit_are_named(labelled):
    table = labelled({"s": "ab", "t": "aa"}, "ab")
    with pytest.raises(ValueError, match="layout must be one of s, t, got 'u'"):
        recency_index(table, {"u": "ab"})
    with pytest.raises(ValueError, match=r"equally many labels for every layout, got \[1, 2\]"):
        influence(table, {"s": "a", "t": "ab"})
    with pytest.raises(ValueError, match="equally many labels for every layout, got none"):
        majority_index(table, {})
