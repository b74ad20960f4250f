"""Compose the sets of marked pictures that the page offers before anyone has marked one."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from lab.images.emoji import Atlas
from lab.vision.asked import READY
from lab.vision.composites import STYLES_SHOWN, Scenery, classes, scene
from lab.vision.example import Example

SETS = {
    "parrot": ("parrot",),
    "car": ("car",),
    "sunflower": ("sunflower",),
    "guitar": ("guitar",),
    "bee": ("bee",),
    "house and rabbit": ("house", "rabbit"),
}
"""Concepts that no training shows, by the name of their set; of two, both are marked."""
N_EACH = 4
_SCENERY = Scenery(n_others=2, sizes=(0.32, 0.6))
_QUALITY = 88


def write_ready(drawings: Atlas, folder: Path = READY, seed: int = 0) -> Iterator[str]:
    """Write every set, four examples and four pictures to ask about; tell which is written."""
    for number, (name, words) in enumerate(SETS.items()):
        for part, shown in zip(
            ("examples", "queries"), _scenes(words, drawings, (seed, number)), strict=True
        ):
            target = folder / name / part
            target.mkdir(parents=True, exist_ok=True)
            for place, each in enumerate(shown, 1):
                stem = f"{place} {each.name.rpartition(' ')[2]}"
                Image.fromarray(each.picture).save(target / f"{stem}.jpg", quality=_QUALITY)
                Image.fromarray(each.marks).save(target / f"{stem}.png", optimize=True)
        yield name


def _scenes(
    words: tuple[str, ...], drawings: Atlas, seed: tuple[int, int]
) -> tuple[list[Example], list[Example]]:
    held_out = classes(is_held_out=True)
    named = {each.word: each for each in held_out}
    first, second = named[words[0]], named[words[1]] if len(words) > 1 else None
    made = [
        scene(
            first, STYLES_SHOWN[place % len(STYLES_SHOWN)], held_out, drawings,
            np.random.default_rng((*seed, place)), _SCENERY, second=second,
        )
        for place in range(2 * N_EACH)
    ]  # fmt: skip
    return made[:N_EACH], made[N_EACH:]
