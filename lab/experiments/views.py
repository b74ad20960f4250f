"""Views of a predictions table: the answers that are compared, the control rows, what is complete."""

from collections.abc import Sequence

import pandas as pd

from lab.stats.floor import Floor, false_flip_floor
from lab.tasks.task import Query

CONTENT_FREE = "content-free:"
CONTENT_FREE_INPUTS = (
    "N/A",
    "nothing",
    "[MASK]",
)  # Zhao et al. 2021 have an empty input; an empty line is not one


def content_free_queries() -> tuple[Query, ...]:
    """Return inputs without content; they have no right answer."""
    return tuple(Query(f"{CONTENT_FREE}{text}", text, "") for text in CONTENT_FREE_INPUTS)


def split_controls(predictions: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Split a predictions table into the answers to compare, answers given again, and content-free scores."""
    is_content_free = predictions["query_id"].str.startswith(CONTENT_FREE)
    is_again = predictions["layout"].str.contains("+again", regex=False)
    return (
        predictions[~is_content_free & ~is_again],
        predictions[is_again],
        predictions[is_content_free],
    )


def paired(predictions: pd.DataFrame, layouts: Sequence[str]) -> pd.DataFrame:
    """Keep the queries that are answered under every layout, the layouts in the order given.

    That is what a stopped run has to compare; stored rows come in the order in which layouts were first
    answered.
    """
    predictions = predictions[predictions["layout"].isin(layouts)]
    n_answered = predictions.groupby("query_id")["layout"].nunique()
    complete = n_answered.index[n_answered == len(layouts)]
    places = {layout: place for place, layout in enumerate(layouts)}
    kept = predictions[predictions["query_id"].isin(complete)]
    return kept.sort_values("layout", key=lambda column: column.map(places), kind="stable")


def floor_of(asked: pd.DataFrame, again: pd.DataFrame) -> Floor | None:
    """Compare answers with those given again through other batches; None where none were."""
    if again.empty:
        return None
    layout = again["layout"].iloc[0].replace("+again", "")
    again = again.assign(layout=layout)
    first = asked[(asked["layout"] == layout) & asked["query_id"].isin(again["query_id"])]
    again = again[again["query_id"].isin(first["query_id"])]
    return None if first.empty else false_flip_floor(first, again)
