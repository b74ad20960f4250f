"""The controls that every experiment on prompts shares: task, model, queries, demonstrations, scoring."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from lab.experiments.setting import BY_HAND, PromptSetting
from lab.learners.catalogue import PRESETS as MODELS
from lab.learners.catalogue import allowed_models, resolve
from lab.place import is_shared
from lab.tasks import list_tasks, load_task
from lab.tasks.files import keep_copy, read_task
from lab.tasks.presets import PRESETS as HUB_TASKS
from lab.ui.running import SAYABLE
from lab.ui.widgets.markup import note

SELECTIONS = [
    ("Balanced over the labels", "balanced"),
    ("At random", "random"),
    ("The first of the pool", "first"),
    ("Most similar words to each query (BM25)", "bm25"),
    ("Nearest to each query (embeddings)", "nearest"),
    ("By hand", BY_HAND),
]
SCORINGS = [("Compare the labels' probabilities", "likelihood"), ("Let the model write", "generation")]
DEVICES = ["auto", "cpu", "cuda", "mps"]
DTYPES = ["auto", "float32", "bfloat16", "float16"]


class SettingPanel(NamedTuple):
    """The controls by the name of their parameter, the upload, and the place where it is commented."""

    by_name: dict[str, gr.components.Component]
    upload: gr.File
    notice: gr.HTML

    def collect(self, values: Sequence[Any]) -> dict[str, Any]:
        """Turn the values of the controls, in the order of `by_name`, into those of parameters."""
        return collect(dict(zip(self.by_name, values, strict=True)))

    def fill(self, params: Mapping[str, Any]) -> dict[gr.components.Component, Any]:
        """Say how the controls change to show these parameters; others stay as they are."""
        return {
            self.by_name[name]: shown(name, value) for name, value in params.items() if name in self.by_name
        }


def collect(values: Mapping[str, Any]) -> dict[str, Any]:
    """Turn the values of a form into those of parameters: lists into tuples, demos from a line each."""
    found = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    if "demos" in found:
        lines = (found["demos"] or "").split("\n")
        by_hand = found.get("selection") == BY_HAND
        found["demos"] = tuple(line.strip() for line in lines if line.strip()) if by_hand else ()
        if by_hand and not found["demos"]:
            raise ValueError(
                "demonstrations by hand are empty: write one a line, or choose another selection"
            )
    if "instruction" in found:
        found["instruction"] = (found["instruction"] or "").strip()
    return {name: value for name, value in found.items() if value is not None}


def shown(name: str, value: Any) -> Any:
    """Turn a parameter's value into that of its control, with its own choice where a task is not shipped."""
    if name == "task":
        return gr.Dropdown(choices=task_choices([value]), value=value)
    if name == "demos":
        return gr.Textbox(value="\n".join(value), visible=bool(value))
    return list(value) if isinstance(value, tuple) else value


def task_choices(more: Iterable[str] = ()) -> list[tuple[str, str]]:
    """List the shipped tasks by family, the data sets of the hub, and other tasks by their reference."""
    found = [(f"{head.family.capitalize()}: {head.title}", head.id) for head in list_tasks()]
    found += [(f"From the hub: {preset.title}", f"hub:{name}") for name, preset in HUB_TASKS.items()]
    known = {reference for _, reference in found}
    return found + [(_task_title(each), each) for each in more if each not in known]


def _task_title(reference: str) -> str:
    if reference.startswith("hub:"):
        return f"From the hub: {reference.removeprefix('hub:')}"
    try:
        return f"Your file: {load_task(reference).title}"
    except ValueError:
        return reference


def model_choices() -> list[tuple[str, str]]:
    """List the presets; on a shared lab the models that may be loaded there."""
    ids = allowed_models() if is_shared() else [card.id for card in MODELS]
    return [(resolve(model_id).title, model_id) for model_id in ids]


def setting_panel(defaults: Mapping[str, Any], ids_prefix: str, without: Iterable[str] = ()) -> SettingPanel:
    """Place the controls in the current column.

    Args:
        defaults: Values to show at first, by parameter; others have those of `PromptSetting`.
        ids_prefix: Begins every element's id, as in `position-task`.
        without: Parameters that get no control.
    """
    first = {field.name: field.default for field in fields(PromptSetting)} | dict(defaults)
    place = _Placer(first, ids_prefix, frozenset(without))
    upload, notice = place.task()
    place.sizes()
    with gr.Accordion("Instruction and demonstrations", open=False):
        place.instruction_and_demos()
    with gr.Accordion("Model and scoring", open=False):
        place.model_and_scoring()
    panel = SettingPanel(place.by_name, upload, notice)
    _wire(panel)
    return panel


class _Placer:
    """Places controls and remembers them by parameter."""

    def __init__(self, first: Mapping[str, Any], prefix: str, without: frozenset[str]) -> None:
        self.first, self.prefix, self.without = first, prefix, without
        self.by_name: dict[str, gr.components.Component] = {}

    def add(self, kind: type, name: str, label: str, info: str, *choices: Any, **options: Any) -> None:
        """Place a control, unless its parameter has none here."""
        if name in self.without:
            return
        self.by_name[name] = kind(
            *choices,
            value=options.pop("value", self.first[name]),
            label=label,
            info=info,
            elem_id=f"{self.prefix}-{name.replace('_', '-')}",
            **options,
        )

    def task(self) -> tuple[gr.File, gr.HTML]:
        """Place the choice of a task, and the upload of one's own."""
        self.add(
            gr.Dropdown, "task", "Task", "What is asked. Or type hub:owner/name?input=COLUMN&output=COLUMN.",
            task_choices([self.first["task"]]), allow_custom_value=True,
        )  # fmt: skip
        with gr.Accordion("Use your own CSV or JSONL", open=False, visible="task" not in self.without):
            upload = gr.File(
                label="A file with the columns input and output",
                file_types=[".csv", ".tsv", ".jsonl"],
                type="filepath",
                height=110,
                elem_id=f"{self.prefix}-upload",
            )
        return upload, gr.HTML(elem_id=f"{self.prefix}-task-notice", padding=False)

    def sizes(self) -> None:
        """Place how many queries and demonstrations, how they are chosen, and the seed."""
        with gr.Row():
            self.add(
                gr.Number, "n_queries", "Queries", "Fewer if the task has fewer.",
                precision=0, min_width=120,
            )  # fmt: skip
            self.add(
                gr.Number, "n_demos", "Demos", "Demonstrations shown.",
                precision=0, min_width=120,
            )  # fmt: skip
            self.add(gr.Number, "seed", "Seed", "Determines every draw.", precision=0, min_width=90)
        self.add(gr.Dropdown, "selection", "Selection", "How demonstrations are chosen.", SELECTIONS)

    def instruction_and_demos(self) -> None:
        """Place the texts that replace the task's own."""
        self.add(
            gr.Textbox, "instruction", "System instruction", "Replaces the task's own; empty keeps it.",
            lines=2, max_length=4000,
        )  # fmt: skip
        self.add(
            gr.Textbox, "demos", "Demonstrations by hand",
            'One a line, {"input": "...", "output": "..."}; Compose writes them for you.',
            value="\n".join(self.first["demos"]), lines=4, max_length=60_000,
            visible=bool(self.first["demos"]),
        )  # fmt: skip

    def model_and_scoring(self) -> None:
        """Place what is rarely changed."""
        self.add(
            gr.Dropdown, "model", "Model", "Or type the id of a model of the hub, owner/name.",
            model_choices(), allow_custom_value=not is_shared(),
        )  # fmt: skip
        with gr.Row():
            self.add(
                gr.Dropdown, "device", "Device", "auto takes a GPU if there is one.", DEVICES, min_width=110
            )
            self.add(gr.Dropdown, "dtype", "Precision", "auto is float32 on a CPU.", DTYPES, min_width=110)
        self.add(
            gr.Radio,
            "scoring",
            "How answers are scored",
            "Tasks without labels are always written.",
            SCORINGS,
        )
        self.add(
            gr.Checkbox, "is_length_normalised", "Length-normalised scores",
            "Compare a label's mean instead of its summed log-probability a token.",
        )  # fmt: skip


def _wire(panel: SettingPanel) -> None:
    light = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    if "task" in panel.by_name:
        panel.upload.upload(_kept, panel.upload, [panel.by_name["task"], panel.notice], **light)
    if "demos" in panel.by_name:
        panel.by_name["selection"].change(
            lambda selection: gr.Textbox(visible=selection == BY_HAND),
            panel.by_name["selection"],
            panel.by_name["demos"],
            **light,
        )


def _kept(path: str | None) -> tuple[Any, str]:
    """Keep an uploaded file as a task and choose it, or say what is wrong with it."""
    if not path:
        return gr.skip(), ""
    try:
        content, name = Path(path).read_bytes(), Path(path).name
        task, warnings = read_task(content, name)
        reference = keep_copy(content, name)
    except (OSError, *SAYABLE) as error:
        gr.Warning(str(error))
        return gr.skip(), note("error", str(error))
    labels = f"labels {', '.join(task.labels[:6])}" if task.labels else f"answers judged by {task.metric}"
    said = (
        f"{task.title}: {len(task.pool)} demonstrations in the pool, {len(task.queries)} queries, {labels}."
    )
    repaired = "".join(note("warn", text) for text in warnings)
    return shown("task", reference), note("info", said) + repaired
