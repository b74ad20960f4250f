"""What a person shows and asks: marked pictures in their order, and pictures without marks."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lab.images.pictures import ENDINGS
from lab.vision.asked import READY
from lab.vision.example import MAX_CLASSES, Example
from lab.vision.files import MASK_ENDING, marks_of, paired_files, picture_of
from lab.vision.layouts import MAX_EXAMPLES
from lab.vision.overlay import with_mask

MAX_ASKED = 8
CLASS_NAMES = ("what is meant", "a second class", "a third class")


class Marked(NamedTuple):
    """A picture, RGB, uint8, (height, width, 3), with labels, uint8, (height, width), or None without any."""

    name: str
    picture: np.ndarray
    marks: np.ndarray | None

    @property
    def example(self) -> Example:
        """Return it as engines take it; without marks it is a negative example."""
        marks = np.zeros(self.picture.shape[:2], np.uint8) if self.marks is None else self.marks
        return Example(self.name, self.picture, marks)


Pictures = tuple[Marked, ...]


@lru_cache(maxsize=8)
def ready(name: str) -> tuple[Pictures, Pictures]:
    """Return the examples and the pictures to ask about of a shipped set."""
    parts = []
    for part in ("examples", "queries"):
        read = [_read(picture, mask) for picture, mask in paired_files(READY / name / part)]
        parts.append(tuple(each._replace(name=each.name.partition(" ")[2]) for each in read))
    return parts[0], parts[1]


def words_in(text: str) -> tuple[str, ...]:
    """Return the classes' names that a person wrote, in the order of the classes; one left out is empty."""
    words = tuple(" ".join(word.split()) for word in text.split(","))
    return words[:MAX_CLASSES] if any(words) else ()


def taken(paths: Sequence[str]) -> Pictures:
    """Read files that a person gives; `cat_mask.png`, or `cat.png` beside `cat.jpg`, is the mask of `cat`.

    Raises:
        ValueError: One can't be read, or a mask has no picture; with a sentence for the screen.
    """
    files = [Path(path) for path in paths]
    masks = {_stem_of(each): each for each in files if _is_mask(each, files)}
    pictures = [each for each in files if not _is_mask(each, files)]
    for stem, mask in masks.items():
        if stem not in {each.stem for each in pictures}:
            raise ValueError(f"{mask.name} is a mask without its picture: give {stem}.jpg with it")
    return tuple(_read(each, masks.get(each.stem)) for each in pictures)


def added(bank: Pictures, more: Pictures, most: int) -> Pictures:
    """Put pictures behind those there are.

    Raises:
        ValueError: They are more than can be looked at.
    """
    if len(bank) + len(more) > most:
        raise ValueError(f"at most {most} pictures fit here, got {len(bank) + len(more)}: remove some first")
    return (*bank, *more)


def moved(bank: Pictures, place: int, by: int) -> tuple[Pictures, int]:
    """Move a picture earlier (-1) or later (+1); returns the pictures and its new place."""
    to = place + by
    if not (0 <= place < len(bank) and 0 <= to < len(bank)):
        return bank, place
    order = list(bank)
    order.insert(to, order.pop(place))
    return tuple(order), to


def removed(bank: Pictures, place: int) -> tuple[Pictures, int]:
    """Take a picture away; returns the others, and which is chosen then."""
    if not 0 <= place < len(bank):
        return bank, place
    rest = bank[:place] + bank[place + 1 :]
    return rest, max(0, min(place, len(rest) - 1))


def marked(bank: Pictures, place: int, marks: np.ndarray | None) -> Pictures:
    """Give a picture other marks; of another size they are of another picture, and left away."""
    if not 0 <= place < len(bank):
        return bank
    if marks is not None and marks.shape != bank[place].picture.shape[:2]:
        return bank
    return (*bank[:place], bank[place]._replace(marks=marks), *bank[place + 1 :])


def thumbnails(bank: Pictures) -> list[tuple[np.ndarray, str]]:
    """Return what a gallery shows: pictures with their marks, in order."""
    found = []
    for place, each in enumerate(bank, 1):
        is_marked = each.marks is not None and bool(each.marks.any())
        picture = (
            with_mask(each.picture, each.marks) if is_marked and each.marks is not None else each.picture
        )
        found.append((picture, f"{place}: {each.name}{'' if is_marked else ' (nothing marked)'}"))
    return found


def examples_of(bank: Any) -> tuple[Example, ...]:
    """Return the examples to show.

    Raises:
        ValueError: There is none, or nothing is marked in any.
    """
    shown = tuple(each.example for each in bank or ())
    if not shown:
        raise ValueError("there is no example: choose a set, or add a picture and mark what is meant")
    if all(each.is_negative for each in shown):
        raise ValueError("nothing is marked in any example: paint what is meant in at least one")
    if all(each.marks.all() for each in shown if not each.is_negative) and not any(
        each.is_negative for each in shown
    ):
        raise ValueError("everything is marked in every example: leave out what is not meant")
    return shown[:MAX_EXAMPLES]


def _is_mask(path: Path, files: Sequence[Path]) -> bool:
    if path.suffix.lower() != MASK_ENDING:
        return False
    others = (each for each in files if each.suffix.lower() != MASK_ENDING)
    return path.stem.endswith("_mask") or any(each.stem == path.stem for each in others)


def _stem_of(mask: Path) -> str:
    return mask.stem.removesuffix("_mask")


def _read(picture: Path, mask: Path | None) -> Marked:
    if picture.suffix.lower() not in ENDINGS:
        raise ValueError(f"{picture.name} is no picture that can be read; save it as PNG or JPEG")
    pixels = picture_of(picture.read_bytes(), picture.name)
    if mask is None:
        return Marked(picture.stem, pixels, None)
    marks = marks_of(mask.read_bytes(), mask.name, *pixels.shape[:2])
    if marks.max(initial=0) > MAX_CLASSES:
        raise ValueError(
            f"{mask.name} has labels up to {marks.max()}; at most {MAX_CLASSES} are read at once"
        )
    return Marked(picture.stem, pixels, marks)
