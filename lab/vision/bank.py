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
        offset: From the middle of what its picture marks as each class, down and across in sides of the
            picture, float32, shape (n_places, n_classes, 2); 0 where the class is not marked.
    """

    keys: np.ndarray
    labels: np.ndarray
    example: np.ndarray
    offset: np.ndarray

    def only(self, is_kept: np.ndarray) -> "Bank":
        """Keep some rows."""
        return Bank(*(part[is_kept] for part in self))

    def joined(self, other: "Bank") -> "Bank":
        """Put the rows of another bank after these."""
        return Bank(*(np.concatenate(parts) for parts in zip(self, other, strict=True)))


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
    parts = []
    for place, example in enumerate(examples):
        for shown in (example, example.mirrored()) if with_mirrored else (example,):
            features = backbone.features(shown.picture)
            labels = shares(shown.marks, n, *features.shape[:2])
            keys = features.reshape(-1, features.shape[-1])
            offset = offsets(labels).reshape(-1, n, 2)
            parts.append(Bank(keys, labels.reshape(-1, n + 1), np.full(len(keys), place), offset))
    return Bank(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def offsets(labels: np.ndarray) -> np.ndarray:
    """Say how far each place lies from the middle of each class.

    Args:
        labels: Shares, shape (rows, columns, n_classes + 1).

    Returns:
        Down and across in sides of the picture, float32, shape (rows, columns, n_classes, 2).
    """
    rows, columns = labels.shape[:2]
    down, across = np.meshgrid(
        (np.arange(rows) + 0.5) / rows, (np.arange(columns) + 0.5) / columns, indexing="ij"
    )
    where = np.stack([down, across], axis=-1)[:, :, None]  # (rows, columns, 1, 2)
    weight = labels[..., 1:, None]
    total = weight.sum(axis=(0, 1))  # (n_classes, 1)
    middle = (weight * where).sum(axis=(0, 1)) / np.maximum(total, 1e-9)
    return np.where(total > 0, where - middle, 0.0).astype(np.float32)
