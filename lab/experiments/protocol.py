"""Do the claims of the DPP paper hold for this model? The whole protocol over several tasks, claim by claim.

Cobbina & Zhou 2025 (arXiv:2507.22887) test over models; here each claim is tested over the queries of one
model, with paired tests. A reimplementation from the paper's description, not a reproduction of its figures.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import pandas as pd

from lab.experiments.claims import Claim, dpp_claims
from lab.experiments.events import Cost, Event, Result
from lab.experiments.making import answering, is_finished
from lab.experiments.prompt_sweep import PromptSweep, grid, record
from lab.experiments.setting import BY_HAND, PromptSetting, named_by_content, parse_layouts, sample_queries
from lab.experiments.views import paired
from lab.runs.recipe import Recipe
from lab.runs.store import Store
from lab.stats.comparisons import accuracy_table
from lab.tasks import load_task

LAYOUTS = ("none", "ssp", "esp", "sum", "eum")
BATCHES_A_TASK = 100_000


@dataclass(frozen=True)
class ProtocolParams(PromptSetting):
    """Parameters of the whole protocol, besides those of every experiment on prompts.

    Args:
        task: Not used; `tasks` says what is asked.
        tasks: One task or more of each family that the claims are tested on.
    """

    n_queries: int = 40
    tasks: tuple[str, ...] = (
        "topic",
        "question_type",
        "capitals",
        "passage_questions",
        "news_summary",
        "arithmetic",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "tasks", tuple(named_by_content(task) for task in self.tasks))
        if not self.tasks or len(set(self.tasks)) < len(self.tasks):
            raise ValueError(
                f"tasks must be one or more different tasks, got {', '.join(self.tasks) or 'none'}"
            )
        if self.selection == BY_HAND:
            raise ValueError("several tasks cannot share demonstrations by hand: choose random or balanced")


def prepare(params: ProtocolParams) -> list[PromptSweep]:
    """Load the model and all tasks and render every prompt; nothing is asked yet."""
    from lab.learners.load import load

    lm = load(params.model, params.device, params.dtype)
    sweeps = []
    for place, name in enumerate(params.tasks):
        task = load_task(name)
        cells = grid(sample_queries(task, params.n_queries, params.seed), parse_layouts(LAYOUTS))
        first = place * BATCHES_A_TASK
        sweeps.append(PromptSweep(lm, task, params, cells, first_batch=first, prefix=f"{name}/"))
    return sweeps


def cost(params: ProtocolParams) -> Cost:
    """Price a run over all its tasks."""
    return _total([sweep.cost() for sweep in prepare(params)])


def _total(costs: list[Cost]) -> Cost:
    return Cost(
        n_prompts=sum(each.n_prompts for each in costs),
        n_tokens=sum(each.n_tokens for each in costs),
        n_tokens_unshared=sum(each.n_tokens_unshared for each in costs),
        seconds=sum(each.seconds for each in costs),
        memory_bytes=max(each.memory_bytes for each in costs),
        notes=tuple(dict.fromkeys(note for each in costs for note in each.notes)),
    )


def run(params: ProtocolParams, store: Store) -> Iterator[Event]:
    """Make the run, or go on with it, task by task."""
    recipe = Recipe("protocol", asdict(params))
    if not is_finished(store, recipe.id):
        sweeps = prepare(params)
        store.begin(recipe, record(sweeps[0].lm))
        yield _total([sweep.cost() for sweep in sweeps])
        yield from answering(sweeps, store, recipe.id)
        store.finish(recipe.id, read(params, store).summary)
    yield read(params, store)


def read(params: ProtocolParams, store: Store) -> Result:
    """Turn the stored predictions of a run, finished or not, into its result."""
    run_id = Recipe("protocol", asdict(params)).id
    return summarise(store.predictions(run_id), params, run_id)


def summarise(predictions: pd.DataFrame, params: ProtocolParams, run_id: str) -> Result:
    """Test the paper's claims on a predictions table whose query ids begin with their task."""
    from lab.experiments.drawing import protocol_figures

    by_task = {}
    task_of_row = predictions["query_id"].str.rpartition("/")[0]
    for name in params.tasks:
        rows = paired(predictions[task_of_row == name], LAYOUTS)
        if not rows.empty:
            scores = [column for column in rows if column.startswith("logp_")]
            others = [column for column in scores if rows[column].isna().all()]  # labels of other tasks
            by_task[name] = rows.drop(columns=others)
    if not by_task:
        return Result(run_id, predictions, {}, {}, "No task is answered under every layout yet.", {})
    claims = dpp_claims(by_task, params.seed)
    accuracies = pd.concat(
        [accuracy_table(rows, "none", params.seed).assign(task=name) for name, rows in by_task.items()],
        ignore_index=True,
    )
    tables = {"claims": pd.DataFrame([asdict(claim) for claim in claims]), "accuracy": accuracies}
    verdict = _verdict(claims, len(by_task))
    summary = {
        "experiment": "protocol",
        "model": params.model,
        "n_queries": {name: int(rows["query_id"].nunique()) for name, rows in by_task.items()},
        "claims": [asdict(claim) for claim in claims],
        "verdict": verdict,
    }
    return Result(run_id, predictions, tables, protocol_figures(accuracies), verdict, summary)


def _verdict(claims: list[Claim], n_tasks: int) -> str:
    n_holding = sum(claim.verdict == "holds" for claim in claims)
    words = " ".join(f"“{claim.claim}”: {claim.verdict}." for claim in claims)
    return f"{n_holding} of {len(claims)} claims hold for this model on {n_tasks} tasks. {words}"
