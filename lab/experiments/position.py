"""Where do the demonstrations go? Move the same block of demonstrations through the slots of a chat prompt.

The protocol of Cobbina & Zhou 2025 (arXiv:2507.22887) for one model and one task: accuracy change against
zero-shot, prediction change against a reference, and what the paper leaves out: paired tests a query, and a
false-flip floor.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import pandas as pd

from lab.experiments.events import Cost, Event, Result
from lab.experiments.making import answering, is_finished
from lab.experiments.prompt_sweep import PromptSweep, grid, record
from lab.experiments.setting import PromptSetting, parse_layouts, sample_queries
from lab.experiments.views import content_free_queries, floor_of, paired, split_controls
from lab.runs.recipe import Recipe
from lab.runs.store import Store
from lab.stats.comparisons import accuracy_table, cochran_q, compare_layouts, is_graded, pairwise
from lab.stats.flips import flip_matrix, transitions
from lab.stats.power import minimum_detectable_difference
from lab.stats.verdict import comparison_sentence, sweep_sentence
from lab.tasks import load_task

N_FLOOR_QUERIES = 32  # queries asked once more through other batches
LIKELY_DISCORDANCE = 0.2  # share of queries right under exactly one of two layouts, before anything is known


@dataclass(frozen=True)
class PositionParams(PromptSetting):
    """Parameters of the position experiment, besides those of every experiment on prompts.

    Args:
        layouts: Which layouts are compared, by id: none, ssp, esp, sum, eum, turns, eum+restated, ...
        reference: The layout that prediction change is counted against; it must be one of the layouts.
        measures_floor: Ask some queries again through other batches, to see how many flip for no reason.
        scores_content_free: Score inputs without content too, for contextual calibration.
    """

    layouts: tuple[str, ...] = ("none", "ssp", "esp", "sum", "eum")
    reference: str = "sum"
    measures_floor: bool = True
    scores_content_free: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if any(layout.control == "again" for layout in parse_layouts(self.layouts)):
            raise ValueError(
                "layouts must not hold +again: set measures_floor=true to ask the same prompts again"
            )
        if self.reference not in self.layouts:
            raise ValueError(f"reference must be one of {', '.join(self.layouts)}, got {self.reference!r}")


def prepare(params: PositionParams) -> PromptSweep:
    """Load task and model and render every prompt; nothing is asked yet."""
    from lab.learners.load import load

    task = load_task(params.task)
    queries = sample_queries(task, params.n_queries, params.seed)
    layouts = parse_layouts(params.layouts)
    cells = grid(queries, layouts)
    if params.scores_content_free and task.metric == "label" and params.scoring == "likelihood":
        cells += grid(content_free_queries(), layouts)
    plain = [layout for layout in layouts if not layout.control]
    if params.measures_floor and plain:
        chosen = next((layout for layout in plain if layout.id == params.reference), plain[0])
        cells += grid(queries[:N_FLOOR_QUERIES], [replace(chosen, control="again")])
    return PromptSweep(load(params.model, params.device, params.dtype), task, params, cells)


def cost(params: PositionParams) -> Cost:
    """Price a run, and say the smallest difference that it can show."""
    return _price(prepare(params), params)


def _price(sweep: PromptSweep, params: PositionParams) -> Cost:
    n = min(params.n_queries, len(sweep.task.queries))
    points = 100 * minimum_detectable_difference(n, LIKELY_DISCORDANCE)
    note = (
        f"With {n} queries you will see differences of about {points:.0f} points or more "
        f"(80 % power, if {100 * LIKELY_DISCORDANCE:.0f} % of the queries are right under one layout only)."
    )
    price = sweep.cost()
    return replace(price, notes=(note, *price.notes))


def run(params: PositionParams, store: Store) -> Iterator[Event]:
    """Make the run, or go on with it; a finished run is read without loading a model."""
    run_id = Recipe("position", asdict(params)).id
    if not is_finished(store, run_id):
        sweep = prepare(params)
        store.begin(Recipe("position", asdict(params)), record(sweep.lm))
        price = _price(sweep, params)
        yield price
        yield from answering([sweep], store, run_id)
        result = read(params, store, price)
        store.finish(run_id, result.summary)
    yield read(params, store)


def read(params: PositionParams, store: Store, price: Cost | None = None) -> Result:
    """Turn the stored predictions of a run, finished or not, into its result."""
    run_id = Recipe("position", asdict(params)).id
    predictions = store.predictions(run_id)
    summary = dict(store.summary(run_id) or {})
    if price is not None:
        summary["n_tokens"] = price.n_tokens
        summary["n_tokens_saved"] = price.n_tokens_unshared - price.n_tokens
        summary["notes"] = list(price.notes)
    return summarise(predictions, params, run_id, summary)


def summarise(
    predictions: pd.DataFrame, params: PositionParams, run_id: str, summary: dict | None = None
) -> Result:
    """Compare the layouts of a predictions table: a pure function, used again after calibration."""
    from lab.experiments.drawing import position_figures

    asked, again, _ = split_controls(predictions)
    asked = paired(asked, params.layouts)
    if asked.empty:
        return Result(run_id, predictions, {}, {}, "No query is answered under every layout yet.", {})
    comparisons = compare_layouts(asked, params.reference, params.seed) if len(params.layouts) > 1 else []
    floor = floor_of(asked, again)
    accuracies = accuracy_table(asked, "none", params.seed)
    tables = {
        "accuracy": accuracies,
        "comparisons": pd.DataFrame([asdict(each) for each in comparisons]),
        "pairs": pairwise(asked, params.seed) if len(params.layouts) > 1 else pd.DataFrame(),
        "flips": flip_matrix(asked, params.reference),
        "transitions": _all_transitions(asked, params),
    }
    verdict = sweep_sentence(comparisons, floor)
    summary = {
        **(summary or {}),
        "experiment": "position",
        "task": params.task,
        "model": params.model,
        "n_queries": int(asked["query_id"].nunique()),
        "n_predictions": len(predictions),
        "reference": params.reference,
        "accuracy": dict(zip(accuracies["layout"], accuracies["metric"], strict=True)),
        "comparisons": [{**asdict(each), "sentence": comparison_sentence(each)} for each in comparisons],
        "cochran_q": _cochran(asked),
        "floor": asdict(floor) if floor else None,
        "verdict": verdict,
    }
    figures = position_figures(asked, accuracies, comparisons, params.reference, floor)
    return Result(run_id, predictions, tables, figures, verdict, summary)


def _all_transitions(asked: pd.DataFrame, params: PositionParams) -> pd.DataFrame:
    others = [layout for layout in params.layouts if layout != params.reference]
    tables = [transitions(asked, params.reference, layout).assign(layout=layout) for layout in others]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _cochran(asked: pd.DataFrame) -> dict | None:
    if is_graded(asked) or asked["layout"].nunique() < 2:
        return None
    return cochran_q(asked)._asdict()
