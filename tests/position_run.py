"""A stored position run, answered by a made-up model: in eum it says World to every fourth query."""

from dataclasses import asdict, replace

from lab.experiments.contexts import Contexts
from lab.experiments.position import PositionParams
from lab.experiments.setting import parse_layouts, sample_queries
from lab.experiments.views import content_free_queries
from lab.prompts.layout import Layout
from lab.prompts.render import arrange, demonstration_blocks
from lab.prompts.template import Template
from lab.runs.recipe import Recipe
from lab.runs.store import Row, Store
from lab.tasks import load_task

LABELS = ("World", "Sports", "Business", "Technology")
MADE = {"cpu": "A processor", "cores": 2, "time": "2026-01-02T03:04:05", "model": {"id": "smollm2-135m"}}


def params_of(**changes) -> PositionParams:
    values = {"n_queries": 16, "n_demos": 4, "layouts": ("none", "sum", "eum"), "scores_content_free": True}
    return PositionParams(**{**values, **changes})


def keep_position_run(store: Store, status: str = "finished", **changes) -> str:
    params = params_of(**changes)
    task = load_task(params.task)
    task = replace(task, instruction=params.instruction or task.instruction)
    contexts = Contexts(params, task, Template(None))
    run_id = store.begin(Recipe("position", asdict(params)), MADE)
    rows = []
    for layout in parse_layouts(params.layouts):
        for place, query in enumerate(sample_queries(task, params.n_queries, params.seed)):
            said = "World" if layout.slot == "eum" and place % 4 == 0 else query.gold
            rows.append(_row(query, layout, said, _prompt(task, contexts, layout, query)))
        if params.scores_content_free:
            rows += [_row(query, layout, "World", query.input) for query in content_free_queries()]
    for query in sample_queries(task, 8, params.seed):
        rows.append(_row(query, Layout("sum", control="again"), query.gold, "again"))
    store.add_batch(run_id, 0, rows)
    if status == "finished":
        store.finish(run_id, {"n_tokens": 600, "n_tokens_saved": 400})
    else:
        store.set_status(run_id, status)
    return run_id


def _row(query, layout, said: str, prompt: str) -> Row:
    margin = 0.05 if layout.slot == "eum" else 1.0
    scores = {label: -0.5 if label == said else -0.5 - margin for label in LABELS}
    correct = float(said == query.gold)
    return Row(query.id, layout.id, said, query.gold, correct, margin, scores, 9, 0.1, prompt, LABELS, "")


def _prompt(task, contexts: Contexts, layout, query) -> str:
    blocks = demonstration_blocks(task, contexts.demos(layout, query))
    question = f"{task.input_name}: {query.input.strip()}\n{task.output_name}:"
    messages = arrange(task, layout, blocks, question)
    turns = (f"<|im_start|>{role}\n" + "\n\n".join(b.text for b in blocks) for role, blocks in messages)
    return "<|im_end|>\n".join(turns)
