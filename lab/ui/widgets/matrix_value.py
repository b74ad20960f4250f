"""Predictions as the flip matrix shows them: plain data, one row a query, one cell a layout."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from lab.prompts.layout import Layout
from lab.stats.flips import NEAR_TIE_NATS, layouts_of, normalise_text

MAX_TEXT = 400  # characters of a query in the matrix; what it was asked in full is shown elsewhere
MAX_ANSWER = 120


def matrix_value(
    predictions: pd.DataFrame,
    texts: Mapping[str, str],
    reference: str,
    near_tie: float = NEAR_TIE_NATS,
    columns: Sequence[str] = (),
) -> dict[str, Any]:
    """Lay out a predictions table, finished or not, as `FlipMatrix` takes it.

    Args:
        predictions: A predictions table; any (query, layout) may be missing.
        texts: What each query asks, by query_id; ids stand in for missing ones.
        reference: The layout that flips are counted against at first.
        near_tie: Margins below this, in nats, are marked.
        columns: Layouts in the order in which they are to stand; others follow as they come.

    Returns:
        A dict with columns (layout ids), titles (their words), reference, near_tie, and rows in the order of
        appearance: query_id, text, gold, cells {layout: {prediction, correct, margin (None without one),
        near_tie, answer}}, where answer is what counts: the label, or a text without case and punctuation.

    Raises:
        ValueError: If a (query, layout) stands there twice or `near_tie` is negative.
    """
    if near_tie < 0:
        raise ValueError(f"near_tie must be 0 or more nats, got {near_tie}")
    present = layouts_of(predictions) if len(predictions) else []
    columns = [
        *(each for each in columns if each in present),
        *(each for each in present if each not in columns),
    ]
    rows: dict[str, dict[str, Any]] = {}
    for row in predictions.itertuples():
        query = rows.setdefault(
            row.query_id,
            {
                "query_id": row.query_id,
                "text": _cut(texts.get(row.query_id, row.query_id), MAX_TEXT),
                "gold": _cut(row.gold, MAX_ANSWER),
                "cells": {},
            },
        )
        if row.layout in query["cells"]:
            raise ValueError(
                f"query {row.query_id!r} has several predictions under layout {row.layout!r}: keep one run"
            )
        query["cells"][row.layout] = _cell(row, near_tie)
    return {
        "columns": columns,
        "titles": {layout: _title(layout) for layout in columns},
        "reference": reference if reference in columns else next(iter(columns), ""),
        "near_tie": near_tie,
        "rows": list(rows.values()),
    }


def _cell(row: Any, near_tie: float) -> dict[str, Any]:
    prediction = row.prediction if isinstance(row.prediction, str) else ""
    is_scored = math.isfinite(row.margin)
    return {
        "prediction": _cut(prediction, MAX_ANSWER),
        "correct": float(row.correct),
        "margin": round(float(row.margin), 4) if is_scored else None,
        "near_tie": bool(is_scored and row.margin < near_tie),
        "answer": prediction if is_scored else _cut(normalise_text(prediction), MAX_TEXT),
    }


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _title(layout: str) -> str:
    try:
        return Layout.parse(layout).title
    except ValueError:
        return layout


def packed(value: Mapping[str, Any]) -> str:
    """Write a matrix value as one text: gradio's page proxies nested data, which is slow for 14,000 cells.

    A cell becomes [prediction, correct, margin, near_tie, answer], without answer where it is the prediction.
    """
    columns = list(value["columns"])
    rows = []
    for row in value["rows"]:
        cells = [_packed_cell(row["cells"].get(layout)) for layout in columns]
        rows.append([str(row["query_id"]), str(row["text"]), str(row["gold"]), cells])
    titles = value.get("titles", {})
    return json.dumps(
        {
            "columns": columns,
            "titles": [titles.get(layout, layout) for layout in columns],
            "reference": value["reference"],
            "rows": rows,
        },
        ensure_ascii=False,
        separators=(",", ":"),
        allow_nan=False,
    )


def _packed_cell(cell: Mapping[str, Any] | None) -> list[Any] | None:
    if cell is None:
        return None
    prediction, answer = cell["prediction"] or "", cell.get("answer")
    margin = cell["margin"]
    margin = None if margin is None or not math.isfinite(margin) else margin
    found = [prediction, cell["correct"], margin, int(bool(cell["near_tie"]))]
    return found if answer is None or answer == prediction else [*found, answer]
