"""A tiny experiment through the real interface: its learner adds two digits, wrongly in one layout.

Run as a script it is `python -m lab` with this one experiment. Each evaluated batch is logged to the file
ADDING_LOG; ADDING_SLEEP_S slows each batch; ADDING_BREAKS names an error to raise at batch 3.
"""

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from lab.__main__ import main
from lab.experiments.events import Cost, Event, Partial, Progress, Result
from lab.experiments.registry import CheckResult, Experiment
from lab.runs.store import Row, Store
from lab.runs.sweep import sweep

LAYOUTS = ("none", "sum", "eum")
N_BATCHES = 10


@dataclass(frozen=True)
class Params:
    n_queries: int = 20
    noise: float = 0.0
    task: str = "digits"
    is_quiet: bool = False
    layouts: tuple[str, ...] = LAYOUTS

    def __post_init__(self) -> None:
        if not 1 <= self.n_queries <= 1000:
            raise ValueError(f"n_queries must be 1..1000, got {self.n_queries}")


@dataclass(frozen=True)
class Batch:
    index: int
    cells: tuple[tuple[str, int], ...]

    @property
    def size(self) -> int:
        return len(self.cells)


def batches(params: Params) -> list[Batch]:
    cells = [(layout, query) for layout in params.layouts for query in range(params.n_queries)]
    size = -(-len(cells) // N_BATCHES)
    return [Batch(at // size, tuple(cells[at : at + size])) for at in range(0, len(cells), size)]


def answer(layout: str, query: int) -> Row:
    gold = query % 10 + query // 10
    said = gold + (layout == "eum" and query % 3 == 0)
    return Row(
        query_id=f"q{query:03d}",
        layout=layout,
        prediction=str(said),
        gold=str(gold),
        correct=float(said == gold),
        margin=1 / (query + 3),
        logp={"even": -0.1 * query, "odd": -1 / (query + 7)},
        n_tokens=10 + query,
        seconds=0.0,
        prompt=f"[{layout}] {query % 10} + {query // 10} =",
        candidates=(" even", " odd"),
    )


def evaluate(batch: Batch) -> list[Row]:
    time.sleep(float(os.environ.get("ADDING_SLEEP_S", "0")))
    if batch.index == 3 and "ADDING_BREAKS" in os.environ:
        raise {"key": KeyError, "value": ValueError, "interrupt": KeyboardInterrupt}[
            os.environ["ADDING_BREAKS"]
        ]("sum")
    if "ADDING_LOG" in os.environ:
        with open(os.environ["ADDING_LOG"], "a") as log:
            log.write(f"{batch.index}\n")
    return [answer(layout, query) for layout, query in batch.cells]


def cost(params: Params) -> Cost:
    return Cost(sum(batch.size for batch in batches(params)), 1000, 2000, 1.0, 2**20, ("a note",))


def run(params: Params, store: Store) -> Iterator[Event]:
    run_id = store.begin(ADDING.recipe(params), {"machine": "test"})
    yield cost(params)
    for step in sweep(store, run_id, batches(params), evaluate):
        yield Progress(step.done, step.total, step.elapsed_s, step.eta_s)
    yield Partial(store.predictions(run_id))
    result = read(params, store)
    store.finish(run_id, result.summary)
    yield result


def read(params: Params, store: Store) -> Result:
    run_id = ADDING.recipe(params).id
    return summarise(store.predictions(run_id), params, run_id)


def summarise(table: pd.DataFrame, params: Params, run_id: str) -> Result:
    import plotly.graph_objects as go

    accuracy = table.groupby("layout")["correct"].mean().to_dict()
    worst = min(accuracy, key=accuracy.get)
    verdict = f"{worst} is worse."
    summary = {"n": len(table), "accuracy": accuracy, "worst": worst, "verdict": verdict}
    figure = go.Figure(go.Bar(x=list(accuracy), y=list(accuracy.values())))
    return Result(run_id, table, {"accuracy": table}, {"Accuracy by layout": figure}, verdict, summary)


def check(is_quick: bool, store: Store) -> CheckResult:
    found = os.environ.get("ADDING_HOLDS", "True")
    holds = {"True": True, "False": False, "None": None}[found]
    claim = {"claim": "eum is worse", "measured": "0.65 against 1.00, n = 20", "verdict": found}
    return CheckResult("demo-position", holds, [claim])


ADDING = Experiment(
    id="adding",
    title="Adding",
    question="Does the slot change a sum?",
    paper="demo-position",
    source="a made-up experiment",
    params=Params,
    run=run,
    cost=cost,
    read=read,
    summarise=summarise,
    check=check,
    example={"n_queries": 4},
    docs="docs/papers/demo-position.md",
)

if __name__ == "__main__":
    sys.exit(main(experiments=lambda: (ADDING,)))
