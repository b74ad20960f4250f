"""Many small composed scenes: the pictures that copies are made of and looked for among."""

import numpy as np

from lab.images.emoji import Atlas
from lab.vision.composites import STYLES_SHOWN, Scenery, classes, scene
from lab.vision.stacker import SIDE

_SCENERY = Scenery(side=SIDE, sizes=(0.35, 0.75))


def scenes(drawings: Atlas, n: int, seed: int, is_held_out: bool = False) -> list[np.ndarray]:
    """Compose different scenes, uint8, shape (64, 64, 3) each.

    Args:
        drawings: What stands in them.
        n: How many.
        seed: Determines them.
        is_held_out: Whether they show the classes that only tests show.
    """
    known = classes(is_held_out)
    made = []
    for number in range(n):
        random = np.random.default_rng((seed, number))
        concept = known[random.integers(len(known))]
        style = STYLES_SHOWN[random.integers(len(STYLES_SHOWN))]
        made.append(scene(concept, style, known, drawings, random, _SCENERY).picture)
    return made
