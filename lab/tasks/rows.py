"""What one row of a task holds, and how rows become numbered demonstrations and queries."""

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from lab.tasks.task import Demonstration, Query


class Row(NamedTuple):
    """An input, its output, and other outputs that count as right."""

    input: str
    output: str
    accept: tuple[str, ...] = ()


def demonstrations(rows: Iterable[Row]) -> tuple[Demonstration, ...]:
    """Number the rows of a pool `p0`, `p1`, ... in their order."""
    return tuple(Demonstration(f"p{n}", row.input, row.output) for n, row in enumerate(rows))


def queries(rows: Iterable[Row]) -> tuple[Query, ...]:
    """Number the rows to be asked `q0`, `q1`, ... in their order."""
    return tuple(Query(f"q{n}", row.input, row.output, row.accept) for n, row in enumerate(rows))


def same_text(text: str) -> str:
    """Return a key that is equal for texts that differ only in case, blanks or Unicode form.

    Punctuation stays, since "3 + 4" and "3 - 4" are different inputs.
    """
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).strip().casefold()
