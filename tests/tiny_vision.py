"""A backbone without weights, of colours near each cell; and pictures of coloured squares to ask about."""

import zlib

import numpy as np
from scipy.ndimage import uniform_filter

from lab.vision.backbone import Backbone
from lab.vision.example import Example

SIDE, CELL = 64, 8
COLOURS = {"red": (220, 30, 30), "green": (30, 200, 40), "blue": (40, 60, 220), "grey": (120, 120, 120)}


def colour_backbone() -> Backbone:
    """Describe each 8 × 8 cell of 64 × 64 pixels by its mean colour, and a little by those around it."""

    def extract(pictures: np.ndarray) -> np.ndarray:
        n, size = len(pictures), SIDE // CELL
        cells = pictures.reshape(n, size, CELL, size, CELL, 3).mean(axis=(2, 4))
        cells = cells - 118 + 0.2 * uniform_filter(cells - 118, (0, 3, 3, 0))
        return np.concatenate([cells, np.full((*cells.shape[:3], 1), 5.0)], axis=-1) / 128

    return Backbone("colours", SIDE, extract)


def noisy(picture: np.ndarray) -> np.ndarray:
    """Add a little noise, the same to the same picture, so that no two places are equal."""
    random = np.random.default_rng(zlib.crc32(picture.tobytes()))
    return np.clip(picture + random.normal(0, 6, picture.shape), 0, 255).astype(np.uint8)


def squares(*places: tuple[str, int, int], ground: str = "grey", side: int = SIDE) -> np.ndarray:
    """Paint squares of 16 × 16 pixels: colour, left, top."""
    picture = np.full((side, side, 3), COLOURS[ground], np.uint8)
    for colour, left, top in places:
        picture[top : top + 16, left : left + 16] = COLOURS[colour]
    return picture


def example(name: str, *places: tuple[str, int, int], meant: tuple[str, ...] = ("red",)) -> Example:
    """Show squares of which those of `meant` colours are marked, the first colour as class 1."""
    picture = squares(*places)
    marks = np.zeros(picture.shape[:2], np.uint8)
    for label, colour in enumerate(meant, 1):
        marks[(picture == COLOURS[colour]).all(axis=-1)] = label
    return Example(name, noisy(picture), marks)
