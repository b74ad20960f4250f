"""Arrangements of examples: which, how many, in which order, mirrored, with swapped labels.

`3-1~-2x` shows the third example, then the first as its mirror image, then the second with what is marked and
what is not exchanged.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np

from lab.vision.example import Example

MAX_EXAMPLES = 6
MAX_ORDERS = 24
WAYS = ("choice", "number", "order", "subsets", "changes")
_SHOWN = re.compile(r"([1-9])(~?)(x?)")


@dataclass(frozen=True)
class Shown:
    """One example as a layout shows it: its place from 0, mirrored or not, its labels swapped or not."""

    place: int
    is_mirrored: bool = False
    is_swapped: bool = False

    @property
    def id(self) -> str:
        """Write it as layouts do."""
        return f"{self.place + 1}{'~' * self.is_mirrored}{'x' * self.is_swapped}"


@dataclass(frozen=True)
class ExampleLayout:
    """One arrangement of examples."""

    shown: tuple[Shown, ...]

    @property
    def id(self) -> str:
        """Write it: `1-2`, `2-1`, `1~`, `1x`."""
        return "-".join(each.id for each in self.shown)

    def arranged(self, examples: Sequence[Example]) -> tuple[Example, ...]:
        """Show examples in this arrangement."""
        arranged = []
        for each in self.shown:
            example = examples[each.place]
            example = example.mirrored() if each.is_mirrored else example
            arranged.append(swapped(example) if each.is_swapped else example)
        return tuple(arranged)


def parse_layout(text: str, n_examples: int = MAX_EXAMPLES) -> ExampleLayout:
    """Read an arrangement.

    Raises:
        ValueError: It is not written as one, or shows an example that is not there, or one twice.
    """
    parts = [_SHOWN.fullmatch(part) for part in text.strip().split("-")]
    if not all(parts):
        raise ValueError(f"a layout is written like 1-2, 2-1, 1~ (mirrored) or 1x (swapped), got {text!r}")
    shown = tuple(Shown(int(part[1]) - 1, bool(part[2]), bool(part[3])) for part in parts if part)
    if max(each.place for each in shown) >= n_examples:
        raise ValueError(f"layout {text} shows more than the {n_examples} examples there are")
    if len({each.place for each in shown}) < len(shown):
        raise ValueError(f"layout {text} shows an example twice")
    return ExampleLayout(shown)


def layouts_of(way: str, n_examples: int) -> tuple[str, ...]:
    """List arrangements of examples, all of them together first.

    Args:
        way: "choice": each alone; "number": the first one, two and so on; "order": all of them in every
            order, at most 24; "subsets": every choice of any number; "changes": mirrored, or with swapped
            labels.
        n_examples: How many there are, 1 to 6.

    Raises:
        ValueError: There is no such way, or a number of examples out of bounds.
    """
    if not 1 <= n_examples <= MAX_EXAMPLES:
        raise ValueError(f"examples must be 1 to {MAX_EXAMPLES}, got {n_examples}")
    places = tuple(range(1, n_examples + 1))
    everything = "-".join(map(str, places))
    if way == "choice":
        rest = [str(place) for place in places]
    elif way == "number":
        rest = ["-".join(map(str, places[:n])) for n in range(1, n_examples + 1)]
    elif way == "order":
        rest = ["-".join(map(str, order)) for order in _orders(places)]
    elif way == "subsets":
        rest = ["-".join(map(str, chosen)) for n in places for chosen in combinations(places, n)]
    elif way == "changes":
        rest = ["-".join(f"{place}{mark}" for place in places) for mark in ("~", "x")]
        rest += [_with_one(places, place, "x") for place in places] if n_examples > 1 else []
    else:
        raise ValueError(f"vary must be one of {', '.join(WAYS)}, got {way!r}")
    return tuple(dict.fromkeys([everything, *rest]))


def swapped(example: Example) -> Example:
    """Exchange labels: what is marked with what is not; of several classes, each with the next."""
    n = int(example.marks.max(initial=0))
    if n <= 1:
        return Example(f"{example.name}×", example.picture, 1 - example.marks)
    return Example(
        f"{example.name}×",
        example.picture,
        np.where(example.marks > 0, example.marks % n + 1, 0).astype(np.uint8),
    )


def _with_one(places: Sequence[int], changed: int, mark: str) -> str:
    return "-".join(f"{place}{mark if place == changed else ''}" for place in places)


def _orders(places: Sequence[int]) -> list[tuple[int, ...]]:
    """Return every order, or 24 of them, evenly spread over all, the given one and its reverse among them."""
    n = math.factorial(len(places))
    every = list(permutations(places))
    chosen = np.linspace(0, n - 1, min(n, MAX_ORDERS)).round().astype(int)
    return [every[place] for place in chosen]
