"""The controls of the Compose tab: how a composed prompt fills them and is read from them."""

from typing import Any, NamedTuple

import gradio as gr

from lab.experiments.setting import MAX_DEMOS
from lab.learners.catalogue import PRESETS as MODELS
from lab.prompts.layout import SLOT_TITLES, SLOTS
from lab.tasks import list_tasks, load_task
from lab.ui.compose_presets import PRESETS, Preset
from lab.ui.composed import Composed
from lab.ui.widgets.demo_list import DemoList, demos_value

METHODS = [
    ("At random", "random"),
    ("Balanced over the labels", "balanced"),
    ("The first of the pool", "first"),
    ("Most similar words (BM25)", "bm25"),
    ("Nearest neighbours (embeddings)", "nearest"),
]
NOT_ASKED = (
    "Press Ask: the answer under your slot appears here, and below it the answers under all other slots."
)
Values = tuple[Any, ...]


class Filling(NamedTuple):
    """The controls that fill the demonstrations from the task's pool."""

    method: gr.Dropdown
    n_demos: gr.Slider
    seed: gr.Number
    fill: gr.Button
    undo: gr.Button


class Fields(NamedTuple):
    """What a prompt is written in; the first seven are the fields of `Composed`, in its order."""

    task: gr.Dropdown
    model: gr.Dropdown
    demos: DemoList
    query: gr.Textbox
    slot: gr.Radio
    instruction: gr.Textbox
    scoring: gr.Radio
    query_pick: gr.Dropdown
    filling: Filling
    upload: gr.File
    notice: gr.HTML

    @property
    def composed(self) -> list[gr.components.Component]:
        """The fields that `collect` reads."""
        return list(self[:7])

    @property
    def shown(self) -> list[gr.components.Component]:
        """The fields that `show` fills."""
        return list(self[:8])


class Answers(NamedTuple):
    """Where a prompt is asked and answered."""

    ask: gr.Button
    stop: gr.Button
    guess_first: gr.Checkbox
    guessing: gr.Group
    guess_flips: gr.Slider
    guess_slot: gr.Radio
    reveal: gr.Button
    stale: gr.HTML
    answer: gr.HTML
    slots: gr.HTML


def collect(*values: Any) -> Composed:
    """Read the fields of `Fields.composed`.

    Raises:
        ValueError: If a value is out of its range.
    """
    task, model, rows, query, slot, instruction, scoring = values
    pairs = tuple((str(row.get("input", "")), str(row.get("output", ""))) for row in rows or [])
    return Composed(task, model, pairs, query or "", slot, (instruction or "").strip(), scoring)


def show(composed: Composed) -> Values:
    """Turn a prompt into the values of `Fields.shown`."""
    task = load_task(composed.task)
    choices = task_choices()
    if composed.task not in [value for _, value in choices]:
        choices.append((task.title, composed.task))
    return (
        gr.Dropdown(choices=choices, value=composed.task),
        composed.model,
        demos_as_rows(composed),
        composed.query,
        composed.slot,
        gr.Textbox(value=composed.instruction, placeholder=task.instruction),
        composed.scoring,
        gr.Dropdown(choices=query_choices(composed.task), value=None),
    )


def demos_as_rows(composed: Composed) -> dict[str, Any]:
    """Write demonstrations as a `DemoList` takes them, with the task's labels and names."""
    task = composed.loaded
    rows = [{"id": f"d{place}", "input": i, "output": o} for place, (i, o) in enumerate(composed.demos)]
    return demos_value(rows, task.labels, task.input_name, task.output_name)


def task_choices() -> list[tuple[str, str]]:
    """List the shipped tasks by family."""
    return [(f"{head.family.capitalize()}: {head.title}", head.id) for head in list_tasks()]


def query_choices(task: str) -> list[tuple[str, str]]:
    """List a task's queries, shortened, by their ids."""
    return [
        (f"{query.input[:90]}{'…' if len(query.input) > 90 else ''}  →  {query.gold}", query.id)
        for query in load_task(task).queries
    ]


def query_text(task: str, query_id: str | None) -> str | None:
    """Return the input of a task's query; None where it has no such query."""
    return next((query.input for query in load_task(task).queries if query.id == query_id), None)


def preset_buttons() -> list[tuple[gr.Button, Preset]]:
    """Place one button a preset."""
    with gr.Row(elem_id="compose-presets"):
        return [
            (gr.Button(each.title, elem_id=f"compose-preset-{each.id}", size="sm", min_width=140), each)
            for each in PRESETS
        ]


def slot_choice(first: Composed) -> gr.Radio:
    """Place the choice of where the demonstrations stand."""
    return gr.Radio(
        [(f"{slot}: {SLOT_TITLES[slot]}", slot) for slot in SLOTS],
        value=first.slot,
        label="Slot",
        info="Where the demonstrations stand.",
        elem_id="compose-slot",
    )


def fields(first: Composed, slot: gr.Radio) -> Fields:
    """Place the other controls a prompt is written in, filled with the first one."""
    task = load_task(first.task)
    choose_task = gr.Dropdown(
        task_choices(),
        value=first.task,
        label="Task",
        elem_id="compose-task",
        info="Where demonstrations come from.",
    )
    query_pick = gr.Dropdown(
        query_choices(first.task),
        value=None,
        label="Pick a query of the task",
        info="With it comes its right answer.",
        elem_id="compose-query-pick",
    )
    query = gr.Textbox(
        label="Query",
        value=first.query,
        info="Or type one: then no answer is right or wrong.",
        elem_id="compose-query",
        lines=2,
        max_length=20_000,
    )
    demos = DemoList(demos_as_rows(first), max_items=MAX_DEMOS, elem_id="compose-demos")
    filling = _filling()
    notice = gr.HTML(elem_id="compose-notice", padding=False)
    instruction = gr.Textbox(
        label="System instruction",
        value=first.instruction,
        placeholder=task.instruction,
        info="Empty keeps the task's own, shown in grey.",
        elem_id="compose-instruction",
        lines=2,
        max_length=4000,
    )
    with gr.Accordion("Use your own CSV or JSONL", open=False):
        upload = gr.File(
            label="A file with the columns input and output",
            file_types=[".csv", ".tsv", ".jsonl"],
            type="filepath",
            elem_id="compose-upload",
            height=110,
        )
    model, scoring = _model_and_scoring(first)
    return Fields(
        choose_task, model, demos, query, slot, instruction, scoring, query_pick, filling, upload, notice
    )


def _model_and_scoring(first: Composed) -> tuple[gr.Dropdown, gr.Radio]:
    with gr.Accordion("Model and scoring", open=False):
        model = gr.Dropdown(
            [(card.title, card.id) for card in MODELS],
            value=first.model,
            label="Model",
            info="Or type the id of a model of the hub.",
            allow_custom_value=True,
            elem_id="compose-model",
        )
        scoring = gr.Radio(
            [("Compare the labels' probabilities", "likelihood"), ("Let the model write", "generation")],
            value=first.scoring,
            label="How answers are scored",
            info="Tasks without labels are always written.",
            elem_id="compose-scoring",
        )
    return model, scoring


def _filling() -> Filling:
    with gr.Row(equal_height=True):
        method = gr.Dropdown(
            METHODS, value="balanced", label="Fill with", elem_id="compose-method", scale=3, min_width=200
        )
        n_demos = gr.Slider(
            1, 16, value=5, step=1, label="How many", elem_id="compose-n", scale=2, min_width=150
        )
        seed = gr.Number(
            0, label="Seed", precision=0, minimum=0, elem_id="compose-seed", scale=1, min_width=80
        )
    with gr.Row():
        fill = gr.Button("Fill", elem_id="compose-fill", size="sm", min_width=80)
        undo = gr.Button("Undo last change", elem_id="compose-undo", size="sm", min_width=120)
    return Filling(method, n_demos, seed, fill, undo)


def answers() -> Answers:
    """Place the buttons that ask, the guess of a class, and the answers."""
    with gr.Row(equal_height=False):
        ask = gr.Button("Ask", variant="primary", elem_id="compose-run", min_width=120)
        stop = gr.Button("Stop", elem_id="compose-stop", interactive=False, min_width=80)
        guess_first = gr.Checkbox(
            label="Guess first",
            info="Hide the answers until a class has guessed.",
            elem_id="compose-guess-first",
        )
    with gr.Group(visible=False) as guessing:
        guess_flips = gr.Slider(
            0,
            5,
            value=0,
            step=1,
            label="How many of the other slots will flip the answer?",
            elem_id="compose-guess-n",
        )
        guess_slot = gr.Radio(
            list(SLOTS), label="Which slot will be surest of the right answer?", elem_id="compose-guess-slot"
        )
        reveal = gr.Button("Reveal", variant="primary", elem_id="compose-reveal")
    stale = gr.HTML(elem_id="compose-stale", padding=False)
    answer = gr.HTML(f"<p>{NOT_ASKED}</p>", elem_id="compose-answer-panel", padding=False)
    slots = gr.HTML(elem_id="compose-slots-panel", padding=False)
    return Answers(ask, stop, guess_first, guessing, guess_flips, guess_slot, reveal, stale, answer, slots)
