"""Mark examples, get the masks of other pictures, and see which pixels flip when the examples change."""

import io
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
import numpy as np
from PIL import Image

from lab.images.pictures import as_png
from lab.learners.catalogue import allowed_models
from lab.place import is_shared
from lab.ui import running
from lab.ui.run_controls import HEAVY, LIGHT
from lab.ui.running import SAYABLE
from lab.ui.vision import bank as banks
from lab.ui.vision.bank import Marked, Pictures
from lab.ui.vision.flips import flips_html
from lab.ui.vision.marking import marking_bench
from lab.ui.widgets.markup import note
from lab.ui.widgets.pictures import grid_html, picture_html
from lab.vision.backbones import DEFAULT, names
from lab.vision.decide import regions
from lab.vision.engines import ENGINES
from lab.vision.flips import iou
from lab.vision.layouts import layouts_of
from lab.vision.overlay import with_mask, with_shares
from lab.vision.rearrange import rearranged
from lab.vision.segic import FOLDER as SEGIC

KEY = "segment"
EMPTY = (
    "<p>Press <b>Segment</b>: what is marked in the examples is found in the other pictures. Then press "
    "<b>What flips?</b> and see how much of it hangs on which examples are shown.</p>"
)
WAYS = {
    "choice": "Which example",
    "number": "How many",
    "order": "In which order",
    "subsets": "Every choice",
    "changes": "Mirrored, swapped labels",
}


class Controls(NamedTuple):
    """How pictures are segmented."""

    engine: gr.Dropdown
    backbone: gr.Dropdown
    cut: gr.Slider
    refine: gr.Dropdown
    with_mirrored: gr.Checkbox
    may_be_absent: gr.Checkbox


def build(outer: gr.Tab) -> None:
    """Build the sub-tab inside the current block; `outer` is the tab that shows it."""
    with gr.Row(equal_height=False, elem_classes="lab-split"):
        with gr.Column(scale=5, min_width=320):
            with gr.Row():
                segment = gr.Button("Segment", variant="primary", elem_id="segment-run", min_width=110)
                flips = gr.Button("What flips?", elem_id="segment-flips", min_width=110)
                stop = gr.Button("Stop", variant="stop", elem_id="segment-stop", min_width=80)
            vary = gr.Radio(
                [(title, way) for way, title in WAYS.items()], value="subsets", label="Rearrange",
                info="What differs between the layouts that are compared.", elem_id="segment-vary",
            )  # fmt: skip
            bench = marking_bench(outer)
            controls = _controls()
        with gr.Column(scale=6, min_width=320):
            status = gr.HTML(elem_id="segment-status", padding=False, min_height=24)
            found = gr.HTML(EMPTY, elem_id="segment-found", padding=False)
            save = gr.DownloadButton("Masks as PNG", visible=False, size="sm", elem_id="segment-save")
            flipped = gr.HTML(elem_id="segment-flipped", padding=False)
    values = [bench.shown_state, bench.asked_state, bench.names, *controls]

    def begun(request: gr.Request) -> str:
        running.announce(request, KEY)
        return note("info", "Begins.")

    def segmented(request: gr.Request, *asked: Any) -> Iterator[list[Any]]:
        yield from segmenting(asked, request)

    def compared(request: gr.Request, *asked: Any) -> Iterator[list[Any]]:
        yield from comparing(asked, request)

    segment.click(begun, None, status, **LIGHT).then(
        segmented, values, [status, found, save], show_progress="hidden", **HEAVY
    )
    flips.click(begun, None, status, **LIGHT).then(
        compared, [*values, vary], [status, flipped], show_progress="hidden", **HEAVY
    )

    def stopped(request: gr.Request) -> str:
        return note("info", "Stopping." if running.stop(request, KEY) else "Nothing is running.")

    stop.click(stopped, None, status, **LIGHT)


def _controls() -> Controls:
    with gr.Accordion("How pictures are segmented", open=False):
        engine = gr.Dropdown(
            engine_choices(), value="neighbours", label="Engine", elem_id="segment-engine",
            info="What answers. To some the order of the examples can't matter: they are the control.",
        )  # fmt: skip
        backbone = gr.Dropdown(
            backbone_choices(), value=DEFAULT, label="Backbone", elem_id="segment-backbone",
            info="What describes places. Those of the hub are loaded once they are chosen.",
        )  # fmt: skip
        cut = gr.Slider(
            0, 0.95, 0, step=0.05, label="Threshold", elem_id="segment-cut",
            info="The share from which a pixel is marked; 0 finds it in the map (Otsu, drawn to one half).",
        )  # fmt: skip
        refined = gr.Dropdown(
            refinements(), value="none", label="Sharpen borders", elem_id="segment-refine",
            info="GrabCut helps things with their own colour, and hurts thin ones and sky or ground.",
        )  # fmt: skip
        mirrored = gr.Checkbox(
            True, label="Show examples mirrored as well", elem_id="segment-mirrored",
            info="Each example counts twice, once as its mirror image.",
        )  # fmt: skip
        absent = gr.Checkbox(
            False, label="“Not present” is an answer", elem_id="segment-absent",
            info="A class without a good match in the picture is not marked; it is often wrong.",
        )  # fmt: skip
    return Controls(engine, backbone, cut, refined, mirrored, absent)


def backbone_choices() -> list[str]:
    """Offer the backbones that this deployment may load."""
    return [name for name in names() if name == DEFAULT or not is_shared() or name in allowed_models()]


def refinements() -> list[tuple[str, str]]:
    """Offer what sharpens borders; SAM 2 is of the hub."""
    offered = [("No", "none"), ("GrabCut: edges of colour", "grabcut")]
    return offered if is_shared() else [*offered, ("SAM 2, of the hub (156 MB)", "sam2")]


def engine_choices() -> list[tuple[str, str]]:
    """Offer the engines that can answer here, with what order does to them."""
    has_decoder = (SEGIC / "model.safetensors").is_file()
    return [
        (f"{each.title} ({'order can matter' if each.is_ordered else 'order cannot matter'})", each.id)
        for each in ENGINES
        if (has_decoder or not each.id.startswith("segic")) and not (each.id == "seggpt" and is_shared())
    ]


class Asked(NamedTuple):
    """What the controls ask for."""

    examples: tuple
    pictures: Pictures
    engine: str
    backbone: str
    how: dict[str, Any]


def asked_of(values: Sequence[Any]) -> Asked:
    """Read examples, pictures, the classes' names and the values of `Controls`.

    Raises:
        ValueError: With a sentence for the screen.
    """
    from lab.vision.segment import Cutting

    shown, pictures, names, engine, backbone, cut, refine, with_mirrored, may_be_absent = values
    if not pictures:
        raise ValueError("there is no picture to segment: choose a set, or add pictures of your own")
    cutting = Cutting(float(cut) or None, str(refine), bool(may_be_absent))
    how = {
        "cutting": cutting,
        "with_mirrored": bool(with_mirrored),
        "names": banks.words_in(str(names or "")),
    }
    return Asked(banks.examples_of(shown), pictures, str(engine), str(backbone), how)


def segmenting(values: Sequence[Any], request: gr.Request) -> Iterator[list[Any]]:
    """Segment every picture, a yield a picture: status, what is found, the download."""
    from lab.vision.backbones import load_backbone
    from lab.vision.question import Question
    from lab.vision.segment import segment

    figures: list[str] = []
    masks: list[tuple[str, np.ndarray]] = []
    try:
        asked = asked_of(values)
        with running.turn(request, KEY) as stopping:
            yield [note("info", "Loading the backbone."), gr.skip(), gr.DownloadButton(visible=False)]
            backbone = load_backbone(asked.backbone)
            for each in asked.pictures:
                if stopping.is_set():
                    break
                question = Question(
                    asked.examples, each.picture, backbone, asked.how["with_mirrored"], asked.how["names"]
                )
                found = segment(question, asked.engine, asked.how["cutting"])
                masks.append((each.name, found.mask))
                figures += _figures(each, found.mask, found.shares)
                words = f"{len(masks)} of {len(asked.pictures)} pictures"
                yield [note("info", words), _grid(figures), gr.skip()]
        yield [note("verdict", _found_sentence(asked, masks)), _grid(figures), _saved(masks)]
    except SAYABLE as error:
        gr.Warning(str(error))
        yield [note("error", str(error)), gr.skip(), gr.skip()]


def comparing(values: Sequence[Any], request: gr.Request) -> Iterator[list[Any]]:
    """Segment every picture under every layout, a yield a layout: status, what flips."""
    from lab.vision.backbones import load_backbone

    try:
        asked, way = asked_of(values[:-1]), str(values[-1])
        layouts = layouts_of(way, len(asked.examples))
        masks: dict[str, list[np.ndarray]] = {}
        with running.turn(request, KEY) as stopping:
            yield [note("info", "Loading the backbone."), gr.skip()]
            pictures = [each.picture for each in asked.pictures]
            for layout, found in rearranged(
                asked.examples, pictures, layouts, asked.engine, load_backbone(asked.backbone), **asked.how
            ):
                masks[layout] = found
                yield [note("info", f"{len(masks)} of {len(layouts)} layouts"), gr.skip()]
                if stopping.is_set():
                    break
        yield ["", flips_html(masks, layouts[0], asked.pictures, asked.engine, way)]
    except SAYABLE as error:
        gr.Warning(str(error))
        yield [note("error", str(error)), gr.skip()]


def _figures(asked: Marked, mask: np.ndarray, shares: np.ndarray) -> list[str]:
    details = _details(asked, mask)
    return [
        picture_html(
            as_png(with_mask(asked.picture, mask)), f"{asked.name}: {details}", asked.name, details
        ),
        picture_html(
            as_png(with_shares(asked.picture, shares)), f"{asked.name}: how sure each place is", "",
            "How sure: the stronger the colour, the larger the share",
        ),
    ]  # fmt: skip


def _details(asked: Marked, mask: np.ndarray) -> str:
    parts = regions(mask)
    if not mask.any():
        words = "not present"
    else:
        many = "1 region" if len(parts) == 1 else f"{len(parts)} regions"
        words = f"{many}, {100 * (mask > 0).mean():.0f} % of the picture"
    score = _score(asked, mask)
    return words if score is None else f"{words}; IoU {score:.2f}"


def _score(asked: Marked, mask: np.ndarray) -> float | None:
    if asked.marks is None:
        return None
    n = max(int(asked.marks.max(initial=0)), int(mask.max(initial=0)), 1)
    values = iou(mask, asked.marks, n)
    return None if np.isnan(values).all() else float(np.nanmean(values))


def _found_sentence(asked: Asked, masks: Sequence[tuple[str, np.ndarray]]) -> str:
    pairs = zip(asked.pictures, masks, strict=False)
    scores = [score for each, (_, mask) in pairs if (score := _score(each, mask)) is not None]
    many = "1 example" if len(asked.examples) == 1 else f"{len(asked.examples)} examples"
    if not scores:
        pictures = "1 picture is" if len(masks) == 1 else f"{len(masks)} pictures are"
        return f"{pictures} segmented from {many}. Press What flips? to see how sure that is."
    return (
        f"Mean IoU {np.mean(scores):.2f} over {len(scores)} pictures, from {many}. Press What flips? to see "
        "how much of that hangs on the examples."
    )


def _grid(figures: Sequence[str]) -> str:
    return grid_html(figures, "small") if figures else EMPTY


def _saved(masks: Sequence[tuple[str, np.ndarray]]) -> Any:
    """Write the masks into a zip, labels as they are: 0 nothing, 1 the first class."""
    if not masks:
        return gr.DownloadButton(visible=False)
    path = Path(tempfile.mkdtemp(prefix="lab-masks-")) / "masks.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for place, (name, mask) in enumerate(masks, 1):
            file = io.BytesIO()
            Image.fromarray(mask).save(file, "PNG")
            archive.writestr(f"{place:02d} {Path(escape(name)).name}_mask.png", file.getvalue())
    return gr.DownloadButton(value=str(path), visible=True)
