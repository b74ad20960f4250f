"""A run as files: its recipe, predictions without loss as CSV and JSON, prompts, summary, and a report.

Read the CSV back with `read_predictions`. `pandas.read_csv` needs `keep_default_na=False` where a label reads
"NA" or "None", and before pandas 3 `float_precision="round_trip"` for exact floats.
"""

import csv
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from lab.runs.plain import json_line, json_pages
from lab.runs.report import report_html
from lab.runs.snippet import messages_json, snippet
from lab.runs.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    import plotly.graph_objects as go

__all__ = [
    "messages_json",
    "predictions_json",
    "read_predictions",
    "report_html",
    "snippet",
    "write_figures",
    "write_predictions",
    "write_run",
]

TEXT_COLUMNS = ("run_id", "query_id", "layout", "prediction", "gold")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_run(store: Store, run_id: str, directory: str | Path, spreadsheet: bool = False) -> list[Path]:
    """Write a run into a folder, which is made if need be.

    recipe.json, environment.json, summary.json, predictions.csv, predictions.json and prompts.jsonl
    (query_id, layout, the exact prompt, candidates); answers.jsonl (query_id, layout, answer) for a run that
    generated text.

    Args:
        store: Where the run is kept.
        run_id: Which run.
        directory: Where to write.
        spreadsheet: Also write predictions.spreadsheet.csv, safe to open in a spreadsheet but not lossless.

    Returns:
        The files written.

    Raises:
        ValueError: If the run is unknown.
    """
    recipe, predictions = store.recipe(run_id), store.predictions(run_id)
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "recipe.json": json_pages(json.loads(recipe.to_json())),
        "environment.json": json_pages(store.environment(run_id)),
        "summary.json": json_pages(store.summary(run_id)),
        "predictions.json": predictions_json(predictions),
        "prompts.jsonl": _json_lines(store.prompts(run_id)),
    }
    answers = store.answers(run_id)
    if answers["answer"].any():
        texts["answers.jsonl"] = _json_lines(answers)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    write_predictions(predictions, folder / "predictions.csv")
    written = [*(folder / name for name in texts), folder / "predictions.csv"]
    if spreadsheet:
        write_predictions(predictions, folder / "predictions.spreadsheet.csv", spreadsheet=True)
        written.append(folder / "predictions.spreadsheet.csv")
    return written


def write_predictions(predictions: "pd.DataFrame", path: str | Path, spreadsheet: bool = False) -> None:
    """Write the predictions table as CSV.

    Lossless: text is quoted, floats are written with the digits that read back to the same number, NaN as
    an empty cell. With `spreadsheet` it isn't: a text cell that a spreadsheet would run as a formula (that
    begins with = + - @, a tab or a carriage return) gets a leading apostrophe.
    """
    if spreadsheet:
        predictions = predictions.assign(
            **{name: predictions[name].map(_neutralised) for name in TEXT_COLUMNS if name in predictions}
        )
    predictions.to_csv(path, index=False, encoding="utf-8", quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")


def read_predictions(path: str | Path) -> "pd.DataFrame":
    """Read predictions.csv or predictions.json back, equal to the table that was written."""
    import pandas as pd

    if Path(path).suffix == ".json":
        columns = json.loads(Path(path).read_text(encoding="utf-8"))
        return pd.DataFrame(
            {name: pd.Series(values, dtype=_dtype(name)) for name, values in columns.items()},
        )
    with open(path, encoding="utf-8", newline="") as file:
        names, *rows = csv.reader(file)
    cells = zip(*rows, strict=True) if rows else [()] * len(names)
    return pd.DataFrame(
        {
            name: pd.Series([_read(cell, _dtype(name)) for cell in column], dtype=_dtype(name))
            for name, column in zip(names, cells, strict=True)
        }
    )


def predictions_json(predictions: "pd.DataFrame") -> str:
    """Write the predictions table as strict JSON, an object of columns.

    NaN becomes null and infinities the text "Infinity" and "-Infinity".
    """
    return json_pages({name: predictions[name].tolist() for name in predictions})


def write_figures(figures: "Mapping[str, go.Figure]", directory: str | Path) -> list[Path]:
    """Write each figure as an HTML page named after it; they share one plotly.min.js in the same folder."""
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for name, figure in figures.items():
        stem = re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-")[:80] or "figure"
        path = folder / f"{stem}.html"
        if path in written:
            path = folder / f"{stem}-{len(written) + 1}.html"
        figure.write_html(path, include_plotlyjs="directory")
        written.append(path)
    return written


def _dtype(name: str) -> str:
    if name == "n_tokens":
        return "int64"
    return "str" if name in TEXT_COLUMNS else "float64"


def _read(cell: str, dtype: str) -> str | int | float:
    if dtype == "str":
        return cell
    return int(cell) if dtype == "int64" else float(cell or "nan")


def _json_lines(table: "pd.DataFrame") -> str:
    return "".join(json_line(row) + "\n" for row in table.to_dict("records"))


def _neutralised(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
