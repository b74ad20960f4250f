"""What the tasks draw around a concept: something to wear, something to print on, a sandstorm, sparklers.

Everything is drawn at four times a panel's side and scaled down; what varies comes from the given generator.
"""

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from lab.images.panels import BACKGROUNDS, SIDE

COLOURS = {
    "red": (214, 52, 58),
    "green": (42, 148, 88),
    "orange": (242, 140, 36),
    "blue": (52, 108, 218),
    "black": (44, 44, 50),
}
"""What an accessory can be coloured; captions name it."""
ACCESSORIES = ("hat", "scarf", "bow")
PRODUCTS = ("mug", "shirt", "bag")

_SCALE = 4
_LARGE = _SCALE * SIDE
_PRINT = {"mug": (104, 148, 116), "shirt": (128, 142, 112), "bag": (128, 166, 116)}  # centre and side
_PALE_SAND, _SAND, _DARK_SAND = (254, 230, 178), (238, 194, 118), (196, 140, 70)

Colour = tuple[int, int, int]


def dress(panel: np.ndarray, drawing: np.ndarray, size: int, accessory: str, colour: str) -> np.ndarray:
    """Put an accessory on the drawing in a panel, which stands in the middle.

    Args:
        panel: RGB, uint8, shape (64, 64, 3).
        drawing: What the panel shows, RGBA, shape (side, side, 4): where it is opaque says what to dress.
        size: Pixels of the drawing's side in the panel.
        accessory: One of `ACCESSORIES`.
        colour: One of `COLOURS`.

    Returns:
        RGB, uint8, shape (64, 64, 3).
    """
    body = Image.fromarray(drawing[..., 3]).resize((size * _SCALE, size * _SCALE), Image.Resampling.BILINEAR)
    mask = np.zeros((_LARGE, _LARGE), bool)
    start = (SIDE - size) // 2 * _SCALE
    is_drawn = np.asarray(body) > 96
    mask[start : start + size * _SCALE, start : start + size * _SCALE] = is_drawn if is_drawn.any() else True
    layer = Image.new("RGBA", (_LARGE, _LARGE))
    {"hat": _hat, "scarf": _scarf, "bow": _bow}[accessory](ImageDraw.Draw(layer), mask, COLOURS[colour])
    return _over(panel, layer)


def product(kind: str, colour: Colour, drawing: np.ndarray) -> np.ndarray:
    """Draw something of this colour on white, with a drawing printed on it.

    Args:
        kind: One of `PRODUCTS`.
        colour: RGB.
        drawing: RGBA, shape (side, side, 4).

    Returns:
        RGB, uint8, shape (64, 64, 3); the print is 28 or 29 pixels wide.
    """
    canvas = Image.new("RGBA", (_LARGE, _LARGE), (255, 255, 255, 255))
    {"mug": _mug, "shirt": _shirt, "bag": _bag}[kind](ImageDraw.Draw(canvas), colour)
    x, y, side = _PRINT[kind]
    printed = Image.fromarray(drawing).convert("RGBa").resize((side, side), Image.Resampling.LANCZOS)
    canvas.alpha_composite(printed.convert("RGBA"), (x - side // 2, y - side // 2))
    return _small(canvas.convert("RGB"))


def sandstorm(panel: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Blow sand through a panel: drifting haze, streaks and grains, and a dune along the bottom.

    Args:
        panel: RGB, uint8, shape (64, 64, 3).
        random: Draws the clouds, streaks and grains.
    """
    haze = _clouds(random, _LARGE)
    rows = np.linspace(0, 1, _LARGE)[:, None]
    cover = np.clip(0.18 + 0.5 * haze + 0.18 * rows, 0, 0.78)[..., None]
    shade = _clouds(random, _LARGE)[..., None]
    sand = np.array(_DARK_SAND) * (1 - shade) + np.array(_SAND) * shade
    image = Image.fromarray(_bytes(_grown(panel) * (1 - cover) + sand * cover)).convert("RGBA")
    streaks = Image.new("RGBA", image.size, (*_PALE_SAND, 0))
    pen = ImageDraw.Draw(streaks)
    for x, y, length, alpha in zip(
        random.uniform(-60, _LARGE, 34),
        random.uniform(0, _LARGE, 34),
        random.uniform(40, 120, 34),
        random.integers(90, 200, 34),
        strict=True,
    ):
        pen.line([(x, y), (x + length, y - 0.2 * length)], fill=(*_PALE_SAND, int(alpha)), width=3)
    image.alpha_composite(streaks.filter(ImageFilter.GaussianBlur(1.2)))
    pen = ImageDraw.Draw(image)
    for x, y in zip(random.uniform(0, _LARGE, 90), random.uniform(0, _LARGE, 90), strict=True):
        pen.ellipse([x, y, x + 4, y + 4], fill=(*_PALE_SAND, 255))
    phase = random.uniform(0, 2 * math.pi)
    ridge = [(x, 224 + 11 * math.sin(x / 46 + phase)) for x in range(0, _LARGE + 1, 4)]
    pen.polygon([(0, _LARGE), *ridge, (_LARGE, _LARGE)], fill=(206, 156, 90, 255))
    pen.line(ridge, fill=(*_PALE_SAND, 255), width=5, joint="curve")
    return _small(image.convert("RGB"))


def sparklers(panel: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Draw the trails and sparks of two sparklers swung around what a panel shows.

    Args:
        panel: RGB, uint8, shape (64, 64, 3); a dark one shows them best.
        random: Draws the trails and sparks.
    """
    glow, core = (Image.new("RGB", (_LARGE, _LARGE)) for _ in range(2))
    wide, fine = ImageDraw.Draw(glow), ImageDraw.Draw(core)
    turn = random.uniform(0, 2 * math.pi)
    for half in (0, 1):
        trail = _trail(random, turn + half * math.pi)
        wide.line(trail, fill=(255, 138, 30), width=13, joint="curve")
        fine.line(trail, fill=(255, 232, 170), width=5, joint="curve")
        _sparks(wide, fine, trail[-1], random)
    lit = np.asarray(glow.filter(ImageFilter.GaussianBlur(9)), np.float32) * 1.3
    lit = np.clip(lit + np.asarray(core.filter(ImageFilter.GaussianBlur(0.8)), np.float32), 0, 255)
    under = _grown(panel) * 0.9
    return _small(Image.fromarray(_bytes(255 - (255 - under) * (255 - lit) / 255)))


def _trail(random: np.random.Generator, start: float) -> list[tuple[float, float]]:
    """Return a spiral arm with loops, half way around the middle."""
    radius, loop = random.uniform(92, 106), random.uniform(9, 15)
    points = []
    for place in np.linspace(0, 1, 160):
        angle = start + 2.5 * place
        curl = 5 * 2 * math.pi * place
        x = 128 + radius * math.cos(angle) + loop * math.cos(curl)
        y = 128 + radius * math.sin(angle) + loop * math.sin(curl)
        points.append((x, y))
    return points


def _sparks(wide: ImageDraw.ImageDraw, fine: ImageDraw.ImageDraw, at: tuple[float, float], random) -> None:
    x, y = at
    for angle, length in zip(random.uniform(0, 2 * math.pi, 26), random.uniform(14, 46, 26), strict=True):
        end = (x + length * math.cos(angle), y + length * math.sin(angle))
        wide.line([at, end], fill=(255, 150, 40), width=5)
        fine.line([at, end], fill=(255, 226, 150), width=3)
        fine.ellipse([end[0] - 3, end[1] - 3, end[0] + 3, end[1] + 3], fill=(255, 244, 210))
    fine.ellipse([x - 9, y - 9, x + 9, y + 9], fill=(255, 255, 255))


def _hat(pen: ImageDraw.ImageDraw, body: np.ndarray, colour: Colour) -> None:
    top, bottom, _, _ = _extent(body)
    rows = body[top : top + max(8, (bottom - top) // 5)]
    columns = np.flatnonzero(rows.any(axis=0))
    x, brim = float(columns.mean()), max(top + 10, 48)
    pen.rounded_rectangle([x - 29, brim - 44, x + 29, brim], 7, fill=colour, outline=_darker(colour), width=3)
    pen.rectangle([x - 28, brim - 15, x + 28, brim - 5], fill=_lighter(colour))
    pen.ellipse([x - 52, brim - 9, x + 52, brim + 11], fill=colour, outline=_darker(colour), width=3)


def _bow(pen: ImageDraw.ImageDraw, body: np.ndarray, colour: Colour) -> None:
    top, bottom, _, right = _extent(body)
    rows = body[top : top + max(8, (bottom - top) // 4)]
    columns = np.flatnonzero(rows.any(axis=0))
    x, y = 0.5 * float(columns.mean()) + 0.5 * float(columns.max()), max(top + 14, 32)
    x = min(x, right - 20)
    for way in (-1, 1):
        wing = [(x, y - 6), (x + way * 40, y - 27), (x + way * 46, y), (x + way * 40, y + 27), (x, y + 6)]
        pen.polygon(wing, fill=colour, outline=_darker(colour), width=3)
        pen.line([(x + way * 12, y), (x + way * 32, y - 8)], fill=_darker(colour), width=3)
    pen.ellipse([x - 11, y - 12, x + 11, y + 12], fill=_lighter(colour), outline=_darker(colour), width=3)


def _scarf(pen: ImageDraw.ImageDraw, body: np.ndarray, colour: Colour) -> None:
    top, bottom, _, _ = _extent(body)
    y = top + 0.74 * (bottom - top)
    columns = np.flatnonzero(body[int(y) - 8 : int(y) + 9].any(axis=0))
    left, right = float(columns.min()) - 5, float(columns.max()) + 5
    tail = left + 0.68 * (right - left)
    dark = _darker(colour)
    pen.rounded_rectangle([tail - 13, y, tail + 13, y + 50], 4, fill=colour, outline=dark, width=3)
    for x in range(-9, 12, 6):
        pen.line([(tail + x, y + 49), (tail + x, y + 58)], fill=colour, width=3)
    pen.line([(tail - 11, y + 36), (tail + 11, y + 36)], fill=_lighter(colour), width=6)
    arc = [(left + (right - left) * t, y + 12 * math.sin(math.pi * t)) for t in np.linspace(0, 1, 24)]
    pen.line(arc, fill=dark, width=30, joint="curve")
    pen.line(arc, fill=colour, width=24, joint="curve")
    pen.rounded_rectangle([tail - 15, y - 6, tail + 15, y + 24], 8, fill=colour, outline=dark, width=3)


def _mug(pen: ImageDraw.ImageDraw, colour: Colour) -> None:
    dark = _darker(colour)
    pen.ellipse([150, 88, 240, 196], fill=dark)
    pen.ellipse([154, 92, 236, 192], fill=colour)
    pen.ellipse([170, 110, 218, 174], fill=dark)
    pen.ellipse([174, 114, 214, 170], fill=(255, 255, 255))
    pen.rounded_rectangle([20, 56, 188, 232], 26, fill=colour, outline=dark, width=5)
    pen.ellipse([20, 34, 188, 80], fill=_lighter(colour), outline=dark, width=5)
    pen.ellipse([34, 44, 174, 74], fill=(112, 74, 50))


def _shirt(pen: ImageDraw.ImageDraw, colour: Colour) -> None:
    dark = _darker(colour)
    half = [(160, 26), (196, 36), (246, 92), (212, 124), (192, 106), (192, 238)]
    outline = [*half, *((_LARGE - x, y) for x, y in reversed(half))]
    pen.polygon(outline, fill=colour)
    pen.line([*outline, outline[0]], fill=dark, width=6, joint="curve")
    pen.pieslice([96, -6, 160, 58], 0, 180, fill=(255, 255, 255), outline=dark, width=6)
    pen.rectangle([99, 0, 157, 25], fill=(255, 255, 255))
    for x in (64, 192):
        pen.line([(x, 106), (x, 124)], fill=dark, width=4)


def _bag(pen: ImageDraw.ImageDraw, colour: Colour) -> None:
    dark = _darker(colour)
    for ink, width, inset in ((dark, 16, 0), (_lighter(colour), 8, 4)):
        pen.arc([78 + inset, 14 + inset, 178 - inset, 180], 180, 360, fill=ink, width=width)
    pen.polygon([(44, 92), (212, 92), (230, 244), (26, 244)], fill=colour)
    pen.line([(44, 92), (212, 92), (230, 244), (26, 244), (44, 92)], fill=dark, width=6, joint="curve")
    pen.line([(46, 104), (210, 104)], fill=_lighter(colour), width=6)


def _extent(body: np.ndarray) -> tuple[int, int, int, int]:
    """Return top, bottom, left and right of what is drawn."""
    rows, columns = np.flatnonzero(body.any(axis=1)), np.flatnonzero(body.any(axis=0))
    return int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])


def _clouds(random: np.random.Generator, side: int) -> np.ndarray:
    """Return drifting noise in 0..1, stretched along the wind, shape (side, side)."""
    total = np.zeros((side, side), np.float32)
    for rows, columns, weight in ((4, 3, 1.0), (8, 5, 0.7), (16, 9, 0.35), (32, 16, 0.12)):
        coarse = Image.fromarray(random.random((rows, columns), np.float32))
        total += weight * np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC))
    low, high = total.min(), total.max()
    return (total - low) / (high - low)


def _over(panel: np.ndarray, layer: Image.Image) -> np.ndarray:
    small = layer.convert("RGBa").resize((SIDE, SIDE), Image.Resampling.LANCZOS).convert("RGBA")
    whole = Image.fromarray(panel).convert("RGBA")
    whole.alpha_composite(small)
    return np.asarray(whole.convert("RGB"))


def _small(image: Image.Image) -> np.ndarray:
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def _grown(panel: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(panel).resize((_LARGE, _LARGE), Image.Resampling.BICUBIC), np.float32)


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.clip(values, 0, 255).round().astype(np.uint8)


def _darker(colour: Colour) -> Colour:
    return _mixed(colour, (20, 20, 30), 0.35)


def _lighter(colour: Colour) -> Colour:
    return _mixed(colour, BACKGROUNDS["white"], 0.4)


def _mixed(colour: Colour, other: Colour, share: float) -> Colour:
    r, g, b = (round(one + (two - one) * share) for one, two in zip(colour, other, strict=True))
    return r, g, b
