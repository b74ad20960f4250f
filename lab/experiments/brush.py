"""Is the drawn region read as the subject, the more attention is shifted toward it?

A subject's panel stands above a picture with a hole, and the fill branch draws what is in the hole. The same
pairs are drawn from the same noise at several strengths of In-Context Brush; strength 0 is the fill branch
alone. The probe looks at the hole: what it reads is the prediction, and the subject is right. Pairs are of
held-out concepts. One more column, "true", holds the subject itself in the hole: it bounds what the probe
could read.

Source: Xu et al. 2025, In-Context Brush (arXiv:2505.20271), as its released attention processor computes it.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lab.experiments.events import Cost, Event, Result
from lab.experiments.image_run import compared, concept_of_query, price, record
from lab.experiments.making import run_sweep
from lab.experiments.views import paired
from lab.images.brush import paint
from lab.images.brush_study import STRENGTHS, Pair, at, crop, insertion_of, pairs_of
from lab.images.concepts import concepts
from lab.images.grid import STACK
from lab.images.measures import EMPTY
from lab.images.panels import draw
from lab.images.pictures import as_png
from lab.images.sampler import Settings
from lab.runs.recipe import Recipe
from lab.runs.store import Row, Store
from lab.stats.flips import wide
from lab.stats.intervals import Estimate, estimate
from lab.stats.verdict import sweep_sentence
from lab.weights import WeightsError

if TYPE_CHECKING:
    import torch

    from lab.images.brush import Insertion

TRUE = "true"
NOTHING = "nothing"


@dataclass(frozen=True)
class BrushParams:
    """Parameters of the study.

    Args:
        strengths: How far attention is shifted, each 0 to 1; 0.3 is the published strength, 0 changes nothing
            and must be one of them.
        is_named: Whether captions name the subject; else they say "the same thing".
        is_fitted: Whether the subject stands in its panel as it is to stand in the hole; else it is as large
            as the panel allows.
        n_queries: Pairs of subject and picture, 1 to 500.
        n_steps: Denoising steps.
        guidance: Guidance.
        seed: Draws the pairs and the noise.
    """

    strengths: tuple[float, ...] = STRENGTHS
    is_named: bool = False
    is_fitted: bool = True
    n_queries: int = 48
    n_steps: int = 20
    guidance: float = 3.0
    seed: int = 0

    def __post_init__(self) -> None:
        for strength in self.strengths:
            at(strength)
        if 0 not in self.strengths or not 1 < len(set(self.strengths)) == len(self.strengths):
            raise ValueError(f"strengths must be 0 and others, all different, got {self.strengths}")
        if not 1 <= self.n_queries <= 500:
            raise ValueError(f"n_queries must be 1 to 500, got {self.n_queries}")
        if self.seed < 0:
            raise ValueError(f"seed must be 0 or more, got {self.seed}")
        Settings(self.n_steps, self.guidance)

    @property
    def needs_drawings(self) -> bool:
        """Tell that subjects and pictures are drawings."""
        return True

    @property
    def arms(self) -> tuple[str, ...]:
        """Name the columns: strengths from the weakest on, then what bounds them."""
        return (*(arm_of(strength) for strength in sorted(self.strengths)), TRUE)


@dataclass(frozen=True)
class Batch:
    """One pair at every strength, and the true picture."""

    index: int
    pair: Pair
    size: int


class BrushSweep:
    """Every pair of a run at every strength.

    Args:
        probe: What reads the hole.
        params: The run's parameters.
    """

    def __init__(self, probe: "torch.nn.ModuleDict", params: BrushParams) -> None:
        self.probe, self.params = probe, params

    @cached_property
    def batches(self) -> list[Batch]:
        """One batch a pair, so that a stopped run is paired, and no batch can flip an answer."""
        pairs = pairs_of(self.params.n_queries, self.params.seed)
        return [Batch(place, pair, len(self.params.arms)) for place, pair in enumerate(pairs)]

    def evaluate(self, batch: Batch) -> list[Row]:
        """Draw a pair at every strength and read it."""
        from lab.images.emoji import atlas
        from lab.images.shelf import load_weighed

        model = load_weighed({})
        insertion = insertion_of(batch.pair, atlas(), self.params.is_named, self.params.is_fitted)
        settings = Settings(self.params.n_steps, self.params.guidance)
        true = draw(batch.pair.truth, atlas())
        rows = [self._row(batch, TRUE, true, insertion, 0.0)]
        for strength in sorted(self.params.strengths):
            started = time.perf_counter()
            drawn = paint(model, insertion, self.params.seed + batch.index, settings, at(strength))
            seconds = time.perf_counter() - started
            rows.append(self._row(batch, arm_of(strength), drawn, insertion, seconds))
        return rows

    def _row(self, batch: Batch, arm: str, drawn: np.ndarray, insertion: "Insertion", seconds: float) -> Row:
        from lab.images.probe import read_panels

        subject = batch.pair.subject.word
        reading = read_panels(crop(drawn, insertion.mask)[None], self.probe)
        similarity = reading.similarity[0]
        place = [concept.word for concept in concepts()].index(subject)
        prediction = reading.words[0] if reading.p_empty[0] < EMPTY else NOTHING
        return Row(
            query_id=f"{subject} {batch.index + 1}",
            layout=arm,
            prediction=prediction,
            gold=subject,
            correct=float(prediction == subject),
            margin=float(similarity[place] - np.delete(similarity, place).max()),
            logp={},
            n_tokens=STACK.n_tokens,
            seconds=seconds,
            prompt=insertion.caption,
            answer=as_png(np.concatenate([insertion.subject, insertion.target, drawn], axis=1)),
        )


def arm_of(strength: float) -> str:
    """Name the column of a strength.

    >>> arm_of(0), arm_of(0.15)
    ('shift@0', 'shift@0.15')
    """
    return f"shift@{strength:g}"


def prepare(params: BrushParams) -> BrushSweep:
    """Load the probe; nothing is drawn yet.

    Raises:
        WeightsError: The model has no fill branch yet.
    """
    from lab.images.probe import load_probe
    from lab.images.shelf import embedded

    if embedded().fill is None:
        raise WeightsError(
            "the fill branch is not trained yet. To train it (two hours on two cores): "
            "python -m lab.images.train fill, then copying, then resizing"
        )
    return BrushSweep(load_probe(), params)


def cost(params: BrushParams) -> Cost:
    """Price a run."""
    return price(params.n_queries * len(params.strengths), STACK.n_panels, params.n_steps)


def run(params: BrushParams, store: Store) -> Iterator[Event]:
    """Make the run, or go on with it; a finished run is read without loading a model."""
    recipe = Recipe("brush", asdict(params))
    yield from run_sweep(
        recipe, store, cost(params), lambda: prepare(params), lambda: record([]), lambda: read(params, store)
    )


def read(params: BrushParams, store: Store) -> Result:
    """Turn the stored predictions of a run, finished or not, into its result."""
    run_id = Recipe("brush", asdict(params)).id
    return summarise(store.predictions(run_id), params, run_id)


def summarise(predictions: pd.DataFrame, params: BrushParams, run_id: str) -> Result:
    """Compare the strengths of a predictions table with strength 0."""
    from lab.experiments.drawing import panels_figures

    asked = paired(predictions, params.arms)
    if asked.empty:
        return Result(run_id, predictions, {}, {}, "No pair is drawn at every strength yet.", {})
    found = compared(asked, arm_of(0), arm_of(0), params.seed)
    shifted = [each for each in found.comparisons if each.layout != TRUE]
    rise = rise_of(asked, sorted(params.strengths), params.seed)
    verdict = f"{rise_sentence(rise)} {sweep_sentence(shifted, is_repeatable=True)}"
    summary = {
        "experiment": "brush",
        "n_predictions": len(predictions),
        **found.summary,
        "rise": rise._asdict(),
        "verdict": verdict,
    }
    figures = panels_figures(found.tables["accuracy"], shifted, None)
    return Result(run_id, predictions, found.tables, figures, verdict, summary)


def rise_of(asked: pd.DataFrame, strengths: Sequence[float], seed: int = 0) -> Estimate:
    """Estimate how much the share of recognised subjects rises per 0.1 of strength.

    Args:
        asked: A predictions table with every pair at every strength.
        strengths: At least two.
        seed: Seed of the bootstrap, which draws subjects.

    Returns:
        The mean over pairs of the least-squares slope of `correct`, with its 95 % interval.
    """
    metric = wide(asked, "correct").astype(float)
    x = np.array(strengths) - np.mean(strengths)
    y = metric[[arm_of(strength) for strength in strengths]].to_numpy()
    slopes = 0.1 * (y @ x) / (x @ x)
    return estimate(slopes, [concept_of_query(str(query)) for query in metric.index], seed)


def rise_sentence(rise: Estimate) -> str:
    """Say whether recognition rises with strength.

    >>> rise_sentence(Estimate(0.03, 0.01, 0.05))
    'Per 0.1 of strength the subject is recognised 3.0 points more often (95 % 1.0 to 5.0).'
    """
    points, low, high = (100 * each for each in rise)
    if low <= 0 <= high:
        return f"No clear rise with strength: {points:+.1f} points per 0.1 (95 % {low:.1f} to {high:.1f})."
    more = "more" if points > 0 else "less"
    low, high = sorted((abs(low), abs(high)))
    return (
        f"Per 0.1 of strength the subject is recognised {abs(points):.1f} points {more} often "
        f"(95 % {low:.1f} to {high:.1f})."
    )
