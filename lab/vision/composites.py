"""Composed scenes with exact masks: a thing among others on a painted ground, for training and measuring.

Things are the emoji drawings of `lab.images.emoji`. The same class looks different from scene to scene:
another drawing style, size, turn and place, on another ground, partly covered by other things.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy.ndimage import zoom

from lab.images.concepts import STYLES, Concept, concepts
from lab.images.emoji import Atlas
from lab.vision.example import Example

SIDE = 320
_LEAST_SEEN = 0.01
STYLES_SHOWN = tuple(style for style in STYLES if style != "outline")
"""Styles that tell a thing by form and colour; line drawings are left out."""


@dataclass(frozen=True)
class Scenery:
    """How scenes are composed.

    Args:
        n_others: Other things in a scene, at most.
        sizes: Smallest and largest side of a thing, as a share of the scene's side.
        turn: Largest turn to either side, degrees.
        side: Pixels of a scene's side.
    """

    n_others: int = 3
    sizes: tuple[float, float] = (0.22, 0.55)
    turn: float = 25.0
    side: int = SIDE


def classes(is_held_out: bool) -> list[Concept]:
    """List the concepts that scenes for training may show, or those that only tests show."""
    return [concept for concept in concepts() if concept.is_held_out == is_held_out]


def scene(
    concept: Concept,
    style: str,
    others: Sequence[Concept],
    drawings: Atlas,
    random: np.random.Generator,
    scenery: Scenery = Scenery(),
    n_meant: int = 1,
    second: Concept | None = None,
) -> Example:
    """Compose a scene in which a concept is marked, and at least a hundredth of the scene is.

    Args:
        concept: What is meant.
        style: The style in which it is drawn.
        others: What other things are drawn from; the concept itself is never among them.
        drawings: All of them.
        random: Draws everything else.
        scenery: How it is composed.
        n_meant: How often the concept stands there; 0 makes a negative example.
        second: A concept that is marked as well, as class 2.
    """
    meant = [(concept, style, 1)] * n_meant + ([(second, style, 2)] if second else [])
    pool = [other for other in others if other not in (concept, second)]
    while True:
        picture, marks = _composed(meant, pool, drawings, random, scenery)
        if all((marks == label).mean() >= _LEAST_SEEN for _, _, label in meant):  # it may lie under others
            return Example(f"{concept.word} {style}", picture, marks)


def _composed(
    meant: list[tuple[Concept, str, int]],
    pool: list[Concept],
    drawings: Atlas,
    random: np.random.Generator,
    scenery: Scenery,
) -> tuple[np.ndarray, np.ndarray]:
    side = scenery.side
    picture = Image.fromarray(ground(side, random)).convert("RGBA")
    marks = np.zeros((side, side), np.uint8)
    n_others = int(random.integers(1, scenery.n_others + 1))
    things = [(pool[random.integers(len(pool))], _style(random), 0) for _ in range(n_others)]
    things += meant
    for place in random.permutation(len(things)):
        thing, finish, label = things[place]
        drawing, corner = _placed(drawings.drawing(thing.word, finish), scenery, random)
        picture.alpha_composite(drawing, (max(corner[0], 0), max(corner[1], 0)), _inside(corner))
        _mark(marks, drawing, corner, label)
    return np.asarray(picture.convert("RGB")).copy(), marks


def episode(
    concept: Concept,
    n_examples: int,
    others: Sequence[Concept],
    drawings: Atlas,
    random: np.random.Generator,
    scenery: Scenery = Scenery(),
) -> tuple[tuple[Example, ...], Example]:
    """Compose examples and a query of one class; up to three examples have each a style of their own."""
    order = [STYLES_SHOWN[place] for place in random.permutation(len(STYLES_SHOWN))]
    shown = tuple(
        scene(concept, order[1 + place % (len(order) - 1)], others, drawings, random, scenery)
        for place in range(n_examples)
    )
    return shown, scene(concept, order[0], others, drawings, random, scenery)


def ground(side: int, random: np.random.Generator) -> np.ndarray:
    """Paint a ground of soft patches of a few colours, coarse and fine, RGB, uint8, shape (side, side, 3)."""
    colours = random.uniform(30, 245, (3, 3))
    values = np.zeros((side, side))
    for cells, weight in ((3, 1.0), (8, 0.5), (32, 0.25 * random.random())):
        coarse = random.normal(size=(cells + 3, cells + 3))
        fine = zoom(coarse, (side + 4) / (cells + 3), order=3)[:side, :side]
        values += weight * fine
    low, high = np.quantile(values, [0.02, 0.98])
    along = np.clip((values - low) / max(high - low, 1e-9), 0, 1)[..., None] * 2
    first = np.clip(1 - along, 0, 1) * colours[0] + np.clip(1 - np.abs(along - 1), 0, 1) * colours[1]
    mixed = first + np.clip(along - 1, 0, 1) * colours[2]
    return np.clip(mixed + random.normal(0, 4, mixed.shape), 0, 255).astype(np.uint8)


def _style(random: np.random.Generator) -> str:
    return STYLES_SHOWN[random.integers(len(STYLES_SHOWN))]


def _placed(
    drawing: np.ndarray, scenery: Scenery, random: np.random.Generator
) -> tuple[Image.Image, tuple[int, int]]:
    """Scale and turn a drawing; at most an eighth of it may leave the scene at each border."""
    size = round(scenery.side * random.uniform(*scenery.sizes))
    small = Image.fromarray(drawing).convert("RGBa").resize((size, size), Image.Resampling.LANCZOS)
    turned = small.convert("RGBA").rotate(
        random.uniform(-scenery.turn, scenery.turn), Image.Resampling.BICUBIC, expand=True
    )
    room = [scenery.side - length + size // 4 for length in turned.size]
    left, top = (int(random.integers(max(1, each))) - size // 8 for each in room)
    return turned, (left, top)


def _inside(corner: tuple[int, int]) -> tuple[int, int]:
    """Return where the visible part of a drawing begins that starts outside."""
    return max(-corner[0], 0), max(-corner[1], 0)


def _mark(marks: np.ndarray, drawing: Image.Image, corner: tuple[int, int], label: int) -> None:
    left, top = _inside(corner)
    is_seen = np.asarray(drawing)[top:, left:, 3] > 127
    rows, columns = (
        slice(max(start, 0), max(start, 0) + length)
        for start, length in zip(corner[::-1], is_seen.shape, strict=True)
    )
    part = marks[rows, columns]
    part[is_seen[: part.shape[0], : part.shape[1]]] = label
