"""Ask every query under every layout: all prompts of a run, the passes that answer them, their rows."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from lab.experiments.contexts import Contexts
from lab.experiments.events import Cost
from lab.experiments.setting import PromptSetting
from lab.learners.asking import check_length, to_generate, to_score
from lab.learners.engine import Engine
from lab.learners.plan import Pass
from lab.learners.request import Answer, Request
from lab.prompts.layout import Layout
from lab.prompts.render import Prompt
from lab.prompts.template import Template
from lab.prompts.tokens import special_tokens_in
from lab.runs.environment import environment
from lab.runs.store import Row
from lab.tasks.metrics import judge
from lab.tasks.task import Query, Task

if TYPE_CHECKING:
    from lab.learners.load import CausalLM

GROUP = 64  # queries answered under all layouts before the next ones, so that a stopped run stays paired


@dataclass(frozen=True)
class Cell:
    """One query under one layout."""

    query: Query
    layout: Layout


@dataclass(frozen=True)
class Batch:
    """A pass of one of the sweep's engines, numbered through all of them."""

    index: int
    engine: int
    planned: Pass
    n_cells: int

    @property
    def size(self) -> int:
        """Count the cells that it answers."""
        return self.n_cells


class PromptSweep:
    """Every prompt of a run. Prompts that are identical are answered once; the control `again` answers anew.

    Args:
        lm: The model that answers.
        task: What is asked.
        setting: How it is asked.
        cells: Which queries under which layouts, all layouts of a query in the same place for every query.
        n_draws: How many sets of demonstrations the layouts name.
        first_batch: Number of the first batch, where a run consists of several sweeps.
        prefix: Stands before every query id, where a run asks several tasks.
    """

    def __init__(
        self,
        lm: "CausalLM",
        task: Task,
        setting: PromptSetting,
        cells: Sequence[Cell],
        n_draws: int = 1,
        first_batch: int = 0,
        prefix: str = "",
    ) -> None:
        self.lm, self.setting, self.cells = lm, setting, list(cells)
        self.task = replace(task, instruction=setting.instruction) if setting.instruction else task
        self.first_batch, self.prefix = first_batch, prefix
        self.template = Template(lm.tokenizer)
        self.contexts = Contexts(setting, self.task, self.template, n_draws)
        self.prompts = [self.contexts.prompt(cell.layout, cell.query) for cell in self.cells]
        self._cells_of: list[list[list[int]]] = []  # engine, request -> cells with that very prompt
        self.engines = [self._engine(again) for again in (False, True)]

    @property
    def scores_labels(self) -> bool:
        """Whether labels are compared by likelihood; otherwise the model writes its answer."""
        return self.task.metric == "label" and self.setting.scoring == "likelihood"

    def _engine(self, again: bool) -> Engine:
        chosen = [i for i, cell in enumerate(self.cells) if (cell.layout.control == "again") == again]
        same: dict[str, list[int]] = {}
        for cell in chosen:
            same.setdefault(self.prompts[cell].text, []).append(cell)
        cells_of = list(same.values())
        self._cells_of.append(cells_of)
        places = {query: place for place, query in enumerate(dict.fromkeys(c.query.id for c in self.cells))}
        groups = [places[self.cells[cells[0]].query.id] // GROUP for cells in cells_of]
        requests = self._requests([self.prompts[cells[0]] for cells in cells_of], groups)
        check_length(requests, self.lm.max_tokens)
        return Engine(self.lm, requests, shares_prefixes=not again)

    def _requests(self, prompts: Sequence[Prompt], groups: Sequence[int]) -> list[Request]:
        if self.scores_labels:
            return to_score(self.template, prompts, self.task.labels, groups)
        return to_generate(self.template, prompts, self.task.max_new_tokens, groups)

    @cached_property
    def batches(self) -> list[Batch]:
        """All passes of all engines, numbered in the order in which they run."""
        planned = [(e, p) for e, engine in enumerate(self.engines) for p in engine.plan.passes]
        return [
            Batch(index, e, p, sum(len(self._cells_of[e][row]) for row in p.rows))
            for index, (e, p) in enumerate(planned, self.first_batch)
        ]

    def evaluate(self, batch: Batch) -> list[Row]:
        """Answer one batch and judge its answers."""
        started = time.perf_counter()
        answers = self.engines[batch.engine].run(batch.planned)
        seconds = (time.perf_counter() - started) / len(answers)
        rows = []
        for request, answer in zip(batch.planned.rows, answers, strict=True):
            for place, cell in enumerate(self._cells_of[batch.engine][request]):
                rows.append(self._row(cell, answer, batch.engine, request, seconds if place == 0 else 0.0))
        return rows

    def _row(self, place: int, answer: Answer, engine: int, request: int, seconds: float) -> Row:
        cell, prompt = self.cells[place], self.prompts[place]
        logp: dict[str, float] = {}
        text, margin = "", math.nan
        candidates: tuple[str, ...] = ()
        if self.scores_labels:
            logp = self._label_scores(self.engines[engine].requests[request], answer)
            prediction, margin = best_label(logp)
            score = float(prediction == cell.query.gold)
            candidates = prompt.candidates(self.task.labels)
        else:
            text = str(self.lm.tokenizer.decode(list(answer.text_tokens), skip_special_tokens=True)).strip()
            prediction, score = judge(self.task, cell.query, text)
        return Row(
            query_id=self.prefix + cell.query.id,
            layout=cell.layout.id,
            prediction=prediction,
            gold=cell.query.gold,
            correct=score,
            margin=margin,
            logp=logp,
            n_tokens=self.engines[engine].n_prompt_tokens(request),
            seconds=seconds,
            prompt=prompt.text,
            candidates=candidates,
            answer=text,
        )

    def _label_scores(self, request: Request, answer: Answer) -> dict[str, float]:
        lengths = [len(c) if self.setting.is_length_normalised else 1 for c in request.candidates]
        return {
            label: total / n for label, total, n in zip(self.task.labels, answer.logp, lengths, strict=True)
        }

    def cost(self) -> Cost:
        """Say what the run takes, before it starts."""
        estimates = [engine.cost() for engine in self.engines]
        return Cost(
            n_prompts=len(self.cells),
            n_tokens=sum(estimate.n_tokens for estimate in estimates),
            n_tokens_unshared=sum(estimate.n_tokens_unshared for estimate in estimates),
            seconds=sum(estimate.seconds for estimate in estimates),
            memory_bytes=max(estimate.memory_bytes for estimate in estimates),
            notes=tuple([*self.template.notes(), *self._same_layouts(), *self._other_notes()]),
        )

    def _same_layouts(self) -> list[str]:
        written: dict[str, list[str]] = {}
        for cell, prompt in zip(self.cells, self.prompts, strict=True):
            if cell.layout.control != "again":
                written.setdefault(cell.layout.id, []).append(prompt.text)
        by_text: dict[tuple[str, ...], list[str]] = {}
        for layout, texts in written.items():
            by_text.setdefault(tuple(texts), []).append(layout)
        return [
            f"{' and '.join(layouts)} render to the same prompts: they are run once and count as one."
            for layouts in by_text.values()
            if len(layouts) > 1
        ]

    def _other_notes(self) -> list[str]:
        notes = []
        texts = {s.block.text for prompt in self.prompts for s in prompt.spans if s.block.kind != "template"}
        if special := special_tokens_in(self.template, texts):
            notes.append(
                f"Texts of this run spell out {', '.join(special)}, which the model does not read as these "
                "characters but as a control token, as it would in use; change the texts if that is not "
                "meant."
            )
        if not self.engines[0].can_share:
            notes.append("This model's state cannot be forked: every prompt is encoded in full.")
        if self.setting.selection == "balanced" and not self.task.labels:
            notes.append("The task has no labels to balance: demonstrations are drawn at random.")
        if len(self.task.queries) < self.setting.n_queries:
            notes.append(f"The task has {len(self.task.queries)} queries; all of them are asked.")
        return notes


def record(lm: "CausalLM") -> dict:
    """Record where a run is made: machine, versions, and the exact model."""
    model = {"id": lm.id, "revision": lm.revision, "device": lm.device, "dtype": lm.dtype}
    return {**environment(), "model": model}


def grid(queries: Sequence[Query], layouts: Sequence[Layout]) -> list[Cell]:
    """Return every query under every layout."""
    return [Cell(query, layout) for layout in layouts for query in queries]


def best_label(scores: dict[str, float]) -> tuple[str, float]:
    """Return the label with the highest score (the first of several) and its lead in nats."""
    ranked = sorted(scores.values(), reverse=True)
    margin = ranked[0] - ranked[1] if len(ranked) > 1 else math.nan
    return max(scores, key=scores.__getitem__), margin
