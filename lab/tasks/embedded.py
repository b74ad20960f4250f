"""Which tasks does the lab ship, and what stands in them?

A task is one JSONL file in assets/tasks: a line {"task": {...}} with the metadata, then one row a line with
`input`, `output`, `split` ("pool" or "query") and, where several answers are right, `accept`.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from lab.tasks.rows import Row, demonstrations, queries
from lab.tasks.task import Family, Metric, Task

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "tasks"
_REQUIRED = ("id", "title", "family", "metric", "instruction", "input_name", "output_name", "labels")
_OPTIONAL = ("max_new_tokens", "licence", "source")


@dataclass(frozen=True)
class TaskHead:
    """A task without its rows: what a list of tasks shows."""

    id: str
    title: str
    family: Family
    metric: Metric
    labels: tuple[str, ...]
    n_pool: int
    n_queries: int
    licence: str


def embedded_ids(folder: Path = FOLDER) -> list[str]:
    """Return the ids of the shipped tasks, sorted."""
    return sorted(path.stem for path in folder.glob("*.jsonl"))


def load_embedded(task_id: str, folder: Path = FOLDER) -> Task:
    """Load a shipped task; a demonstration's id is `p<n>`, a query's `q<n>`, in file order from 0.

    Raises:
        ValueError: If there is no such task, or its file is malformed (with the line).
    """
    if task_id not in embedded_ids(folder):
        raise ValueError(f"no task is called {task_id!r}; there are {', '.join(embedded_ids(folder))}")
    path = folder / f"{task_id}.jsonl"
    return _read(path, path.stat().st_mtime_ns)


def heads(folder: Path = FOLDER) -> list[TaskHead]:
    """List the shipped tasks, grouped by family, then by id."""
    tasks = [load_embedded(task_id, folder) for task_id in embedded_ids(folder)]
    listed = [
        TaskHead(t.id, t.title, t.family, t.metric, t.labels, len(t.pool), len(t.queries), t.licence)
        for t in tasks
    ]
    return sorted(listed, key=lambda head: (head.family, head.id))


@lru_cache(maxsize=64)
def _read(path: Path, mtime_ns: int) -> Task:
    splits: dict[str, list[Row]] = {"pool": [], "query": []}
    meta: dict = {}
    # Only "\n" ends a line: U+2028 may stand inside a JSON string.
    for line_n, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            if not meta:
                meta = record["task"]
            else:
                row = Row(record["input"], record["output"], tuple(record.get("accept", ())))
                splits[record["split"]].append(row)
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path.name} line {line_n} is not a task row: {error!r}") from None
    missing = [key for key in _REQUIRED if key not in meta]
    if missing:
        raise ValueError(f"{path.name} line 1 lacks {', '.join(missing)}")
    if meta["id"] != path.stem:
        raise ValueError(f"{path.name} names its task {meta['id']!r}; both names must agree")
    fields = {key: meta[key] for key in (*_REQUIRED, *_OPTIONAL) if key in meta}
    fields["labels"] = tuple(fields["labels"])
    return Task(**fields, pool=demonstrations(splits["pool"]), queries=queries(splits["query"]))
