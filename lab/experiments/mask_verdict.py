"""What a run of segmentation found, in sentences."""

from collections.abc import Sequence

import pandas as pd

from lab.stats.comparisons import Comparison
from lab.stats.verdict import is_different, sweep_sentence
from lab.vision.engines import find_engine
from lab.vision.flips import Recommendation
from lab.vision.layouts import ExampleLayout

MANY = 6
"""Layouts that a sentence can name one by one."""


def verdict_of(accuracies: pd.DataFrame, comparisons: list[Comparison], best: Recommendation) -> str:
    """Say between which values mean IoU lies, which layouts differ, and which one to show."""
    low, high = accuracies["metric"].min(), accuracies["metric"].max()
    first = f"Mean IoU lies between {low:.2f} and {high:.2f}, depending on the layout of the examples alone."
    if len(accuracies) == 1:
        first = f"Mean IoU is {high:.2f}."
    told = f" {_told(comparisons)}" if comparisons else ""
    return f"{first}{told} {_recommended(best)}".rstrip()


def _told(comparisons: list[Comparison]) -> str:
    """Say which layouts differ; of many, how many."""
    if len(comparisons) <= MANY:
        return sweep_sentence(comparisons, is_repeatable=True)
    worse = sum(is_different(each) and each.metric_change <= 0 for each in comparisons)
    better = sum(is_different(each) and each.metric_change > 0 for each in comparisons)
    most = max(comparisons, key=lambda each: each.prediction_change)
    return (
        f"Of {len(comparisons)} other layouts {better} are better and {worse} worse than {most.reference}; "
        f"the rest cannot be told apart from it. {most.layout} flips {100 * most.prediction_change:.0f} % of "
        "the answers."
    )


def _recommended(best: Recommendation) -> str:
    if not best.rival:
        return ""
    agree = f"{100 * best.p_best:.0f} % of resampled pictures agree; next {best.rival}"
    return f"Show {best.layout}: it is {best.sureness} the best ({agree})."


def control_sentence(
    by_arm: pd.DataFrame, layouts: Sequence[ExampleLayout], engines: Sequence[str], reference: str
) -> str:
    """Say how many pixels another order flips, and that none may where order cannot matter."""
    places = {tuple(sorted(shown.place for shown in layout.shown)) for layout in layouts}
    is_order_alone = len(places) == 1 and len(layouts) > 1 and len(engines) == 1
    changed = by_arm[by_arm["layout"] != reference]["pixel_change"]
    if changed.empty:
        return ""
    most = changed.max()
    if is_order_alone and not find_engine(engines[0]).is_ordered:
        return (
            "No pixel flips: to this engine the order of examples cannot matter."
            if most == 0
            else f"{100 * most:.1f} % of the marked pixels flip, where none should."
        )
    return f"At most {100 * most:.0f} % of the marked pixels flip, on average over pictures."
