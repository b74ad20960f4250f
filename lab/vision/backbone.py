"""Dense features: a unit vector for each place of a picture, from a network that is not trained here."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    import torch

Extract = Callable[[np.ndarray], np.ndarray]
"""Describes pictures, uint8, shape (n, side, side, 3), by vectors, float32, (n, rows, columns, channels)."""
N_KEPT = 64
"""Pictures whose features a backbone keeps, about 1.4 MB each at 28 × 28 × 432."""


@dataclass(frozen=True, eq=False)
class Backbone:
    """A frozen network that describes the places of a picture.

    Args:
        id: Its id in recipes.
        side: Pixels of a side that pictures are scaled to; their proportions are not kept.
        extract: What describes a batch of pictures.
        is_self_supervised: Whether its places form groups that clustering can find.
        licence: SPDX id of the weights' licence, and who trained them.
    """

    id: str
    side: int
    extract: Extract
    is_self_supervised: bool = False
    licence: str = ""
    _kept: "OrderedDict[str, np.ndarray]" = field(default_factory=OrderedDict, repr=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def features(self, picture: np.ndarray) -> np.ndarray:
        """Describe every place of a picture.

        Args:
            picture: RGB, uint8, shape (height, width, 3), of any size.

        Returns:
            Unit vectors, float32, shape (rows, columns, channels). They are kept: do not write to them.
        """
        name = hashlib.blake2b(
            f"{picture.shape}".encode() + np.ascontiguousarray(picture).tobytes()
        ).hexdigest()
        with self._turn:
            if (found := self._kept.get(name)) is not None:
                self._kept.move_to_end(name)
                return found
        found = unit(self.extract(scaled(picture, self.side)[None])[0])
        found.setflags(write=False)
        with self._turn:
            self._kept[name] = found
            while len(self._kept) > N_KEPT:
                self._kept.popitem(last=False)
        return found


def scaled(picture: np.ndarray, side: int) -> np.ndarray:
    """Scale a picture to a square, uint8, shape (side, side, 3)."""
    if picture.shape[:2] == (side, side):
        return picture
    return np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BILINEAR))


def centred(pictures: np.ndarray, device: "torch.device | str" = "cpu") -> "torch.Tensor":
    """Turn pictures, uint8, shape (n, height, width, c), into values of -1 to 1, (n, c, height, width)."""
    import torch

    return torch.from_numpy(pictures).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1


def unit(vectors: np.ndarray) -> np.ndarray:
    """Scale vectors (…, channels) to length 1; a zero vector stays zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
