"""The controls of a set to draw: canvas, texts, LoRAs, given panels, and how it is drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from lab.images.grid import COLUMN, PAIR, ROW, SINGLE, SQUARE, STACK, Grid
from lab.images.hub import FLUX_DEV, HUB_SIDE, PUBLISHED_LORAS
from lab.images.model import EMBEDDED_ID, has_fill
from lab.images.panels import SIDE
from lab.images.pictures import ENDINGS, panel_of
from lab.images.sampler import MODES, Settings
from lab.images.shelf import names
from lab.images.studio import MAX_CANDIDATES, Order
from lab.images.tasks import TASKS
from lab.images.vocabulary import NAMES
from lab.place import is_shared
from lab.ui.images.settings import guidance_slider, seed_number, steps_slider

GRIDS: dict[str, Grid] = {
    "one panel": SINGLE,
    "two side by side": PAIR,
    "two stacked": STACK,
    "three in a row": ROW,
    "three stacked": COLUMN,
    "four, two by two": SQUARE,
}
FREE = "free"
NO_LORA = ""
MAX_PANELS = 4
N_ASKED = 12 + MAX_PANELS
"""Inputs of a form before its pictures."""
EVERY_MODE = "every"
MODE_TITLES = {
    "blend": "Blend at every step",
    "context": "Clean context (LoRA)",
    "fill": "Fill branch",
}


class Form(NamedTuple):
    """The controls of a set."""

    example: gr.Dropdown
    grid: gr.Dropdown
    summary: gr.Textbox
    texts: list[gr.Textbox]
    lora: gr.Dropdown
    strength: gr.Slider
    second: gr.Dropdown
    second_strength: gr.Slider
    seed: gr.Number
    n_candidates: gr.Slider
    n_steps: gr.Slider
    guidance: gr.Slider
    mode: gr.Radio
    model: gr.Dropdown
    given: list[gr.File]

    @property
    def inputs(self) -> list[Any]:
        """Every control but the example, in the order that `order_of` reads."""
        return [
            self.grid, self.summary, *self.texts, self.lora, self.strength, self.second, self.second_strength,
            self.seed, self.n_candidates, self.n_steps, self.guidance, self.mode, self.model, *self.given,
        ]  # fmt: skip

    @property
    def asked(self) -> list[Any]:
        """Every input but the pictures."""
        return self.inputs[:N_ASKED]

    @property
    def worded(self) -> list[Any]:
        """The controls that the caption depends on."""
        return [self.grid, self.summary, *self.texts]


class Asked(NamedTuple):
    """What the controls say: sets that differ in how given panels enter, LoRAs by strength, and the model."""

    orders: tuple[Order, ...]
    loras: dict[str, float]
    model_id: str

    @property
    def order(self) -> Order:
        """Return the first set; the others have the same caption."""
        return self.orders[0]


def form() -> Form:
    """Place the controls, filled with the first task."""
    first = TASKS[2]
    filled = example_of(first.id)
    example = gr.Dropdown(
        [*((task.title, task.id) for task in TASKS), ("Your own, from empty texts", FREE)],
        value=first.id,
        label="Begin with",
        info="A task that the model has a LoRA for, with an example; its concepts were held out of training.",
        elem_id="images-example",
    )
    grid = gr.Dropdown(
        list(GRIDS), value=_grid_name(first.grid), label="Canvas", info="How the panels lie.",
        elem_id="images-grid",
    )  # fmt: skip
    summary = gr.Textbox(
        filled["summary"], label="What the panels have in common", elem_id="images-summary", max_length=200,
        info="Leads the caption; a [TRIGGER] tells the LoRA which kind of set it is.",
    )  # fmt: skip
    texts = [
        gr.Textbox(
            filled["texts"][place], label=f"Panel {place + 1}", visible=place < first.grid.n_panels,
            elem_id=f"images-text-{place + 1}", max_length=200,
        )
        for place in range(MAX_PANELS)
    ]  # fmt: skip
    with gr.Row():
        lora = _lora("LoRA", "What relates the panels; the base alone draws them unrelated.", "images-lora")
        strength = _strength("images-strength")
    with gr.Accordion("Mix in a second LoRA", open=False), gr.Row():
        second = _lora("Second LoRA", "Both count, each with its strength.", "images-second", NO_LORA)
        second_strength = _strength("images-second-strength", 0.5)
    with gr.Accordion("Give some panels", open=False):
        mode = gr.Radio(
            [*((MODE_TITLES[mode], mode) for mode in modes()), ("Each in turn, side by side", EVERY_MODE)],
            value="context",
            label="How given panels enter",
            info="Blend: noised to each step's time. Context: clean and marked, for LoRAs tuned so. Fill: a "
            "branch that sees a mask; it tends to copy what is given.",
            elem_id="images-mode",
        )
        given = [
            gr.File(
                label=f"Picture of panel {place + 1}", file_types=list(ENDINGS), height=90,
                visible=place < first.grid.n_panels, elem_id=f"images-given-{place + 1}",
            )
            for place in range(MAX_PANELS)
        ]  # fmt: skip
    with gr.Accordion("How it is drawn", open=False):
        with gr.Row():
            seed = seed_number("images-seed", 1)
            n_candidates = gr.Slider(
                1, MAX_CANDIDATES, 2, step=1, label="Candidates",
                info="Drawn at once; the best match by the probe stands first.", elem_id="images-candidates",
            )  # fmt: skip
        with gr.Row():
            n_steps = steps_slider("images-steps")
            guidance = guidance_slider("images-guidance")
        model = gr.Dropdown(
            [("the lab's own, 64 pixels a panel", EMBEDDED_ID), ("FLUX.1-dev, 512 pixels a panel", FLUX_DEV)],
            value=EMBEDDED_ID, label="Model", elem_id="images-model", visible=not is_shared(),
            info="FLUX.1-dev, from the hub (gated, 34 GB), needs a GPU; its LoRAs are the published ones.",
        )  # fmt: skip
    return Form(
        example, grid, summary, texts, lora, strength, second, second_strength, seed, n_candidates, n_steps,
        guidance, mode, model, given,
    )  # fmt: skip


def loras_for(model_id: str, chosen: Sequence[str] = (NO_LORA, NO_LORA)) -> list[gr.Dropdown]:
    """Offer the LoRAs of a model in both dropdowns; one that is no longer there is not chosen."""
    known = names() if model_id == EMBEDDED_ID else list(PUBLISHED_LORAS)
    choices = [("none: the base alone", NO_LORA), *((name, name) for name in known)]
    return [gr.Dropdown(choices=choices, value=each if each in known else NO_LORA) for each in chosen]


def order_of(values: Sequence[Any]) -> Asked:
    """Read the values of `Form.inputs`.

    Raises:
        ValueError: With a sentence for the screen.
    """
    grid_name, summary, *rest = values
    texts, rest = rest[:MAX_PANELS], rest[MAX_PANELS:]
    lora, strength, second, second_strength, seed, n_candidates, n_steps, guidance, mode, model, *given = rest
    if model not in (EMBEDDED_ID, FLUX_DEV) or (model == FLUX_DEV and is_shared()):
        raise ValueError(f"the model must be {EMBEDDED_ID} here, got {str(model)[:40]!r}")
    is_embedded = model == EMBEDDED_ID
    if grid_name not in GRIDS:
        raise ValueError(f"the canvas must be one of {', '.join(GRIDS)}, got {str(grid_name)[:40]!r}")
    grid = GRIDS[grid_name]
    markers = None
    if "[STORYBOARD]" in str(summary).upper():
        markers = tuple(f"[SCENE-{n}]" for n in range(1, grid.n_panels + 1))
    pictures = {
        place: panel_of(Path(path).read_bytes(), Path(path).name, side=SIDE if is_embedded else HUB_SIDE)
        for place, path in enumerate(given[: grid.n_panels])
        if path
    }
    order = Order(
        grid=grid,
        texts=tuple(str(text or "") for text in texts[: grid.n_panels]),
        summary=str(summary or ""),
        markers=markers,
        seed=int(seed or 0),
        n_candidates=int(n_candidates),
        settings=Settings(int(n_steps), float(guidance)),
        given=pictures,
        mode="blend" if mode == EVERY_MODE else mode,
        is_embedded=is_embedded,
    )
    orders = (order,)
    if mode == EVERY_MODE and pictures:
        orders = tuple(replace(order, mode=each, n_candidates=1) for each in modes())
    loras = {str(lora): float(strength)} if lora else {}
    if second and second != lora:
        loras[str(second)] = float(second_strength)
    return Asked(orders, loras, str(model))


def modes() -> list[str]:
    """List how given panels can enter with the weights that are there."""
    return [mode for mode in MODES if mode != "fill" or has_fill()]


def fill(form: Form, task_id: str) -> dict[Any, Any]:
    """Show an example of a task: canvas, texts and its LoRA."""
    if task_id == FREE:
        return {form.summary: "", **{text: gr.Textbox("") for text in form.texts}, form.lora: NO_LORA}
    found = example_of(task_id)
    grid = next(task.grid for task in TASKS if task.id == task_id)
    return {
        form.grid: _grid_name(grid),
        form.summary: found["summary"],
        **{
            text: gr.Textbox(found["texts"][place], visible=place < grid.n_panels)
            for place, text in enumerate(form.texts)
        },
        **{each: gr.File(visible=place < grid.n_panels) for place, each in enumerate(form.given)},
        form.lora: task_id if task_id in names() else NO_LORA,
    }


def shown_panels(form: Form, grid_name: str) -> dict[Any, Any]:
    """Show as many texts and pictures as the canvas has panels."""
    n = GRIDS.get(grid_name, PAIR).n_panels
    updates: dict[Any, Any] = {text: gr.Textbox(visible=place < n) for place, text in enumerate(form.texts)}
    return updates | {each: gr.File(visible=place < n) for place, each in enumerate(form.given)}


@cache
def example_of(task_id: str) -> Mapping[str, Any]:
    """Return summary and four texts of an example, about concepts that were held out of every related set."""
    same = "the same thing"
    examples: dict[str, tuple[str, ...]] = {
        "style-sheet": (
            "rabbit, flat style", f"{same}, outline style", f"{same}, 3d style", f"{same}, sticker style",
        ),
        "icon-family": ("rocket, mint background", "guitar", "doughnut", "bee"),
        "coloured": ("parrot, outline style", f"{same}, flat style"),
        "rendered": ("rocket, flat style", f"{same}, 3d style"),
        "storyboard": (
            f"small {NAMES[0]} the zebra, flat style, blue background",
            f"medium {NAMES[0]}, yellow background",
            f"{NAMES[0]}, mint background",
        ),
        "couple": ("medium mirrored chicken, sticker style, pink background", f"{same} with a red hat"),
        "identity": ("ladybird, flat style, lilac background", f"a mug with {same}"),
        "sandstorm": ("car, painted style, blue background", f"{same} in a sandstorm"),
        "sparklers": ("house, flat style, night background", f"{same} with sparklers"),
        "growth": ("small sunflower, painted style, blue background", f"{same}, medium", f"{same}, large"),
    }  # fmt: skip
    summary = next(task.summary for task in TASKS if task.id == task_id)
    if task_id == "storyboard":
        summary += f" {NAMES[0]}"
    return {"summary": summary, "texts": (*examples[task_id], "", "", "")[:MAX_PANELS]}


def _grid_name(grid: Grid) -> str:
    return next(name for name, each in GRIDS.items() if each == grid)


def _lora(label: str, info: str, elem_id: str, value: str | None = None) -> gr.Dropdown:
    known = names()
    chosen = value if value is not None else ("coloured" if "coloured" in known else NO_LORA)
    return gr.Dropdown(
        [("none: the base alone", NO_LORA), *((name, name) for name in known)],
        value=chosen, label=label, info=info, elem_id=elem_id,
    )  # fmt: skip


def _strength(elem_id: str, value: float = 1.0) -> gr.Slider:
    return gr.Slider(
        0, 2, value, step=0.05, label="Strength", info="1 is as tuned, 0 is without.", elem_id=elem_id
    )
