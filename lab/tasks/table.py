"""What rows does a file hold? Bytes of a CSV or JSONL file become cells with their row numbers.

Rows are numbered as a spreadsheet or an editor shows them: the header of a CSV is row 1, its first data row
is row 2; the first line of a JSONL file is row 1. A cell with line breaks is one row.
"""

import csv
import io
import json
from difflib import get_close_matches
from pathlib import PurePath
from typing import NamedTuple

MAX_ROWS = 10_000
MAX_CELL_CHARS = 20_000
MAX_FILE_BYTES = 64_000_000
COLUMNS = ("input", "output", "split", "accept")
CSV_ENDINGS = (".csv", ".tsv", ".txt")
JSONL_ENDINGS = (".jsonl", ".ndjson", ".json")

_DELIMITERS = ",;\t"
# A noncharacter that no text may hold: it carries NUL through csv.reader, which Python 3.10 lets fail on it.
_NUL = "\uffff"
_MEANT = {
    "input": ("text", "question", "sentence", "prompt", "review", "document", "article", "x", "source"),
    "output": ("label", "answer", "target", "class", "category", "completion", "summary", "y", "gold"),
}


class Cells(NamedTuple):
    """One row of the file: its number as the user sees it, and its cells by column, stripped."""

    number: int
    input: str
    output: str
    split: str
    accept: tuple[str, ...]


class Table(NamedTuple):
    """The rows of a file, whether it has a split column, and what was repaired or ignored."""

    rows: list[Cells]
    has_split: bool
    warnings: tuple[str, ...]


def read_table(content: bytes, filename: str) -> Table:
    """Read the bytes of a CSV (comma, semicolon or tab) or JSONL file; the name's ending says which.

    Raises:
        ValueError: If the file is empty, malformed, too long, or lacks a column or a cell; the message names
            the row.
    """
    ending = PurePath(filename).suffix.lower()
    if ending not in CSV_ENDINGS + JSONL_ENDINGS:
        known = ", ".join(CSV_ENDINGS + JSONL_ENDINGS)
        raise ValueError(f"{filename}: a task file must end in {known}, got {ending or 'no ending'}")
    if len(content) > MAX_FILE_BYTES:
        raise ValueError(f"the file must have at most {MAX_FILE_BYTES:,} bytes, got {len(content):,}")
    text, warnings = _decode(content)
    if not text.strip():
        raise ValueError(f"{filename} is empty: it needs the columns input and output and at least two rows")
    read = _read_jsonl if ending in JSONL_ENDINGS else _read_csv
    records, columns, more = read(text)
    if not records:
        raise ValueError(f"{filename} has a header but no rows")
    if len(records) > MAX_ROWS:
        raise ValueError(f"a task may have at most {MAX_ROWS:,} rows, got {len(records):,}; take a sample")
    rows = [_cells(number, record) for number, record in records]
    return Table(rows, "split" in columns, (*warnings, *more, *_ignored(columns)))


def list_numbers(numbers: list[int], n_shown: int = 10) -> str:
    """Write row numbers for a message: `rows 3, 8 and 2 more`."""
    shown = ", ".join(map(str, numbers[:n_shown]))
    more = f" and {len(numbers) - n_shown:,} more" if len(numbers) > n_shown else ""
    return f"row{'s' if len(numbers) > 1 else ''} {shown}{more}"


def _decode(content: bytes) -> tuple[str, tuple[str, ...]]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in (content[:1], content[1:2]):
        raise ValueError("the file is UTF-16; save it as UTF-8")
    if content.startswith((b"PK\x03\x04", b"PAR1", b"\xd0\xcf\x11\xe0")):
        raise ValueError("the file is a spreadsheet, an archive or Parquet; save it as CSV (UTF-8)")
    try:
        return content.decode("utf-8-sig"), ()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(f"line {line}: neither UTF-8 nor Windows-1252; save the file as UTF-8") from None
    return text, (f"not UTF-8 (first seen in line {line}): read as Windows-1252; check accents and quotes",)


def _read_csv(text: str) -> tuple[list[tuple[int, dict]], list[str], list[str]]:
    lines = io.StringIO(text.replace("\0", _NUL), newline="")
    reader = csv.reader(lines, delimiter=_delimiter(text), strict=True)
    columns: list[str] = []
    records: list[tuple[int, dict]] = []
    blank: list[int] = []
    number = 0
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            raise ValueError(_malformed(number, str(error))) from None
        if not any(cell.strip() for cell in cells):
            blank += [number] if cells else []
        elif not columns:
            columns = [cell.strip().casefold() for cell in cells]
            _check_columns(columns, [cell.strip() for cell in cells])
        else:
            while len(cells) > len(columns) and not cells[-1].strip():
                cells.pop()
            _check_width(number, cells, columns)
            records.append((number, dict(zip(columns, cells, strict=True))))
    warnings = [f"{list_numbers(blank)}: no cell is filled; skipped"] if blank else []
    return records, columns, warnings


def _delimiter(text: str) -> str:
    """Choose by the header alone: the delimiter that shows both columns, else the one that shows most."""
    header = text.lstrip("\r\n").splitlines()[0]

    def columns(delimiter: str) -> list[str]:
        return [cell.strip().strip('"').strip().casefold() for cell in header.split(delimiter)]

    return max(_DELIMITERS, key=lambda d: (len({"input", "output"} & set(columns(d))), len(columns(d))))


def _read_jsonl(text: str) -> tuple[list[tuple[int, dict]], list[str], list[str]]:
    if text.lstrip().startswith("["):
        raise ValueError("the file is one JSON array; write one object a line, without [ and commas between")
    columns: list[str] = []
    records: list[tuple[int, dict]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            # Numbers keep their spelling: 5.0 stays "5.0", and a long integer is no trap.
            record = json.loads(line, parse_int=str, parse_float=str, parse_constant=str)
        except RecursionError:
            raise ValueError(f"row {number}: the JSON is nested too deeply") from None
        except ValueError as error:
            raise ValueError(f"row {number} is not a JSON object: {error}") from None
        if not isinstance(record, dict):
            raise ValueError(f'row {number} must be an object like {{"input": ..., "output": ...}}')
        record = {key.strip().casefold(): value for key, value in record.items()}
        _check_columns(list(record), list(record), f"row {number}: ")
        columns += [key for key in record if key not in columns]
        records.append((number, record))
    return records, columns, []


def _check_columns(columns: list[str], found: list[str], where: str = "") -> None:
    for wanted in ("input", "output"):
        if wanted in columns:
            continue
        close = get_close_matches(wanted, columns, n=1, cutoff=0.6)
        close = close or [name for name in _MEANT[wanted] if name in columns][:1]
        remedy = (
            f"; rename {found[columns.index(close[0])]!r} to {wanted!r}"
            if close
            else "; the first row names the columns"
        )
        raise ValueError(
            f"{where}no column {wanted!r}; found {', '.join(map(repr, found)) or 'none'}{remedy}"
        )
    twice = sorted({name for name in columns if name in COLUMNS and columns.count(name) > 1})
    if twice:
        raise ValueError(f"{where}the column {twice[0]!r} stands twice in the header")


def _check_width(number: int, cells: list[str], columns: list[str]) -> None:
    if len(cells) != len(columns):
        raise ValueError(
            f"row {number} has {len(cells)} cell{'s' if len(cells) > 1 else ''}, but the header names "
            f"{len(columns)} columns; put text that holds the delimiter in double quotes"
        )


def _malformed(number: int, error: str) -> str:
    if "field larger" in error:
        return _too_long(number, "a cell")
    if "unexpected end" in error:
        return f"row {number}: a double quote is opened and never closed"
    return f"row {number}: malformed CSV ({error}); inside a quoted cell a double quote is written twice"


def _too_long(number: int, column: str) -> str:
    return f"row {number}: {column} must have at most {MAX_CELL_CHARS:,} characters; shorten it"


def _cells(number: int, record: dict) -> Cells:
    text = {column: _text(number, column, record.get(column)) for column in ("input", "output", "split")}
    for column in ("input", "output"):
        if not text[column]:
            raise ValueError(f"row {number}: {column} is empty")
    accept = record.get("accept")
    parts = accept if isinstance(accept, list) else (accept or "").split("|") if _is_text(accept) else None
    if parts is None:
        raise ValueError(f"row {number}: accept must be text or a list of texts")
    accepted = tuple(_text(number, "accept", part) for part in parts)
    return Cells(
        number, text["input"], text["output"], text["split"].casefold(), tuple(filter(None, accepted))
    )


def _is_text(value: object) -> bool:
    return value is None or isinstance(value, str)


def _text(number: int, column: str, value: object) -> str:
    if not _is_text(value):
        raise ValueError(f"row {number}: {column} must be text, got {json.dumps(value)[:40]}")
    text = str(value or "")
    if len(text) > MAX_CELL_CHARS:
        raise ValueError(f"{_too_long(number, column)} (it has {len(text):,})")
    if "\0" in text or _NUL in text:
        raise ValueError(f"row {number}: {column} holds a NUL byte; remove it or save the file as UTF-8")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"row {number}: {column} holds half of a surrogate pair; save it as UTF-8") from None
    return text.strip()


def _ignored(columns: list[str]) -> tuple[str, ...]:
    extra = [name for name in columns if name and name not in COLUMNS]
    return (f"ignored column{'s' if len(extra) > 1 else ''}: {', '.join(extra)}",) if extra else ()
