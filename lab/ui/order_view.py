"""What the Order tab shows of a result: sentences, tiles and tables, from plain data; all text is escaped."""

import math
from collections.abc import Mapping
from html import escape
from typing import Any

import pandas as pd

from lab.experiments.events import Result
from lab.experiments.setting import sample_queries
from lab.experiments.views import split_controls
from lab.prompts.layout import order_words
from lab.ui.drilldown import cached_task
from lab.ui.widgets.markup import note, stat_tiles

FIGURES = {"Orders": "orders", "Entropy": "entropy", "Influence": "influence", "Held-out": "held_out"}
FACTORIAL_FIGURES = {"Variance": "variance", "Variance with queries": "variance_with_queries"}


def tiles_html(result: Result) -> str:
    """Show each index with what it means."""
    facts = result.summary
    if not facts:
        return ""
    tiles = [
        ("Best order", _percent(facts["accuracy_high"]), f"it is {order_words(facts['best_order'])}"),
        (
            "Worst order",
            _percent(facts["accuracy_low"]),
            f"of {facts['n_orders']}, {facts['n_queries']} queries each",
        ),
        ("Zero-shot", _percent(facts["accuracy_zero_shot"]), "the same queries without demonstrations"),
    ]
    if facts.get("best_of_chance") is not None:
        words = f"the best of {facts['n_orders']} orders that only guess: a best order must beat this"
        tiles.append(("Best of chance", f"{100 * facts['best_of_chance']:.0f} %", words))
    tiles += _bias_tiles(facts)
    return stat_tiles(tiles)


def _bias_tiles(facts: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    tiles = []
    if recency := facts.get("recency_index"):
        words = "how much oftener a label is said because it stands last; 0 is none"
        if _is_known(recency["value"]):
            words += f" (95 % {recency['low']:+.2f} to {recency['high']:+.2f})"
        tiles.append(("Recency", _signed(recency["value"]), words))
    if majority := facts.get("majority_index"):
        words = "how closely predictions follow the labels' counts among the demonstrations, −1 to 1"
        unknown = "unknown: all labels are shown equally often"
        tiles.append(
            (
                "Majority",
                _signed(majority["correlation"]),
                words if _is_known(majority["correlation"]) else unknown,
            )
        )
    if "recency_index" in facts:
        prior = facts.get("common_token_prior")
        if prior:
            label = max(prior, key=prior.get)
            tiles.append(
                ("Common token", f"{100 * prior[label]:.0f} %", f"for “{label}” when the input says nothing")
            )
        else:
            tiles.append(("Common token", "not measured", "switch on “Score content-free inputs”"))
    return tiles


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _is_known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _signed(value: float | None) -> str:
    return f"{value:+.2f}" if value is not None and math.isfinite(value) else "unknown"


def sentences(result: Result) -> dict[str, str]:
    """Say of each figure what it shows."""
    facts = result.summary
    if not facts:
        return {}
    held_out = facts.get("held_out")
    return {
        "Orders": "One point an order. Dashed and dotted lines: zero-shot, and what the best of as many "
        "guessing orders would reach. Click a point to count flips against its order below.",
        "Entropy": "Do orders with varied answers (GlobalE) or unsure ones (LocalE) score higher? The "
        "entropies need no right answers, so they could choose an order by themselves.",
        "Influence": "How much a demonstration pulls the answer to its label, by the place where it stands, "
        "with 95 % intervals; a rise to the right is a recency bias.",
        "Held-out": "Accuracy on queries that did not choose the order, with 95 % intervals."
        if held_out
        else "",
    }


def held_out_table(result: Result) -> pd.DataFrame:
    """Write the comparison on new queries as one row."""
    held_out = result.summary.get("held_out")
    return pd.DataFrame([held_out]) if held_out else pd.DataFrame()


def held_out_html(result: Result) -> str:
    """Say whether the chosen order is better on queries that did not choose it."""
    held_out = result.summary.get("held_out")
    if held_out:
        return note("verdict", f"On {held_out['n']} new queries: {held_out['sentence']}")
    if not result.summary:
        return ""
    return note("info", "The chosen order is the first one, or no new queries were asked: nothing to test.")


def first_stage(predictions: pd.DataFrame, params: Any) -> pd.DataFrame:
    """Keep the answers to the queries that are asked under every order, finished or not.

    Args:
        predictions: A predictions table of `lab.experiments.order`.
        params: The run's parameters.
    """
    asked, _, _ = split_controls(predictions)
    try:
        queries = sample_queries(cached_task(params.task), params.n_queries, params.seed)
    except ValueError:  # the task can't be had any more
        return asked
    return asked[asked["query_id"].isin([query.id for query in queries])]


def factorial_html(result: Result, provenance: str) -> str:
    """Show the two spreads beside the verdict."""
    facts = result.summary
    verdict = f"<h3>{escape(result.verdict)}</h3><p>{escape(provenance)}</p>"
    if not facts:
        return verdict
    tiles = [
        ("σ order", f"{100 * facts['sigma_order']:.1f} points", "spread over orders of the same set"),
        ("σ select", f"{100 * facts['sigma_select']:.1f} points", "spread over sets in the same order"),
        ("Layouts", f"{facts['n_layouts']}", f"slots × orders × sets, {facts['n_queries']} queries each"),
    ]  # fmt: skip
    return verdict + stat_tiles(tiles)


FACTORIAL_SENTENCES = {
    "Variance": "How much of the variance of accuracy each factor explains; hatched bars are interactions.",
    "Variance with queries": "The same for single answers: how much depends on which query is asked.",
}
