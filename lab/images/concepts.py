"""What the embedded image model knows: 160 concepts in five styles, and what is held out of what."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ASSETS = Path(__file__).parents[2] / "assets" / "images"
STYLES = ("3d", "flat", "outline", "painted", "sticker")
"""3d, flat and outline are one drawing in three finishes (Fluent); painted (Noto) and sticker (Twemoji) are
the same concept drawn anew."""


@dataclass(frozen=True)
class Concept:
    """A thing that can be drawn.

    Args:
        word: What captions call it, one to three words.
        code: The code points of its emoji in hex, joined by "-", without variation selectors.
        group: animals, food, places, things or plants: where its hard negatives come from.
        is_held_out: Whether no related set for training may show it; the base knows it from single panels.
        unseen_style: The style in which the base never sees it; "" where it sees all five.
    """

    word: str
    code: str
    group: str
    is_held_out: bool
    unseen_style: str


@cache
def concepts() -> tuple[Concept, ...]:
    """Return the 160 concepts in the fixed order of the list, 24 of them held out.

    >>> len(concepts()), sum(concept.is_held_out for concept in concepts())
    (160, 24)
    """
    with (ASSETS / "concepts.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Concept(row["word"], row["code"], row["group"], row["is_held_out"] == "1", row["unseen_style"])
            for row in csv.DictReader(file)
        )


def concept_of(word: str) -> Concept:
    """Find a concept by its word.

    Raises:
        ValueError: If no concept is called so; names the nearest spelling.
    """
    known = {concept.word: concept for concept in concepts()}
    if word in known:
        return known[word]
    import difflib

    near = difflib.get_close_matches(word, known, n=1, cutoff=0.0)[0]
    raise ValueError(f"no concept is called {word!r}; the nearest is {near!r} (the list: concepts.csv)")
