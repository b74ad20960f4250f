"""Read a hand-written list and draw a pool and queries from it.

A list is a text file: `key` or `key: value, value` a line, `#` comments, and a line `---`.
What stands above that line is well known, so that the demonstrations of a prompt are
facts which a small model may know.
"""

import random
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from lab.tasks.rows import Row

FOLDER = Path(__file__).parent / "wordlists"
SEED = 20261125
N_POOL = 64
N_QUERIES = 200

T = TypeVar("T")


class Entry(NamedTuple):
    """A line of a list."""

    key: str
    values: tuple[str, ...]


class Tiers(NamedTuple, Generic[T]):
    """Items that are well known, and the others."""

    known: list[T]
    rest: list[T]


def read_entries(name: str) -> Tiers[Entry]:
    """Read `wordlists/<name>.txt`; without a `---` line everything counts as well known."""
    tiers: Tiers[Entry] = Tiers([], [])
    tier = tiers.known
    for line in (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line == "---":
            tier = tiers.rest
        elif line and not line.startswith("#"):
            key, _, values = line.partition(":")
            tier.append(Entry(key, tuple(v.strip() for v in values.split(",") if v.strip())))
    return tiers


def draw(tiers: Tiers[Row], max_share: float) -> tuple[list[Row], list[Row]]:
    """Draw N_POOL rows from the well-known ones, then N_QUERIES from all others.

    Args:
        tiers: Candidate rows; all inputs differ.
        max_share: Largest share of rows in either split that may have the same output.

    Raises:
        ValueError: If too few rows remain.
    """
    rng = random.Random(SEED)
    pool = _capped_sample(tiers.known, N_POOL, max_share, rng)
    others = [row for row in tiers.known + tiers.rest if row not in pool]
    return pool, _capped_sample(others, N_QUERIES, max_share, rng)


def _capped_sample(rows: list[Row], n: int, max_share: float, rng: random.Random) -> list[Row]:
    n_by_output: dict[str, int] = {}
    sample: list[Row] = []
    for row in rng.sample(rows, len(rows)):
        n_same = n_by_output.get(row.output, 0)
        if len(sample) < n and n_same < int(max_share * n):
            n_by_output[row.output] = n_same + 1
            sample.append(row)
    if len(sample) < n:
        raise ValueError(f"{n} rows needed, got {len(sample)} under a share of {max_share}")
    return sample
