"""Each claim of the paper on hand-made tables whose verdict is known."""

from collections.abc import Mapping
from functools import cache

import pandas as pd
import pytest

from lab.experiments.claims import Claim, dpp_claims

LAYOUTS = ("none", "ssp", "esp", "sum", "eum")


def table(**answers: str) -> pd.DataFrame:
    """Make a table from one string a layout, one sign a query: r right, w wrong, x wrong otherwise."""
    said = {"r": "yes", "w": "no", "x": "maybe"}
    return pd.DataFrame(
        [
            (f"q{place}", layout, said[sign], "yes", float(sign == "r"), float("nan"))
            for layout in LAYOUTS
            for place, sign in enumerate(answers[layout])
        ],
        columns=["query_id", "layout", "prediction", "gold", "correct", "margin"],
    )


def tables(n_tasks: int = 1, **answers: str) -> dict[str, pd.DataFrame]:
    return {f"task{place}": table(**answers) for place in range(n_tasks)}


def same(every: str, **others: str) -> dict[str, str]:
    """Give every layout the same answers but those named."""
    return {layout: others.get(layout, every) for layout in LAYOUTS}


@cache
def verdicts_of(*answers: str) -> list[str]:
    """Return the verdicts on one task with these answers, a string a layout."""
    return verdicts(tables(**dict(zip(LAYOUTS, answers, strict=True))))


def verdicts(by_task: Mapping[str, pd.DataFrame]) -> list[str]:
    return [claim.verdict for claim in dpp_claims(by_task)]


HELP, WORST, FLIPS, NO_GAIN, NO_BEST = range(5)
HALF = "r" * 20 + "w" * 20


@pytest.mark.parametrize(
    ("claim", "answers", "verdict"),
    [
        # 20 fixed, 0 broken against zero-shot: p = 2^-19, four comparisons
        (HELP, same("r" * 40, none=HALF), "holds"),
        (HELP, same("w" * 40, none=HALF), "does not hold here"),
        # one layout gains 3 of 40: p = .25, and the interval holds a gain
        (HELP, same(HALF, ssp="r" * 23 + "w" * 17), "undecided"),
        (HELP, same(HALF), "undecided"),  # 40 queries without a flip do not exclude a gain of some points
        # right in ssp, esp and sum, wrong in eum: 20 queries against none
        (WORST, same("r" * 40, eum=HALF), "holds"),
        (WORST, same("w" * 40, eum=HALF), "does not hold here"),
        (WORST, same("r" * 40, eum="r" * 37 + "www"), "undecided"),
        (WORST, same(HALF), "undecided"),
        # 40 of 40 flip; 0 of 40 (Wilson up to 8.8 %); 8 of 40, in the midst of the interval
        (FLIPS, same("w" * 40, eum="x" * 40), "holds"),
        (FLIPS, same("w" * 40), "does not hold here"),
        (FLIPS, same("w" * 40, eum="x" * 8 + "w" * 32), "undecided"),
        (NO_GAIN, same("r" * 40, eum=HALF), "holds"),
        (NO_GAIN, same("w" * 40, eum=HALF), "does not hold here"),
        # nothing flips, or more are fixed than broken but not significantly: neither was shown
        (NO_GAIN, same(HALF), "undecided"),
        (NO_GAIN, same("w" * 40, eum="rr" + "w" * 38), "undecided"),
        (NO_BEST, same(HALF, ssp="r" * 40), "undecided"),  # one task alone
    ],
)
def test_verdict_on_one_task(claim, answers, verdict):
    assert verdicts_of(*answers.values())[claim] == verdict


def test_no_best_slot_compares_tasks():
    first, second = table(**same(HALF, ssp="r" * 40)), table(**same(HALF, sum="r" * 40))
    assert verdicts({"a": first, "b": second})[NO_BEST] == "holds"
    assert verdicts({"a": first, "b": first})[NO_BEST] == "does not hold here"
    tie = table(**same(HALF, ssp="r" * 40, sum="r" * 40))
    assert verdicts({"a": first, "b": tie})[NO_BEST] == "does not hold here"


def test_most_tasks_are_more_than_half():
    helped, hurt = table(**same("r" * 40, none=HALF)), table(**same("w" * 40, none=HALF))
    assert verdicts({"a": helped, "b": hurt})[HELP] == "does not hold here"
    assert verdicts({"a": helped, "b": helped, "c": hurt})[HELP] == "holds"
    open_task = table(**same(HALF, ssp="r" * 23 + "w" * 17))
    assert verdicts({"a": helped, "b": open_task, "c": hurt})[HELP] == "undecided"


def test_flips_are_pooled_over_tasks():
    """Three broken in each of two tasks, p = .25 alone and .03 together."""
    by_task = tables(2, **same("r" * 40, eum="r" * 37 + "www"))
    assert verdicts(by_task)[WORST] == "holds"
    assert "6 broken, 0 fixed over all tasks" in dpp_claims(by_task)[NO_GAIN].measured


def test_summaries_are_compared_by_their_scores():
    graded = table(**same("w" * 40))
    graded.loc[graded["layout"] == "none", "correct"] = 0.1
    graded.loc[graded["layout"] != "none", "correct"] = 0.3
    assert verdicts({"news": graded})[HELP] == "holds"
    assert verdicts({"news": graded})[WORST] == "undecided"


def test_every_claim_says_what_was_measured():
    for claim in dpp_claims(tables(2, **same(HALF, eum="w" * 40))):
        assert isinstance(claim, Claim) and claim.claim and claim.measured
        assert claim.verdict in ("holds", "does not hold here", "undecided")
