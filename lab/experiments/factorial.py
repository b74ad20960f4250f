"""What moves the accuracy most: the slot, the order, or which demonstrations are shown? A full factorial run.

Order and selection after Li et al. 2025 (arXiv:2511.09700), with the slot as a third factor.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import pandas as pd

from lab.experiments.events import Cost, Event, Result
from lab.experiments.making import answering, is_finished
from lab.experiments.order import sample_orders
from lab.experiments.prompt_sweep import PromptSweep, grid, record
from lab.experiments.setting import BY_HAND, PromptSetting, sample_queries
from lab.experiments.views import paired
from lab.prompts.layout import SLOTS, Layout
from lab.runs.recipe import Recipe
from lab.runs.store import Store
from lab.stats.variance import RESIDUAL, decompose, sigma_order, sigma_select
from lab.tasks import load_task
from lab.tasks.selection import NEEDS_QUERY

MAX_LAYOUTS = 240


@dataclass(frozen=True)
class FactorialParams(PromptSetting):
    """Parameters of the factorial experiment, besides those of every experiment on prompts.

    Args:
        slots: Which slots are crossed.
        n_orders: How many orders, the same permutations for every set.
        n_sets: How many sets of demonstrations are drawn.
    """

    n_queries: int = 32
    n_demos: int = 4
    slots: tuple[str, ...] = ("ssp", "sum", "eum")
    n_orders: int = 3
    n_sets: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        wrong = [slot for slot in self.slots if slot not in SLOTS or slot == "none"]
        if wrong or len(set(self.slots)) < max(2, len(self.slots)):
            raise ValueError(
                f"slots must be two or more of {', '.join(SLOTS[1:])}, got {', '.join(self.slots)}"
            )
        for name in ("n_demos", "n_orders", "n_sets"):
            if getattr(self, name) < 2:
                raise ValueError(f"{name} must be at least 2 to vary, got {getattr(self, name)}")
        n_layouts = len(self.slots) * self.n_orders * self.n_sets
        if n_layouts > MAX_LAYOUTS:
            raise ValueError(f"slots × n_orders × n_sets must be at most {MAX_LAYOUTS}, got {n_layouts}")
        if self.selection in (*NEEDS_QUERY, BY_HAND):
            raise ValueError(f"sets are drawn at random: choose random or balanced, got {self.selection!r}")


def layouts_of(params: FactorialParams) -> list[Layout]:
    """Return one layout a combination of slot, set and order."""
    orders = sample_orders(params.n_demos, params.n_orders, params.seed)[: params.n_orders]
    return [
        Layout(slot, draw=draw, order=order)  # type: ignore[arg-type]  # checked in the parameters
        for slot in params.slots
        for draw in range(params.n_sets)
        for order in orders
    ]


def prepare(params: FactorialParams) -> PromptSweep:
    """Load task and model and render every prompt; nothing is asked yet."""
    from lab.learners.load import load

    task = load_task(params.task)
    queries = sample_queries(task, params.n_queries, params.seed)
    lm = load(params.model, params.device, params.dtype)
    return PromptSweep(lm, task, params, grid(queries, layouts_of(params)), params.n_sets)


def cost(params: FactorialParams) -> Cost:
    """Price a run."""
    return prepare(params).cost()


def run(params: FactorialParams, store: Store) -> Iterator[Event]:
    """Make the run, or go on with it."""
    recipe = Recipe("factorial", asdict(params))
    if not is_finished(store, recipe.id):
        sweep = prepare(params)
        store.begin(recipe, record(sweep.lm))
        yield sweep.cost()
        yield from answering([sweep], store, recipe.id)
        store.finish(recipe.id, read(params, store).summary)
    yield read(params, store)


def read(params: FactorialParams, store: Store) -> Result:
    """Turn the stored predictions of a run, finished or not, into its result."""
    run_id = Recipe("factorial", asdict(params)).id
    return summarise(store.predictions(run_id), params, run_id, store.summary(run_id))


def summarise(
    predictions: pd.DataFrame, params: FactorialParams, run_id: str, summary: dict | None = None
) -> Result:
    """Split the variance of a predictions table over its factors."""
    from lab.experiments.drawing import factorial_figures

    asked = paired(predictions, [layout.id for layout in layouts_of(params)])
    if asked.empty:
        return Result(run_id, predictions, {}, {}, "No query is answered under every layout yet.", {})
    layouts = {text: Layout.parse(text) for text in asked["layout"].unique()}
    long = asked.assign(
        slot=[layouts[text].slot for text in asked["layout"]],
        order=[str(layouts[text].order) for text in asked["layout"]],
        demo_set=[layouts[text].draw for text in asked["layout"]],
    )
    factors = ["slot", "order", "demo_set"]
    accuracy = long.groupby(factors, sort=False)["correct"].mean().rename("accuracy").reset_index()
    tables = {
        "variance": decompose(accuracy, factors, "accuracy"),
        "variance_with_queries": decompose(long, [*factors, "query_id"], "correct"),
        "accuracy": accuracy,
    }
    spread = {"sigma_order": sigma_order(accuracy), "sigma_select": sigma_select(accuracy)}
    verdict = _verdict(tables["variance"], spread, params)
    summary = {
        **(summary or {}),
        "experiment": "factorial",
        "task": params.task,
        "model": params.model,
        "n_queries": int(asked["query_id"].nunique()),
        "n_layouts": len(layouts),
        "shares": dict(zip(tables["variance"]["factor"], tables["variance"]["eta2"], strict=True)),
        **spread,
        "verdict": verdict,
    }
    return Result(run_id, predictions, tables, factorial_figures(tables), verdict, summary)


def _verdict(variance: pd.DataFrame, spread: dict[str, float], params: FactorialParams) -> str:
    shares = variance[variance["factor"] != RESIDUAL].sort_values("eta2", ascending=False)
    if shares["eta2"].isna().all():
        return "Every layout has the same accuracy: there is no variance to explain."
    n_orders = len(sample_orders(params.n_demos, params.n_orders, params.seed))
    names = {"demo_set": "demonstration set"}
    listed = ", ".join(
        f"{' with '.join(names.get(part, part) for part in factor.split(' × '))} {100 * share:.0f} %"
        for factor, share in zip(shares["factor"], shares["eta2"], strict=True)
    )
    return (
        f"Of the variance in accuracy over {len(params.slots)} slots, {n_orders} orders and {params.n_sets} "
        f"demonstration sets: {listed}. Reordering moves accuracy by "
        f"{100 * spread['sigma_order']:.1f} points (standard deviation), "
        f"another set by {100 * spread['sigma_select']:.1f}."
    )
