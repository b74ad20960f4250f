"""Which figures each experiment shows: its tables handed to the functions of `lab.figures`, by a short name.

The names are captions in reports, names of exported files, and the places of the figures on a tab.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from lab.figures import (
    accuracy_bars,
    accuracy_by_task,
    entropy_scatter,
    influence_curve,
    margin_flip_curve,
    order_distribution,
    prediction_change_bars,
    transitions_sankey,
    variance_bars,
)
from lab.stats.comparisons import Comparison, is_graded
from lab.stats.flips import layouts_of, transitions
from lab.stats.floor import Floor
from lab.stats.intervals import wilson

GRADED = "Mean ROUGE-L F1"


def position_figures(
    asked: pd.DataFrame,
    accuracies: pd.DataFrame,
    comparisons: Sequence[Comparison],
    reference: str,
    floor: Floor | None,
) -> dict[str, go.Figure]:
    """Draw a position run: accuracy, prediction change, where answers go, and flips by margin.

    Args:
        asked: A predictions table with every query under every layout, without control rows.
        accuracies: What `accuracy_table` made of it.
        comparisons: What `compare_layouts` made of it; empty for a single layout.
        reference: The layout that flips are counted against.
        floor: The false-flip floor, if it was measured.

    Returns:
        "Accuracy" alone for a single layout, else also "Prediction change", "Transitions" (from the reference
        to the layout with the most flips) and "Margins".
    """
    metric = GRADED if is_graded(asked) else "Accuracy"
    figures = {"Accuracy": accuracy_bars(accuracies, metric=metric)}
    if not comparisons:
        return figures
    most = max(comparisons, key=lambda each: each.prediction_change)
    others = [layout for layout in layouts_of(asked) if layout != reference]
    moves = [transitions(asked, reference, layout).assign(layout=layout) for layout in others]
    table = pd.DataFrame([asdict(each) for each in comparisons])
    return {
        **figures,
        "Prediction change": prediction_change_bars(table, floor),
        "Transitions": transitions_sankey(asked, [reference, most.layout]),
        "Margins": margin_flip_curve(pd.concat(moves, ignore_index=True)),
    }


def panels_figures(
    accuracies: pd.DataFrame, comparisons: Sequence[Comparison], floor: Floor | None
) -> dict[str, go.Figure]:
    """Draw a run of the panel lab: how often the asked panel is right, and how often its reading changes."""
    figures = {"Accuracy": accuracy_bars(accuracies)}
    if comparisons:
        table = pd.DataFrame([asdict(each) for each in comparisons])
        figures["Prediction change"] = prediction_change_bars(table, floor)
    return figures


def segmentation_figures(accuracies: pd.DataFrame, comparisons: Sequence[Comparison]) -> dict[str, go.Figure]:
    """Draw a run of segmentation: mean IoU by layout, and how often found becomes missed."""
    figures = {"IoU": accuracy_bars(accuracies, metric="Mean IoU")}
    if comparisons:
        figures["Prediction change"] = prediction_change_bars(pd.DataFrame([asdict(c) for c in comparisons]))
    return figures


def order_figures(
    tables: Mapping[str, pd.DataFrame],
    slot: str,
    chance: float | None,
    zero_shot: float | None,
    held_out: Mapping[str, Any] | None,
) -> dict[str, go.Figure]:
    """Draw an order run: accuracy by order, and what is known of entropy, influence and the chosen order.

    Args:
        tables: `orders`, and where labels are scored `influence`, as `lab.experiments.order` makes them;
            `accuracy` gives the number of queries.
        slot: Where the demonstrations stand.
        chance: What the best of as many guessing orders would reach, 0..1.
        zero_shot: Accuracy without demonstrations, 0..1.
        held_out: A `Comparison` of the chosen order with the first on new queries, as a dict.

    Returns:
        "Orders", and as far as they are known "Entropy", "Influence" and "Held-out".
    """
    orders = tables["orders"]
    n = int(tables["accuracy"]["n"].max()) if "accuracy" in tables and len(tables["accuracy"]) else None
    low, high = orders["accuracy"].min(), orders["accuracy"].max()
    title = f"In {slot}, reordering the same demonstrations moves accuracy between {low:.0%} and {high:.0%}"
    figures = {"Orders": order_distribution(orders, chance, zero_shot, title, n)}
    if "local_entropy" in orders:
        figures["Entropy"] = entropy_scatter(orders)
    if "influence" in tables:
        figures["Influence"] = influence_curve(tables["influence"])
    if held_out is not None:
        figures["Held-out"] = _held_out(held_out)
    return figures


def _held_out(held_out: Mapping[str, Any]) -> go.Figure:
    n, rows = held_out["n"], []
    for role, value in (
        ("first order", held_out["metric_reference"]),
        ("chosen order", held_out["metric_layout"]),
    ):
        low, high = wilson(round(n * value), n)
        rows.append({"layout": role, "n": n, "metric": value, "low": low, "high": high})
    change = 100 * held_out["metric_change"]
    title = f"On {n} new queries the chosen order changes accuracy by {change:+.1f} points"
    return accuracy_bars(pd.DataFrame(rows), title)


def factorial_figures(tables: Mapping[str, pd.DataFrame]) -> dict[str, go.Figure]:
    """Draw a factorial run: shares of the variance, of accuracy and of single answers.

    Args:
        tables: `variance` and `variance_with_queries`, as `decompose` returns them.
    """
    return {
        "Variance": variance_bars(tables["variance"]),
        "Variance with queries": variance_bars(tables["variance_with_queries"]),
    }


def protocol_figures(accuracies: pd.DataFrame) -> dict[str, go.Figure]:
    """Draw a run of the whole protocol: accuracy change by task, one marker a layout.

    Args:
        accuracies: What `accuracy_table` made of each task, with a column task.
    """
    return {"Accuracy change by task": accuracy_by_task(accuracies)}
