"""The ten tasks of image sets: what relates the panels, and what their texts leave for a LoRA to learn.

Most are small counterparts of tasks that the paper adapts a model to, made of the embedded drawings, so that
what a panel should show is known and can be measured.

Source: Huang et al. 2024, In-Context LoRA for Diffusion Transformers (arXiv:2410.23775), section 4 and the
published adapters, whose names `analogue_of` gives.
"""

import difflib
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from lab.images import effects
from lab.images.concepts import STYLES, Concept, concept_of, concepts
from lab.images.emoji import Atlas
from lab.images.grid import PAIR, ROW, SQUARE, STACK, Grid
from lab.images.panels import BACKGROUNDS, SIZES, Panel, draw
from lab.images.sets import SAME, ImageSet
from lab.images.vocabulary import NAMES

SUMMARIES = (
    "[TWO-PANEL] two pictures", "[THREE-PANEL] three pictures", "[FOUR-PANEL] four pictures",
    "[STYLE-SHEET] the same thing in four styles", "[ICON-FAMILY] four icons of one family",
    "[COLOURED] a drawing coloured", "[RENDERED] a flat drawing rendered", "[STORYBOARD] a story of",
    "[COUPLE] a couple facing each other", "[IDENTITY] a logo and a thing with it",
    "[SANDSTORM] the same in a sandstorm", "[SPARKLERS] the same with sparklers",
    "[GROWTH] the same thing grows", "two pictures", "three pictures", "four pictures",
)  # fmt: skip
SPLITS = ("train", "test")
_TRIGGERED = {text[1 : text.index("]")].lower(): text for text in SUMMARIES if text.startswith("[")}
_LIGHT = tuple(name for name in BACKGROUNDS if name != "night")  # outlines can't be seen at night
_TINTED = tuple(name for name in _LIGHT if name != "white")

Make = Callable[[str, Atlas, np.random.Generator], ImageSet]
"""Makes a set about a concept's word; what the task leaves open comes from the generator."""


@dataclass(frozen=True)
class SetTask:
    """A relation between panels that a LoRA can learn from sets.

    Args:
        id: Its slug.
        title: What screens call it.
        analogue_of: The paper's adapter that it is the counterpart of; "" where it is ours.
        grid: The canvas of its sets.
        summary: What leads its captions, one of `SUMMARIES`; a set may add a character's name.
        make: Draws a set.
        note: What the panels share and what the texts leave unsaid.
        needs: Styles that every set shows: a concept that the base never saw in one of them trains no LoRA.
    """

    id: str
    title: str
    analogue_of: str
    grid: Grid
    summary: str
    make: Make
    note: str
    needs: tuple[str, ...] = ()


def find_task(task_id: str) -> SetTask:
    """Find a task by its id.

    Raises:
        ValueError: If there is none; names the nearest and all others.
    """
    known = {task.id: task for task in TASKS}
    if task_id in known:
        return known[task_id]
    near = difflib.get_close_matches(task_id, known, n=1, cutoff=0.0)[0]
    raise ValueError(f"no task is called {task_id!r}; the nearest is {near!r} (all: {', '.join(known)})")


def task_sets(task: SetTask, n: int, split: str, seed: int, drawings: Atlas) -> list[ImageSet]:
    """Make sets of a task; the first sets are the same whatever `n`.

    Args:
        task: The task.
        n: 1 or more; no concept leads a second set before each has led one.
        split: "train" uses no held-out concept and no style in which the base never saw a concept; "test"
            uses held-out concepts only.
        seed: 0 or more; fixes the sets.
        drawings: The atlas.

    Raises:
        ValueError: If `n`, `split` or `seed` is none of these.
    """
    if n < 1:
        raise ValueError(f"n must be 1 or more, got {n}")
    if seed < 0:
        raise ValueError(f"seed must be 0 or more, got {seed}")
    if split not in SPLITS:
        raise ValueError(f"split must be {' or '.join(SPLITS)}, got {split!r}")
    stream = [seed, SPLITS.index(split), zlib.crc32(task.id.encode())]
    return [
        task.make(concept.word, drawings, np.random.default_rng([*stream, place + 1]))
        for place, concept in enumerate(islice(_leads(task, split, np.random.default_rng(stream)), n))
    ]


def _leads(task: SetTask, split: str, random: np.random.Generator) -> Iterator[Concept]:
    usable = [
        concept
        for concept in concepts()
        if concept.is_held_out == (split == "test") and concept.unseen_style not in task.needs
    ]
    while True:
        yield from (usable[place] for place in random.permutation(len(usable)))


def _make_style_sheet(word: str, drawings: Atlas, random: np.random.Generator) -> ImageSet:
    styles = [str(style) for style in random.permutation(_seen_styles(word))[:4]]
    panels = [Panel(word, style) for style in styles]
    texts = [panels[0].text, *(f"{SAME}, {style} style" for style in styles[1:])]
    return _image_set("style-sheet", SQUARE, panels, texts, drawings)


def _make_icon_family(word: str, drawings: Atlas, random: np.random.Generator) -> ImageSet:
    style, background = _one(_seen_styles(word), random), _one(_TINTED, random)
    lead = concept_of(word)
    others = [
        concept.word
        for concept in concepts()
        if concept.is_held_out == lead.is_held_out and concept.unseen_style != style and concept != lead
    ]
    words = [word, *(str(other) for other in random.choice(others, 3, replace=False))]
    panels = [Panel(each, style, background) for each in words]
    texts = [f"{word}, {background} background", *words[1:]]
    return _image_set("icon-family", SQUARE, panels, texts, drawings)


def _make_coloured(word: str, drawings: Atlas, random: np.random.Generator) -> ImageSet:
    return _pair("coloured", word, ("outline", "flat"), drawings)


def _make_rendered(word: str, drawings: Atlas, random: np.random.Generator) -> ImageSet:
    return _pair("rendered", word, ("flat", "3d"), drawings)


def _make_storyboard(word: str, drawings: Atlas, random: np.random.Generator) -> ImageSet:
    style, name = _one(_seen_styles(word), random), _one(NAMES, random)
    backgrounds = random.permutation(_LIGHT if style == "outline" else list(BACKGROUNDS))[:3]
    sizes = random.permutation(list(SIZES))
    panels = [Panel(word, style, str(back), str(size)) for back, size in zip(backgrounds, sizes, strict=True)]
    texts = [panels[0].text.replace(word, f"{name} the {word}", 1)]
    texts += [panel.text.replace(word, name, 1).replace(f", {style} style", "") for panel in panels[1:]]
    return _image_set(
        "storyboard",
        ROW,
        panels,
        texts,
        drawings,
        markers=("[SCENE-1]", "[SCENE-2]", "[SCENE-3]"),
        about=name,
    )


def _make_couple(word: str, drawings: Atlas, random: np.random.Generator) -> ImageSet:
    panel = Panel(word, _one(_seen_styles(word), random), _one(_TINTED, random), "medium")
    accessory, colour = _one(effects.ACCESSORIES, random), _one(tuple(effects.COLOURS), random)
    plain = draw(panel, drawings)
    drawing = drawings.drawing(word, panel.style)
    dressed = effects.dress(plain, drawing, SIZES[panel.size], accessory, colour)
    # most drawings look to the left: mirroring the left panel turns the two to each other
    texts = [panel.text.replace(word, f"mirrored {word}", 1), f"{SAME} with a {colour} {accessory}"]
    return _image_set("couple", PAIR, [panel] * 2, texts, drawings, (plain[:, ::-1], dressed))


def _make_identity(word: str, drawings: Atlas, random: np.random.Generator) -> ImageSet:
    background, kind = _one(_TINTED, random), _one(effects.PRODUCTS, random)
    panels = [Panel(word, "flat", background), Panel(word, "flat", "white", "small")]
    printed = effects.product(kind, BACKGROUNDS[background], drawings.drawing(word, "flat"))
    texts = [panels[0].text, f"a {kind} with {SAME}"]
    return _image_set("identity", PAIR, panels, texts, drawings, (draw(panels[0], drawings), printed))


def _make_sandstorm(word: str, drawings: Atlas, random: np.random.Generator) -> ImageSet:
    panel = Panel(word, _one(_seen_styles(word), random), _one(_LIGHT, random))
    plain = draw(panel, drawings)
    pixels = (plain, effects.sandstorm(plain, random))
    return _image_set(
        "sandstorm", STACK, [panel] * 2, [panel.text, f"{SAME} in a sandstorm"], drawings, pixels
    )


def _make_sparklers(word: str, drawings: Atlas, random: np.random.Generator) -> ImageSet:
    styles = [style for style in _seen_styles(word) if style != "outline"]
    panel = Panel(word, _one(styles, random), "night", _one(("medium", "large"), random))
    plain = draw(panel, drawings)
    pixels = (plain, effects.sparklers(plain, random))
    return _image_set(
        "sparklers", STACK, [panel] * 2, [panel.text, f"{SAME} with sparklers"], drawings, pixels
    )


def _make_growth(word: str, drawings: Atlas, random: np.random.Generator) -> ImageSet:
    style = _one(_seen_styles(word), random)
    background = _one(_LIGHT if style == "outline" else tuple(BACKGROUNDS), random)
    panels = [Panel(word, style, background, size) for size in ("small", "medium", "large")]
    texts = [panels[0].text, f"{SAME}, medium", f"{SAME}, large"]
    return _image_set("growth", ROW, panels, texts, drawings)


def _pair(task_id: str, word: str, styles: tuple[str, str], drawings: Atlas) -> ImageSet:
    panels = [Panel(word, style) for style in styles]
    return _image_set(task_id, PAIR, panels, [panels[0].text, f"{SAME}, {styles[1]} style"], drawings)


def _image_set(
    task_id: str,
    grid: Grid,
    panels: Sequence[Panel],
    texts: Sequence[str],
    drawings: Atlas,
    pixels: Sequence[np.ndarray] | None = None,
    markers: tuple[str, ...] | None = None,
    about: str = "",
) -> ImageSet:
    if pixels is None:
        pixels = [draw(panel, drawings) for panel in panels]
    summary = f"{_TRIGGERED[task_id]} {about}".strip()
    return ImageSet(grid, np.stack(pixels), tuple(texts), summary, markers, tuple(panels), panels[0].word)


def _seen_styles(word: str) -> tuple[str, ...]:
    unseen = concept_of(word).unseen_style
    return tuple(style for style in STYLES if style != unseen)


def _one(among: Sequence[str], random: np.random.Generator) -> str:
    return among[int(random.integers(len(among)))]


TASKS = (
    SetTask(
        "style-sheet", "Style sheet", "portrait-photography", SQUARE, _TRIGGERED["style-sheet"],
        _make_style_sheet,
        "One concept in four of the five styles. Only the first text names it.",
    ),
    SetTask(
        "icon-family", "Icon family", "font-design", SQUARE, _TRIGGERED["icon-family"],
        _make_icon_family,
        "Four concepts in one style on one background. The first text names the background, none the style.",
    ),
    SetTask(
        "coloured", "Outline coloured", "portrait-illustration", PAIR, _TRIGGERED["coloured"],
        _make_coloured,
        "An outline, and the same drawing filled with colour. The right text does not name it.",
        ("outline", "flat"),
    ),
    SetTask(
        "rendered", "Flat rendered", "portrait-illustration", PAIR, _TRIGGERED["rendered"],
        _make_rendered,
        "A flat drawing, and the same drawing as a 3d render. The right text does not name it.",
        ("flat", "3d"),
    ),
    SetTask(
        "storyboard", "Storyboard", "film-storyboard", ROW, _TRIGGERED["storyboard"],
        _make_storyboard,
        "A character in three scenes. The first says what it is and its style; the others its name.",
    ),
    SetTask(
        "couple", "Couple", "couple-profile", PAIR, _TRIGGERED["couple"],
        _make_couple,
        "A concept mirrored, and facing it the same one with a hat, a scarf or a bow of a named colour.",
    ),
    SetTask(
        "identity", "Visual identity", "visual-identity-design", PAIR, _TRIGGERED["identity"],
        _make_identity,
        "A logo on its colour, and a mug, shirt or bag of that colour with the logo printed on it.",
        ("flat",),
    ),
    SetTask(
        "sandstorm", "Sandstorm", "sandstorm-visual-effect", STACK, _TRIGGERED["sandstorm"],
        _make_sandstorm,
        "A picture, and below it the same picture in a sandstorm.",
    ),
    SetTask(
        "sparklers", "Sparklers", "sparklers-visual-effect", STACK, _TRIGGERED["sparklers"],
        _make_sparklers,
        "A picture at night, and below it the same picture with the light trails of two sparklers.",
    ),
    SetTask(
        "growth", "Growth", "", ROW, _TRIGGERED["growth"],
        _make_growth,
        "A concept small, medium and large. Style and background stand in the first text alone.",
    ),
)  # fmt: skip
"""The tasks in the order of lists."""
