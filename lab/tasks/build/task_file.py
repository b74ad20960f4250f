"""Write a task as a JSONL file: the metadata on line 1, then one row a line.

Source: the task file format of In-Context Lab (assets/tasks/*.jsonl).
"""

import json
from dataclasses import asdict, dataclass
from typing import NamedTuple

from lab.tasks.rows import Row


@dataclass(frozen=True)
class FileHead:
    """The metadata line; field order is the order of the keys in the file."""

    id: str
    title: str
    family: str
    metric: str
    instruction: str
    input_name: str
    output_name: str
    labels: tuple[str, ...]
    max_new_tokens: int
    licence: str
    source: str


class TaskFile(NamedTuple):
    """A task: its metadata, the demonstrations and the queries."""

    head: FileHead
    pool: list[Row]
    queries: list[Row]


def to_jsonl(task: TaskFile) -> str:
    """Render a task as the text of its file.

    >>> names = ("Sum", "Answer")
    >>> head = FileHead("t", "T", "reasoning", "number", "Add.", *names, (), 4, "CC0-1.0", "Own.")
    >>> print(to_jsonl(TaskFile(head, [Row("1 + 1", "2")], [])).splitlines()[1])
    {"input": "1 + 1", "output": "2", "split": "pool"}
    """
    lines: list[dict[str, object]] = [{"task": asdict(task.head)}]
    for split, rows in (("pool", task.pool), ("query", task.queries)):
        for row in rows:
            line: dict[str, object] = {"input": row.input, "output": row.output, "split": split}
            if row.accept:
                line["accept"] = list(row.accept)
            lines.append(line)
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
