"""Calibrated label scores against the papers' formulas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lab.stats.calibration import (
    balance_warning,
    batch_calibration,
    contextual_calibration,
    label_distribution,
    recalibrate,
)

scores = st.integers(2, 5).flatmap(
    lambda k: st.tuples(
        arrays(float, st.tuples(st.integers(1, 8), st.just(k)), elements=st.floats(-30, 0)),
        arrays(float, st.tuples(st.integers(1, 4), st.just(k)), elements=st.floats(-30, 0)),
    )
)


def test_label_distribution_is_the_share_of_each_label():
    logp = np.log([[0.1, 0.3], [0.02, 0.02]])
    np.testing.assert_allclose(label_distribution(logp), [[0.25, 0.75], [0.5, 0.5]])


def test_a_label_without_probability_keeps_none():
    np.testing.assert_allclose(label_distribution(np.array([[-np.inf, -2.0]])), [[0, 1]])


@given(scores)
@settings(deadline=None, max_examples=25)
def test_every_distribution_sums_to_one(drawn):
    logp, content_free = drawn
    found = (
        label_distribution(logp),
        np.exp(contextual_calibration(logp, content_free)),
        np.exp(batch_calibration(logp)),
    )
    for rows in found:
        np.testing.assert_allclose(rows.sum(axis=1), 1)
        assert rows.shape == logp.shape


@given(scores)
@settings(deadline=None, max_examples=25)
def test_contextual_calibration_is_w_p_with_the_inverse_prior(drawn):
    logp, content_free = drawn
    p_cf = label_distribution(content_free).mean(axis=0)
    q = label_distribution(logp) @ np.diag(1 / p_cf)
    np.testing.assert_allclose(
        np.exp(contextual_calibration(logp, content_free)), q / q.sum(1, keepdims=True)
    )


@given(scores)
@settings(deadline=None, max_examples=25)
def test_an_offset_of_a_query_or_of_a_label_is_taken_out(drawn):
    """A constant added to a label's scores, content-free ones too, changes nothing."""
    logp, content_free = drawn
    offset = np.linspace(-2, 3, logp.shape[1])
    np.testing.assert_allclose(label_distribution(logp + 5.0), label_distribution(logp))
    one = content_free[:1]
    np.testing.assert_allclose(
        contextual_calibration(logp + offset, one + offset), contextual_calibration(logp, one), atol=1e-9
    )


@given(scores, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=25)
def test_calibration_does_not_depend_on_the_order_of_labels(drawn, random):
    logp, content_free = drawn
    order = random.sample(range(logp.shape[1]), logp.shape[1])
    np.testing.assert_allclose(
        batch_calibration(logp[:, order]), batch_calibration(logp)[:, order], atol=1e-9
    )
    np.testing.assert_allclose(
        contextual_calibration(logp[:, order], content_free[:, order]),
        contextual_calibration(logp, content_free)[:, order],
        atol=1e-9,
    )


def test_a_flat_prior_changes_nothing():
    logp = np.log([[0.2, 0.8], [0.6, 0.4]])
    np.testing.assert_allclose(contextual_calibration(logp, np.zeros((3, 2))), logp)


def test_batch_calibration_undoes_a_bias_towards_one_label():
    p = np.array([[0.9, 0.1], [0.7, 0.3]])
    bias = p.mean(axis=0)  # (.8, .2)
    q = p / bias
    np.testing.assert_allclose(np.exp(batch_calibration(np.log(p))), q / q.sum(axis=1, keepdims=True))
    assert batch_calibration(np.log(p)).argmax(axis=1).tolist() == [0, 1]


def test_bad_scores_are_named():
    with pytest.raises(ValueError, match="row 1 of logp holds no finite value"):
        label_distribution(np.array([[0.0, -1.0], [-np.inf, -np.inf]]))
    with pytest.raises(ValueError, match="got NaN or infinity"):
        label_distribution(np.array([[0.0, np.nan]]))
    with pytest.raises(ValueError, match=r"shape \(n_queries, n_labels\), got \(2,\)"):
        label_distribution(np.zeros(2))
    with pytest.raises(ValueError, match="same labels"):
        contextual_calibration(np.zeros((2, 2)), np.zeros((1, 3)))
    with pytest.raises(ValueError, match="label 1 has probability 0"):
        contextual_calibration(np.zeros((2, 2)), np.array([[0.0, -np.inf]]))


@pytest.fixture
def biased(labelled):
    """Under sum every query leans to a; under eum the queries are told apart."""
    table = labelled({"sum": "aa", "eum": "ab"}, "ab")
    table[["logp_a", "logp_b"]] = np.log([[0.9, 0.1], [0.7, 0.3], [0.9, 0.1], [0.1, 0.9]])
    return table


def test_recalibrate_works_on_each_layout_alone(biased):
    result = recalibrate(biased, "batch")
    assert result["prediction"].tolist() == ["a", "b", "a", "b"]
    assert result["correct"].tolist() == [1, 1, 1, 1]
    np.testing.assert_allclose(np.exp(result.loc[2:, "logp_a"]), [0.9, 0.1])
    np.testing.assert_allclose(result["margin"], (result["logp_a"] - result["logp_b"]).abs())
    untouched = ["run_id", "query_id", "layout", "gold", "n_tokens", "seconds"]
    pd.testing.assert_frame_equal(result[untouched], biased[untouched])
    assert list(result.columns) == list(biased.columns)


def test_recalibrate_takes_content_free_scores_of_the_same_layout(biased):
    content_free = pd.DataFrame(
        {
            "layout": ["sum", "sum", "eum"],
            "logp_a": np.log([0.7, 0.9, 0.5]),
            "logp_b": np.log([0.3, 0.1, 0.5]),
        }
    )
    result = recalibrate(biased, "contextual", content_free)
    # sum: p_cf = (.8, .2), so odds .9/.1 become 9/4 and .7/.3 become .7/1.2.
    np.testing.assert_allclose(np.exp(result["margin"]), [9 / 4, 12 / 7, 9, 9])
    assert result["prediction"].tolist() == ["a", "b", "a", "b"]


def test_recalibrate_without_a_method_only_normalises_and_keeps_the_row_labels(biased):
    shuffled = biased.iloc[[2, 0, 3, 1]].assign(
        logp_a=lambda t: t["logp_a"] - 1, logp_b=lambda t: t["logp_b"] - 1
    )
    result = recalibrate(shuffled, "none")
    assert list(result.index) == [2, 0, 3, 1]
    assert result["prediction"].tolist() == shuffled["prediction"].tolist()
    np.testing.assert_allclose(np.exp(result["logp_a"]), [0.9, 0.9, 0.1, 0.7])


def test_ties_go_to_the_first_label(biased):
    result = recalibrate(biased.assign(logp_a=-1.0, logp_b=-1.0), "batch")
    assert set(result["prediction"]) == {"a"}
    assert (result["margin"] == 0).all()


def test_recalibrate_names_what_it_lacks(biased, generated):
    with pytest.raises(ValueError, match="method must be one of none, contextual, batch, got 'domain'"):
        recalibrate(biased, "domain")
    with pytest.raises(ValueError, match="needs content_free"):
        recalibrate(biased, "contextual")
    with pytest.raises(ValueError, match="got none for 'eum'"):
        recalibrate(biased, "contextual", biased[biased["layout"] == "sum"])
    with pytest.raises(ValueError, match="score the labels a, b in this order"):
        recalibrate(biased, "contextual", biased.drop(columns="logp_b"))
    with pytest.raises(ValueError, match="generated answers hold no label scores"):
        recalibrate(generated({"sum": ["x"]}, {"sum": [1]}), "batch")


def test_a_skewed_batch_is_warned_of(labelled):
    assert balance_warning(labelled({"s": "ab" * 5, "t": "ab" * 5}, "ab" * 5)) == ""
    warning = balance_warning(labelled({"s": "aaaab" * 2}, "aaaab" * 2))
    assert "'a' is right for 80 % of the queries (fair share 50 %)" in warning
    assert "'c' is right for 0 %" in balance_warning(labelled({"s": "ab"}, "ab", "abc"))
