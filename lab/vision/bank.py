"""The bank: every place of every example, with its features and what it shows."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lab.vision.backbone import Backbone
from lab.vision.example import Example, n_classes, shares


class Bank(NamedTuple):
    """Places of examples.

    Args:
        keys: Unit vectors, float32, shape (n_places, channels).
        labels: Shares of each class, float32, shape (n_places, n_classes + 1); column 0 is what is not
            marked.
        example: The place of each row's example in the order of the examples, int, shape (n_places,).
    """

    keys: np.ndarray
    labels: np.ndarray
    example: np.ndarray

    def only(self, is_kept: np.ndarray) -> "Bank":
        """Keep some rows."""
        return Bank(self.keys[is_kept], self.labels[is_kept], self.example[is_kept])


def bank_of(examples: Sequence[Example], backbone: Backbone, with_mirrored: bool = True) -> Bank:
    """Describe examples once; nothing of it depends on a query.

    Args:
        examples: At least one, in their order; at least one of them marked.
        backbone: Describes places.
        with_mirrored: Whether each example counts a second time as its mirror image.

    Raises:
        ValueError: As `n_classes`.
    """
    n = n_classes(examples)
    keys, labels, places = [], [], []
    for place, example in enumerate(examples):
        for shown in (example, example.mirrored()) if with_mirrored else (example,):
            features = backbone.features(shown.picture)
            keys.append(features.reshape(-1, features.shape[-1]))
            labels.append(shares(shown.marks, n, *features.shape[:2]).reshape(-1, n + 1))
            places.append(np.full(len(keys[-1]), place))
    return Bank(np.concatenate(keys), np.concatenate(labels), np.concatenate(places))
