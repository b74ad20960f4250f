"""What was painted: which operation it looks like, and how well it is done."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lab.vision.operations import Operation, Palette, operations
from lab.vision.shapes import View

_SAME = 1.0  # mean absolute difference below which two operations give the same


@dataclass(frozen=True, eq=False)
class Case:
    """A picture that an operation is asked of.

    Args:
        operation: What is asked.
        view: What the picture shows.
        palette: In which colours found and rest are painted.
        before: What is shown, uint8, shape (64, 64, 3).
        after: What should become of it.
    """

    operation: Operation
    view: View
    palette: Palette
    before: np.ndarray
    after: np.ndarray

    def expected(self, other: Operation) -> np.ndarray:
        """Return what another operation would make of it, uint8, shape (64, 64, 3)."""
        if other.id == self.operation.id:
            return self.after
        if other.change is not None:
            return other.change(self.before)
        if other.spoil is not None:  # nothing is spoiled in the way that it restores
            return self.before
        return other.pair(self.view, self.palette, np.random.default_rng(0))[1]

    @cached_property
    def others(self) -> dict[str, np.ndarray]:
        """Return what every operation makes of it that makes something else, by id."""
        return {each.id: self.expected(each) for each in operations() if self.tells_apart(each)}

    def tells_apart(self, other: Operation) -> bool:
        """Tell whether another operation would make something else of it that is not of one colour."""
        if other.find is not None and not other.fits(self.view):
            return False
        return _distance(self.expected(other), self.after) >= _SAME


def case_of(operation: Operation, view: View, palette: Palette, random: np.random.Generator) -> Case:
    """Ask an operation of a view."""
    return Case(operation, view, palette, *operation.pair(view, palette, random))


def nearest(case: Case, painted: np.ndarray) -> str:
    """Return the operation whose result is nearest to what was painted; the asked one where several are.

    Args:
        case: What was asked.
        painted: Uint8, shape (64, 64, 3).
    """
    best, least = case.operation.id, _distance(painted, case.after)
    for name, found in case.others.items():
        distance = _distance(painted, found)
        if distance < least:
            best, least = name, distance
    return best


def quality(case: Case, painted: np.ndarray) -> tuple[str, float]:
    """Measure how well a case is painted.

    Returns:
        "IoU" and 0 to 1 for operations that mark things: of pixels nearer to the colour of what is found than
        to that of the rest; else "PSNR" and decibels, at most 60.
    """
    if case.operation.find is None:
        error = float(np.mean((painted.astype(float) - case.after) ** 2))
        return "PSNR", min(60.0, 10 * np.log10(255**2 / max(error, 1e-9)))
    found, rest = (
        np.linalg.norm(painted.astype(float) - colour, axis=-1)
        for colour in (case.palette.found, case.palette.rest)
    )
    is_marked = found < rest
    truth = (case.after == np.array(case.palette.found, np.uint8)).all(axis=-1)
    return "IoU", float((is_marked & truth).sum() / max((is_marked | truth).sum(), 1))


def _distance(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.abs(first.astype(float) - second).mean())
