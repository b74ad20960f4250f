"""Tune a LoRA while you watch: sets of drawings or your own, the loss, samples, the file at the end."""

import threading
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr

from lab.images.adapters import SUFFIX
from lab.images.pictures import as_png
from lab.images.shelf import names
from lab.images.tasks import TASKS, find_task, task_sets
from lab.images.tune import MAX_SETS, MIN_SETS, TuneSettings
from lab.images.tuning import Tuning, tuning
from lab.ui import running
from lab.ui.images.sets import own_sets, sets_of
from lab.ui.run_controls import HEAVY, LIGHT, QUIET
from lab.ui.running import SAYABLE
from lab.ui.widgets.markup import note
from lab.ui.widgets.pictures import grid_html, picture_html

if TYPE_CHECKING:
    from lab.images.sets import ImageSet

KEY = "images-tune"
OWN_SETS = "own"
MAX_SAMPLES = 8
SHOWN_SETS = 6


class TuneTab(NamedTuple):
    """What other parts of the page need: events after which there is a new LoRA."""

    finished: list[Any]


def build() -> TuneTab:
    """Build the sub-tab inside the current block."""
    with gr.Row(equal_height=False, elem_classes="lab-split"):
        with gr.Column(scale=4, min_width=320):
            with gr.Row():
                start = gr.Button("Tune", variant="primary", elem_id="tune-start", min_width=120, scale=2)
                stop = gr.Button(
                    "Stop and keep", variant="stop", elem_id="tune-stop", interactive=False, min_width=120
                )
            task = gr.Dropdown(
                [*((task.title, task.id) for task in TASKS), ("My own sets", OWN_SETS)],
                value="coloured", label="Sets",
                info="What the canvases of the training sets show.", elem_id="tune-task",
            )  # fmt: skip
            with gr.Column(visible=False) as own:
                built = own_sets("tune")
            n_sets = gr.Slider(
                MIN_SETS, MAX_SETS, 40, step=5, label="Sets to learn from",
                info="The paper uses 20 to 100.", elem_id="tune-n-sets",
            )  # fmt: skip
            n_steps = gr.Slider(
                20, 2000, 200, step=20, label="Steps", info="More is longer; the rate falls to the end.",
                elem_id="tune-steps",
            )  # fmt: skip
            with gr.Row():
                rank = gr.Slider(
                    1, 32, 16, step=1, label="Rank", info="Size of the LoRA.", elem_id="tune-rank"
                )
                rate = gr.Number(
                    0.002, label="Learning rate", info="2e-3 suits the small model.", minimum=0.00001,
                    maximum=0.1, elem_id="tune-rate", min_width=120,
                )  # fmt: skip
            name = gr.Textbox(
                "mine", label="Name", info="It appears as own/NAME wherever a LoRA is chosen.", max_length=41,
                elem_id="tune-name",
            )  # fmt: skip
            preview = gr.Button("Show some of the sets", size="sm", elem_id="tune-preview")
            with gr.Accordion("Bring a LoRA", open=False):
                upload = gr.File(
                    label="LoRA file (.safetensors)", file_types=[SUFFIX], height=110, elem_id="tune-upload"
                )
                kept = gr.HTML(elem_id="tune-kept", padding=False)
        with gr.Column(scale=6, min_width=320):
            status = gr.HTML(elem_id="tune-status", padding=False, min_height=24)
            curve = gr.HTML(elem_id="tune-curve", padding=False)
            samples = gr.HTML(
                "<p>Samples of a held-out set appear here while the LoRA learns.</p>",
                elem_id="tune-samples", padding=False,
            )  # fmt: skip
            download = gr.DownloadButton(
                "Download the LoRA", visible=False, elem_id="tune-download", size="sm"
            )
            shown = gr.HTML(elem_id="tune-sets", padding=False)
    source = [task, n_sets, *built]
    task.input(lambda chosen: gr.Column(visible=chosen == OWN_SETS), task, own, **LIGHT)
    preview.click(_preview, source, shown, **QUIET)
    uploaded = upload.upload(_take, [upload, name], kept, **QUIET)

    def pressed(request: gr.Request) -> list[Any]:
        running.announce(request, KEY)
        return [gr.Button(interactive=False), gr.Button(interactive=True), note("info", "Begins.")]

    def tuned(request: gr.Request, *values: Any) -> Iterator[list[Any]]:
        yield from _tuned(values, request)

    def stopped(request: gr.Request) -> str:
        running.stop(request, KEY)
        return note("info", "Stopping after this step; what is learnt is kept.")

    buttons = [start, stop, status]
    finished = start.click(pressed, None, buttons, **LIGHT).then(
        tuned, [task, n_sets, n_steps, rank, rate, name, *built], [*buttons, curve, samples, download],
        show_progress="hidden", **HEAVY,
    )  # fmt: skip
    stop.click(stopped, None, status, **LIGHT)
    return TuneTab([finished, uploaded])


def _sets_of(task_id: str, n_sets: float, own: Sequence[Any]) -> "list[ImageSet]":
    if task_id == OWN_SETS:
        return sets_of(own)[: int(n_sets)]
    from lab.images.emoji import atlas

    return task_sets(find_task(task_id), int(n_sets), "train", 0, atlas())


def _held_out(task_id: str, sets: "Sequence[ImageSet]") -> "ImageSet":
    """Return the set that is drawn while it learns: of held-out concepts, or the last of a person's own."""
    if task_id == OWN_SETS:
        return sets[-1]
    from lab.images.emoji import atlas

    return task_sets(find_task(task_id), 1, "test", 3, atlas())[0]


def _preview(task_id: str, n_sets: float, *own: Any) -> str:
    try:
        sets = _sets_of(task_id, n_sets, own)
    except SAYABLE as error:
        return note("error", str(error))
    figures = [
        picture_html(as_png(each.canvas), each.caption, each.name, each.caption) for each in sets[:SHOWN_SETS]
    ]
    heading = f"<h3>{len(sets)} sets; the first {len(figures)}</h3>"
    return heading + grid_html(figures, "")


def _take(path: str, name: str) -> str:
    """Put an uploaded LoRA on the shelf, once its shapes are checked."""
    import shutil

    from lab.images.adapters import check_fits, readable
    from lab.images.shelf import embedded, own_path

    try:
        target = own_path(name)
        readable(Path(path))
        check_fits(embedded(), Path(path))
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    except (*SAYABLE, OSError) as error:
        return note("error", str(error))
    return note("info", f"Kept as own/{name}: choose it under Draw.")


def _tuned(values: Sequence[Any], request: gr.Request) -> Iterator[list[Any]]:
    """Tune, a yield a change: start, stop, status, curve, samples, download."""
    task_id, n_sets, n_steps, rank, rate, name, *own = values
    rest = [gr.Button(interactive=True), gr.Button(interactive=False)]
    unchanged = [gr.skip()] * 3
    try:
        with running.turn(request, KEY) as stopping:
            yield [gr.skip(), gr.skip(), note("info", "Loading the model and the drawings."), *unchanged]
            sets = _sets_of(task_id, n_sets, own)
            settings = TuneSettings(rank=int(rank), n_steps=int(n_steps), rate=float(rate))
            samples: list[str] = []
            last = None
            for last in _steps(sets, _held_out(task_id, sets), settings, str(name), task_id, stopping):
                if last.sample is not None:
                    samples.insert(0, _sample_html(last, sets[0]))
                shown = grid_html(samples[:MAX_SAMPLES], "") if samples else gr.skip()
                yield [gr.skip(), gr.skip(), _status(last), curve_html(last.losses), shown, gr.skip()]
        assert last is not None and last.path is not None
        words = f"Kept as own/{name} after {last.step} steps and {last.seconds:.0f} s."
        yield [
            *rest, note("info", words), gr.skip(), gr.skip(),
            gr.DownloadButton(value=str(last.path), visible=True),
        ]  # fmt: skip
    except (*SAYABLE, FloatingPointError) as error:
        gr.Warning(str(error))
        yield [*rest, note("error", str(error)), *unchanged]


def _steps(
    sets: "Sequence[ImageSet]",
    held_out: "ImageSet",
    settings: TuneSettings,
    name: str,
    task_id: str,
    stopping: threading.Event,
) -> Iterator[Tuning]:
    """Pass the steps on; after a stop the last one tells the file that was kept."""
    import dataclasses

    from lab.images.shelf import embedded, own_path

    steps = tuning(embedded(), sets, held_out, settings, name, task_id)
    for step in steps:
        yield step
        if stopping.is_set() and step.path is None:
            steps.close()  # type: ignore[attr-defined]
            yield dataclasses.replace(step, path=own_path(name))
            return


def _status(tuning: Tuning) -> str:
    share = 100 * tuning.step / tuning.n_steps
    togo = tuning.seconds * (tuning.n_steps - tuning.step) / max(tuning.step, 1)
    return (
        f'<progress max="100" value="{share:.1f}" aria-label="Progress of the tuning" '
        f'style="width:100%;height:10px;accent-color:var(--color-accent)">{share:.0f} %</progress>'
        f'<p role="status" style="margin:4px 0">Step {tuning.step} of {tuning.n_steps} · '
        f"{tuning.seconds:.0f} s so far, about {togo:.0f} s to go</p>"
    )


def _sample_html(tuning: Tuning, like: "ImageSet") -> str:
    assert tuning.sample is not None
    return picture_html(
        as_png(like.grid.join(tuning.sample)), "The held-out set as it is drawn now", f"Step {tuning.step}"
    )


def curve_html(losses: Sequence[float], width: int = 480, height: int = 90) -> str:
    """Draw the loss, a moving mean over ten steps, as a small picture."""
    if len(losses) < 12:
        return ""
    smooth = [sum(losses[max(0, i - 9) : i + 1]) / (i + 1 - max(0, i - 9)) for i in range(9, len(losses))]
    low, high = min(smooth), max(smooth)
    step_x, step_y = width / max(len(smooth) - 1, 1), (height - 8) / max(high - low, 1e-9)
    points = " ".join(f"{step_x * i:.1f},{4 + step_y * (high - loss):.1f}" for i, loss in enumerate(smooth))
    words = escape(f"Loss, mean of ten steps: {smooth[0]:.3f} at first, {smooth[-1]:.3f} now")
    line = f'<polyline points="{points}" fill="none" stroke="currentColor" stroke-width="2"/>'
    return (
        f'<figure class="lab-curve"><svg viewBox="0 0 {width} {height}" role="img" aria-label="{words}" '
        f'preserveAspectRatio="none">{line}</svg><figcaption>{words}</figcaption></figure>'
    )


def choices() -> list[tuple[str, str]]:
    """List the LoRAs as a dropdown shows them."""
    return [("none: the base alone", ""), *((name, name) for name in names())]
