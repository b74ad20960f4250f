"""Small pictures of shapes: what stands where is known, so that every operation has an exact answer."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

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
        for thing in self.things:
            cover = Image.fromarray((255 * _cover(thing)).astype(np.uint8))
            picture.paste(Image.fromarray(_painted(thing)), (0, 0), cover)
        return np.asarray(picture).copy()

    def marks(self) -> np.ndarray:
        """Say which thing each pixel shows, int, shape (64, 64): its place in `things`, -1 for none."""
        found = np.full((SIDE, SIDE), -1)
        for place, thing in enumerate(self.things):
            found[_cover(thing) > 0.5] = place
        return found


def random_view(random: np.random.Generator, n_things: int | None = None) -> View:
    """Place three to five things that do not touch."""
    n = int(random.integers(3, 6)) if n_things is None else n_things
    things: list[Thing] = []
    while len(things) < n:
        size = random.uniform(_SMALLEST, _LARGEST)
        x, y = random.uniform(0.62 * size, SIDE - 0.62 * size, 2)
        if all(math.hypot(x - each.x, y - each.y) > 0.62 * (size + each.size) for each in things):
            shape, colour, texture = (str(random.choice(KINDS[name])) for name in KINDS)
            things.append(Thing(shape, colour, texture, x, y, size, random.uniform(-30, 30)))
        elif random.random() < 0.05:  # no room is left: begin again
            things = []
    ground = tuple(int(value) for value in random.uniform(205, 252, 3))
    return View(tuple(things), (ground[0], ground[1], ground[2]))


def _cover(thing: Thing) -> np.ndarray:
    """Say how much of each pixel a thing covers, shape (64, 64), 0 to 1."""
    large = Image.new("L", (SIDE * _SCALE, SIDE * _SCALE))
    pen = ImageDraw.Draw(large)
    middle, half = (thing.x * _SCALE, thing.y * _SCALE), thing.size * _SCALE / 2
    if thing.shape in ("circle", "ring"):
        pen.ellipse(_box(middle, half), fill=255)
        if thing.shape == "ring":
            pen.ellipse(_box(middle, 0.55 * half), fill=0)
    else:
        for polygon in _polygons(thing.shape):
            pen.polygon([_turned(point, thing.turn, middle, half) for point in polygon], fill=255)
    return np.asarray(large.resize((SIDE, SIDE), Image.Resampling.BOX), np.float32) / 255


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


def _painted(thing: Thing) -> np.ndarray:
    """Fill the whole picture with a thing's colour and texture, uint8, shape (64, 64, 3)."""
    first = np.array(COLOURS[thing.colour], float)
    second = first + (255 - first) * _PALE
    across, down = np.meshgrid(np.arange(SIDE) - thing.x, np.arange(SIDE) - thing.y)
    is_second = {
        "plain": np.zeros((SIDE, SIDE), bool),
        "stripes": (across + down) % 6 < 3,
        "dots": np.hypot(across % 6 - 3, down % 6 - 3) < 1.8,
        "checks": (across % 8 < 4) ^ (down % 8 < 4),
    }[thing.texture]
    return np.where(is_second[..., None], second, first).astype(np.uint8)
