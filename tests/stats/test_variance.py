"""Shares of variation against statsmodels and hand calculations."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from lab.stats.variance import decompose, sigma_order, sigma_select


def factorial(levels, repeats=1, seed=0):
    rows = [row for row in product(*[range(n) for n in levels.values()]) for _ in range(repeats)]
    table = pd.DataFrame(rows, columns=list(levels))
    return table.assign(value=np.random.default_rng(seed).normal(size=len(table))).sample(
        frac=1, random_state=seed
    )


@pytest.mark.parametrize("repeats", [1, 3])
def test_sums_of_squares_are_those_of_a_type_two_anova(repeats):
    table = factorial({"slot": 3, "order": 4, "demo_set": 2}, repeats)
    ours = decompose(table, ["slot", "order", "demo_set"], "value").set_index("factor")
    formula = "value ~ C(slot) * C(order) * C(demo_set)"
    if repeats == 1:
        formula += " - C(slot):C(order):C(demo_set)"
    theirs = anova_lm(ols(formula, table).fit(), typ=2)
    assert len(ours) == len(theirs)
    for name, row in theirs.iterrows():
        name = (
            name.replace("C(", "").replace(")", "").replace(":", " \u00d7 ").replace("Residual", "residual")
        )
        assert ours.loc[name, "sum_of_squares"] == pytest.approx(row["sum_sq"])
        assert ours.loc[name, "df"] == row["df"]


@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.integers(1, 3),
    st.integers(0, 1000),
)
@settings(max_examples=40, deadline=None)
def test_shares_and_degrees_of_freedom_add_up(sizes, repeats, seed):
    levels = {f"f{place}": size for place, size in enumerate(sizes)}
    table = factorial(levels, repeats, seed)
    split = decompose(table, list(levels), "value")
    assert split["df"].sum() == len(table) - 1
    if len(table) > 1:
        assert split["eta2"].sum() == pytest.approx(1)
        assert (split["eta2"] >= -1e-12).all()
    assert split["factor"].iloc[-1] == "residual"


def test_an_effect_is_found_in_the_factor_that_makes_it():
    table = factorial({"slot": 4, "order": 3, "query_id": 5})
    table["value"] = table["slot"] * 1.0
    split = decompose(table, ["slot", "order", "query_id"], "value").set_index("factor")
    assert split.loc["slot", "eta2"] == pytest.approx(1)
    # An exclusive or of two factors is interaction alone.
    table = factorial({"slot": 2, "order": 2}, repeats=2)
    table["value"] = (table["slot"] ^ table["order"]).astype(float)
    split = decompose(table, ["slot", "order"], "value").set_index("factor")
    assert split["eta2"].tolist() == pytest.approx([0, 0, 1, 0])


def test_two_by_two_by_hand():
    table = pd.DataFrame({"slot": "sstt", "order": [0, 1, 0, 1], "value": [1.0, 2, 3, 8]})
    table["slot"] = list("sstt")
    split = decompose(table, ["slot", "order"], "value")
    # Means: rows 1.5 and 5.5, columns 2 and 5, all 3.5.
    assert split["sum_of_squares"].tolist() == pytest.approx([16, 9, 4])
    assert split["eta2"].tolist() == pytest.approx([16 / 29, 9 / 29, 4 / 29])


def test_shares_are_unknown_where_nothing_varies():
    table = factorial({"slot": 2, "order": 2}).assign(value=0.3)
    assert decompose(table, ["slot", "order"], "value")["eta2"].isna().all()


def test_tables_that_cannot_be_split_are_refused():
    table = factorial({"slot": 2, "order": 3})
    with pytest.raises(ValueError, match="of 6 combinations of slot, order 5 occur, 1 to 1 times"):
        decompose(table.iloc[1:], ["slot", "order"], "value")
    with pytest.raises(ValueError, match="6 occur, 1 to 2 times"):
        decompose(pd.concat([table, table.iloc[:1]]), ["slot", "order"], "value")
    with pytest.raises(ValueError, match="got 'draw'"):
        decompose(table, ["slot", "draw"], "value")
    with pytest.raises(ValueError, match="factors must be distinct"):
        decompose(table, [], "value")
    with pytest.raises(ValueError, match="value must be finite"):
        decompose(table.assign(value=np.nan), ["slot", "order"], "value")
    with pytest.raises(ValueError, match="every row must have a level of slot"):
        decompose(table.assign(slot=None), ["slot"], "value")


def test_order_and_selection_spread_by_hand():
    table = pd.DataFrame({"demo_set": [0, 0, 1, 1], "order": [0, 1, 0, 1], "accuracy": [0.5, 0.7, 0.6, 0.6]})
    assert sigma_order(table) == pytest.approx((np.sqrt(0.02) + 0) / 2)
    assert sigma_select(table) == pytest.approx(np.sqrt(0.005))
    queries = pd.concat([table.assign(accuracy=table["accuracy"] + e) for e in (-0.1, 0.1)])
    assert sigma_order(queries) == pytest.approx(sigma_order(table))


def test_spread_needs_every_set_under_every_order():
    table = pd.DataFrame({"demo_set": [0, 0, 1], "order": [0, 1, 0], "accuracy": [0.5, 0.7, 0.6]})
    with pytest.raises(ValueError, match="every demo_set must occur with every order"):
        sigma_order(table)
    with pytest.raises(ValueError, match="order must have at least 2 levels, got 1"):
        sigma_order(table[table["order"] == 0])
