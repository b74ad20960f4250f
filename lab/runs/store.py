"""Where runs are kept: predictions are committed in small batches as they are made; a killed run goes on."""

import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.runs import tables
from lab.runs.database import Database, StoreError, default_path
from lab.runs.plain import json_line
from lab.runs.recipe import Recipe

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["STATUSES", "Row", "Store", "StoreError"]

STATUSES = ("running", "finished", "stopped", "failed")


@dataclass(frozen=True)
class Row:
    """One prediction, with the prompt that was read and the candidates that were scored.

    Args:
        query_id: Which query.
        layout: The id of the layout.
        prediction: The answer; "" when none could be read from what was generated.
        gold: The right answer.
        correct: 0 or 1; a ROUGE-L F1 in 0..1 for summaries.
        margin: Best minus second-best label score in nats; NaN for generated answers.
        logp: The compared scores in nats, by label; empty for generated answers.
        n_tokens: Length of the prompt in tokens.
        seconds: Time this prompt took.
        prompt: The exact rendered prompt.
        candidates: The exact strings appended to the prompt when scoring.
        answer: What was generated, unparsed.
    """

    query_id: str
    layout: str
    prediction: str
    gold: str
    correct: float
    margin: float
    logp: dict[str, float]
    n_tokens: int
    seconds: float
    prompt: str
    candidates: tuple[str, ...] = ()
    answer: str = ""


class Store:
    """The runs of one folder, in one SQLite file; threads and processes may share it.

    Args:
        path: The file; by default `lab.sqlite3` under `LAB_HOME`, else in the platform's user-data folder.

    Raises:
        StoreError: From any method, when the file is damaged, the disk full or the folder not writable.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        """Open the file, made with its folder if need be."""
        self.path = Path(path) if path is not None else default_path()
        self.database = Database(self.path)

    def __enter__(self) -> "Store":
        """Use the store for a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file; a later call opens it again."""
        self.database.close()

    def begin(self, recipe: Recipe, environment: Mapping[str, Any]) -> str:
        """Begin a run, or go on with it; its predictions and time of creation are kept.

        An environment that differs from the first (but for its time) is added to the list `resumed` in it.

        Returns:
            The run's id, that of the recipe.
        """
        now, run_id = time.time(), recipe.id
        with self.database.writing() as connection:
            found = connection.execute("SELECT environment FROM runs WHERE run_id = ?", [run_id]).fetchone()
            if found is None:
                connection.execute(
                    "INSERT INTO runs (run_id, experiment, recipe, environment, status, created, updated) "
                    "VALUES (?, ?, ?, ?, 'running', ?, ?)",
                    [run_id, recipe.experiment, recipe.to_json(), json_line(environment), now, now],
                )
            else:
                known = _with_resumed(json.loads(found[0]), json.loads(json_line(environment)))
                connection.execute(
                    "UPDATE runs SET status = 'running', message = '', updated = ?, environment = ? "
                    "WHERE run_id = ?",
                    [now, json_line(known), run_id],
                )
        return run_id

    def add_batch(self, run_id: str, batch: int, rows: Sequence[Row]) -> None:
        """Commit a batch: its rows and the mark that it is done. A batch already done is left as it is.

        Raises:
            ValueError: If the run is unknown, or a (query, layout) is already held by another batch.
        """
        now = time.time()
        with self.database.writing() as connection:
            self._require(connection, run_id)
            marked = connection.execute(
                "INSERT OR IGNORE INTO batches (run_id, batch, time) VALUES (?, ?, ?)", [run_id, batch, now]
            )
            if marked.rowcount == 0:
                return
            for place, row in enumerate(rows):
                _insert(connection, run_id, batch, place, row)
            connection.execute("UPDATE runs SET updated = ? WHERE run_id = ?", [now, run_id])

    def done_batches(self, run_id: str) -> set[int]:
        """Say which batches need not be evaluated again; empty for a run that was never begun."""
        with self.database.reading() as connection:
            rows = connection.execute("SELECT batch FROM batches WHERE run_id = ?", [run_id]).fetchall()
        return {batch for (batch,) in rows}

    def predictions(self, run_id: str) -> "pd.DataFrame":
        """Read the predictions table of a run, empty but with its columns while nothing is predicted.

        Rows are ordered by layout, in the order in which the batches name them, then by query id. The columns
        are run_id, query_id, layout, prediction, gold, correct, margin, logp_<label>..., n_tokens, seconds.
        """
        return tables.predictions(run_id, self._rows(run_id, tables.PREDICTION_COLUMNS))

    def prompts(self, run_id: str) -> "pd.DataFrame":
        """Read query_id, layout, the exact prompt and the candidates, in the order of `predictions`."""
        return tables.prompts(self._rows(run_id, tables.PROMPT_COLUMNS))

    def answers(self, run_id: str) -> "pd.DataFrame":
        """Read query_id, layout and the unparsed answer, in the order of `predictions`."""
        return tables.answers(self._rows(run_id, tables.ANSWER_COLUMNS))

    def finish(self, run_id: str, summary: Mapping[str, Any]) -> None:
        """Mark a run "finished" and keep its summary (as strict JSON: NaN becomes None)."""
        with self.database.writing() as connection:
            self._require(connection, run_id)
            connection.execute(
                "UPDATE runs SET status = 'finished', message = '', summary = ?, updated = ? "
                "WHERE run_id = ?",
                [json_line(summary), time.time(), run_id],
            )

    def set_status(self, run_id: str, status: str, message: str = "") -> None:
        """Say how a run stands: one of `STATUSES`, with the reason."""
        if status not in STATUSES:
            raise ValueError(f"status must be one of {', '.join(STATUSES)}, got {status!r}")
        with self.database.writing() as connection:
            self._require(connection, run_id)
            connection.execute(
                "UPDATE runs SET status = ?, message = ?, updated = ? WHERE run_id = ?",
                [status, message, time.time(), run_id],
            )

    def status(self, run_id: str) -> tuple[str, str] | None:
        """Read a run's status and message; None for a run that was never begun."""
        return self._one("SELECT status, message FROM runs WHERE run_id = ?", run_id)

    def summary(self, run_id: str) -> dict[str, Any]:
        """Read the summary of a run; empty until it is finished."""
        return json.loads(self._field(run_id, "summary"))

    def recipe(self, run_id: str) -> Recipe:
        """Read the recipe of a run."""
        return Recipe.from_json(self._field(run_id, "recipe"))

    def environment(self, run_id: str) -> dict[str, Any]:
        """Read the environment a run began in."""
        return json.loads(self._field(run_id, "environment"))

    def runs(self) -> "pd.DataFrame":
        """List the runs, the last touched first.

        Columns: run_id, experiment, status, created and updated (UTC), n_predictions, recipe (a Recipe),
        environment (a dict), message.
        """
        with self.database.reading() as connection:
            rows = connection.execute(
                "SELECT run_id, experiment, status, created, updated, "
                "(SELECT count(*) FROM predictions WHERE predictions.run_id = runs.run_id), "
                "recipe, environment, message FROM runs ORDER BY updated DESC, run_id"
            ).fetchall()
        return tables.runs(rows)

    def delete(self, run_id: str) -> None:
        """Delete a run with its predictions."""
        with self.database.writing() as connection:
            self._require(connection, run_id)
            connection.execute("DELETE FROM runs WHERE run_id = ?", [run_id])

    def add_check(self, paper: str, lab_version: str, result: Mapping[str, Any]) -> None:
        """Remember the outcome of a paper's check, with the time and the version that measured it."""
        with self.database.writing() as connection:
            connection.execute(
                "INSERT INTO checks (paper, time, lab_version, result) VALUES (?, ?, ?, ?)",
                [paper, time.time(), lab_version, json_line(result)],
            )

    def last_checks(self) -> dict[str, dict[str, Any]]:
        """Read the last outcome of each paper's check, as stored, with `time` (s) and `lab_version`."""
        with self.database.reading() as connection:
            rows = connection.execute(
                "SELECT paper, time, lab_version, result FROM checks ORDER BY time, rowid"
            ).fetchall()
        return {
            paper: {**json.loads(result), "time": moment, "lab_version": version}
            for paper, moment, version, result in rows
        }

    def _rows(self, run_id: str, columns: tuple[str, ...]) -> list[tuple]:
        """Fetch columns of a run's rows; the order doesn't depend on which process committed first."""
        with self.database.reading() as connection:
            self._require(connection, run_id)
            return connection.execute(
                f"SELECT {', '.join('p.' + column for column in columns)} FROM predictions p JOIN "
                "(SELECT layout, min(batch * 4294967296 + place) AS first FROM predictions WHERE run_id = ?1 "
                "GROUP BY layout) f ON f.layout = p.layout "
                "WHERE p.run_id = ?1 ORDER BY f.first, p.query_id",
                [run_id],
            ).fetchall()

    def _one(self, query: str, run_id: str) -> tuple | None:
        with self.database.reading() as connection:
            return connection.execute(query, [run_id]).fetchone()

    def _field(self, run_id: str, column: str) -> str:
        with self.database.reading() as connection:
            self._require(connection, run_id)
            return connection.execute(f"SELECT {column} FROM runs WHERE run_id = ?", [run_id]).fetchone()[0]

    def _require(self, connection: sqlite3.Connection, run_id: str) -> None:
        if connection.execute("SELECT 1 FROM runs WHERE run_id = ?", [run_id]).fetchone():
            return
        latest = connection.execute("SELECT run_id FROM runs ORDER BY updated DESC LIMIT 3").fetchall()
        known = f"the latest are {', '.join(name for (name,) in latest)}" if latest else "none is stored yet"
        raise ValueError(f"run must be one kept in {self.path}, got {run_id!r}; {known}")


def _insert(connection: sqlite3.Connection, run_id: str, batch: int, place: int, row: Row) -> None:
    try:
        connection.execute(
            "INSERT INTO predictions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                run_id,
                row.layout,
                row.query_id,
                batch,
                place,
                row.prediction,
                row.gold,
                float(row.correct),
                float(row.margin),
                json.dumps({label: float(score) for label, score in row.logp.items()}),
                int(row.n_tokens),
                float(row.seconds),
                row.prompt,
                json.dumps(list(row.candidates)),
                row.answer,
            ],
        )
    except sqlite3.IntegrityError as error:
        raise ValueError(
            f"a run holds one row a (query, layout), got ({row.query_id!r}, {row.layout!r}) again in batch "
            f"{batch} ({error})"
        ) from None
    except UnicodeEncodeError:
        raise ValueError(
            f"text must be valid Unicode, got half a surrogate pair in query {row.query_id!r}, layout "
            f"{row.layout!r}; repair the input file"
        ) from None


def _with_resumed(known: dict[str, Any], current: dict[str, Any]) -> dict[str, Any]:
    """Add the current environment to those a run was resumed in, unless it is among them."""
    resumed = known.get("resumed", [])

    def machine(environment: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in environment.items() if key not in ("time", "resumed")}

    if machine(current) in [machine(known), *map(machine, resumed)]:
        return known
    return {**known, "resumed": [*resumed, current]}
