"""Copies: disguise a picture, choose the pair that is shown beside it, and see the ranking change."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
import numpy as np

from lab.images.pictures import ENDINGS, as_png
from lab.ui import running
from lab.ui.images.settings import seed_number
from lab.ui.run_controls import HEAVY, LIGHT
from lab.ui.running import SAYABLE
from lab.ui.widgets.markup import note
from lab.ui.widgets.pictures import grid_html, picture_html
from lab.vision.backbone import scaled
from lab.vision.files import picture_of
from lab.vision.stacker import SIDE, Prompt, described, load_stacker
from lab.vision.tampers.listed import find_pattern, patterns

KEY = "copies-live"
N_REFERENCES, MAX_OWN, N_SHOWN = 300, 60, 6
NONE = "none"
EMPTY = (
    "<p>Press <b>Look for it</b>: a picture is disguised and looked for among others, without a pair and "
    "with the pair that you chose. Then choose a pair of another disguise, and see the ranking change.</p>"
)


class Form(NamedTuple):
    """What is asked for."""

    disguise: gr.Dropdown
    pair: gr.Dropdown
    picture: gr.Number
    seed: gr.Number
    own: gr.File


def build() -> None:
    """Build the sub-tab inside the current block."""
    choices = [(f"{each.title}{' (never shown)' * each.is_held_out}", each.id) for each in patterns()]
    with gr.Row(equal_height=False, elem_classes="lab-split"):
        with gr.Column(scale=4, min_width=320):
            start = gr.Button("Look for it", variant="primary", elem_id="copies-live-run")
            disguise = gr.Dropdown(
                choices, value="swirl", label="Disguise", elem_id="copies-live-disguise",
                info="What is done to the picture. “Never shown”: no training showed it.",
            )  # fmt: skip
            pair = gr.Dropdown(
                [*choices, ("no pair", NONE)], value="swirl", label="Pair shown beside it",
                elem_id="copies-live-pair", info="Another picture before and after this disguise.",
            )  # fmt: skip
            picture = gr.Number(
                1, label="Picture", precision=0, minimum=1, maximum=N_REFERENCES,
                elem_id="copies-live-picture", info="Which of the references is disguised.",
            )  # fmt: skip
            seed = seed_number("copies-live-seed", info="How strongly it is disguised, and the pair.")
            with gr.Accordion("Pictures of your own", open=False):
                own = gr.File(
                    label=f"References, up to {MAX_OWN}: they stand before the lab's own",
                    file_types=list(ENDINGS), file_count="multiple", height=110, elem_id="copies-live-own",
                )  # fmt: skip
        with gr.Column(scale=6, min_width=320):
            status = gr.HTML(elem_id="copies-live-status", padding=False, min_height=24)
            found = gr.HTML(EMPTY, elem_id="copies-live-found", padding=False)
    form = Form(disguise, pair, picture, seed, own)

    def begun() -> str:
        return note("info", "Begins.")

    def looked(request: gr.Request, *values: Any) -> Iterator[list[Any]]:
        yield from looking(values, request)

    start.click(begun, None, status, **LIGHT).then(
        looked, list(form), [status, found], show_progress="hidden", **HEAVY
    )


class Asked(NamedTuple):
    """A disguised picture, what it is looked for among, and the pair; uint8, (height, width, 3) each."""

    query: np.ndarray
    original: int
    references: list[np.ndarray]
    pair: Prompt | None


def asked_of(values: Sequence[Any]) -> Asked:
    """Read the values of `Form`.

    Raises:
        ValueError: With a sentence for the screen.
    """
    from lab.experiments.copies import references_of

    disguise, pair, picture, seed, files = values
    pattern = find_pattern(str(disguise))
    if len(files or []) > MAX_OWN:
        raise ValueError(f"at most {MAX_OWN} pictures of your own are looked at, got {len(files)}")
    own = [scaled(picture_of(Path(path).read_bytes(), Path(path).name), SIDE) for path in files or []]
    references = [*own, *references_of(N_REFERENCES, 0)]
    place = int(picture or 1) - 1
    if not 0 <= place < len(references):
        raise ValueError(f"picture must be 1 to {len(references)}, got {place + 1}")
    random = np.random.default_rng(abs(int(seed or 0)))
    query = pattern.tamper(references[place], random)
    shown = None
    if pair != NONE:
        other = references[(place + 1 + int(random.integers(len(references) - 1))) % len(references)]
        shown = Prompt(find_pattern(str(pair)).tamper(other, random), other)
    return Asked(query, place, references, shown)


def looking(values: Sequence[Any], request: gr.Request) -> Iterator[list[Any]]:
    """Look for a disguised picture without a pair and with the chosen one: status, what is nearest."""
    try:
        yield [note("info", "Composing the references."), gr.skip()]
        asked = asked_of(values)
        with running.turn(request, KEY):
            yield [note("info", "Describing every reference."), gr.skip()]
            network = load_stacker()
            known = described(asked.references, [None] * len(asked.references), network).descriptor
            arms: dict[str, Prompt | None] = {"without a pair": None}
            if asked.pair is not None:
                arms["with the pair"] = asked.pair
            scores = {
                name: (described([asked.query], [prompt], network).descriptor @ known.T)[0]
                for name, prompt in arms.items()
            }
        ranks = {name: int((of > of[asked.original]).sum()) + 1 for name, of in scores.items()}
        yield [note("verdict", _sentence(ranks, len(asked.references))), _found_html(asked, scores)]
    except SAYABLE as error:
        gr.Warning(str(error))
        yield [note("error", str(error)), gr.skip()]


def _sentence(ranks: dict[str, int], n: int) -> str:
    told = " and ".join(f"{_ordinal(rank)} {name}" for name, rank in ranks.items())
    first, *rest = ranks.values()
    flip = "" if not rest else " A flip." if (first == 1) != (rest[0] == 1) else " No flip."
    return f"Of {n} references the original comes {told}.{flip}"


def _ordinal(rank: int) -> str:
    """Write a rank.

    >>> [_ordinal(rank) for rank in (1, 2, 3, 11, 22)]
    ['1st', '2nd', '3rd', '11th', '22nd']
    """
    last = "th" if rank % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(rank % 10, "th")
    return f"{rank}{last}"


def _found_html(asked: Asked, scores: dict[str, np.ndarray]) -> str:
    figures = [
        picture_html(as_png(asked.query), "the disguised picture", "Disguised"),
        picture_html(as_png(asked.references[asked.original]), "its original", "Original"),
    ]
    if asked.pair is not None:
        figures.append(picture_html(as_png(asked.pair.original), "the pair, before", "Pair: before"))
        figures.append(picture_html(as_png(asked.pair.replica), "the pair, after", "Pair: after"))
    rows = [grid_html(figures, "tiny")]
    for name, of in scores.items():
        best = np.argsort(-of, kind="stable")[:N_SHOWN]
        shown = [
            picture_html(
                as_png(asked.references[place]),
                f"number {rank} {name}",
                f"{rank}. {'the original' if place == asked.original else ''}",
                f"cosine {of[place]:.2f}",
            )
            for rank, place in enumerate(best, 1)
        ]
        rows.append(f"<h3>Nearest {name}</h3>" + grid_html(shown, "tiny"))
    return "".join(rows)
