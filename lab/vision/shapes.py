"""Small pictures of shapes: what stands where is known, so that every operation has an exact answer."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PIL import Image, ImageDraw

SIDE = 64
SHAPES = ("circle", "square", "triangle", "star", "cross", "ring")
TEXTURES = ("plain", "stripes", "dots", "checks")
COLOURS = {
    "red": (214, 52, 58),
    "orange": (240, 150, 40),
    "yellow": (238, 218, 70),
    "green": (52, 160, 84),
    "blue": (56, 104, 216),
    "purple": (142, 74, 178),
}
KINDS = {"shape": SHAPES, "colour": tuple(COLOURS), "texture": TEXTURES}
"""What things can differ in, beside size and place."""
_SCALE = 4  # drawn larger and scaled down
_PALE = 0.45  # how far the second tone of a texture lies from the first to white
_SMALLEST, _LARGEST = 12, 26
_REACH = 0.62  # of a thing's size: no shape reaches further from its middle, however it is turned
_TRIES = 60  # places that are tried before a view is begun again
_IS_MOST = [0] * 128 + [255] * 128


@dataclass(frozen=True)
class Thing:
    """A shape.

    Args:
        shape: One of `SHAPES`.
        colour: One of `COLOURS`.
        texture: One of `TEXTURES`.
        x: Its middle in pixels from the left.
        y: Its middle in pixels from the top.
        size: Pixels of its side.
        turn: Degrees.
    """

    shape: str
    colour: str
    texture: str
    x: float
    y: float
    size: float
    turn: float

    def with_kinds(self, kinds: Mapping[str, str]) -> "Thing":
        """Return it with another shape, colour or texture."""
        named = {"shape": self.shape, "colour": self.colour, "texture": self.texture, **kinds}
        return Thing(x=self.x, y=self.y, size=self.size, turn=self.turn, **named)


@dataclass(frozen=True)
class View:
    """Things on a ground.

    Args:
        things: None covers another.
        ground: A pale RGB colour.
    """

    things: tuple[Thing, ...]
    ground: tuple[int, int, int]

    def picture(self) -> np.ndarray:
        """Draw it, RGB, uint8, shape (64, 64, 3)."""
        picture = Image.new("RGB", (SIDE, SIDE), self.ground)
        for thing, (corner, cover) in zip(self.things, self._covers, strict=True):
            picture.paste(_painted(thing, corner, cover.size), corner, cover)
        return np.asarray(picture).copy()

    def marks(self) -> np.ndarray:
        """Say which thing each pixel shows, int, shape (64, 64): its place in `things`, -1 for none."""
        found = Image.new("L", (SIDE, SIDE))
        for number, (corner, cover) in enumerate(self._covers, 1):
            found.paste(number, (*corner, *np.add(corner, cover.size).tolist()), cover.point(_IS_MOST, "1"))
        return np.asarray(found).astype(int) - 1

    @cached_property
    def _covers(self) -> list[tuple[tuple[int, int], Image.Image]]:
        return [_cover(thing) for thing in self.things]


def random_view(random: np.random.Generator, n_things: int | None = None) -> View:
    """Place three to five things that do not touch."""
    n = int(random.integers(3, 6)) if n_things is None else n_things
    things = []
    for x, y, size in _places(n, random):
        shape, colour, texture = (names[random.integers(len(names))] for names in KINDS.values())
        things.append(Thing(shape, colour, texture, x, y, size, random.uniform(-30, 30)))
    ground = tuple(int(value) for value in random.uniform(205, 252, 3))
    return View(tuple(things), (ground[0], ground[1], ground[2]))


def _places(n: int, random: np.random.Generator) -> list[tuple[float, float, float]]:
    """Return x, y and size of things that do not touch; where no room is left, begin again."""
    while True:
        found: list[tuple[float, float, float]] = []
        for across, down, large in random.random((_TRIES, 3)).tolist():
            size = _SMALLEST + large * (_LARGEST - _SMALLEST)
            room = SIDE - 2 * _REACH * size
            x, y = _REACH * size + across * room, _REACH * size + down * room
            if all(math.hypot(x - a, y - b) > _REACH * (size + other) for a, b, other in found):
                found.append((x, y, size))
                if len(found) == n:
                    return found


def _cover(thing: Thing) -> tuple[tuple[int, int], Image.Image]:
    """Say how much of each pixel a thing covers, 0 to 255, within a box; and that box's upper left corner."""
    reach = _REACH * thing.size
    left, top = math.floor(thing.x - reach), math.floor(thing.y - reach)
    width, height = math.ceil(thing.x + reach) - left, math.ceil(thing.y + reach) - top
    large = Image.new("L", (width * _SCALE, height * _SCALE))
    pen = ImageDraw.Draw(large)
    middle = ((thing.x - left) * _SCALE, (thing.y - top) * _SCALE)
    half = thing.size * _SCALE / 2
    if thing.shape in ("circle", "ring"):
        pen.ellipse(_box(middle, half), fill=255)
        if thing.shape == "ring":
            pen.ellipse(_box(middle, 0.55 * half), fill=0)
    else:
        for polygon in _polygons(thing.shape):
            pen.polygon([_turned(point, thing.turn, middle, half) for point in polygon], fill=255)
    return (left, top), large.resize((width, height), Image.Resampling.BOX)


def _polygons(shape: str) -> list[list[tuple[float, float]]]:
    """Return a shape's outlines within -1..1."""
    if shape == "square":
        return [[(-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)]]
    if shape == "triangle":
        return [[(0, -1), (0.95, 0.75), (-0.95, 0.75)]]
    if shape == "cross":
        across = [(-1.0, -0.35), (1.0, -0.35), (1.0, 0.35), (-1.0, 0.35)]
        return [across, [(y, x) for x, y in across]]
    tips = [(1.0 if place % 2 == 0 else 0.42, math.pi * (place / 5 - 0.5)) for place in range(10)]
    return [[(radius * math.cos(angle), radius * math.sin(angle)) for radius, angle in tips]]


def _turned(
    point: tuple[float, float], turn: float, middle: tuple[float, float], half: float
) -> tuple[float, float]:
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    x, y = point[0] * cos - point[1] * sin, point[0] * sin + point[1] * cos
    return middle[0] + half * x, middle[1] + half * y


def _box(middle: tuple[float, float], half: float) -> tuple[float, float, float, float]:
    return middle[0] - half, middle[1] - half, middle[0] + half, middle[1] + half


def _painted(thing: Thing, corner: tuple[int, int], size: tuple[int, int]) -> Image.Image:
    """Fill a box of the picture with a thing's colour and texture."""
    first = np.array(COLOURS[thing.colour], float)
    if thing.texture == "plain":
        return Image.new("RGB", size, COLOURS[thing.colour])
    second = first + (255 - first) * _PALE
    across = np.arange(corner[0], corner[0] + size[0]) - thing.x
    down = np.arange(corner[1], corner[1] + size[1])[:, None] - thing.y
    if thing.texture == "stripes":
        is_second = (across + down) % 6 < 3
    elif thing.texture == "dots":
        is_second = np.hypot(across % 6 - 3, down % 6 - 3) < 1.8
    else:
        is_second = (across % 8 < 4) ^ (down % 8 < 4)
    return Image.fromarray(np.where(is_second[..., None], second, first).astype(np.uint8))
