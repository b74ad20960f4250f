"""Questions with known answers: a class, examples of it, and a picture whose true mask is known."""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from lab.place import home
from lab.vision.example import Example
from lab.vision.files import marks_of, paired_files, picture_of
from lab.vision.layouts import MAX_EXAMPLES

READY = Path(__file__).resolve().parents[2] / "assets" / "vision" / "ready"
COMPOSITES = "composites"
KEPT = "folder-"


@dataclass(frozen=True, eq=False)
class Asked:
    """A question with its answer.

    Args:
        id: Names the picture and the class.
        group: The class; questions of one class are no independent observations.
        examples: What can be shown, each with this one class marked, in their order.
        picture: RGB, uint8, shape (height, width, 3).
        truth: Where the class is, bool, shape (height, width).
        name: What the class is called; "" where only a number is known.
    """

    id: str
    group: str
    examples: tuple[Example, ...]
    picture: np.ndarray
    truth: np.ndarray
    name: str = ""


def keep_folder(path: str) -> str:
    """Copy pictures and masks of a folder into the lab's own, named by their content; return that name.

    Raises:
        ValueError: As `paired_files`.
    """
    files = paired_files(Path(path).expanduser())
    digest = hashlib.sha256()
    for pair in files:
        for file in pair:
            digest.update(file.name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    name = f"{KEPT}{digest.hexdigest()[:16]}"
    target = home() / "pictures" / name
    if not target.is_dir():
        partial = target.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for picture, mask in files:
            shutil.copyfile(picture, partial / picture.name)
            shutil.copyfile(mask, partial / f"{picture.stem}_mask.png")
        partial.rename(target)
    return name


def folder_of(name: str) -> Path:
    """Find a folder that `keep_folder` named.

    Raises:
        ValueError: It is not kept here.
    """
    path = home() / "pictures" / name
    if not name.startswith(KEPT) or Path(name).name != name or not path.is_dir():
        raise ValueError(f"the pictures {name} are not kept here: name their folder again")
    return path


def of_folders(examples: str, queries: str, n_examples: int) -> list[Asked]:
    """Ask for each class on its own that examples mark, in every picture that has it.

    Args:
        examples: A kept folder; of each class, the first pictures by name that mark it are its examples.
        queries: A kept folder; pictures that are examples of the class are left out.
        n_examples: Examples of a class; classes with fewer are left out.

    Raises:
        ValueError: A file can't be read, or nothing can be asked.
    """
    shown, wanted = _read(folder_of(examples)), _read(folder_of(queries))
    labels = sorted({int(label) for each in shown for label in np.unique(each.marks)} - {0})
    found = []
    for label in labels:
        own = [each for each in shown if (each.marks == label).any()][:n_examples]
        if len(own) < n_examples:
            continue
        kept = tuple(Example(each.name, each.picture, _only(each.marks, label)) for each in own)
        for query in wanted:
            truth = query.marks == label
            if truth.any() and not any(np.array_equal(query.picture, each.picture) for each in own):
                found.append(
                    Asked(f"{query.name} · class {label}", f"class {label}", kept, query.picture, truth)
                )
    if not found:
        raise ValueError(
            f"nothing can be asked: no class is marked in {n_examples} or more examples and in a picture "
            "that is none of them; show fewer examples or add pictures"
        )
    return found


def ready_sets() -> list[str]:
    """List the sets that are shipped."""
    return sorted(each.name for each in READY.iterdir() if each.is_dir()) if READY.is_dir() else []


def words_of(name: str) -> tuple[str, ...]:
    """Return what the classes of a shipped set are called."""
    return tuple(name.split(" and "))


def of_ready(name: str, n_examples: int) -> list[Asked]:
    """Ask about a shipped set: examples and pictures of one class, or of two, each on its own.

    Raises:
        ValueError: There is no such set, or it has fewer examples.
    """
    if name not in ready_sets():
        known = ", ".join([COMPOSITES, *ready_sets()])
        raise ValueError(f"examples must be {known} or a folder, got {name!r}")
    shown, wanted = _read(READY / name / "examples"), _read(READY / name / "queries")
    if len(shown) < n_examples:
        raise ValueError(f"{name} has {len(shown)} examples, asked for {n_examples}")
    found = []
    for label, word in enumerate(words_of(name), 1):
        kept = tuple(
            Example(each.name, each.picture, _only(each.marks, label)) for each in shown[:n_examples]
        )
        found += [
            Asked(f"{query.name} · {word}", query.name, kept, query.picture, query.marks == label, word)
            for query in wanted
        ]
    return found


def of_composites(places: Sequence[int], n_examples: int, seed: int) -> list[Asked]:
    """Ask about composed scenes of held-out classes, each with examples of its own.

    Args:
        places: Which scenes, from 0; the same place and seed compose the same.
        n_examples: Examples of each.
        seed: Determines them.
    """
    from lab.images.emoji import atlas
    from lab.vision.composites import classes, episode

    held_out = classes(is_held_out=True)
    found = []
    for place in places:
        random = np.random.default_rng((seed, place))
        concept = held_out[place % len(held_out)]
        shown, query = episode(concept, n_examples, held_out, atlas(), random)
        name = f"{concept.word} · scene {place + 1}"
        found.append(Asked(name, concept.word, shown, query.picture, query.marks > 0, concept.word))
    return found


@lru_cache(maxsize=4)
def _read(folder: Path) -> Sequence["_Marked"]:
    read = []
    for picture, mask in paired_files(folder):
        pixels = picture_of(picture.read_bytes(), picture.name)
        marks = marks_of(mask.read_bytes(), mask.name, *pixels.shape[:2])
        read.append(_Marked(picture.stem, pixels, marks))
    return read


@dataclass(frozen=True, eq=False)
class _Marked:
    """A picture with labels of any number."""

    name: str
    picture: np.ndarray
    marks: np.ndarray


def _only(marks: np.ndarray, label: int) -> np.ndarray:
    return (marks == label).astype(np.uint8)


def check_number(n_examples: int) -> None:
    """Refuse a number of examples out of bounds."""
    if not 1 <= n_examples <= MAX_EXAMPLES:
        raise ValueError(f"n_examples must be 1 to {MAX_EXAMPLES}, got {n_examples}")
