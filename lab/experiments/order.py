"""Does the order of the demonstrations matter? Ask every query under many permutations of the same ones.

Order sensitivity and the entropy probes are those of Lu et al. 2022 (arXiv:2104.08786); that the best of many
orders looks good by chance alone is shown by the line of Yauney & Mimno 2024 (arXiv:2404.13020), and tested
by asking new queries under the chosen order.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import permutations

import numpy as np
import pandas as pd

from lab.experiments.events import Cost, Event, Result
from lab.experiments.making import answering, is_finished
from lab.experiments.prompt_sweep import PromptSweep, grid, record
from lab.experiments.setting import PromptSetting, sample_queries
from lab.experiments.views import content_free_queries, paired, split_controls
from lab.prompts.layout import SLOTS, Layout, order_words
from lab.runs.recipe import Recipe
from lab.runs.store import Store
from lab.stats.calibration import scores_of
from lab.stats.comparisons import accuracy_table, compare_layouts
from lab.stats.orders import (
    common_token_prior,
    entropy_correlations,
    expected_best_of_chance,
    influence,
    majority_index,
    order_table,
    recency_index,
)
from lab.stats.verdict import comparison_sentence
from lab.tasks import load_task
from lab.tasks.selection import NEEDS_QUERY

MAX_ORDERS = 120
HELD_OUT_FIRST_BATCH = 1_000_000


@dataclass(frozen=True)
class OrderParams(PromptSetting):
    """Parameters of the order experiment, besides those of every experiment on prompts.

    Args:
        n_queries: Queries asked under every order.
        n_demos: Up to 4 demonstrations all their orders can be tried.
        slot: Where the demonstrations stand.
        n_orders: How many orders; all of them where there are no more, else a sample that holds the first.
        n_held_out: New queries asked under the best order and the first; 0 skips that.
        scores_content_free: Score inputs without content too: for calibration and the common-token bias.
    """

    n_queries: int = 48
    n_demos: int = 4
    slot: str = "sum"
    n_orders: int = 24
    n_held_out: int = 48
    scores_content_free: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.slot not in SLOTS or self.slot == "none":
            raise ValueError(f"slot must be one of {', '.join(SLOTS[1:])}, got {self.slot!r}")
        if not 2 <= self.n_orders <= MAX_ORDERS:
            raise ValueError(f"n_orders must be 2..{MAX_ORDERS}, got {self.n_orders}")
        if self.n_demos < 2:
            raise ValueError(f"n_demos must be at least 2 to be reordered, got {self.n_demos}")
        if self.n_held_out < 0:
            raise ValueError(f"n_held_out must be 0 or more, got {self.n_held_out}")
        if self.selection in NEEDS_QUERY:
            raise ValueError(
                f"{self.selection} shows each query other demonstrations: choose random or balanced"
            )


def sample_orders(n_demos: int, n_orders: int, seed: int) -> list[tuple[int, ...]]:
    """Return distinct permutations of range(n_demos), the identity first: all of them if n_orders allows."""
    first = tuple(range(n_demos))
    if math.factorial(n_demos) <= n_orders:
        return list(permutations(first))
    rng = random.Random(seed)
    chosen = {first: None}
    while len(chosen) < n_orders:
        chosen[tuple(rng.sample(first, n_demos))] = None
    return list(chosen)


def layouts_of(params: OrderParams) -> list[Layout]:
    """Return one layout an order."""
    orders = sample_orders(params.n_demos, params.n_orders, params.seed)
    return [Layout(params.slot, order=order) for order in orders]  # type: ignore[arg-type]  # checked above


def prepare(params: OrderParams) -> PromptSweep:
    """Load task and model and render every prompt of the first stage; nothing is asked yet."""
    from lab.learners.load import load

    task = load_task(params.task)
    queries = sample_queries(task, params.n_queries, params.seed)
    cells = grid(queries, [Layout("none"), *layouts_of(params)])
    if params.scores_content_free and task.metric == "label" and params.scoring == "likelihood":
        cells += grid(content_free_queries(), layouts_of(params))
    return PromptSweep(load(params.model, params.device, params.dtype), task, params, cells)


def cost(params: OrderParams) -> Cost:
    """Price the first stage of a run."""
    return prepare(params).cost()


def run(params: OrderParams, store: Store) -> Iterator[Event]:
    """Make the run, or go on with it: all orders first, then new queries under the best one and the first."""
    recipe = Recipe("order", asdict(params))
    if not is_finished(store, recipe.id):
        sweep = prepare(params)
        store.begin(recipe, record(sweep.lm))
        price = sweep.cost()
        yield price
        yield from answering([sweep], store, recipe.id, "every order")
        held_out = _held_out(params, sweep, store.predictions(recipe.id))
        if held_out is not None:
            yield from answering([held_out], store, recipe.id, "new queries under the best order")
        result = read(params, store)
        saved = {"n_tokens": price.n_tokens, "n_tokens_saved": price.n_tokens_unshared - price.n_tokens}
        store.finish(recipe.id, {**result.summary, **saved})
    yield read(params, store)


def _held_out(params: OrderParams, first: PromptSweep, predictions: pd.DataFrame) -> PromptSweep | None:
    queries = sample_queries(first.task, params.n_queries + params.n_held_out, params.seed)[
        params.n_queries :
    ]
    if not queries:
        return None
    given, best = layouts_of(params)[0], Layout.parse(best_order(_first_stage(predictions, params)))
    if best == given:
        return None
    cells = grid(queries, [given, best])
    return PromptSweep(first.lm, first.task, params, cells, first_batch=HELD_OUT_FIRST_BATCH)


def _first_stage(predictions: pd.DataFrame, params: OrderParams) -> pd.DataFrame:
    asked, _, _ = split_controls(predictions)
    return paired(asked, ["none", *(layout.id for layout in layouts_of(params))])


def best_order(asked: pd.DataFrame) -> str:
    """Return the layout with the highest accuracy, the first of several; the zero-shot prompt is none."""
    ordered = asked[asked["layout"] != "none"]
    return ordered.groupby("layout", sort=False)["correct"].mean().idxmax()


def read(params: OrderParams, store: Store) -> Result:
    """Turn the stored predictions of a run, finished or not, into its result."""
    run_id = Recipe("order", asdict(params)).id
    summary = dict(store.summary(run_id) or {})
    return summarise(store.predictions(run_id), params, run_id, summary)


def summarise(
    predictions: pd.DataFrame, params: OrderParams, run_id: str, summary: dict | None = None
) -> Result:
    """Compare the orders of a predictions table: a pure function, used again after calibration."""
    from lab.experiments.drawing import order_figures

    asked = _first_stage(predictions, params)
    if asked.empty:
        return Result(run_id, predictions, {}, {}, "No query is answered under every order yet.", {})
    ordered = asked[asked["layout"] != "none"]
    labelled = any(column.startswith("logp_") for column in predictions)
    tables = {"accuracy": accuracy_table(asked, "none", params.seed), "orders": _orders(ordered, labelled)}
    chance = _best_of_chance(ordered, labelled)
    facts: dict[str, object] = {"best_of_chance": chance}
    if labelled:
        tables["entropy"] = entropy_correlations(tables["orders"])
        labels = _labels_by_place(params)
        tables["influence"] = influence(ordered, labels, params.seed)
        facts["recency_index"] = recency_index(ordered, labels, params.seed)._asdict()
        facts["majority_index"] = majority_index(ordered, labels)._asdict()
        facts["common_token_prior"] = _prior(predictions)
    held_out = _held_out_comparison(predictions, params, best_order(asked))
    accuracies = tables["orders"]["accuracy"]
    zero_shot = float(asked.loc[asked["layout"] == "none", "correct"].mean())
    verdict = _verdict(params, accuracies, chance, held_out, int(ordered["query_id"].nunique()))
    summary = {
        **(summary or {}),
        "experiment": "order",
        "task": params.task,
        "model": params.model,
        "slot": params.slot,
        "n_queries": int(ordered["query_id"].nunique()),
        "n_orders": len(accuracies),
        "accuracy_low": float(accuracies.min()),
        "accuracy_high": float(accuracies.max()),
        "accuracy_zero_shot": zero_shot,
        "best_order": best_order(asked),
        "held_out": held_out,
        **facts,
        "verdict": verdict,
    }
    figures = order_figures(tables, params.slot, chance, zero_shot, held_out)
    return Result(run_id, predictions, tables, figures, verdict, summary)


def _orders(ordered: pd.DataFrame, labelled: bool) -> pd.DataFrame:
    if labelled:
        return order_table(ordered)
    means = ordered.groupby("layout", sort=False)["correct"].mean().rename("accuracy").reset_index()
    means.insert(1, "order", [layout.partition("@")[2] for layout in means["layout"]])
    return means


def _best_of_chance(ordered: pd.DataFrame, labelled: bool) -> float | None:
    """Expected best accuracy if every order guessed labels at random."""
    if not labelled:
        return None
    n_labels = sum(column.startswith("logp_") for column in ordered)
    return expected_best_of_chance(ordered["query_id"].nunique(), 1 / n_labels, ordered["layout"].nunique())


def _labels_by_place(params: OrderParams) -> dict[str, list[str]]:
    from lab.experiments.setting import BY_HAND, demos_by_hand
    from lab.tasks.selection import draws

    task = load_task(params.task)
    if params.selection == BY_HAND:
        demos = demos_by_hand(task, params.demos)
    else:
        (demos,) = draws(task, params.n_demos, 1, params.seed, params.selection)
    return {layout.id: [demos[place].output for place in layout.order or ()] for layout in layouts_of(params)}


def _prior(predictions: pd.DataFrame) -> dict[str, float] | None:
    _, _, content_free = split_controls(predictions)
    if content_free.empty:
        return None
    labels = [column.removeprefix("logp_") for column in content_free if column.startswith("logp_")]
    return dict(zip(labels, np.asarray(common_token_prior(scores_of(content_free))).tolist(), strict=True))


def _held_out_comparison(predictions: pd.DataFrame, params: OrderParams, best: str) -> dict | None:
    task = load_task(params.task)
    new = {
        q.id
        for q in sample_queries(task, params.n_queries + params.n_held_out, params.seed)[params.n_queries :]
    }
    first = layouts_of(params)[0].id
    asked = paired(predictions[predictions["query_id"].isin(new)], [first, best])
    if asked.empty or best == first:
        return None
    (comparison,) = compare_layouts(asked, first, params.seed)
    sentence = comparison_sentence(comparison)
    for layout in (first, best):
        sentence = sentence.replace(layout, f"order {order_words(layout)}")
    return {**asdict(comparison), "sentence": sentence}


def _verdict(
    params: OrderParams, accuracies: pd.Series, chance: float | None, held_out: dict | None, n: int
) -> str:
    low, high = 100 * accuracies.min(), 100 * accuracies.max()
    text = (
        f"Reordering the same {params.n_demos} demonstrations moves accuracy between {low:.0f} % and "
        f"{high:.0f} % ({len(accuracies)} orders, {n} queries)."
    )
    if chance is not None:
        text += f" The best of {len(accuracies)} coin-flipping orders would reach {100 * chance:.0f} %."
    if held_out is not None:
        text += f" On {held_out['n']} new queries: {held_out['sentence']}"
    return text
