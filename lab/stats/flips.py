"""Which queries change their answer between two layouts, and how?

A flip is a query whose prediction differs between two layouts. Flips are counted against a reference layout
as in Cobbina & Zhou 2025 (arXiv:2507.22887), prediction change; the split into kinds is ours.
"""

import re
from collections.abc import Iterable
from typing import Literal, get_args

import numpy as np
import pandas as pd

FlipKind = Literal["same", "right→wrong", "wrong→right", "wrong→other wrong", "right→other right"]

FLIP_KINDS: tuple[FlipKind, ...] = get_args(FlipKind)
RIGHT_FROM = 0.5
"""The least `correct` that counts as right: 0/1 metrics are 1, a ROUGE-L F1 is at least one half."""
NEAR_TIE_NATS = 0.1
"""A margin below this is a near-tie: the best label is less than 1.11 times as likely as the next."""

# A minus sign before a number and a point inside one change what an answer says; other punctuation does not.
_TOKEN = re.compile(r"(?<!\w)-?\d+(?:[.,]\d+)*(?!\w)|\w+")


def normalise_text(text: str) -> str:
    """Reduce a generated answer to what it says: case folded, punctuation and blanks collapsed.

    A text of punctuation alone is kept, so that only "" equals "".

    >>> normalise_text("The  Mayor, resigned.")
    'the mayor resigned'
    >>> normalise_text("-3.5")
    '-3.5'
    """
    folded = text.casefold().strip()
    return " ".join(_TOKEN.findall(folded)) or folded


def layouts_of(predictions: pd.DataFrame) -> list[str]:
    """List the layouts of a predictions table in their order of appearance."""
    return list(predictions["layout"].unique())


def check_layouts(predictions: pd.DataFrame, layouts: Iterable[str]) -> None:
    """Refuse layouts that the table has no predictions for.

    Raises:
        ValueError: For the first layout that is missing, with those there are.
    """
    present = layouts_of(predictions)
    for layout in layouts:
        if layout not in present:
            raise ValueError(f"layout must be one of {', '.join(present)}, got {layout!r}")


def wide(predictions: pd.DataFrame, column: str) -> pd.DataFrame:
    """Spread one column over queries and layouts.

    Args:
        predictions: A predictions table, one row a (query, layout).
        column: The column to spread, such as "prediction" or "correct".

    Returns:
        Shape (n_queries, n_layouts), rows and columns in their order of appearance; its index is `query_id`.

    Raises:
        ValueError: If the column is absent, a (query, layout) is missing or stands there twice.
    """
    if column not in predictions:
        raise ValueError(f"column must be one of {', '.join(predictions.columns)}, got {column!r}")
    if predictions.empty:
        raise ValueError("predictions must hold at least one row, got none")
    twice = predictions.duplicated(["query_id", "layout"])
    if twice.any():
        query, layout = predictions.loc[twice, ["query_id", "layout"]].iloc[0]
        raise ValueError(
            f"query {query!r} has several predictions under layout {layout!r}: keep one run's rows"
        )
    queries, layouts = list(predictions["query_id"].unique()), layouts_of(predictions)
    if len(predictions) < len(queries) * len(layouts):
        present = set(zip(predictions["query_id"], predictions["layout"], strict=True))
        missing = [(q, s) for s in layouts for q in queries if (q, s) not in present]
        named = ", ".join(f"query {query!r} under layout {layout!r}" for query, layout in missing[:3])
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise ValueError(f"no prediction for {named}{more}: resume the run or leave these out")
    table = predictions.pivot(index="query_id", columns="layout", values=column)
    return table.reindex(index=queries, columns=layouts)


def answers(predictions: pd.DataFrame) -> pd.DataFrame:
    """Spread what counts as the answer: the label where labels were scored, else the normalised text.

    Returns:
        Strings, shape (n_queries, n_layouts); "" where nothing could be read.
    """
    rows = zip(predictions["prediction"].fillna(""), predictions["margin"].isna(), strict=True)
    said = [normalise_text(text) if is_generated else text for text, is_generated in rows]
    return wide(predictions.assign(prediction=said), "prediction")


def right(predictions: pd.DataFrame) -> pd.DataFrame:
    """Spread whether an answer is right; booleans, shape (n_queries, n_layouts)."""
    return wide(predictions, "correct") >= RIGHT_FROM


def flip_kinds(predictions: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Say for each query and layout how its answer differs from the answer under the reference.

    Whether an answer is right goes first, so `right→wrong` and `wrong→right` are the discordant pairs of
    McNemar's test. `right→other right` needs several right answers, as generated text has; labels cannot
    give it.

    Returns:
        `FlipKind` strings, shape (n_queries, n_layouts); all "same" under the reference itself.

    Raises:
        ValueError: If the reference has no predictions, or as `wide` does.
    """
    check_layouts(predictions, [reference])
    return kinds_against(answers(predictions), right(predictions), reference)


def kinds_against(said: pd.DataFrame, is_right: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Do what `flip_kinds` does from `answers` and `right`, for callers with many references."""
    differs = said.ne(said[reference], axis=0).to_numpy()
    to = is_right.to_numpy()
    start = np.broadcast_to(is_right[reference].to_numpy()[:, None], to.shape)
    kinds = np.select(
        [start & ~to, ~start & to, ~start & differs, start & differs],
        ["right→wrong", "wrong→right", "wrong→other wrong", "right→other right"],
        default="same",
    )
    return pd.DataFrame(kinds.astype(object), index=said.index, columns=said.columns)


def transitions(
    predictions: pd.DataFrame, reference: str, layout: str, epsilon: float = NEAR_TIE_NATS
) -> pd.DataFrame:
    """Put the answers under two layouts side by side, one row a query.

    Returns:
        Columns query_id, from, to (predictions), kind (`FlipKind`), margin_from, margin_to (nats), and
        near_tie: whether either margin is below `epsilon`, so that rounding alone could flip it.
    """
    check_layouts(predictions, [reference, layout])
    said, margin = wide(predictions, "prediction"), wide(predictions, "margin")
    return pd.DataFrame(
        {
            "query_id": said.index,
            "from": said[reference].to_numpy(),
            "to": said[layout].to_numpy(),
            "kind": flip_kinds(predictions, reference)[layout].to_numpy(),
            "margin_from": margin[reference].to_numpy(),
            "margin_to": margin[layout].to_numpy(),
            "near_tie": (margin[[reference, layout]] < epsilon).any(axis=1).to_numpy(),
        }
    )


def flip_matrix(predictions: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Lay out all predictions, one row a query, so that unstable queries stand out.

    Returns:
        Columns query_id, gold, one a layout with its prediction (the reference first), and instability in
        0..1: 1 - the share of the commonest answer over the layouts.
    """
    check_layouts(predictions, [reference])
    said, gold = wide(predictions, "prediction"), wide(predictions, "gold")
    commonest = answers(predictions).apply(lambda row: row.value_counts().iloc[0], axis=1)
    columns = [reference, *(layout for layout in said.columns if layout != reference)]
    matrix = said[columns].rename_axis(columns=None).reset_index()
    matrix.insert(1, "gold", gold[reference].to_numpy())
    matrix["instability"] = 1 - commonest.to_numpy() / len(columns)
    return matrix
