"""Give a few examples of a task and get a LoRA made by a network; beside it what a tuned one draws."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr

from lab.images.icm import HELD_OUT
from lab.images.pictures import as_png
from lab.images.shelf import own_path
from lab.images.tasks import TASKS, find_task, task_sets
from lab.ui import running
from lab.ui.images.sets import own_sets, sets_of
from lab.ui.run_controls import HEAVY, LIGHT, QUIET
from lab.ui.running import SAYABLE
from lab.ui.widgets.markup import note
from lab.ui.widgets.pictures import grid_html, picture_html

if TYPE_CHECKING:
    from lab.images.sets import ImageSet

KEY = "images-examples"
OWN_SETS = "own"
N_DRAWN = 3
EMPTY = (
    "<p>Press <b>Make a LoRA</b>: a network that has seen many LoRAs makes one from the examples, without "
    "tuning. Held-out sets are then drawn from the same noise with it, without it and with a tuned one.</p>"
)


class ExamplesTab(NamedTuple):
    """What other parts of the page need: an event after which there may be a new LoRA."""

    finished: Any


def build() -> ExamplesTab:
    """Build the sub-tab inside the current block."""
    with gr.Row(equal_height=False, elem_classes="lab-split"):
        with gr.Column(scale=4, min_width=320):
            make = gr.Button("Make a LoRA", variant="primary", elem_id="examples-start")
            task = gr.Dropdown(
                [*(_choice(task.id) for task in TASKS), ("My own sets", OWN_SETS)], value=HELD_OUT[0],
                label="Examples of", elem_id="examples-task",
                info="With so few tasks the network mostly remembers: a task that it never saw is the test.",
            )  # fmt: skip
            with gr.Column(visible=False) as own:
                built = own_sets("examples")
            n_examples = gr.Slider(
                1, 20, 5, step=1, label="Examples", info="Sets that the task is read from.",
                elem_id="examples-n",
            )  # fmt: skip
            seed = gr.Number(
                0, label="Seed", info="Of the examples, the LoRA and the noise.", precision=0, minimum=0,
                maximum=1000, elem_id="examples-seed",
            )  # fmt: skip
            name = gr.Textbox(
                "", label="Keep it as", info="A name keeps it as own/NAME; empty keeps nothing.",
                max_length=41, elem_id="examples-name",
            )  # fmt: skip
        with gr.Column(scale=6, min_width=320):
            status = gr.HTML(elem_id="examples-status", padding=False, min_height=24)
            shown = gr.HTML(elem_id="examples-shown", padding=False)
            drawn = gr.HTML(EMPTY, elem_id="examples-drawn", padding=False)
    task.input(lambda chosen: gr.Column(visible=chosen == OWN_SETS), task, own, **LIGHT)

    def begun() -> list[Any]:
        return [gr.Button(interactive=False), note("info", "Begins.")]

    def made(request: gr.Request, *values: Any) -> Iterator[list[Any]]:
        yield from _making(values, request)

    inputs = [task, n_examples, seed, name, *built]
    finished = make.click(begun, None, [make, status], **QUIET).then(
        made, inputs, [make, status, shown, drawn], show_progress="hidden", **HEAVY
    )
    return ExamplesTab(finished)


def _choice(task_id: str) -> tuple[str, str]:
    title = find_task(task_id).title
    return (f"{title} (no LoRA of it was seen)" if task_id in HELD_OUT else title), task_id


def _making(values: Any, request: gr.Request) -> Iterator[list[Any]]:
    """Make a LoRA and draw with it, a yield a picture: button, status, examples, what is drawn."""
    task_id, n_examples, seed, name, *own = values
    rest, name = gr.Button(interactive=True), str(name or "").strip()
    try:
        if name:
            own_path(name)  # says at once if it can't be kept
        with running.turn(request, KEY):
            yield [gr.skip(), note("info", "Loading the model and the generator."), gr.skip(), gr.skip()]
            examples, asked = _sets(task_id, int(n_examples), int(seed), own)
            shown = _figures_html("Examples", [(each, each.canvas, "") for each in examples])
            yield [gr.skip(), note("info", "Reading the task from the examples."), shown, gr.skip()]
            arms = _arms(task_id, examples, int(seed))
            parts: list[str] = []
            for title, lora in arms:
                parts.append(_drawn_html(title, lora, asked, int(seed)))
                yield [gr.skip(), note("info", f"Drawn: {title}."), gr.skip(), "".join(parts)]
            words = _keep(name) if name else "Made; not kept."
        yield [rest, note("info", words), gr.skip(), gr.skip()]
    except SAYABLE as error:
        gr.Warning(str(error))
        yield [rest, note("error", str(error)), gr.skip(), gr.skip()]


def _sets(task_id: str, n: int, seed: int, own: Sequence[Any]) -> "tuple[list[ImageSet], list[ImageSet]]":
    """Return the examples, and sets to draw: of held-out concepts, or the last of a person's own."""
    from lab.images.emoji import atlas

    if task_id == OWN_SETS:
        sets = sets_of(own)
        return sets[:n], sets[-N_DRAWN:]
    task = find_task(task_id)
    return (
        task_sets(task, n, "train", 1000 + seed, atlas()),
        task_sets(task, N_DRAWN, "test", seed, atlas()),
    )


def _arms(task_id: str, examples: "list[ImageSet]", seed: int) -> list[tuple[str, str]]:
    """Make the LoRAs to draw with: a title and the name that each is lent under; "" is the base."""
    from lab.images import icm
    from lab.images.lora_vector import fingerprint
    from lab.images.shelf import embedded, lend
    from lab.images.task_vector import task_vector

    model = embedded()
    cvae, trained = icm.load(icm.FOLDER, fingerprint(model))
    lend(KEY, icm.generate(cvae, task_vector(model, examples), seed))
    arms = [("The base alone", ""), ("The generated LoRA", KEY)]
    if task_id in trained:
        lend(f"{KEY}-tuned", trained[task_id].vector)
        arms.append(("A LoRA tuned on 100 sets", f"{KEY}-tuned"))
    return arms


def _drawn_html(title: str, lora: str, asked: "list[ImageSet]", seed: int) -> str:
    from lab.images.probe import load_probe, read_panels
    from lab.images.sampler import draw
    from lab.images.shelf import load_weighed

    model = load_weighed({lora: 1.0} if lora else {})
    captions, grid = [each.caption for each in asked], asked[0].grid
    panels = draw(model, captions, grid, [1000 * seed + place for place in range(len(asked))])
    figures = []
    for each, drawn in zip(asked, panels, strict=True):
        reading = read_panels(drawn, load_probe())
        told = " · ".join(
            f"{word}, {style}" for word, style in zip(reading.words, reading.styles, strict=True)
        )
        figures.append((each, grid.join(drawn), f"read as {told}"))
    return _figures_html(title, figures)


def _figures_html(title: str, figures: Sequence[tuple["ImageSet", Any, str]]) -> str:
    drawn = [
        picture_html(as_png(canvas), each.caption, each.name, details or each.caption)
        for each, canvas, details in figures
    ]
    return f"<h3>{escape(title)}</h3>{grid_html(drawn)}"


def _keep(name: str) -> str:
    from lab.images.adapters import save
    from lab.images.shelf import adapter_name, load_weighed

    path = own_path(name)
    save(load_weighed({KEY: 1.0}), adapter_name(KEY), path, {"made": "generated from examples"})
    return f"Kept as own/{name}; choose it under Draw."
