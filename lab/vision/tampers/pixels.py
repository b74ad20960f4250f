"""What patterns share: pictures as images and as arrays, random colours, sizes, looking up."""

from collections.abc import Callable

import numpy as np
from PIL import Image

Tamper = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""From a picture, uint8, shape (side, side, 3), and a generator to one of the same shape and type."""


def image_of(picture: np.ndarray) -> Image.Image:
    """Return a picture as an image."""
    return Image.fromarray(picture)


def array_of(image: Image.Image) -> np.ndarray:
    """Return an image of any mode as RGB pixels that can be written to."""
    return np.asarray(image.convert("RGB")).copy()


def colour(random: np.random.Generator) -> tuple[int, int, int]:
    """Draw an RGB colour."""
    red, green, blue = (int(value) for value in random.integers(0, 256, 3))
    return red, green, blue


def resized(picture: np.ndarray, side: int) -> np.ndarray:
    """Scale a picture to a square."""
    image = Image.fromarray(np.ascontiguousarray(picture))
    return np.asarray(image.resize((side, side), Image.Resampling.BILINEAR))


def looked_up(picture: np.ndarray, down: np.ndarray, across: np.ndarray) -> np.ndarray:
    """Fill each pixel from the nearest one at the given rows and columns, of any real numbers."""
    last = len(picture) - 1
    rows, columns = (np.clip(np.round(each), 0, last).astype(int) for each in (down, across))
    return picture[rows, columns]
