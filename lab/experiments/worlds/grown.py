"""Does the order of the context matter to a learner that was trained in front of you?

A learner grows in a world; then the same queries are asked while their contexts are arranged anew. What the
figures of the language model show for demonstrations in a prompt, these show for models that can be taken
apart.
"""

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, dataclass, fields, make_dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from lab.experiments.events import Cost, Event, Progress, Result
from lab.experiments.making import answering, is_finished
from lab.experiments.views import floor_of, paired, split_controls
from lab.runs.environment import environment
from lab.runs.recipe import Recipe
from lab.runs.store import Row, Store
from lab.stats.comparisons import accuracy_table, compare_layouts, pairwise
from lab.stats.flips import flip_matrix
from lab.stats.verdict import comparison_sentence, sweep_sentence
from lab.worlds import shelf
from lab.worlds.growth import Growth
from lab.worlds.settings import Settings
from lab.worlds.shelf import Kept
from lab.worlds.world import World

if TYPE_CHECKING:
    from lab.worlds.core.learner import Learner

BATCH = 64
N_AGAIN = 200  # queries of the first layout that are asked once more, one at a time: the false-flip floor
SECONDS_A_STEP = 0.02  # of one core, for the price before a run
_DRAWN_BY = 9_000_000  # added to the seed that draws queries, apart from those of training


class Grown(NamedTuple):
    """What an entry of the registry needs for a world; made by `grown`."""

    params: type
    run: Callable[[Any, Store], Iterator[Event]]
    cost: Callable[[Any], Cost]
    read: Callable[[Any, Store], Result]
    summarise: Callable[[pd.DataFrame, Any, str], Result]


def grown(experiment_id: str, world: type, settings: type[Settings]) -> Grown:
    """Make the parts of an experiment out of a world.

    Args:
        experiment_id: The id of its entry in the registry.
        world: A class that is a `World`.
        settings: The class of its settings, which become parameters of the experiment.
    """

    def run(params: Any, store: Store) -> Iterator[Event]:
        """Train the learner and ask it, or go on asking; a finished run is read without training."""
        recipe = Recipe(experiment_id, asdict(params))
        if not is_finished(store, recipe.id):
            yield cost(params)
            here = world_of(world, settings, params)
            store.begin(recipe, _record(here))
            kept = shelf.find(recipe.id)
            if kept is None:
                kept = yield from _trained(here, params.seed)
                shelf.keep(recipe.id, kept)
            yield from answering([_Sweep(here, kept.learner, params)], store, recipe.id)
            store.finish(recipe.id, read(params, store).summary)
        yield read(params, store)

    def cost(params: Any) -> Cost:
        """Price a run: nearly all of it is training."""
        n = params.n_queries * len(params.layouts) + min(params.n_queries, N_AGAIN)
        return Cost(n, 0, 0, params.n_steps * SECONDS_A_STEP, 100_000_000, unit="questions")

    def read(params: Any, store: Store) -> Result:
        """Turn the stored predictions of a run, finished or not, into its result."""
        run_id = Recipe(experiment_id, asdict(params)).id
        return summarise(store.predictions(run_id), params, run_id)

    def summarise(predictions: pd.DataFrame, params: Any, run_id: str) -> Result:
        """Compare the layouts of a predictions table."""
        return _summary(experiment_id, predictions, params, run_id)

    return Grown(params_of(world, settings), run, cost, read, summarise)


def params_of(world: type, settings: type[Settings]) -> type:
    """Return the parameters of a run in a world: its settings, and what is asked of the learner.

    They raise ValueError as settings do, and for a number of queries, layouts or questions that there is not.
    """

    def __post_init__(self: Any) -> None:
        settings.__post_init__(self)
        if not 1 <= self.n_queries <= 5000:
            raise ValueError(f"n_queries must be 1 to 5000, got {self.n_queries}")
        if self.questions not in world.questions:  # type: ignore[attr-defined]
            known = ", ".join(world.questions)  # type: ignore[attr-defined]
            raise ValueError(f"questions must be one of {known}, got {self.questions!r}")
        known = world.layouts  # type: ignore[attr-defined]
        if not self.layouts or set(self.layouts) - set(known) or len(set(self.layouts)) < len(self.layouts):
            raise ValueError(f"layouts must be different ones of {', '.join(known)}")
        if self.seed < 0:
            raise ValueError(f"seed must be 0 or more, got {self.seed}")

    return make_dataclass(
        f"{world.__name__}Params",
        [
            ("questions", str, next(iter(world.questions))),  # type: ignore[attr-defined]
            ("layouts", tuple[str, ...], tuple(world.layouts)),  # type: ignore[attr-defined]
            ("n_queries", int, 200),
            ("seed", int, 0),
        ],
        bases=(settings,),
        frozen=True,
        namespace={
            "__post_init__": __post_init__,
            "reference": property(lambda self: self.layouts[0], doc="The layout compared with."),
            "__doc__": "Parameters of a run; see `params_of`.",
        },
    )


def world_of(world: type, settings: type[Settings], params: Any) -> World:
    """Return the world that the parameters of a run describe."""
    chosen = {field.name: getattr(params, field.name) for field in fields(settings)}  # type: ignore[arg-type]
    return world(settings(**chosen), params.seed)


def _trained(world: World, seed: int) -> Generator[Event, None, Kept]:
    """Train a learner, telling of it; return it."""
    growth, history = Growth(world, seed), []
    for moment in growth.moments():
        history.append(moment)
        left = moment.seconds / moment.step * (moment.n_steps - moment.step) if moment.step else None
        yield Progress(moment.step, moment.n_steps, moment.seconds, left, "training the learner", "steps")
        yield moment
    growth.learner.eval()
    return Kept(world, growth.learner, growth.snapshots, history)


def _record(world: World) -> dict[str, Any]:
    model = {"id": world.id, "revision": f"seed {world.seed}", "device": "cpu", "dtype": "float32"}
    return {**environment(), "model": model}


@dataclass(frozen=True)
class _Batch:
    """Queries under one layout, from `start` on."""

    index: int
    layout: str
    start: int
    size: int
    is_again: bool


class _Sweep:
    """Every query under every layout."""

    def __init__(self, world: World, learner: "Learner", params: Any) -> None:
        self.world, self.learner, self.params = world, learner, params

    @cached_property
    def batches(self) -> list[_Batch]:
        """A few queries under every layout before the next ones, so that a stopped run is paired."""
        n = self.params.n_queries
        planned = [
            (layout, start, min(BATCH, n - start), False)
            for start in range(0, n, BATCH)
            for layout in self.params.layouts
        ]
        planned += [(self.params.layouts[0], place, 1, True) for place in range(min(n, N_AGAIN))]
        return [_Batch(index, *each) for index, each in enumerate(planned)]

    @cached_property
    def _queries(self) -> Any:
        import torch

        generator = torch.Generator().manual_seed(_DRAWN_BY + self.params.seed)
        return self.world.sample(self.params.n_queries, generator, self.params.questions)

    def evaluate(self, batch: _Batch) -> list[Row]:
        """Ask the queries of a batch."""
        import torch

        part = slice(batch.start, batch.start + batch.size)
        asked = self.world.arranged(
            type(self._queries)(*(each[part] for each in self._queries)), batch.layout
        )
        started = time.perf_counter()
        with torch.no_grad():
            replies = self.world.reply(self.learner, asked)
        seconds = (time.perf_counter() - started) / batch.size
        layout = batch.layout + "+again" * batch.is_again
        return [
            Row(
                query_id=f"query {batch.start + place + 1}",
                layout=layout,
                prediction=prediction,
                gold=gold,
                correct=float(prediction == gold),
                margin=_margin(logp),
                logp=logp,
                n_tokens=0,
                seconds=seconds,
                prompt=prompt,
                candidates=tuple(logp),
            )
            for place, (prediction, gold, logp, prompt) in enumerate(
                zip(*replies, self.world.written(asked), strict=True)
            )
        ]


def _margin(logp: dict[str, float]) -> float:
    """Return how far the best word is before the second; NaN where there are no words."""
    if len(logp) < 2:
        return float("nan")
    *_, second, best = sorted(logp.values())
    return best - second


def _summary(experiment_id: str, predictions: pd.DataFrame, params: Any, run_id: str) -> Result:
    from lab.experiments.drawing import panels_figures

    asked = paired(split_controls(predictions)[0], params.layouts)
    if asked.empty:
        return Result(run_id, predictions, {}, {}, "Nothing is asked under every layout yet.", {})
    reference = params.reference
    comparisons = compare_layouts(asked, reference, params.seed)
    accuracies = accuracy_table(asked, reference, params.seed)
    floor = floor_of(asked, split_controls(predictions)[1])
    by_layout = dict(zip(accuracies["layout"], accuracies["metric"], strict=True))
    n = int(asked["query_id"].nunique())
    verdict = f"The learner answers {by_layout[reference]:.0%} of {n} queries right under {reference}."
    if comparisons:
        verdict += f" {sweep_sentence(comparisons, floor)}"
    summary = {
        "experiment": experiment_id,
        "n_predictions": len(predictions),
        "n_queries": n,
        "reference": reference,
        "accuracy": by_layout,
        "comparisons": [{**asdict(each), "sentence": comparison_sentence(each)} for each in comparisons],
        "floor": asdict(floor) if floor else None,
        "verdict": verdict,
    }
    tables = {
        "accuracy": accuracies,
        "comparisons": pd.DataFrame([asdict(each) for each in comparisons]),
        "pairs": pairwise(asked, params.seed),
        "flips": flip_matrix(asked, reference),
    }
    return Result(
        run_id, predictions, tables, panels_figures(accuracies, comparisons, floor), verdict, summary
    )
