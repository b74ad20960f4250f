"""One answer beside another: both prompts, both probabilities, and what flipped. No model is needed."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, Any

from lab.experiments.contexts import Contexts
from lab.prompts.layout import Layout
from lab.prompts.render import Block, Prompt, Span, arrange, demonstration_blocks
from lab.prompts.template import Template
from lab.prompts.tokens import token_strip
from lab.runs.store import Store
from lab.stats.calibration import label_distribution, labels_of, scores_of
from lab.stats.flips import NEAR_TIE_NATS, flip_kinds
from lab.tasks import Query, Task, load_task
from lab.ui.opened import Opened
from lab.ui.widgets.label_bars import label_bars_html
from lab.ui.widgets.markup import note
from lab.ui.widgets.token_strip import Answered, side_by_side_html, visible_html

if TYPE_CHECKING:
    import pandas as pd

EMBEDS = "nearest"  # its demonstrations cannot be named again without the model that embeds


@dataclass(frozen=True)
class Side:
    """One of the two answers: the row of the predictions table, and its prompt in located pieces."""

    row: Mapping[str, Any]
    prompt: Prompt
    labels: Sequence[str]
    probabilities: Sequence[float]


def cell_html(store: Store, run_id: str, query_id: str, layout: str, reference: str) -> str:
    """Show an answer of a stored run beside the same query's answer under a reference layout.

    Raises:
        ValueError: If the run is unknown.
    """
    return comparison_html(Opened.stored(store, run_id), store, None, query_id, layout, reference)


def comparison_html(
    opened: Opened,
    store: Store,
    predictions: "pd.DataFrame | None",
    query_id: str,
    layout: str,
    reference: str,
) -> str:
    """Show an answer beside the same query's answer under a reference.

    Args:
        opened: The run.
        store: Where it is kept.
        predictions: Its predictions table, calibrated if it is; None reads it as it is stored.
        query_id: Which query; what arrives from a browser is checked.
        layout: Which layout. The reference itself is shown beside the first layout that differs from it.
        reference: The layout on the left.

    Returns:
        HTML with all text escaped; a note where there is no such answer.
    """
    table = opened.predictions(store) if predictions is None else predictions
    rows = table[table["query_id"] == query_id]
    present = list(rows["layout"])
    if layout not in present or reference not in present:
        return note("info", "This query is not answered under both layouts yet.")
    if layout == reference:
        layout = _other(rows, reference)
    left, right = (_side(opened, store, rows, query_id, each) for each in (reference, layout))
    heading = _heading(rows, query_id, reference, layout)
    ready = _tokenizer(opened)
    if ready is not None:
        answered = [_answered(side, token_strip(Template(ready), side.prompt)) for side in (left, right)]
        return heading + side_by_side_html(*answered)
    return f'{heading}<div class="lab-pair">{_plain_html(left)}{_plain_html(right)}</div>'


def _other(rows: "pd.DataFrame", reference: str) -> str:
    said = rows.set_index("layout")["prediction"]
    others = [name for name in said.index if name != reference and "+again" not in name]
    return next(
        (name for name in others if said[name] != said[reference]), others[0] if others else reference
    )


def _heading(rows: "pd.DataFrame", query_id: str, reference: str, layout: str) -> str:
    by_layout = rows.set_index("layout")
    start, end = by_layout.loc[reference], by_layout.loc[layout]
    kind = flip_kinds(rows[rows["layout"].isin([reference, layout])], reference)[layout].iloc[0]
    verdict = "the same answer" if kind == "same" else f"a flip, {kind}"
    ties = [name for name, row in ((reference, start), (layout, end)) if row["margin"] < NEAR_TIE_NATS]
    tie = f" Under {' and '.join(ties)} it is a near-tie: rounding alone could flip it." if ties else ""
    words = (
        f"Query {query_id}, right answer “{start['gold']}”: {_said(start)} under {reference}, "
        f"{_said(end)} under {layout}: {verdict}.{tie}"
    )
    return f'<h3 tabindex="-1">{escape(words)}</h3>'


def _said(row: Any) -> str:
    return f"“{row['prediction']}”" if row["prediction"] else "nothing readable"


def _side(opened: Opened, store: Store, rows: "pd.DataFrame", query_id: str, layout: str) -> Side:
    prompts = opened.prompts(store)
    found = prompts[(prompts["query_id"] == query_id) & (prompts["layout"] == layout)]
    text = found["prompt"].iloc[0] if len(found) else ""
    row = rows[rows["layout"] == layout]
    if (
        not any(column.startswith("logp_") for column in row)
        or row.filter(like="logp_").isna().to_numpy().any()
    ):
        return Side(row.iloc[0], located(opened, text, query_id, layout), (), ())
    probabilities = label_distribution(scores_of(row))[0].tolist()
    return Side(row.iloc[0], located(opened, text, query_id, layout), labels_of(row), probabilities)


def located(opened: Opened, text: str, query_id: str, layout: str) -> Prompt:
    """Find instruction, demonstrations and query in a stored prompt; what is not found counts as template."""
    blocks = _blocks(opened, query_id, layout)
    spans: list[Span] = []
    cursor = 0
    for block in blocks:
        start = text.find(block.text, cursor)
        if start < 0:
            continue
        if start > cursor:
            spans.append(Span(Block("template", text[cursor:start]), cursor, start))
        cursor = start + len(block.text)
        spans.append(Span(block, start, cursor))
    if cursor < len(text) or not spans:
        spans.append(Span(Block("template", text[cursor:]), cursor, len(text)))
    return Prompt((), text, tuple(spans), "")


def _blocks(opened: Opened, query_id: str, layout_id: str) -> list[Block]:
    """Write the blocks of a prompt again from its recipe; none where that needs a model or a lost file."""
    params, layout = opened.params, Layout.parse(layout_id)
    try:
        name, _, bare_id = query_id.rpartition("/")
        task = cached_task(name or params.task)
        if params.instruction:
            task = replace(task, instruction=params.instruction)
        query = next(query for query in task.queries if query.id == bare_id)
        demos = () if params.selection == EMBEDS else _demos(params, task, layout, query)
    except (ValueError, StopIteration):
        return []
    question = f"{task.input_name}: {query.input.strip()}\n{task.output_name}:"
    messages = arrange(
        task, replace(layout, control="restated" if layout.control == "restated" else ""), demos, question
    )
    return [block for _, blocks in messages for block in blocks]


def _demos(params: Any, task: Task, layout: Layout, query: Query) -> tuple[Block, ...]:
    no_tokenizer: Any = None  # only filler text is counted in tokens
    if layout.control == "filler":
        return ()
    contexts = Contexts(params, task, Template(no_tokenizer), getattr(params, "n_sets", 1))
    return demonstration_blocks(task, contexts.demos(layout, query))


@lru_cache(maxsize=8)
def cached_task(reference: str) -> Task:
    """Load a task once, since one of the hub is streamed each time."""
    return load_task(reference)


def _tokenizer(opened: Opened) -> Any:
    """Take the tokenizer where it costs nothing: its library is slow to import for a look at a cell."""
    if "transformers" not in sys.modules:
        return None
    from lab.learners.tokenizer import tokenizer_of
    from lab.weights import WeightsError

    try:
        ready = tokenizer_of(opened.params.model)
    except (ValueError, WeightsError):
        return None
    return ready.tokenizer if ready else None


def _answered(side: Side, tokens: Any) -> Answered:
    row = side.row
    return Answered(
        row["layout"],
        tokens,
        side.labels,
        side.probabilities,
        row["gold"],
        row["prediction"],
        float(row["margin"]),
    )


def _plain_html(side: Side) -> str:
    """Show a prompt as coloured blocks of text."""
    row = side.row
    bars = (
        label_bars_html(side.labels, side.probabilities, row["gold"], row["prediction"], float(row["margin"]))
        if side.labels
        else ""
    )
    blocks = "".join(
        f'<span class="lab-block lab-{span.block.kind}{" lab-odd" if span.block.place % 2 == 1 else ""}">'
        f"{visible_html(span.block.text)}</span>"
        for span in side.prompt.spans
    )
    mark = "✓" if row["correct"] >= 0.5 else "✗"
    return (
        f'<section class="lab-side"><h3>{escape(row["layout"])}</h3>'
        f'<p class="lab-side-answer"><bdi>{escape(row["prediction"]) or "nothing readable"}</bdi> {mark}</p>'
        f'{bars}<div class="lab-prompt"><div class="lab-tokens" tabindex="0" dir="ltr">{blocks}</div></div>'
        "</section>"
    )
