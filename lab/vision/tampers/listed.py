"""Tamper patterns: ways in which a copied picture is disguised. Some are never shown in training.

Every pattern takes a picture, uint8, shape (side, side, 3), and returns one of the same shape; how strongly
it acts is drawn anew each time.

Source of the idea and of many patterns: Wang et al. 2024, AnyPattern (arXiv:2404.13788), which lists 100.
"""

from dataclasses import dataclass

from PIL import ImageEnhance

from lab.vision.tampers import cover, place, tone
from lab.vision.tampers.pixels import Tamper


@dataclass(frozen=True, eq=False)
class Pattern:
    """A way to tamper.

    Args:
        id: A slug.
        title: What it does.
        tamper: Does it.
        is_held_out: Whether training never shows it.
    """

    id: str
    title: str
    tamper: Tamper
    is_held_out: bool


def patterns() -> tuple[Pattern, ...]:
    """List every pattern, those held out last."""
    return _PATTERNS


def find_pattern(pattern_id: str) -> Pattern:
    """Find a pattern.

    Raises:
        ValueError: There is none of this id.
    """
    for each in _PATTERNS:
        if each.id == pattern_id:
            return each
    known = ", ".join(each.id for each in _PATTERNS)
    raise ValueError(f"no pattern is called {pattern_id!r}; there are {known}")


_SHOWN: dict[str, tuple[str, Tamper]] = {
    "brightness": ("brighter or darker", tone.enhanced(ImageEnhance.Brightness, 0.35, 2.0)),
    "contrast": ("more or less contrast", tone.enhanced(ImageEnhance.Contrast, 0.3, 2.6)),
    "saturation": ("more or less colour", tone.enhanced(ImageEnhance.Color, 0.1, 3.5)),
    "blur": ("blurred", tone.blur),
    "sharpen": ("sharpened", tone.sharpen),
    "pixelise": ("pixelised", tone.pixelise),
    "rotate": ("rotated", place.rotate),
    "quarter": ("turned by quarters", place.quarter),
    "pad": ("smaller, on a ground", place.pad),
    "crop": ("cropped", place.crop),
    "perspective": ("in perspective", place.perspective),
    "skew": ("skewed", place.skew),
    "mirror": ("mirrored", place.mirror),
    "upside-down": ("upside down", place.upside_down),
    "grey": ("without colour", tone.grey),
    "invert": ("inverted", tone.invert),
    "posterise": ("few tones", tone.posterise),
    "solarise": ("solarised", tone.solarise),
    "equalise": ("equalised", tone.equalise),
    "channels": ("channels swapped", tone.channels),
    "one-channel": ("one channel", tone.one_channel),
    "tint": ("tinted", tone.tint),
    "noise": ("noisy", tone.noise),
    "salt": ("black and white specks", tone.salt),
    "jpeg": ("compressed", tone.jpeg),
    "boxes": ("partly covered", cover.boxes),
    "stripes": ("striped", cover.stripes),
    "grid": ("ruled", cover.grid),
    "text": ("written on", cover.text),
    "frame": ("framed", cover.frame),
    "repeat": ("repeated", place.repeat),
    "halves": ("halves swapped", place.halves),
    "wave": ("wavy", place.wave),
    "emboss": ("embossed", tone.emboss),
    "contour": ("contours", tone.contour),
    "vignette": ("dark corners", tone.vignette),
    "median": ("as if painted", tone.median),
    "threshold": ("black and white", tone.threshold),
}
_HELD_OUT: dict[str, tuple[str, Tamper]] = {
    "swirl": ("swirled", place.swirl),
    "kaleidoscope": ("kaleidoscope", place.kaleidoscope),
    "jigsaw": ("cut up", place.jigsaw),
    "heat": ("as a heat map", tone.heat),
    "glass": ("behind rough glass", place.glass),
    "fisheye": ("fisheye", place.fisheye),
    "polar": ("bent into a circle", place.polar),
    "dither": ("dithered", tone.dither),
    "flare": ("against the light", tone.flare),
    "rows": ("rows shuffled", place.rows),
}
_PATTERNS = tuple(
    Pattern(name, title, tamper, is_held_out)
    for table, is_held_out in ((_SHOWN, False), (_HELD_OUT, True))
    for name, (title, tamper) in table.items()
)
