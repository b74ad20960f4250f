"""Shape stored rows into pandas tables with fixed columns."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lab.runs.recipe import Recipe

if TYPE_CHECKING:
    import pandas as pd

PREDICTION_COLUMNS = (
    "query_id",
    "layout",
    "prediction",
    "gold",
    "correct",
    "margin",
    "logp",
    "n_tokens",
    "seconds",
)
PROMPT_COLUMNS = ("query_id", "layout", "prompt", "candidates")
ANSWER_COLUMNS = ("query_id", "layout", "answer")
RUN_COLUMNS = (
    "run_id",
    "experiment",
    "status",
    "created",
    "updated",
    "n_predictions",
    "recipe",
    "environment",
    "message",
)


def predictions(run_id: str, rows: Sequence[tuple]) -> "pd.DataFrame":
    """Build the predictions table from rows with `PREDICTION_COLUMNS`; logp is JSON, by label."""
    import pandas as pd

    columns = dict(zip(PREDICTION_COLUMNS, zip(*rows, strict=True), strict=True)) if rows else {}
    scores = [json.loads(text) for text in columns.get("logp", ())]
    labels = list(dict.fromkeys(label for row in scores for label in row))

    def texts(name: str) -> "pd.Series":
        return pd.Series(columns.get(name, ()), dtype="str")

    def floats(name: str) -> "pd.Series":
        return pd.Series(columns.get(name, ()), dtype="float64")

    return pd.DataFrame(
        {
            "run_id": pd.Series([run_id] * len(rows), dtype="str"),
            **{name: texts(name) for name in ("query_id", "layout", "prediction", "gold")},
            "correct": floats("correct"),
            "margin": floats("margin"),
            **{
                f"logp_{label}": pd.Series([row.get(label) for row in scores], dtype="float64")
                for label in labels
            },
            "n_tokens": pd.Series(columns.get("n_tokens", ()), dtype="int64"),
            "seconds": floats("seconds"),
        }
    )


def prompts(rows: Sequence[tuple]) -> "pd.DataFrame":
    """Build the table of prompts from rows with `PROMPT_COLUMNS`; candidates become lists."""
    import pandas as pd

    return pd.DataFrame([(*row[:3], json.loads(row[3])) for row in rows], columns=list(PROMPT_COLUMNS))


def answers(rows: Sequence[tuple]) -> "pd.DataFrame":
    """Build the table of unparsed answers from rows with `ANSWER_COLUMNS`."""
    import pandas as pd

    return pd.DataFrame(rows, columns=list(ANSWER_COLUMNS))


def runs(rows: Sequence[tuple]) -> "pd.DataFrame":
    """Build the table of runs from rows with `RUN_COLUMNS`: recipe and environment JSON, times in seconds."""
    import pandas as pd

    table = pd.DataFrame(rows, columns=list(RUN_COLUMNS))
    for column in ("created", "updated"):
        table[column] = pd.to_datetime(table[column], unit="s", utc=True)
    table["recipe"] = [Recipe.from_json(text) for text in table["recipe"]]
    table["environment"] = [json.loads(text) for text in table["environment"]]
    return table
