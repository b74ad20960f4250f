"""Patterns that lay something over a picture."""

from functools import cache

import numpy as np
from PIL import ImageDraw, ImageFont

from lab.vision.tampers.pixels import array_of, colour, image_of

GRID_INK = (20, 20, 20)


def boxes(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it partly covered."""
    covered = picture.copy()
    side = len(picture)
    for _ in range(random.integers(3, 7)):
        width, height = (round(side * random.uniform(0.1, 0.3)) for _ in range(2))
        left, top = random.integers(0, side - width), random.integers(0, side - height)
        covered[top : top + height, left : left + width] = colour(random)
    return covered


def stripes(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it striped."""
    striped = picture.copy()
    width = int(random.integers(2, 5)) * max(1, len(picture) // 64)
    along = np.arange(len(picture)) // width % 3 == 0
    if random.random() < 0.5:
        striped[along] = colour(random)
    else:
        striped[:, along] = colour(random)
    return striped


def grid(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it ruled."""
    ruled = picture.copy()
    step = len(picture) // int(random.integers(5, 9))
    width = max(1, len(picture) // 48)
    for start in range(0, len(picture), step):
        ruled[start : start + width] = ruled[:, start : start + width] = GRID_INK
    return ruled


def text(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it written on."""
    image = image_of(picture)
    pen = ImageDraw.Draw(image)
    for _ in range(3):
        words = "".join(chr(int(code)) for code in random.integers(65, 91, 9))
        place = (random.integers(0, len(picture) // 3), random.integers(0, len(picture) - 12))
        pen.text((int(place[0]), int(place[1])), words, fill=colour(random), font=_font(len(picture) / 5))
    return array_of(image)


@cache
def _font(size: float) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


def frame(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it framed."""
    framed = picture.copy()
    width = round(len(picture) * random.uniform(0.1, 0.18))
    for part in (framed[:width], framed[-width:], framed[:, :width], framed[:, -width:]):
        part[:] = colour(random)
    return framed
