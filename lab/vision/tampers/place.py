"""Patterns that move what a picture shows to other places."""

import math

import numpy as np
from PIL import Image

from lab.vision.tampers.pixels import array_of, colour, image_of, looked_up, resized


def rotate(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it rotated."""
    angle = random.choice([-1, 1]) * random.uniform(20, 70)
    return array_of(image_of(picture).rotate(angle, Image.Resampling.BICUBIC, fillcolor=colour(random)))


def quarter(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it turned by quarters."""
    return np.rot90(picture, int(random.integers(1, 4))).copy()


def pad(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it smaller, on a ground."""
    side = len(picture)
    kept = round(side * random.uniform(0.45, 0.75))
    canvas = np.empty_like(picture)
    canvas[:] = colour(random)
    left, top = random.integers(0, side - kept + 1, 2)
    canvas[top : top + kept, left : left + kept] = resized(picture, kept)
    return canvas


def crop(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it cropped."""
    side = len(picture)
    kept = round(side * random.uniform(0.5, 0.75))
    left, top = random.integers(0, side - kept + 1, 2)
    return resized(picture[top : top + kept, left : left + kept], side)


def perspective(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it in perspective."""
    side = len(picture)
    corners = [(0, 0), (0, side), (side, side), (side, 0)]
    moved = [
        float(value + random.uniform(-0.22, 0.22) * side) for corner in corners for value in corner
    ]  # of the quadrilateral that is spread over the whole
    return array_of(
        image_of(picture).transform(
            (side, side), Image.Transform.QUAD, moved, Image.Resampling.BICUBIC, fillcolor=colour(random)
        )
    )


def skew(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it skewed."""
    side, slope = len(picture), random.choice([-1, 1]) * random.uniform(0.25, 0.5)
    matrix = (1, slope, -slope * side / 2, 0, 1, 0)
    return array_of(
        image_of(picture).transform(
            (side, side), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC, fillcolor=colour(random)
        )
    )


def mirror(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it mirrored."""
    return picture[:, ::-1].copy()


def upside_down(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it upside down."""
    return picture[::-1].copy()


def repeat(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it repeated."""
    n = int(random.integers(2, 4))
    small = resized(picture, math.ceil(len(picture) / n))
    return np.tile(small, (n, n, 1))[: len(picture), : len(picture)].copy()


def halves(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it halves swapped."""
    shift = round(len(picture) * random.uniform(0.3, 0.7))
    return np.roll(picture, shift, axis=int(random.integers(2)))


def wave(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it wavy."""
    side = len(picture)
    along = np.sin(np.arange(side) / side * 2 * np.pi * random.uniform(1.5, 3))
    shift = np.round(side * random.uniform(0.06, 0.12) * along)
    return np.stack([np.roll(row, int(by), axis=0) for row, by in zip(picture, shift, strict=True)])


def swirl(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it swirled."""
    side = len(picture)
    down, across = np.meshgrid(np.arange(side) - side / 2, np.arange(side) - side / 2, indexing="ij")
    radius, angle = np.hypot(down, across), np.arctan2(down, across)
    angle = angle + random.choice([-1, 1]) * random.uniform(2, 3.5) * np.exp(-radius / (side / 3))
    return looked_up(picture, radius * np.sin(angle) + side / 2, radius * np.cos(angle) + side / 2)


def kaleidoscope(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it kaleidoscope."""
    side = len(picture)
    half = picture[: side // 2, : side // 2]
    top = np.concatenate([half, half[:, ::-1]], axis=1)
    return resized(np.concatenate([top, top[::-1]]), side)


def jigsaw(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it cut up."""
    n, side = 3, len(picture)
    size = side // n
    starts = [(row * size, column * size) for row in range(n) for column in range(n)]
    cells = [picture[top : top + size, left : left + size] for top, left in starts]
    order = random.permutation(n * n).reshape(n, n)
    return resized(np.concatenate([np.concatenate([cells[at] for at in row], axis=1) for row in order]), side)


def glass(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it behind rough glass."""
    side, reach = len(picture), max(2, len(picture) // 16)
    down, across = np.meshgrid(np.arange(side), np.arange(side), indexing="ij")
    jump = random.integers(-reach, reach + 1, (2, side, side))
    return looked_up(picture, down + jump[0], across + jump[1])


def fisheye(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it fisheye."""
    along = np.linspace(-1, 1, len(picture))
    down, across = np.meshgrid(along, along, indexing="ij")
    radius = np.hypot(down, across)
    scale = np.where(radius > 0, np.minimum(radius, 1) ** random.uniform(0.8, 1.4), 1)
    middle = (len(picture) - 1) / 2
    return looked_up(picture, down * scale * middle + middle, across * scale * middle + middle)


def polar(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it bent into a circle."""
    side = len(picture)
    down, across = np.meshgrid(np.linspace(-1, 1, side), np.linspace(-1, 1, side), indexing="ij")
    angle = (np.arctan2(down, across) + np.pi) / (2 * np.pi)
    return looked_up(picture, np.minimum(np.hypot(down, across), 1) * (side - 1), angle * (side - 1))


def rows(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it with its rows shuffled, an eighth of the picture at a time."""
    parts = np.array_split(picture, 8)
    return np.concatenate([parts[place] for place in random.permutation(8)])
