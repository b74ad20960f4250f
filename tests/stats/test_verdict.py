"""Sentences that say what a comparison shows, and no more."""

from dataclasses import replace

import pytest

from lab.stats.comparisons import compare_layouts
from lab.stats.floor import Floor
from lab.stats.verdict import comparison_sentence, p_text, sweep_sentence


def only(table, reference="sum"):
    (comparison,) = compare_layouts(table, reference)
    return comparison


def test_a_clear_difference_is_called_with_its_grounds(discordant):
    c = replace(only(discordant(31, 9, 200)), ci_low=-0.17, ci_high=-0.05)
    assert comparison_sentence(c) == (
        "eum is worse than sum: 31 broken, 9 fixed of 200, "
        "accuracy \u221211.0 points (95 % \u221217 to \u22125), p = .0007."
    )
    assert comparison_sentence(only(discordant(9, 31, 200))).startswith(
        "eum is better than sum: 9 broken, 31 fixed"
    )


def test_what_cannot_be_told_apart_says_what_stays_invisible(discordant):
    c = replace(only(discordant(12, 9, 200)), ci_low=-0.06, ci_high=0.032)
    # 2.8 · sqrt((21 / 200) / 200) = 6.4 points.
    assert comparison_sentence(c) == (
        "eum and sum cannot be told apart: 12 broken, 9 fixed of 200, accuracy \u22121.5 points "
        "(95 % \u22126 to 3), p = .66; with 200 queries a difference under 6 points stays invisible."
    )


def test_few_discordant_queries_cannot_hide_what_the_exact_test_needs(discordant):
    """With one discordant query the formula says 1.4 points of 200; below 6 discordant no p is under .05."""
    assert "a difference under 3 points stays invisible" in comparison_sentence(only(discordant(1, 0, 200)))


def test_the_corrected_p_decides_and_is_named(discordant):
    c = replace(only(discordant(15, 30, 200)), p_holm=0.107)
    assert "cannot be told apart" in comparison_sentence(c)
    assert "p = .11 after Holm's correction" in comparison_sentence(c)


def test_equal_answers_are_said_to_be_equal(discordant):
    assert (
        comparison_sentence(only(discordant(0, 0, 30)))
        == "eum and sum give the same answer to all 30 queries."
    )


def test_graded_metrics_speak_of_a_score(generated):
    table = generated({"sum": ["x"] * 20, "eum": ["y"] * 20}, {"sum": [0.2] * 20, "eum": [0.4] * 20})
    sentence = comparison_sentence(only(table))
    assert sentence.startswith(
        "eum is better than sum: 0 broken, 0 fixed of 20, mean score +20.0 points (95 %"
    )
    alike = generated({"sum": ["x", "x"], "eum": ["y", "y"]}, {"sum": [0.2, 0.4], "eum": [0.4, 0.2]})
    assert "a difference under" in comparison_sentence(only(alike))


def test_answers_that_could_not_be_read_are_mentioned(labelled):
    sentence = comparison_sentence(only(labelled({"sum": "aa", "eum": ["", "a"]}, "aa")))
    assert sentence.endswith("Under eum 1 answer could not be read.")


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.00069, "p = .0007"), (0.0357, "p = .036"), (0.0987, "p = .099"), (0.4, "p = .40"), (1, "p = 1"),
        (0.00009, "p < .0001"), (0, "p < .0001"), (0.00999, "p = .010"), (0.997, "p = 1"),
    ],
)  # fmt: skip
def test_p_values_have_no_leading_zero(p, text):
    assert p_text(p) == text


@pytest.fixture
def sweep(labelled):
    said = {
        "sum": "a" * 60 + "b" * 40,
        "ssp": "a" * 90 + "b" * 10,
        "eum": "b" * 40 + "a" * 20 + "b" * 40,
        "turns": "a" * 59 + "b" * 41,
        "esp": "a" * 61 + "b" * 39,
    }
    return compare_layouts(labelled(said, "a" * 100), "sum")


def test_a_sweep_groups_layouts_and_stands_them_against_the_floor(sweep):
    floor = Floor(n=100, n_flips=0, rate=0, high=0.037, max_logp_difference=0)
    assert sweep_sentence(sweep, floor) == (
        "Against sum, ssp is better; eum is worse; turns and esp cannot be told apart from it. "
        "Moving from sum to eum flips 40.0 % of the answers (95 % 30.9 to 49.8); "
        "batching alone flips at most 3.7 %."
    )


def test_a_sweep_within_the_floor_says_so(sweep):
    floor = Floor(n=100, n_flips=40, rate=0.4, high=0.5, max_logp_difference=2.0)
    assert sweep_sentence(sweep, floor).endswith(
        "(95 % 30.9 to 49.8), which does not stand out from batching alone, which may flip up to 50.0 %."
    )
    assert sweep_sentence(sweep).endswith("; the false-flip floor was not measured.")
    assert sweep_sentence(sweep, is_repeatable=True) == sweep_sentence(sweep).replace(
        "; the false-flip floor was not measured.", "."
    )


def test_a_sweep_of_one_layout_or_of_several_references_is_told(sweep, discordant):
    assert sweep_sentence([]) == "There is only one layout, so nothing to compare."
    with pytest.raises(ValueError, match="share one reference, got eum, sum"):
        sweep_sentence([*sweep, only(discordant(1, 1, 4), "eum")])
