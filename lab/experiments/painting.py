"""Is the operation read from the pair? The same pictures, with the right pair, two pairs, or a wrong one.

A case is a picture and an operation. Painter paints what should become of the picture; what it painted is
compared with what every known operation would make of it, and the nearest one is the prediction. It is right
if that is the operation that the pair was drawn from, or one that gives the same here. The control shows a
pair of another operation: the picture is the same, and so should the answer not be.

Source: Wang et al. 2023, Painter (arXiv:2212.02499); Wang et al. 2023, SegGPT (arXiv:2304.03284).
"""

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from lab.experiments.events import Cost, Event, Result
from lab.experiments.making import run_sweep, stored_answers
from lab.experiments.views import paired
from lab.images.pictures import as_png, from_png
from lab.runs.environment import environment
from lab.runs.recipe import Recipe
from lab.runs.store import Row, Store
from lab.stats.comparisons import accuracy_table, compare_layouts
from lab.stats.intervals import estimate
from lab.stats.verdict import comparison_sentence, sweep_sentence
from lab.vision.operations import (
    Operation,
    find_operation,
    fitting_view,
    operations,
    random_palette,
    telling_view,
)
from lab.vision.painted import Case, case_of, nearest, quality
from lab.vision.painter import FOLDER, Pair, load_painter, paint
from lab.weights import Progress

RIGHT, TWO, WRONG = "right pair", "two pairs", "wrong pair"
ARMS = (RIGHT, TWO, WRONG)
GROUPS = ("held-out", "seen", "all")
SECONDS_A_PICTURE = 0.1  # of one core, for the price before a run
TOKENS = 128  # patches of a pair and a picture


@dataclass(frozen=True)
class PaintingParams:
    """Parameters of a run.

    Args:
        operations: "held-out", "seen" or "all", or one operation by id.
        n_queries: Cases; operations take turns.
        arms: Which pairs are shown: "right pair", "two pairs", "wrong pair".
        seed: Draws cases and pairs.
    """

    operations: str = "held-out"
    n_queries: int = 64
    arms: tuple[str, ...] = ARMS
    seed: int = 0

    def __post_init__(self) -> None:
        if self.operations not in GROUPS:
            find_operation(self.operations)
        if not 1 <= self.n_queries <= 2000:
            raise ValueError(f"n_queries must be 1 to 2000, got {self.n_queries}")
        unknown = [arm for arm in self.arms if arm not in ARMS]
        if unknown or RIGHT not in self.arms or len(set(self.arms)) < len(self.arms):
            raise ValueError(f"arms must be different ones of {', '.join(ARMS)}, the first among them")
        if self.seed < 0:
            raise ValueError(f"seed must be 0 or more, got {self.seed}")

    @property
    def reference(self) -> str:
        """Return the arm that flips are counted against."""
        return RIGHT

    @property
    def asked(self) -> list[Operation]:
        """Return the operations that are asked for."""
        if self.operations not in GROUPS:
            return [find_operation(self.operations)]
        wanted = {"held-out": (True,), "seen": (False,), "all": (True, False)}[self.operations]
        return [each for each in operations() if each.is_held_out in wanted]


@dataclass(frozen=True, eq=False)
class Shown:
    """A case with the pairs of every arm.

    Args:
        case: What is asked.
        pairs: By arm.
        other: The operation of the wrong pair.
    """

    case: Case
    pairs: Mapping[str, list[Pair]]
    other: Operation


@dataclass(frozen=True)
class Batch:
    """One case in every arm."""

    index: int
    size: int


class PaintingSweep:
    """Every case of a run in every arm."""

    def __init__(self, params: PaintingParams, network: Any) -> None:
        self.params, self.network = params, network

    @cached_property
    def batches(self) -> list[Batch]:
        """One batch a case, so that a stopped run is paired."""
        return [Batch(place, len(self.params.arms)) for place in range(self.params.n_queries)]

    def evaluate(self, batch: Batch) -> list[Row]:
        """Paint a case in every arm."""
        shown = shown_of(self.params, batch.index)
        rows = []
        for arm in self.params.arms:
            started = time.perf_counter()
            painted = paint(shown.pairs[arm], shown.case.before, self.network)
            seconds = time.perf_counter() - started
            rows.append(_row(shown, arm, batch.index, painted, seconds))
        return rows


def shown_of(params: PaintingParams, place: int) -> Shown:
    """Draw a case and its pairs; the same again for the same parameters and place."""
    random = np.random.default_rng((params.seed, place))
    asked = params.asked
    operation = asked[place % len(asked)]
    palette = random_palette(random)
    case = case_of(operation, fitting_view(operation, random), palette, random)
    first, second = (
        Pair(*operation.pair(telling_view(operation, random), palette, random)) for _ in range(2)
    )
    other = _other(case, random)
    wrong = Pair(*other.pair(telling_view(other, random), palette, random))
    return Shown(case, {RIGHT: [first], TWO: [first, second], WRONG: [wrong]}, other)


def _other(case: Case, random: np.random.Generator) -> Operation:
    """Draw an operation that would make something else of the case."""
    every = operations()
    while True:
        other = every[random.integers(len(every))]
        if case.tells_apart(other):
            return other


def _row(shown: Shown, arm: str, place: int, painted: np.ndarray, seconds: float) -> Row:
    found = nearest(shown.case, painted)
    return Row(
        query_id=f"{shown.case.operation.id} {place + 1}",
        layout=arm,
        prediction=found,
        gold=shown.case.operation.id,
        correct=float(found == shown.case.operation.id),
        margin=math.nan,
        logp={},
        n_tokens=TOKENS * len(shown.pairs[arm]),
        seconds=seconds,
        prompt=f"{arm}: {(shown.other if arm == WRONG else shown.case.operation).title}",
        answer=as_png(painted),
    )


def operation_of(query_id: str) -> str:
    """Return the operation of a case; cases of one operation are no independent observations.

    >>> operation_of("mirror-invert 7")
    'mirror-invert'
    """
    return query_id.rpartition(" ")[0]


def cost(params: PaintingParams) -> Cost:
    """Price a run."""
    n = params.n_queries * len(params.arms)
    return Cost(n, n * TOKENS, n * TOKENS, n * SECONDS_A_PICTURE, 300_000_000, unit="pictures")


def load(params: PaintingParams, progress: Progress) -> None:
    """Load the network."""
    load_painter()


def weights() -> dict[str, str]:
    """Name the network's weights by the first digits of their SHA-256."""
    from lab.weights.manifest import sha256_of

    return {path.name: sha256_of(path)[:12] for path in sorted(FOLDER.glob("*.safetensors"))}


def record() -> dict[str, Any]:
    """Record where a run is made."""
    revision = "".join(weights().values())
    return {
        **environment(),
        "model": {"id": "painter", "revision": revision, "device": "cpu", "dtype": "float32"},
    }


def run(params: PaintingParams, store: Store) -> Iterator[Event]:
    """Make the run, or go on with it; a finished run is read without loading a model."""
    yield from run_sweep(
        Recipe("painting", asdict(params)),
        store,
        cost(params),
        lambda: PaintingSweep(params, load_painter()),
        record,
        lambda: read(params, store),
    )


def read(params: PaintingParams, store: Store) -> Result:
    """Turn what is stored of a run into its result, with how well pictures were painted."""
    run_id = Recipe("painting", asdict(params)).id
    result = summarise(store.predictions(run_id), params, run_id)
    if not result.summary:
        return result
    table = qualities(stored_answers(store, run_id), params)
    means = quality_means(table, params.seed)
    summary = {**result.summary, "quality": means.to_dict("records")}
    tables = {**result.tables, "quality": means}
    return Result(run_id, result.predictions, tables, result.figures, result.verdict, summary)


def summarise(predictions: pd.DataFrame, params: PaintingParams, run_id: str) -> Result:
    """Compare the arms of a predictions table."""
    from lab.experiments.drawing import panels_figures

    asked = paired(predictions, params.arms)
    if asked.empty:
        return Result(run_id, predictions, {}, {}, "No picture is painted in every arm yet.", {})
    comparisons = compare_layouts(asked, params.reference, params.seed, operation_of)
    accuracies = accuracy_table(asked, params.reference, params.seed, operation_of)
    by_arm = dict(zip(accuracies["layout"], accuracies["metric"], strict=True))
    n = int(asked["query_id"].nunique())
    verdict = f"The operation is read from the pair in {by_arm[RIGHT]:.0%} of {n} cases."
    if comparisons:
        verdict += f" {sweep_sentence(comparisons, is_repeatable=True)}"
    summary = {
        "experiment": "painting",
        "operations": params.operations,
        "n_predictions": len(predictions),
        "n_queries": n,
        "n_operations": int(asked["gold"].nunique()),
        "accuracy": by_arm,
        "comparisons": [{**asdict(each), "sentence": comparison_sentence(each)} for each in comparisons],
        "verdict": verdict,
    }
    tables = {
        "accuracy": accuracies,
        "comparisons": pd.DataFrame([asdict(each) for each in comparisons]),
        "operations": by_operation(asked),
    }
    figures = panels_figures(accuracies, comparisons, None)
    return Result(run_id, predictions, tables, figures, verdict, summary)


def by_operation(asked: pd.DataFrame) -> pd.DataFrame:
    """Count for each operation how often it was read, by arm: operation, layout, n, share."""
    grouped = asked.groupby(["gold", "layout"], sort=False)["correct"].agg(["size", "mean"]).reset_index()
    return grouped.set_axis(["operation", "layout", "n", "share"], axis=1)


def qualities(answers: Mapping[tuple[str, str], str], params: PaintingParams) -> pd.DataFrame:
    """Measure every painted picture against what should have become of it.

    Returns:
        Columns query_id, layout, measure ("IoU" or "PSNR"), value.
    """
    rows = []
    for place in range(params.n_queries):
        shown = shown_of(params, place)
        query_id = f"{shown.case.operation.id} {place + 1}"
        for arm in params.arms:
            if url := answers.get((query_id, arm)):
                measure, value = quality(shown.case, from_png(url))
                rows.append({"query_id": query_id, "layout": arm, "measure": measure, "value": value})
    return pd.DataFrame(rows, columns=["query_id", "layout", "measure", "value"])


def quality_means(table: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Average quality by arm and measure, and its lead over the wrong pair, with 95 % intervals."""
    rows = []
    for measure, part in table.groupby("measure", sort=False):
        wide = part.pivot(index="query_id", columns="layout", values="value").dropna()
        groups = [operation_of(query) for query in wide.index]
        for arm in wide.columns:
            mean, low, high = estimate(wide[arm].to_numpy(float), groups, seed)
            row = {"measure": measure, "layout": arm, "n": len(wide), "mean": mean, "low": low, "high": high}
            if WRONG in wide.columns and arm != WRONG:
                lead = estimate((wide[arm] - wide[WRONG]).to_numpy(float), groups, seed)
                row |= dict(zip(("lead", "lead_low", "lead_high"), lead, strict=True))
            rows.append(row)
    return pd.DataFrame(rows)
