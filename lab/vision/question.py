"""One question: examples in their order, and the picture that is asked about."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from lab.vision.backbone import Backbone
from lab.vision.bank import Bank, bank_of
from lab.vision.example import Example, check_picture


@dataclass(frozen=True, eq=False)
class Question:
    """What an engine answers.

    Args:
        examples: In their order, at least one of them marked.
        picture: RGB, uint8, shape (height, width, 3).
        backbone: Describes places.
        with_mirrored: Whether each example counts a second time as its mirror image.
        names: What the classes are called, for engines that read it; () names none.
    """

    examples: tuple[Example, ...]
    picture: np.ndarray
    backbone: Backbone
    with_mirrored: bool = True
    names: tuple[str, ...] = ()

    def __post_init__(self):
        check_picture(self.picture, "the picture")

    def in_no_order(self) -> "Question":
        """Return the same question with its examples sorted by content.

        Engines that pool are asked like this: sums are rounded and ties broken alike whatever the order was.
        """
        return replace(self, examples=tuple(sorted(self.examples, key=_content)))

    @cached_property
    def bank(self) -> Bank:
        """Return the examples' places; rows stand in the examples' order."""
        return bank_of(self.examples, self.backbone, self.with_mirrored)

    @cached_property
    def features(self) -> np.ndarray:
        """Return the picture's features, shape (rows, columns, channels)."""
        return self.backbone.features(self.picture)

    @property
    def places(self) -> np.ndarray:
        """Return the picture's places, shape (n_places, channels)."""
        return self.features.reshape(-1, self.features.shape[-1])

    def laid(self, shares: np.ndarray) -> np.ndarray:
        """Lay the shares of places (n_places, n) out as they lie, shape (rows, columns, n)."""
        return shares.reshape(*self.features.shape[:2], shares.shape[-1])


def _content(example: Example) -> bytes:
    return example.picture.tobytes() + example.marks.tobytes()


Answer = Callable[[Question], np.ndarray]
"""Returns the share of each class, shape (rows, columns, n_classes + 1), last axis of sum 1, on any grid."""


Presence = Callable[[Question], np.ndarray]
"""Says how likely each class is in the picture at all, shape (n_classes,)."""


class Engine(NamedTuple):
    """A way to answer.

    Args:
        id: Its id in recipes.
        title: What it does, in a few words.
        answer: Answers a question.
        is_ordered: Whether the order of the examples can matter; where not, 0 flips are certain.
        presence: Says whether classes are there at all; None where it has learnt nothing of it.
    """

    id: str
    title: str
    answer: Answer
    is_ordered: bool
    presence: Presence | None = None
