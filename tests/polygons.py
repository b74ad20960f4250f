"""Drawings that need no network: every concept is a polygon of its own, every style another finish."""

import colorsys
import math

import numpy as np
from PIL import Image, ImageDraw

from lab.images.concepts import STYLES, concepts
from lab.images.emoji import N_PIXELS, Atlas


def shape(place: int, style: str) -> np.ndarray:
    """Draw a polygon, RGBA: sides, tilt and hue tell the concept, filling and rim the style."""
    n_sides, hue = 3 + place % 7, place / len(concepts())
    r, g, b = (round(255 * part) for part in colorsys.hsv_to_rgb(hue, 0.8, 0.8))
    image = Image.new("RGBA", (N_PIXELS, N_PIXELS))
    radius = 40 + place % 5 * 4
    corners = [
        (64 + radius * math.cos(angle), 64 + radius * math.sin(angle))
        for angle in (2 * math.pi * side / n_sides + 0.3 * place for side in range(n_sides))
    ]
    fill = {
        "3d": (r // 2, g // 2, b // 2),
        "flat": (r, g, b),
        "painted": (g, b, r),
        "sticker": (b, r, g),
    }.get(style)
    rim = {"outline": (34, 34, 34), "sticker": (255, 255, 255)}.get(style)
    ImageDraw.Draw(image).polygon(corners, fill=fill, outline=rim, width=8 if rim else 1)
    return np.asarray(image)


def polygon_atlas() -> Atlas:
    """Return an atlas of polygons in the shape of the real one."""
    rows = [[shape(place, style) for style in STYLES] for place in range(len(concepts()))]
    return Atlas(np.array(rows))
