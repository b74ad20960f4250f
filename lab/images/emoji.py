"""The drawings behind the concepts: five icon packages, matched by code point, fetched once and rasterised.

Nothing here is needed to generate pictures; drawings are needed to train, to measure and to condition on.
"""

import io
import json
import os
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from lab.images.concepts import STYLES, concepts
from lab.weights import NodePackage, Progress, WeightsError, fetch, weights_home
from lab.weights.node import ARCHIVE

N_PIXELS = 128  # a drawing's side in the atlas; panels scale it down
_RENDERED = 256  # drawn larger and scaled down: resvg leaves jagged clips on small gradients
_INK = "#222"  # the colour of drawings that leave theirs open

PACKAGES = {
    "3d": NodePackage(
        "@lobehub/fluent-emoji-3d", "1.1.0",
        "c1bb7eee7de090205a232518a9ab4adb3df458bfbe8a1f78232991194c8b2e58", 15_792_027, "MIT",
        "Fluent Emoji 3D by Microsoft",
    ),
    "flat": NodePackage(
        "@iconify-json/fluent-emoji-flat", "1.2.6",
        "7d064769dee690815f823bc5bcc511d957198caf9f5edd8dd9c1aa48a6aeb175", 1_172_438, "MIT",
        "Fluent Emoji Flat by Microsoft",
    ),
    "outline": NodePackage(
        "@iconify-json/fluent-emoji-high-contrast", "1.2.6",
        "0b92d48c90d2200bd499e3cdd09a127ca6a8c8ddefd34c35eb5a1e4994012ae0", 1_054_969, "MIT",
        "Fluent Emoji High Contrast by Microsoft",
    ),
    "painted": NodePackage(
        "@iconify-json/noto", "1.2.9",
        "3e918d88fc945c0bb3d468dbace6f88caef67f01c9f0e7bcae0915a042e8f1ad", 3_102_958, "Apache-2.0",
        "Noto Emoji by Google",
    ),
    "sticker": NodePackage(
        "@iconify-json/twemoji", "1.2.5",
        "19046dff7d8707ce96212ec86468b36ac5f8e60409629dd13f809265c6d0ebb7", 1_555_888, "CC-BY-4.0",
        "Twemoji by Twitter and contributors",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Atlas:
    """Every concept in every style, without a background.

    Args:
        pixels: RGBA, uint8, shape (n_concepts, n_styles, 128, 128, 4), in the order of `concepts` and
            `STYLES`.
    """

    pixels: np.ndarray

    def drawing(self, word: str, style: str) -> np.ndarray:
        """Return one drawing, RGBA, shape (128, 128, 4)."""
        words = [concept.word for concept in concepts()]
        return self.pixels[words.index(word), STYLES.index(style)]


def no_drawings() -> Atlas:
    """Return an atlas of transparent drawings: for sets whose captions count and whose pictures do not."""
    shape = (len(concepts()), len(STYLES), N_PIXELS, N_PIXELS, 4)
    return Atlas(np.broadcast_to(np.uint8(0), shape))


_kept: dict[Path, Atlas] = {}


def atlas(progress: Progress | None = None) -> Atlas:
    """Return the drawings of all concepts; the first call fetches 23 MB and draws for half a minute.

    Args:
        progress: Told bytes or drawings done, how many in all, and what is happening.

    Raises:
        WeightsError: The packages cannot be had; the message names the remedy.
    """
    path = weights_home() / "emoji-atlas.npz"
    if path not in _kept:
        _kept[path] = _stored(path) or _drawn(path, progress)
    return _kept[path]


def _stored(path: Path) -> Atlas | None:
    try:
        with np.load(path, allow_pickle=False) as stored:
            return Atlas(stored["pixels"]) if str(stored["made_from"]) == _made_from() else None
    except (OSError, ValueError, KeyError):  # missing, damaged or of another version: drawn again
        return None


def _drawn(path: Path, progress: Progress | None) -> Atlas:
    pixels = np.stack(list(draw_all([concept.code for concept in concepts()], progress)))
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.stem}.{os.getpid()}.npz")
    np.savez_compressed(fresh, pixels=pixels, made_from=_made_from())
    os.replace(fresh, path)
    return Atlas(pixels)


def draw_all(codes: Iterable[str], progress: Progress | None = None) -> Iterator[np.ndarray]:
    """Draw emoji in all styles, RGBA, shape (n_styles, 128, 128, 4) each; skip what a style lacks."""
    quiet = progress or (lambda done, total, message: None)
    drawers = [_drawer(style, fetch(PACKAGES[style], quiet) / ARCHIVE) for style in STYLES]
    codes = list(codes)
    for place, code in enumerate(codes):
        if place % 16 == 0:
            quiet(place, len(codes), "Rasterising the emoji drawings, once")
        try:
            yield np.stack([draw(code) for draw in drawers])
        except KeyError:
            continue


def shared_codes() -> list[str]:
    """Return the code points, in hex, that all five styles draw: single ones beyond U+3FFF, no flags."""
    common = set.intersection(*(set(_names(style)) for style in STYLES if style != "3d"))
    return sorted(code for code in common if not code.startswith(("1f1", "2", "3", "a")) and "-" not in code)


def _made_from() -> str:
    recipe = [[package.name, package.version, package.sha256] for package in PACKAGES.values()]
    return json.dumps([recipe, [concept.code for concept in concepts()], N_PIXELS, _RENDERED, _INK])


def _drawer(style: str, archive: Path):
    if style != "3d":
        icons, names = _icons(archive), _names(style)
        return lambda code: _rasterise(_svg(icons, names[code]))
    files = _members(archive, ".webp")
    by_code = {Path(name).stem.replace("-fe0f", ""): data for name, data in files.items()}
    return lambda code: _scaled(_opened(by_code[code]))


@cache
def _names(style: str) -> dict[str, str]:
    archive = fetch(PACKAGES[style]) / ARCHIVE
    icons, chars = _icons(archive), json.loads(_member(archive, "package/chars.json"))
    known = icons["icons"].keys() | icons.get("aliases", {}).keys()
    return {
        "-".join(part for part in code.lower().split("-") if part != "fe0f"): name
        for code, name in chars.items()
        if name in known
    }


@cache
def _icons(archive: Path) -> dict:
    return json.loads(_member(archive, "package/icons.json"))


def _member(archive: Path, name: str) -> bytes:
    with tarfile.open(archive) as files:
        file = files.extractfile(name)
        assert file is not None
        return file.read()


def _members(archive: Path, ending: str) -> dict[str, bytes]:
    with tarfile.open(archive) as files:
        return {
            member.name: files.extractfile(member).read()  # type: ignore[union-attr]
            for member in files
            if member.isfile() and member.name.endswith(ending)
        }


def _svg(icons: dict, name: str) -> str:
    aliases = icons.get("aliases", {})
    while name not in icons["icons"]:
        name = aliases[name]["parent"]
    icon = icons["icons"][name]
    width = icon.get("width", icons.get("width", 16))
    height = icon.get("height", icons.get("height", 16))
    left, top = icon.get("left", 0), icon.get("top", 0)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{_RENDERED}" height="{_RENDERED}" viewBox="{left} {top} {width} {height}" color="{_INK}">'
        f"{icon['body']}</svg>"
    )


def _rasterise(svg: str) -> np.ndarray:
    try:
        import resvg_py
    except ImportError as error:
        raise WeightsError(
            "resvg-py draws the emoji and is missing: pip install -r requirements.txt"
        ) from error
    return _scaled(_opened(bytes(resvg_py.svg_to_bytes(svg_string=svg, width=_RENDERED, height=_RENDERED))))


def _opened(data: bytes):
    from PIL import Image

    return Image.open(io.BytesIO(data)).convert("RGBA")


def _scaled(image) -> np.ndarray:
    from PIL import Image

    return np.asarray(image.resize((N_PIXELS, N_PIXELS), Image.Resampling.LANCZOS))
