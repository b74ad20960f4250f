"""Which examples, how many and in which order: segment the same pictures under several layouts of examples.

A layout says which examples are shown and how (`lab.vision.layouts`). A picture's answer under a layout is a
mask. It counts as found where intersection over union with the true mask (IoU) is at least one half, as
missed where it is less, and as nothing where nothing is marked; a layout under which that word differs has
flipped the answer. Beside that stand the pixels that flip, as a share of those that either mask marks. An
engine to which order cannot matter is the control: under another order of the same examples 0 pixels flip.

Sources: Zhang, Zhou & Liu 2023, What makes good examples for visual in-context learning (arXiv:2301.13670),
for the choice; Wang et al. 2023, SegGPT (arXiv:2304.03284), for pooling examples, which order cannot change.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from lab.experiments.events import Cost, Event, Result
from lab.experiments.making import run_sweep, stored_answers
from lab.experiments.mask_measures import (
    change_by_arm,
    group_of,
    iou_by_class,
    mean_over_classes,
    pixel_changes,
)
from lab.experiments.mask_verdict import control_sentence, verdict_of
from lab.experiments.views import paired
from lab.images.pictures import as_png
from lab.place import is_shared
from lab.runs.environment import environment
from lab.runs.recipe import Recipe
from lab.runs.store import Row, Store
from lab.stats.comparisons import accuracy_table, compare_layouts
from lab.stats.verdict import comparison_sentence
from lab.vision.asked import (
    COMPOSITES,
    KEPT,
    Asked,
    check_number,
    keep_folder,
    of_composites,
    of_folders,
    of_ready,
)
from lab.vision.backbones import DEFAULT, load_backbone
from lab.vision.engines import find_engine
from lab.vision.flips import Recommendation, iou, recommend
from lab.vision.layouts import ExampleLayout, layouts_of, parse_layout
from lab.vision.question import Question
from lab.vision.segment import Cutting, segment
from lab.weights import Progress

FOUND, MISSED, NOTHING = "found", "missed", "nothing"
FOUND_FROM = 0.5
SECONDS_A_PICTURE, SECONDS_AN_ANSWER = 0.2, 0.05  # of one core, for the price before a run
TOKENS_A_PICTURE = 28 * 28


@dataclass(frozen=True)
class SegmentationParams:
    """Parameters of a run.

    Args:
        examples: "composites" (composed scenes of held-out classes), the name of a shipped set, or a folder
            of pictures, each with a PNG mask; a folder is copied and named by its content.
        queries: A folder of the same form; "" for sets that have their own pictures.
        n_examples: How many examples a layout can show, 1 to 6.
        n_queries: Composed scenes to ask about.
        engines: Who answers; order can matter to some.
        backbone: What describes places: lite0, or a DINOv2, DINOv3 or SigLIP of the hub.
        vary: What differs between layouts: choice, number, order, subsets or changes.
        layouts: Arrangements by id instead of `vary`; () takes those of `vary`.
        reference: The layout that flips are counted against; "" takes the first.
        cut: The share from which a pixel is marked; below 0, it is found in the shares.
        refine: What sharpens borders: none, grabcut or sam2.
        with_mirrored: Whether each example counts a second time as its mirror image.
        may_be_absent: Whether "not present" is an answer.
        seed: Determines composed scenes, and the bootstrap.
    """

    examples: str = COMPOSITES
    queries: str = ""
    n_examples: int = 4
    n_queries: int = 48
    engines: tuple[str, ...] = ("neighbours",)
    backbone: str = DEFAULT
    vary: str = "number"
    layouts: tuple[str, ...] = ()
    reference: str = ""
    cut: float = -1.0
    refine: str = "none"
    with_mirrored: bool = True
    may_be_absent: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        check_number(self.n_examples)
        for name in ("examples", "queries"):
            object.__setattr__(self, name, _kept(getattr(self, name)))
        if self.examples.startswith(KEPT) != self.queries.startswith(KEPT):
            raise ValueError("examples and queries must both be folders, or neither")
        if not self.layouts:
            object.__setattr__(self, "layouts", layouts_of(self.vary, self.n_examples))
        object.__setattr__(self, "layouts", tuple(layout.id for layout in self.parsed))
        if not self.engines or len(set(self.arms)) < len(self.arms):
            raise ValueError("engines and layouts must be distinct, and at least one of each")
        object.__setattr__(self, "reference", self.reference or self.arms[0])
        if self.reference not in self.arms:
            raise ValueError(f"reference must be one of {', '.join(self.arms)}, got {self.reference!r}")
        for engine in self.engines:
            find_engine(engine)
        if not 1 <= self.n_queries <= 1000:
            raise ValueError(f"n_queries must be 1 to 1000, got {self.n_queries}")
        if self.seed < 0:
            raise ValueError(f"seed must be 0 or more, got {self.seed}")
        _ = self.cutting

    @property
    def parsed(self) -> list[ExampleLayout]:
        """Return the layouts."""
        return [parse_layout(text, self.n_examples) for text in self.layouts]

    @property
    def arms(self) -> tuple[str, ...]:
        """Name the columns: a layout, and before it the engine where there are several."""
        return tuple(self.arm(engine, layout) for engine in self.engines for layout in self.layouts)

    def arm(self, engine: str, layout: str) -> str:
        """Name the column of an engine and a layout."""
        return layout if len(self.engines) == 1 else f"{engine} {layout}"

    @property
    def cutting(self) -> Cutting:
        """Return how shares become masks."""
        cut = None if self.cut < 0 else self.cut
        return Cutting(cut, self.refine, self.may_be_absent)

    def asked(self) -> list[Asked]:
        """Return the questions with their answers."""
        if self.examples.startswith(KEPT):
            return of_folders(self.examples, self.queries, self.n_examples)
        if self.examples == COMPOSITES:
            return of_composites(range(self.n_queries), self.n_examples, self.seed)
        return of_ready(self.examples, self.n_examples)

    def asked_as(self, query_id: str) -> Asked | None:
        """Return one question by its id; None where there is none. Of composed scenes only it is composed."""
        if self.examples == COMPOSITES:
            number = query_id.rpartition(" scene ")[2]
            place = int(number) - 1 if number.isascii() and number.isdigit() else -1
            found = of_composites([place], self.n_examples, self.seed) if 0 <= place < self.n_queries else []
        else:
            found = self.asked()
        return next((each for each in found if each.id == query_id), None)


@dataclass(frozen=True)
class Batch:
    """One picture under every layout, so that a stopped run is paired."""

    index: int
    asked: Asked
    size: int


class SegmentationSweep:
    """Every picture of a run under every layout, by every engine."""

    def __init__(self, params: SegmentationParams) -> None:
        self.params, self.backbone = params, load_backbone(params.backbone)

    @cached_property
    def batches(self) -> list[Batch]:
        """One batch a picture and class."""
        n = len(self.params.arms)
        return [Batch(place, each, n) for place, each in enumerate(self.params.asked())]

    def evaluate(self, batch: Batch) -> list[Row]:
        """Segment a picture under every layout."""
        params, asked = self.params, batch.asked
        rows = []
        for layout in params.parsed:
            shown = layout.arranged(asked.examples)
            names = (asked.name,) if asked.name else ()
            question = Question(shown, asked.picture, self.backbone, params.with_mirrored, names)
            for engine in params.engines:
                started = time.perf_counter()
                mask = segment(question, engine, params.cutting).mask > 0
                seconds = time.perf_counter() - started
                rows.append(_row(asked, params.arm(engine, layout.id), mask, seconds, shown))
        return rows


def _row(asked: Asked, arm: str, mask: np.ndarray, seconds: float, shown: tuple) -> Row:
    score = float(iou(mask, asked.truth)[0])
    return Row(
        query_id=asked.id,
        layout=arm,
        prediction=(FOUND if score >= FOUND_FROM else MISSED) if mask.any() else NOTHING,
        gold=FOUND,
        correct=score,
        margin=math.nan,
        logp={},
        n_tokens=TOKENS_A_PICTURE * (1 + len(shown)),
        seconds=seconds,
        prompt="examples: " + ", ".join(each.name for each in shown),
        answer=as_png(np.repeat(mask[..., None].astype(np.uint8) * 255, 3, axis=-1)),
    )


def cost(params: SegmentationParams) -> Cost:
    """Price a run; of folders, their pictures are counted once they are asked about."""
    n = params.n_queries if params.examples == COMPOSITES else len(params.asked())
    n_answers = n * len(params.arms)
    seconds = n * SECONDS_A_PICTURE * (1 + 2 * params.n_examples) + n_answers * SECONDS_AN_ANSWER
    return Cost(n_answers, 0, 0, seconds, 400_000_000, unit="masks")


def load(params: SegmentationParams, progress: Progress) -> None:
    """Load the backbone, and the drawings that scenes are composed of."""
    load_backbone(params.backbone, progress)
    if params.examples == COMPOSITES:
        from lab.images.emoji import atlas

        atlas(progress)


def record(params: SegmentationParams) -> dict[str, Any]:
    """Record where a run is made."""
    from lab.vision.lite import LITE0

    revision = LITE0.sha256[:12] if params.backbone == DEFAULT else ""
    model = {"id": params.backbone, "revision": revision, "device": "cpu", "dtype": "float32"}
    return {**environment(), "model": model}


def weights() -> dict[str, str]:
    """Name the weights that answers depend on."""
    from lab.vision.lite import LITE0

    return {LITE0.name: LITE0.sha256[:12]}


def run(params: SegmentationParams, store: Store) -> Iterator[Event]:
    """Make the run, or go on with it; a finished run is read without loading a model."""
    yield from run_sweep(
        Recipe("segmentation", asdict(params)),
        store,
        cost(params),
        lambda: SegmentationSweep(params),
        lambda: record(params),
        lambda: read(params, store),
    )


def read(params: SegmentationParams, store: Store) -> Result:
    """Turn what is stored of a run, finished or not, into its result, with the pixels that flip."""
    run_id = Recipe("segmentation", asdict(params)).id
    result = summarise(store.predictions(run_id), params, run_id)
    if not result.summary:
        return result
    pixels = pixel_changes(stored_answers(store, run_id), params.arms, params.reference)
    by_arm = change_by_arm(pixels, params.arms, params.seed)
    summary = {**result.summary, "pixel_change": by_arm.set_index("layout")["pixel_change"].to_dict()}
    summary["pixel_sentence"] = control_sentence(by_arm, params.parsed, params.engines, params.reference)
    verdict = f"{result.verdict} {summary['pixel_sentence']}".rstrip()
    tables = {**result.tables, "pixels": by_arm}
    return Result(run_id, result.predictions, tables, result.figures, verdict, summary)


def summarise(predictions: pd.DataFrame, params: SegmentationParams, run_id: str) -> Result:
    """Compare the layouts of a predictions table."""
    from lab.experiments.drawing import segmentation_figures

    asked = paired(predictions, params.arms)
    if asked.empty:
        return Result(run_id, predictions, {}, {}, "No picture is segmented under every layout yet.", {})
    comparisons = compare_layouts(asked, params.reference, params.seed, group_of)
    accuracies = accuracy_table(asked, params.reference, params.seed, group_of)
    classes = iou_by_class(asked, params.seed)
    best = recommended(asked, params)
    verdict = verdict_of(accuracies, comparisons, best)
    summary = {
        "experiment": "segmentation",
        "examples": params.examples,
        "n_predictions": len(predictions),
        "n_queries": int(asked["query_id"].nunique()),
        "n_classes": int(classes["class"].nunique()),
        "reference": params.reference,
        "miou": {row["layout"]: row for row in mean_over_classes(classes)},
        "iou_by_class": classes[classes["layout"] == params.reference].to_dict("records"),
        "recommendation": asdict(best),
        "comparisons": [{**asdict(each), "sentence": comparison_sentence(each)} for each in comparisons],
        "verdict": verdict,
    }
    tables = {
        "accuracy": accuracies,
        "classes": classes,
        "comparisons": pd.DataFrame([asdict(each) for each in comparisons]),
    }
    figures = segmentation_figures(accuracies, comparisons)
    return Result(run_id, predictions, tables, figures, verdict, summary)


def recommended(asked: pd.DataFrame, params: SegmentationParams) -> Recommendation:
    """Recommend the layout with the best mean IoU, with how sure that is."""
    scores = {
        str(layout): part.sort_values("query_id")["correct"].to_list()
        for layout, part in asked.groupby("layout", sort=False)
    }
    return recommend(scores, params.seed)


def _kept(source: str) -> str:
    if "/" in source or source.startswith((".", "~")):
        if is_shared():
            raise ValueError("folders are not read on a shared deployment: choose a shipped set")
        return keep_folder(source)
    return source
