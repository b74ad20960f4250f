"""Operations that a pair of pictures shows: from what goes in to what comes out.

An operation that segments paints what it finds in one colour and the rest in another, both drawn anew for
each episode: which thing is meant, and how it is painted, can only be read from the pair. What a pair shows
is staged, so that it speaks for one operation: for "mark every star", two stars that share nothing else. Held
out of training are combinations of a shape and a colour, and changes made one after the other; their parts
are seen.

Source: Wang et al. 2023, Painter (arXiv:2212.02499) for pairs as instructions; Wang et al. 2023, SegGPT
(arXiv:2304.03284) for random colours.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import product

import numpy as np
from PIL import Image, ImageFilter

from lab.vision.shapes import COLOURS, KINDS, SHAPES, SIDE, TEXTURES, View, random_view

Colour = tuple[int, int, int]
Find = Callable[[View], list[int]]
"""Returns the places of the things that are meant."""
Change = Callable[[np.ndarray], np.ndarray]
"""Changes a picture, uint8, shape (64, 64, 3)."""
_HELD_OUT_PAIRS = {
    (SHAPES[place], list(COLOURS)[(place + shift) % 6]) for place in range(6) for shift in (0, 3)
}
_NOISE, _HOLE = 45.0, 18


@dataclass(frozen=True)
class Palette:
    """How an episode paints what is found, and the rest."""

    found: Colour
    rest: Colour


@dataclass(frozen=True, eq=False)
class Operation:
    """What a pair shows.

    Args:
        id: A slug.
        title: What it does, in a few words.
        kind: "segment", "change" or "restore".
        is_held_out: Whether training never shows it.
        find: Of those that segment.
        change: Of those that change a clean picture.
        spoil: Of those that restore: makes the input of a clean picture, with a generator.
        wanted: What the things have that it finds by their kind, as {"shape": "star"}.
    """

    id: str
    title: str
    kind: str
    is_held_out: bool = False
    find: Find | None = None
    change: Change | None = None
    spoil: Callable[[np.ndarray, np.random.Generator], np.ndarray] | None = None
    wanted: Mapping[str, str] = field(default_factory=dict)

    def fits(self, view: View) -> bool:
        """Tell whether the answer says something: that some things are meant, and not all."""
        return self.find is None or 0 < len(self.find(view)) < len(view.things)

    def pair(
        self, view: View, palette: Palette, random: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return input and output, uint8, shape (64, 64, 3) each."""
        clean = view.picture()
        if self.find is not None:
            is_found = np.isin(view.marks(), self.find(view))
            return clean, np.where(is_found[..., None], palette.found, palette.rest).astype(np.uint8)
        if self.spoil is not None:
            return self.spoil(clean, random), clean
        assert self.change is not None
        return clean, self.change(clean)


def random_palette(random: np.random.Generator) -> Palette:
    """Draw two colours that can be told apart."""
    while True:
        first, second = (tuple(int(value) for value in random.integers(0, 256, 3)) for _ in range(2))
        if np.linalg.norm(np.subtract(first, second)) > 120:
            return Palette((first[0], first[1], first[2]), (second[0], second[1], second[2]))


def fitting_view(operation: Operation, random: np.random.Generator) -> View:
    """Draw a view that an operation says something about."""
    while True:
        view = random_view(random)
        if operation.fits(view):
            return view


def telling_view(operation: Operation, random: np.random.Generator) -> View:
    """Draw a view for a pair that is to show an operation, staged so that it shows no other one."""
    while True:
        view = random_view(random, n_things=int(random.integers(4, 6)))
        if operation.wanted:
            view = _staged(view, operation.wanted, random)
        elif operation.find is not None and operation.fits(view):
            tells = "shape" if operation.id == "odd-shape" else ""
            view = _camouflaged(view, operation.find(view)[0], random, tells)
        if operation.fits(view):
            return view


def _staged(view: View, wanted: Mapping[str, str], random: np.random.Generator) -> View:
    """Let what is found share only what is wanted; of several wanted kinds, let others have one each."""
    things = list(view.things)
    n_found = 2 if len(wanted) == 1 else 1
    for place, thing in enumerate(things):
        kept = list(wanted)[place - n_found] if len(wanted) > 1 and 0 <= place - n_found < len(wanted) else ""
        things[place] = thing.with_kinds(
            {
                name: value if place < n_found or name == kept else _other(name, value, random)
                for name, value in wanted.items()
            }
        )
    if n_found == 2:
        free = [name for name in KINDS if name not in wanted]
        other = {name: _other(name, getattr(things[0], name), random) for name in free}
        things[1] = things[1].with_kinds(other)
    return replace(view, things=tuple(things))


def _camouflaged(view: View, found: int, random: np.random.Generator, tells: str = "") -> View:
    """Let another thing look like the one that is found but for size, place, and what `tells`."""
    things = list(view.things)
    first, second, *_ = (place for place in random.permutation(len(things)) if place != found)
    for place, names in ((first, ("shape", "colour")), (second, ("texture",))):
        kinds = {name: getattr(things[found], name) for name in names if name != tells}
        things[place] = things[place].with_kinds(kinds)
    return replace(view, things=tuple(things))


def _other(name: str, value: str, random: np.random.Generator) -> str:
    return str(random.choice([each for each in KINDS[name] if each != value]))


@cache
def operations() -> tuple[Operation, ...]:
    """List every operation."""
    return (*_segmenting(), *_changing(), *_restoring(), *_one_after_the_other())


def find_operation(operation_id: str) -> Operation:
    """Find an operation.

    Raises:
        ValueError: There is none of this id.
    """
    for each in operations():
        if each.id == operation_id:
            return each
    known = ", ".join(each.id for each in operations())
    raise ValueError(f"no operation is called {operation_id!r}; there are {known}")


def _segmenting() -> list[Operation]:
    found = [
        *(_of("shape", shape) for shape in SHAPES),
        *(_of("colour", colour) for colour in COLOURS),
        *(_of("texture", texture) for texture in TEXTURES),
        Operation("largest", "mark the largest", "segment", find=lambda view: [_by_size(view)[-1]]),
        Operation("smallest", "mark the smallest", "segment", find=lambda view: [_by_size(view)[0]]),
        Operation("leftmost", "mark the leftmost", "segment", find=lambda view: [_leftmost(view)]),
        Operation("odd-shape", "mark the shape that stands alone", "segment", find=_odd),
    ]
    for shape, colour in product(SHAPES, COLOURS):
        found.append(
            Operation(
                f"{colour}-{shape}", f"mark every {colour} {shape}", "segment",
                (shape, colour) in _HELD_OUT_PAIRS,
                find=_matching(shape=shape, colour=colour), wanted={"shape": shape, "colour": colour},
            )
        )  # fmt: skip
    return found


def _of(attribute: str, value: str) -> Operation:
    noun = {"shape": value, "colour": f"{value} thing", "texture": f"thing with {value}"}[attribute]
    return Operation(
        f"{attribute}-{value}",
        f"mark every {noun}",
        "segment",
        find=_matching(**{attribute: value}),
        wanted={attribute: value},
    )


def _matching(**wanted: str) -> Find:
    def find(view: View) -> list[int]:
        return [
            place
            for place, thing in enumerate(view.things)
            if all(getattr(thing, name) == value for name, value in wanted.items())
        ]

    return find


def _by_size(view: View) -> list[int]:
    return sorted(range(len(view.things)), key=lambda place: view.things[place].size)


def _leftmost(view: View) -> int:
    return min(range(len(view.things)), key=lambda place: view.things[place].x)


def _odd(view: View) -> list[int]:
    """Return the only thing of its shape where all others share one; else none."""
    shapes = [thing.shape for thing in view.things]
    alone = [place for place, shape in enumerate(shapes) if shapes.count(shape) == 1]
    return alone if len(alone) == 1 and len(set(shapes)) == 2 else []


def _changing() -> list[Operation]:
    return [Operation(name, title, "change", change=change) for name, (title, change) in CHANGES.items()]


def _restoring() -> list[Operation]:
    return [
        Operation("denoise", "take noise away", "restore", spoil=_noisy),
        Operation("fill", "fill a grey hole", "restore", spoil=_holed),
    ]


def _one_after_the_other() -> list[Operation]:
    pairs = (("mirror", "invert"), ("turn", "grey"), ("flip", "swap"), ("mirror", "edges"))
    return [
        Operation(
            f"{first}-{second}", f"{CHANGES[first][0]}, then {CHANGES[second][0]}", "change", True,
            change=_chained(CHANGES[first][1], CHANGES[second][1]),
        )
        for first, second in pairs
    ]  # fmt: skip


def _chained(first: Change, second: Change) -> Change:
    return lambda picture: second(first(picture))


def _edges(picture: np.ndarray) -> np.ndarray:
    grey = np.asarray(Image.fromarray(picture).convert("L").filter(ImageFilter.GaussianBlur(0.6)), float)
    down, across = np.gradient(grey)
    strength = np.clip(np.hypot(down, across) * 6, 0, 255)
    return np.repeat(strength[..., None], 3, axis=2).astype(np.uint8)


def _grey(picture: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).convert("L").convert("RGB"))


def _noisy(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return np.clip(picture + random.normal(0, _NOISE, picture.shape), 0, 255).astype(np.uint8)


def _holed(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    left, top = random.integers(4, SIDE - _HOLE - 4, 2)
    holed = picture.copy()
    holed[top : top + _HOLE, left : left + _HOLE] = 128
    return holed


CHANGES: dict[str, tuple[str, Change]] = {
    "same": ("leave it as it is", lambda picture: picture),
    "mirror": ("mirror it", lambda picture: picture[:, ::-1].copy()),
    "flip": ("turn it upside down", lambda picture: picture[::-1].copy()),
    "turn": ("turn it a quarter to the left", lambda picture: np.rot90(picture).copy()),
    "invert": ("invert its colours", lambda picture: 255 - picture),
    "grey": ("take its colours away", _grey),
    "swap": ("swap red and blue", lambda picture: picture[..., ::-1].copy()),
    "darken": ("darken it", lambda picture: (picture * 0.5).astype(np.uint8)),
    "edges": ("draw its edges", _edges),
}
