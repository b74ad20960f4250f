"""What does one query answer under every layout? The scoring path of every run, for a handful of prompts.

Nothing is stored: this is for looking at a prompt while it is being written.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lab.experiments.prompt_sweep import PromptSweep, grid
from lab.experiments.setting import PromptSetting
from lab.prompts.layout import SLOTS, Layout
from lab.runs.store import Row
from lab.tasks.task import Query, Task

if TYPE_CHECKING:
    from lab.learners.load import CausalLM

MAX_INPUT_CHARACTERS = 20_000


@dataclass(frozen=True)
class Asked:
    """Answers to one query, in the order of the layouts.

    Args:
        rows: One a layout; fewer while it is being asked.
        same: For each layout, the first layout with the very same prompt (itself where there is none).
        n_layouts: How many layouts are asked.
    """

    rows: tuple[Row, ...]
    same: dict[str, str]
    n_layouts: int

    def row(self, layout: str) -> Row | None:
        """Return the answer under a layout, None while there is none."""
        return next((row for row in self.rows if row.layout == layout), None)

    def flipped(self, reference: str) -> tuple[str, ...]:
        """Name the layouts whose answer differs from the reference's."""
        asked = self.row(reference)
        return tuple(row.layout for row in self.rows if asked and row.prediction != asked.prediction)


def ask(
    lm: "CausalLM",
    task: Task,
    setting: PromptSetting,
    query: Query,
    slots: Sequence[str] = SLOTS,
) -> Iterator[Asked]:
    """Ask a query under several slots; yield what is answered so far, at last everything.

    Args:
        lm: The model.
        task: Gives instruction, names of input and output, labels and metric.
        setting: Gives the demonstrations and how answers are scored.
        query: Need not be of the task; its gold may be "".
        slots: Which slots; every one needs demonstrations but `none`.

    Raises:
        ValueError: If the query is empty or far too long, a slot is unknown, or a prompt doesn't fit.
    """
    if not query.input.strip():
        raise ValueError("query must not be empty: type one, or pick one of the task")
    if len(query.input) > MAX_INPUT_CHARACTERS:
        raise ValueError(
            f"query must have at most {MAX_INPUT_CHARACTERS:,} characters, "
            f"got {len(query.input):,}; shorten it"
        )
    layouts = [Layout(slot) for slot in slots]  # type: ignore[arg-type]  # Layout checks it
    sweep = PromptSweep(lm, task, setting, grid([query], layouts))
    first: dict[str, str] = {}
    for cell, prompt in zip(sweep.cells, sweep.prompts, strict=True):
        first.setdefault(prompt.text, cell.layout.id)
    same = {c.layout.id: first[p.text] for c, p in zip(sweep.cells, sweep.prompts, strict=True)}
    found: dict[str, Row] = {}
    for batch in sweep.batches:
        found.update({row.layout: row for row in sweep.evaluate(batch)})
        yield Asked(tuple(found[each.id] for each in layouts if each.id in found), same, len(layouts))


def label_probabilities(row: Row) -> dict[str, float]:
    """Turn the compared label scores of a row into probabilities over the labels; they sum to 1.

    >>> row = Row("q", "sum", "a", "a", 1.0, 0.0, {"a": -1.0, "b": -1.0}, 9, 0.1, "")
    >>> label_probabilities(row)
    {'a': 0.5, 'b': 0.5}
    """
    if not row.logp:
        return {}
    scores = np.array(list(row.logp.values()))
    shares = np.exp(scores - scores.max())
    return dict(zip(row.logp, (shares / shares.sum()).tolist(), strict=True))


def surest(asked: Asked) -> str | None:
    """Return the layout where the right label is likeliest; without a gold, that with the largest lead.

    None where answers are generated, so that nothing says how sure they are.
    """
    scored = [row for row in asked.rows if row.logp]
    if not scored:
        return None

    def certainty(row: Row) -> float:
        if row.gold in row.logp:
            return label_probabilities(row)[row.gold]
        return row.margin if math.isfinite(row.margin) else -math.inf

    return max(scored, key=certainty).layout
