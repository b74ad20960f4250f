"""Does a pair that shows the disguise help to find what a picture is a copy of?

Pictures are disguised by patterns that no training showed, and the original is looked for among a thousand
others. Arms differ in the pair that is stacked with the disguised picture: none, one of any pattern, the one
that seems disguised alike (retrieved from a pool), or one of the true pattern (oracle). The nearest reference
is the prediction; micro average precision counts each query's ten nearest.

Sources: Wang et al. 2024, AnyPattern (arXiv:2404.13788); Douze et al. 2021 (arXiv:2106.09672) for measures.
"""

import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pandas as pd

from lab.experiments.copy_precision import pattern_of, precision_table
from lab.experiments.events import Cost, Event, Result
from lab.experiments.making import run_sweep, stored_answers
from lab.experiments.views import paired
from lab.runs.environment import environment
from lab.runs.recipe import Recipe
from lab.runs.store import Row, Store
from lab.stats.comparisons import accuracy_table, compare_layouts
from lab.stats.verdict import comparison_sentence, sweep_sentence
from lab.vision.scenes import scenes
from lab.vision.stacker import FOLDER, LATE, Prompt, described, load_stacker, retrieved
from lab.vision.tampers.listed import Pattern, find_pattern, patterns
from lab.weights import Progress

NONE, RANDOM, RETRIEVED, ORACLE, CONCATENATED = "none", "random", "retrieved", "oracle", "concatenated"
ARMS = (NONE, RANDOM, RETRIEVED, ORACLE)
GROUPS = ("held-out", "seen")
N_NEAREST = 10
N_POOL = 3
"""Pairs of each pattern in the pool that prompts are retrieved from."""
SECONDS_A_PICTURE = 0.01  # of one core, with its composition, for the price before a run
BATCH = 20


@dataclass(frozen=True)
class CopiesParams:
    """Parameters of a run.

    Args:
        patterns: "held-out", "seen", or one pattern by id.
        arms: Which pair is stacked with a query; "concatenated" describes query and oracle pair apart.
        n_queries: Disguised pictures.
        n_references: Pictures that the original is looked for among.
        seed: Draws pictures, disguises and pairs.
    """

    patterns: str = "held-out"
    arms: tuple[str, ...] = ARMS
    n_queries: int = 200
    n_references: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.patterns not in GROUPS:
            find_pattern(self.patterns)
        known = (*ARMS, CONCATENATED)
        is_known = all(arm in known for arm in self.arms)
        if not is_known or not self.arms or len(set(self.arms)) < len(self.arms):
            raise ValueError(f"arms must be different ones of {', '.join(known)}, got {', '.join(self.arms)}")
        if not 1 <= self.n_queries <= self.n_references <= 20_000:
            raise ValueError("n_queries must be 1 to n_references, and these at most 20,000")
        if self.seed < 0:
            raise ValueError(f"seed must be 0 or more, got {self.seed}")

    @property
    def reference(self) -> str:
        """Return the arm that flips are counted against: the first."""
        return self.arms[0]

    @property
    def asked(self) -> tuple[Pattern, ...]:
        """Return the patterns that disguise."""
        if self.patterns not in GROUPS:
            return (find_pattern(self.patterns),)
        return tuple(each for each in patterns() if each.is_held_out == (self.patterns == "held-out"))


@dataclass(frozen=True, eq=False)
class Looked:
    """A disguised picture with what can be shown beside it.

    Args:
        query: Uint8, shape (64, 64, 3).
        original: The place of its original among the references.
        pattern: What disguised it.
        oracle: A pair of the same pattern, of other pictures.
        anything: A pair of some pattern.
    """

    query: np.ndarray
    original: int
    pattern: Pattern
    oracle: Prompt
    anything: Prompt


@dataclass(frozen=True)
class Batch:
    """A few queries in every arm."""

    index: int
    queries: range
    size: int


class CopiesSweep:
    """Every query of a run in every arm."""

    def __init__(self, params: CopiesParams) -> None:
        self.params, self.network = params, load_stacker()
        self.references = references_of(params.n_references, params.seed)
        self.known = described(self.references, [None] * len(self.references), self.network).descriptor
        self.pool = pool_of(params)

    @cached_property
    def batches(self) -> list[Batch]:
        """Batches of queries, each in every arm, so that a stopped run is paired."""
        n, arms = self.params.n_queries, len(self.params.arms)
        parts = [range(start, min(start + BATCH, n)) for start in range(0, n, BATCH)]
        return [Batch(index, part, len(part) * arms) for index, part in enumerate(parts)]

    def evaluate(self, batch: Batch) -> list[Row]:
        """Describe queries in every arm, and look for their originals."""
        looked = [looked_for(self.params, place, self.references) for place in batch.queries]
        rows = []
        for arm in self.params.arms:
            started = time.perf_counter()
            scores = self._scores(arm, looked)
            seconds = (time.perf_counter() - started) / len(looked)
            rows += [
                _row(arm, place, each, own, seconds)
                for place, each, own in zip(batch.queries, looked, scores, strict=True)
            ]
        return rows

    def _scores(self, arm: str, looked: Sequence[Looked]) -> np.ndarray:
        pictures = [each.query for each in looked]
        if arm == CONCATENATED:
            late = load_stacker(LATE)
            found = described(pictures, [each.oracle for each in looked], late).descriptor
            known = described(self.references, [None] * len(self.references), late).descriptor
            return found @ known.T
        return described(pictures, self._prompts(arm, looked), self.network).descriptor @ self.known.T

    def _prompts(self, arm: str, looked: Sequence[Looked]) -> Sequence[Prompt | None]:
        if arm == NONE:
            return [None] * len(looked)
        if arm == RETRIEVED:
            return retrieved([each.query for each in looked], self.pool, self.network)
        return [each.oracle if arm == ORACLE else each.anything for each in looked]


@lru_cache(maxsize=2)
def references_of(n: int, seed: int) -> list[np.ndarray]:
    """Compose the references: scenes of classes that no training shows, uint8, shape (64, 64, 3) each."""
    from lab.images.emoji import atlas

    return scenes(atlas(), n, seed, is_held_out=True)


def pool_of(params: CopiesParams) -> list[Prompt]:
    """Return pairs of every asked pattern, of pictures that are no references."""
    from lab.images.emoji import atlas

    pictures = scenes(atlas(), N_POOL * len(params.asked), params.seed + 1_000_003, is_held_out=True)
    pairs = []
    for place, picture in enumerate(pictures):
        random = np.random.default_rng((params.seed, 1, place))
        pairs.append(Prompt(params.asked[place % len(params.asked)].tamper(picture, random), picture))
    return pairs


def looked_for(params: CopiesParams, place: int, references: Sequence[np.ndarray]) -> Looked:
    """Disguise a reference, and draw the pairs that can be shown; the same again for the same place."""
    random = np.random.default_rng((params.seed, 2, place))
    pattern = params.asked[place % len(params.asked)]
    original, other, third = random.choice(len(references), 3, replace=False)
    every = patterns()
    anything = every[random.integers(len(every))]
    return Looked(
        query=pattern.tamper(references[original], random),
        original=int(original),
        pattern=pattern,
        oracle=Prompt(pattern.tamper(references[other], random), references[other]),
        anything=Prompt(anything.tamper(references[third], random), references[third]),
    )


def _row(arm: str, place: int, looked: Looked, scores: np.ndarray, seconds: float) -> Row:
    best = np.argsort(-scores, kind="stable")[:N_NEAREST]
    nearest = [[int(reference), round(float(scores[reference]), 6)] for reference in best]
    return Row(
        query_id=f"{looked.pattern.id} {place + 1}",
        layout=arm,
        prediction=str(best[0]),
        gold=str(looked.original),
        correct=float(best[0] == looked.original),
        margin=math.nan,  # margins are nats; the cosines are in the answer
        logp={},
        n_tokens=0,
        seconds=seconds,
        prompt=f"{looked.pattern.title}; prompt: {arm}",
        answer=json.dumps(nearest),
    )


def cost(params: CopiesParams) -> Cost:
    """Price a run."""
    n = params.n_queries * len(params.arms)
    seconds = (n + 2 * params.n_references) * SECONDS_A_PICTURE
    return Cost(n, 0, 0, seconds, 200_000_000, unit="pictures")


def load(params: CopiesParams, progress: Progress) -> None:
    """Load the network, and the drawings that pictures are composed of."""
    from lab.images.emoji import atlas

    load_stacker()
    atlas(progress)


def weights() -> dict[str, str]:
    """Name the networks' weights by the first digits of their SHA-256."""
    from lab.weights.manifest import sha256_of

    files = [*sorted(FOLDER.glob("*.safetensors")), *sorted(LATE.glob("*.safetensors"))]
    return {f"{path.parent.name}/{path.name}": sha256_of(path)[:12] for path in files}


def record() -> dict[str, Any]:
    """Record where a run is made."""
    revision = "".join(weights().values())[:12]
    return {
        **environment(),
        "model": {"id": "stacker", "revision": revision, "device": "cpu", "dtype": "float32"},
    }


def run(params: CopiesParams, store: Store) -> Iterator[Event]:
    """Make the run, or go on with it; a finished run is read without loading a model."""
    yield from run_sweep(
        Recipe("copies", asdict(params)),
        store,
        cost(params),
        lambda: CopiesSweep(params),
        record,
        lambda: read(params, store),
    )


def read(params: CopiesParams, store: Store) -> Result:
    """Turn what is stored of a run into its result, with micro average precision."""
    run_id = Recipe("copies", asdict(params)).id
    predictions = store.predictions(run_id)
    result = summarise(predictions, params, run_id)
    if not result.summary:
        return result
    ranked = stored_answers(store, run_id)
    gold = predictions.drop_duplicates("query_id").set_index("query_id")["gold"].to_dict()
    table = precision_table(ranked, gold, params.arms, params.seed)
    summary = {**result.summary, "micro_ap": table.set_index("layout").to_dict("index")}
    return Result(
        run_id, predictions, {**result.tables, "precision": table}, result.figures, result.verdict, summary
    )


def summarise(predictions: pd.DataFrame, params: CopiesParams, run_id: str) -> Result:
    """Compare the arms of a predictions table by recall at 1."""
    from lab.experiments.drawing import panels_figures

    asked = paired(predictions, params.arms)
    if asked.empty:
        return Result(run_id, predictions, {}, {}, "No picture is looked for in every arm yet.", {})
    reference = params.reference
    comparisons = compare_layouts(asked, reference, params.seed, pattern_of)
    accuracies = accuracy_table(asked, reference, params.seed, pattern_of)
    by_arm = dict(zip(accuracies["layout"], accuracies["metric"], strict=True))
    shares = ", ".join(f"{arm} {share:.0%}" for arm, share in by_arm.items())
    n = int(asked["query_id"].nunique())
    verdict = f"Of {n} disguised pictures the original is the nearest of {params.n_references:,}: {shares}."
    if comparisons:
        verdict += f" {sweep_sentence(comparisons, is_repeatable=True)}"
    summary = {
        "experiment": "copies",
        "patterns": params.patterns,
        "n_predictions": len(predictions),
        "n_queries": n,
        "n_references": params.n_references,
        "recall_at_1": by_arm,
        "comparisons": [{**asdict(each), "sentence": comparison_sentence(each)} for each in comparisons],
        "verdict": verdict,
    }
    tables = {"accuracy": accuracies, "comparisons": pd.DataFrame([asdict(each) for each in comparisons])}
    figures = panels_figures(accuracies, comparisons, None)
    return Result(run_id, predictions, tables, figures, verdict, summary)
