"""Which task is in a file that a user brings, and how is it found again?

A file has the columns `input` and `output`; optionally `split` (pool or query; train and test mean the same)
and `accept` (other right answers: a list in JSONL, separated by | in CSV). Without a split, rows are dealt by
the hash of their input, so that the same row lands on the same side whatever its place in the file.
"""

import hashlib
import os
import re
from collections import Counter
from pathlib import Path, PurePath
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlencode

from lab.place import home, is_shared
from lab.tasks.guess import MAX_GUESSED_LABELS, Kind, Overrides, guess_kind, label_spellings
from lab.tasks.metrics import extract_number
from lab.tasks.rows import Row, demonstrations, queries, same_text
from lab.tasks.table import CSV_ENDINGS, JSONL_ENDINGS, MAX_FILE_BYTES, Cells, Table, list_numbers, read_table
from lab.tasks.task import Family, Metric, Task

_SPLITS = {"pool": "pool", "train": "pool", "query": "query", "test": "query"}
_ID = re.compile(r"(?P<id>file-[0-9a-f]{12})(\?(?P<overrides>.*))?")
_POOL_SHARE, _MIN_POOL, _MAX_POOL = 0.2, 16, 200
_RARE_SHARE = 0.05


class ReadTask(NamedTuple):
    """A task and what had to be repaired, dropped or ignored to read it."""

    task: Task
    warnings: tuple[str, ...]


def read_task(
    path_or_bytes: str | Path | bytes,
    filename: str | None = None,
    *,
    family: Family | None = None,
    metric: Metric | None = None,
    instruction: str | None = None,
    input_name: str | None = None,
    output_name: str | None = None,
) -> ReadTask:
    """Read a task from a CSV or JSONL file.

    Args:
        path_or_bytes: Where the file lies, or what it holds.
        filename: The user's name for it; its ending says the format. Needed with bytes.
        family: Replaces the guessed family; with it the metric follows, unless given too.
        metric: Replaces the guessed metric.
        instruction: Replaces the written instruction.
        input_name: Names the input in a prompt, such as "Review".
        output_name: Names the output in a prompt, such as "Sentiment".

    Returns:
        The task, whose id is `file-` and the first 12 hex digits of the SHA-256 of the bytes (overrides
        follow after "?", so that the id alone finds the same task again), and the warnings.

    Raises:
        ValueError: If the file can't be a task; the message names the row (the header of a CSV is row 1).
    """
    content, filename = _content(path_or_bytes, filename)
    overrides = Overrides(family, metric, instruction, input_name, output_name)
    table = read_table(content, filename)
    warnings = list(table.warnings)
    _check_conflicts(table.rows)
    rows = _without_duplicates(table, warnings)
    kind = guess_kind([row.output for row in rows], overrides)
    rows = _spell(rows, kind, warnings)
    if kind.metric == "answer" and not family and not metric:
        _warn_of_rare_outputs(rows, warnings)
    pool, asked = _split(rows, table.has_split)
    _warn_of_labels(pool, asked, kind, warnings)
    task = Task(
        id=_id(content, overrides),
        title=PurePath(filename).stem.replace("_", " ").strip() or "Your file",
        family=kind.family,
        metric=kind.metric,
        instruction=kind.instruction,
        input_name=kind.input_name,
        output_name=kind.output_name,
        labels=kind.labels,
        pool=demonstrations(Row(row.input, row.output) for row in pool),
        queries=queries(Row(row.input, _gold(row, kind), row.accept) for row in asked),
        max_new_tokens=kind.max_new_tokens,
        licence="yours",
        source=f"Your file {PurePath(filename).name}",
    )
    return ReadTask(task, tuple(warnings))


def keep_copy(content: bytes, filename: str) -> str:
    """Store a task file under LAB_HOME/tasks and return its id, by which load_task finds it.

    Raises:
        ValueError: If the name's ending is not that of a CSV or JSONL file.
    """
    ending = PurePath(filename).suffix.lower()
    if ending not in CSV_ENDINGS + JSONL_ENDINGS:
        raise ValueError(f"{filename}: a task file must end in .csv, .tsv or .jsonl")
    task_id = _id(content, Overrides())
    folder = home() / "tasks"
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{task_id}.{os.getpid()}.part"
    part.write_bytes(content)
    part.replace(folder / f"{task_id}{ending}")
    return task_id


def load_path(path: str) -> Task:
    """Read a task file from disk and keep a copy; refused on a shared lab (LAB_SHARED=1 or a Space)."""
    if is_shared():
        raise ValueError(f"this lab is shared and reads no paths, got {path!r}; upload the file instead")
    content, filename = _content(path, None)
    task = read_task(content, filename).task
    keep_copy(content, filename)
    return task


def load_kept(reference: str) -> Task:
    """Read a kept task file by its id, with the overrides that follow "?".

    Raises:
        ValueError: If no copy is kept here, or an override is unknown.
    """
    match = _ID.fullmatch(reference)
    if not match:
        raise ValueError(f"a kept file's id is file- and 12 hex digits, got {reference!r}")
    given = dict(parse_qsl(match["overrides"] or ""))
    unknown = [name for name in given if name not in Overrides.__dataclass_fields__]
    if unknown:
        known = ", ".join(Overrides.__dataclass_fields__)
        raise ValueError(f"{reference}: {unknown[0]!r} can't be overridden; these can: {known}")
    for ending in CSV_ENDINGS + JSONL_ENDINGS:
        path = home() / "tasks" / f"{match['id']}{ending}"
        if path.is_file():
            return read_task(path, **given).task
    raise ValueError(f"no copy of {match['id']} is kept in this lab; give the file again")


def is_kept_id(reference: str) -> bool:
    """Say whether a reference has the form of a kept file's id."""
    return reference.startswith("file-") and _ID.fullmatch(reference) is not None


def looks_like_path(reference: str) -> bool:
    """Say whether a reference names a file: by its ending, or by a folder in it."""
    return reference.lower().endswith(CSV_ENDINGS + JSONL_ENDINGS) or "/" in reference or os.sep in reference


def _content(path_or_bytes: str | Path | bytes, filename: str | None) -> tuple[bytes, str]:
    if isinstance(path_or_bytes, bytes):
        if not filename:
            raise ValueError(
                "filename is needed with bytes: its ending says the format, such as 'reviews.csv'"
            )
        return path_or_bytes, filename
    path = Path(path_or_bytes).expanduser()
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ValueError(f"{path} must have at most {MAX_FILE_BYTES:,} bytes; take a sample")
        return path.read_bytes(), filename or path.name
    except OSError as error:
        raise ValueError(f"can't read {path}: {error.strerror or error}; check the path") from None


def _id(content: bytes, overrides: Overrides) -> str:
    task_id = f"file-{hashlib.sha256(content).hexdigest()[:12]}"
    given = overrides.given()
    return f"{task_id}?{urlencode(given, quote_via=quote)}" if given else task_id


def _check_conflicts(rows: list[Cells]) -> None:
    first: dict[str, Cells] = {}
    conflicts = []
    for row in rows:
        known = first.setdefault(" ".join(row.input.split()), row)
        if known.output.casefold() != row.output.casefold():
            conflicts.append((known, row))
    if conflicts:
        a, b = conflicts[0]
        more = f" ({len(conflicts) - 1:,} more such pairs)" if len(conflicts) > 1 else ""
        raise ValueError(
            f"rows {a.number} and {b.number} have the same input but different outputs, {a.output[:40]!r} "
            f"and {b.output[:40]!r}{more}; keep one, or list the other right answers in the column accept"
        )


def _without_duplicates(table: Table, warnings: list[str]) -> list[Cells]:
    """Drop repeated rows; one that stands in both splits stays a query, so that no answer is shown."""
    if table.has_split:
        for row in table.rows:
            if row.split not in _SPLITS:
                found = f"{row.split!r}" if row.split else "an empty cell"
                raise ValueError(f"row {row.number}: split must be pool or query (train, test), got {found}")
    side = {row.number: _SPLITS.get(row.split, "query") for row in table.rows}
    kept: dict[tuple[str, str], Cells] = {}
    repeated: list[int] = []
    leaked: list[int] = []
    for row in sorted(table.rows, key=lambda row: side[row.number] == "pool"):
        known = kept.setdefault((same_text(row.input), row.output.casefold()), row)
        if known is not row:
            (repeated if side[known.number] == side[row.number] else leaked).append(row.number)
    if repeated:
        warnings.append(f"{list_numbers(sorted(repeated))}: the same input stands in an earlier row; dropped")
    if leaked:
        warnings.append(f"{list_numbers(sorted(leaked))}: also among the queries; removed from the pool")
    return sorted(kept.values(), key=lambda row: row.number)


def _spell(rows: list[Cells], kind: Kind, warnings: list[str]) -> list[Cells]:
    """Give every label one spelling, and check that a number task's outputs are numbers."""
    if kind.metric == "number":
        for row in rows:
            if not extract_number(row.output):
                raise ValueError(f"row {row.number}: output {row.output[:40]!r} holds no number")
    if kind.metric != "label":
        return rows
    spellings = label_spellings([row.output for row in rows])
    spelled = [row._replace(output=spellings[row.output.casefold()]) for row in rows]
    changed = [old.number for old, new in zip(rows, spelled, strict=True) if old.output != new.output]
    if changed:
        warnings.append(f"{list_numbers(changed)}: the label's case was changed to that of most rows")
    return spelled


def _warn_of_rare_outputs(rows: list[Cells], warnings: list[str]) -> None:
    """Say so where a few outputs that occur once are all that keeps a file from being a label task."""
    counts = Counter(row.output.casefold() for row in rows)
    once = [row for row in rows if counts[row.output.casefold()] == 1]
    if 0 < len(once) <= _RARE_SHARE * len(rows) and 2 <= len(counts) - len(once) <= MAX_GUESSED_LABELS:
        warnings.append(
            f"{list_numbers([row.number for row in once])}: the output {once[0].output[:40]!r} occurs once, "
            "so the outputs are read as free answers; correct it, or choose the family classification"
        )


def _split(rows: list[Cells], has_split: bool) -> tuple[list[Cells], list[Cells]]:
    if has_split:
        pool = [row for row in rows if _SPLITS[row.split] == "pool"]
        asked = [row for row in rows if _SPLITS[row.split] == "query"]
        for name, part in (("pool", pool), ("query", asked)):
            if not part:
                raise ValueError(
                    f"no row is left with split {name}; mark some, or leave out the column split"
                )
        return pool, asked
    dealt = sorted(rows, key=lambda row: hashlib.sha256(row.input.encode()).digest())
    n_pool = min(_MAX_POOL, max(_MIN_POOL, round(_POOL_SHARE * len(dealt))), len(dealt) // 2)
    return dealt[:n_pool], dealt[n_pool:]


def _warn_of_labels(pool: list[Cells], asked: list[Cells], kind: Kind, warnings: list[str]) -> None:
    for name, part in (("pool", pool), ("queries", asked)):
        absent = [label for label in kind.labels if label not in {row.output for row in part}]
        if absent:
            warnings.append(f"no row of the {name} has the output {', '.join(map(repr, absent))}")


def _gold(row: Cells, kind: Kind) -> str:
    return extract_number(row.output) if kind.metric == "number" else row.output
