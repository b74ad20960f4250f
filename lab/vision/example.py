"""What a person shows: pictures with marks. What they ask: pictures without."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

MAX_CLASSES = 6
MAX_SIDE = 1024
"""Larger pictures are scaled down before anything looks at them."""


@dataclass(frozen=True, eq=False)
class Example:
    """A picture with what is marked in it.

    Args:
        name: Names it in layouts and messages.
        picture: RGB, uint8, shape (height, width, 3).
        marks: uint8, shape (height, width): 0 nothing, 1 the first class, 2 the second and so on. All 0 makes
            it a negative example, which shows what is not meant.
    """

    name: str
    picture: np.ndarray
    marks: np.ndarray

    def __post_init__(self):
        check_picture(self.picture, self.name)
        if self.marks.shape != self.picture.shape[:2]:
            raise ValueError(
                f"the marks of {self.name} have {self.marks.shape[1]} × {self.marks.shape[0]} pixels and the "
                f"picture {self.picture.shape[1]} × {self.picture.shape[0]}: mark this very picture"
            )
        if self.marks.dtype != np.uint8 or self.marks.max(initial=0) > MAX_CLASSES:
            raise ValueError(f"marks of {self.name} must be uint8 of 0 to {MAX_CLASSES}")

    @property
    def is_negative(self) -> bool:
        """Tell whether nothing is marked."""
        return not self.marks.any()

    def mirrored(self) -> "Example":
        """Return the mirror image, with its marks."""
        return Example(f"{self.name}~", self.picture[:, ::-1].copy(), self.marks[:, ::-1].copy())


def n_classes(examples: Sequence[Example]) -> int:
    """Return how many classes examples mark.

    Raises:
        ValueError: There is no example, or nothing is marked in any.
    """
    if not examples:
        raise ValueError("there is no example: add a picture and mark what is meant")
    most = max(int(example.marks.max()) for example in examples)
    if most == 0:
        raise ValueError("nothing is marked in any example: paint what is meant in at least one")
    return most


def check_picture(picture: np.ndarray, name: str) -> None:
    """Refuse what is no picture."""
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
        raise ValueError(
            f"{name} must be RGB, uint8, of shape (height, width, 3), got {picture.dtype} of {picture.shape}"
        )
    if max(picture.shape[:2]) > MAX_SIDE:
        raise ValueError(f"{name} has a side of {max(picture.shape[:2])} pixels, at most {MAX_SIDE} are read")


def shares(marks: np.ndarray, n: int, rows: int, columns: int) -> np.ndarray:
    """Say of each place how much of it belongs to which class.

    Args:
        marks: uint8, shape (height, width).
        n: Classes.
        rows: Places down.
        columns: Places across.

    Returns:
        Float32, shape (rows, columns, n + 1); column 0 is what is not marked; sums to 1.
    """
    layers = [np.asarray(_mean((marks == label).astype(np.float32), rows, columns)) for label in range(n + 1)]
    return np.stack(layers, axis=-1)


def _mean(values: np.ndarray, rows: int, columns: int) -> Image.Image:
    return Image.fromarray(values).resize((columns, rows), Image.Resampling.BOX)
