"""What the base is shown: panels that have nothing to do with each other, and captions that say what each is.

What relates the panels of a set is left for a LoRA to teach: a caption may speak of "the same thing", yet
here the next panel is an independent draw. Pairs of concept and style that are held out never occur.

The fill branch is shown more: canvases on which one thing stands in every panel, never a held-out one.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from lab.images.caption import compose
from lab.images.concepts import STYLES, Concept, concepts
from lab.images.grid import COLUMN, PAIR, ROW, SINGLE, SQUARE, STACK, Grid
from lab.images.panels import BACKGROUNDS, SIZES, Panel
from lab.images.tasks import SUMMARIES
from lab.images.vocabulary import NAMES

MIX = {PAIR: 0.38, STACK: 0.14, ROW: 0.11, COLUMN: 0.08, SQUARE: 0.29}
"""How often each grid is drawn among the others; a worker's batch holds about 16 panels whatever its grid."""
PANELS_PER_WORKER = 16

_P_NO_CAPTION = 0.08  # read as "" by guidance
_P_SUMMARY = 0.3  # of captions of several panels
_P_OTHER_ORDER = 0.15  # texts in another order than the panels; the markers tell
_P_SCENES = 0.12  # [SCENE-n] instead of the places
P_SAME = 0.05
_P_NO_STYLE, _P_NAMED, _P_NAME_ONLY = 0.08, 0.05, 0.02


@dataclass(frozen=True)
class Canvas:
    """Panels on a grid with their caption."""

    grid: Grid
    panels: tuple[Panel, ...]
    caption: str


def independent_canvas(grid: Grid, random: np.random.Generator, p_same: float = P_SAME) -> Canvas:
    """Draw panels independently of each other, and describe them.

    Args:
        grid: How many there are.
        random: Draws them.
        p_same: How often a panel's text says "the same thing" for what the panel shows.
    """
    return _described(grid, tuple(_panel(random) for _ in range(grid.n_panels)), random, p_same)


def repeating_canvas(
    grid: Grid,
    random: np.random.Generator,
    p_same: float = P_SAME,
    p_same_style: float = 0.8,
    p_same_size: float = 0.6,
    is_any_size: bool = False,
) -> Canvas:
    """Draw one thing in every panel, on grounds of their own, most in one style; see `independent_canvas`.

    Captions are drawn as those of independent panels: they do not give away that something comes again.

    Args:
        grid: How many panels there are.
        random: Draws them.
        p_same: How often a panel's text says "the same thing" for what the panel shows.
        p_same_style: How often a panel has the style of the first.
        p_same_size: How often it has its size.
        is_any_size: Whether all sizes are as frequent; else most things are large.
    """
    first = _panel(random)
    while _concept(first.word).is_held_out:
        first = _panel(random)
    if is_any_size:
        first = replace(first, size=str(random.choice(list(SIZES))))
    panels = [first]
    while len(panels) < grid.n_panels:
        style = first.style if random.random() < p_same_style else str(random.choice(STYLES))
        if style != _concept(first.word).unseen_style:
            other = _panel(random)
            another = str(random.choice(list(SIZES))) if is_any_size else other.size
            size = first.size if random.random() < p_same_size else another
            panels.append(replace(other, word=first.word, style=style, size=size))
    return _described(grid, tuple(panels), random, p_same)


def _described(grid: Grid, panels: tuple[Panel, ...], random: np.random.Generator, p_same: float) -> Canvas:
    if random.random() < _P_NO_CAPTION:
        return Canvas(grid, panels, "")
    texts = [_text(panel, random, p_same if grid.n_panels > 1 else None) for panel in panels]
    if grid.n_panels == 1:
        return Canvas(grid, panels, texts[0])
    markers = None
    if random.random() < _P_SCENES:
        markers = [f"[SCENE-{n}]" for n in range(1, grid.n_panels + 1)]
    order = random.permutation(grid.n_panels) if random.random() < _P_OTHER_ORDER else range(grid.n_panels)
    summary = str(random.choice(SUMMARIES)) if random.random() < _P_SUMMARY else ""
    return Canvas(grid, panels, compose(texts, grid, summary, markers, [int(place) for place in order]))


def grid_of(random: np.random.Generator, p_single: float = 0.4) -> Grid:
    """Draw the grid of a batch, of single panels with probability `p_single`."""
    if random.random() < p_single:
        return SINGLE
    return list(MIX)[random.choice(len(MIX), p=list(MIX.values()))]


@cache
def _concept(word: str) -> Concept:
    return next(each for each in concepts() if each.word == word)


def _panel(random: np.random.Generator) -> Panel:
    known = concepts()
    while True:
        concept: Concept = known[random.integers(len(known))]
        style = STYLES[random.integers(len(STYLES))]
        if style != concept.unseen_style:
            break
    background = "white" if random.random() < 0.5 else str(random.choice(list(BACKGROUNDS)))
    size = "large" if random.random() < 0.7 else str(random.choice(list(SIZES)))
    return Panel(concept.word, style, background, size)


def _text(panel: Panel, random: np.random.Generator, p_same: float | None) -> str:
    """Describe a panel; `p_same` is None if it is alone."""
    text, luck = panel.text, random.random()
    if random.random() < _P_NO_STYLE:
        text = text.replace(f", {panel.style} style", "")
    if p_same is None:
        return text
    if luck < p_same:
        return text.replace(panel.word, "the same thing", 1)
    if luck < p_same + _P_NAMED:
        return text.replace(panel.word, f"{random.choice(NAMES)} the {panel.word}", 1)
    if luck < p_same + _P_NAMED + _P_NAME_ONLY:
        return text.replace(panel.word, str(random.choice(NAMES)), 1)
    return text
