"""The Compose tab: write demonstrations and a query, see the exact prompt, ask it under every slot."""

from collections.abc import Iterator
from functools import partial
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from lab.experiments.one_query import Asked
from lab.tasks import load_task
from lab.tasks.files import keep_copy, read_task
from lab.ui.compose_fields import (
    Answers,
    Fields,
    Values,
    answers,
    collect,
    demos_as_rows,
    fields,
    preset_buttons,
    query_text,
    show,
    slot_choice,
)
from lab.ui.compose_presets import PRESETS, Preset
from lab.ui.compose_run import answering, stop
from lab.ui.compose_view import answer_html, compared, preview_html, slots_html
from lab.ui.composed import Composed
from lab.ui.running import MODEL_QUEUE, SAYABLE, say
from lab.ui.widgets.markup import note

MAX_UNDO = 40
HIDDEN = "The answers are in, and hidden. Place your guess, then reveal them."
STOPPED = "Stopped: nothing is shown of a prompt that was not asked under every slot."
STALE = "The prompt has changed since these answers: ask again."


NOW = "(history, asked_for, now, ...composed) => [history, asked_for, performance.now(), ...composed]"
LOOKING: dict[str, Any] = {
    "js": NOW,
    "concurrency_id": "compose-look",
    "concurrency_limit": 1,
    "show_progress": "hidden",
    "api_visibility": "private",
}
"""Requests may overtake each other: each tells when the page asked, and one is answered at a time."""


class Seen(NamedTuple):
    """The prompts that the page has shown, the newest last, and when (in ms) it asked for the newest."""

    prompts: list[Composed]
    at: float


class ComposeTab(NamedTuple):
    """What the shell needs of the tab: its fields, and the buttons that take the prompt elsewhere."""

    fields: Fields
    to_position: gr.Button
    to_order: gr.Button
    preview: gr.HTML
    asked_for: gr.State
    stale: gr.HTML
    history: gr.State
    now: gr.Number

    @property
    def looked(self) -> list[Any]:
        """Return the inputs of `look`."""
        return [self.history, self.asked_for, self.now, *self.fields.composed]


def build() -> ComposeTab:
    """Build the tab inside the current Blocks and wire what stays within it."""
    first = PRESETS[0].make()
    history, asked_for, found = gr.State(Seen([first], 0)), gr.State(None), gr.State(None)
    now = gr.Number(visible=False)
    gr.Markdown(
        "Write a prompt by hand, see it as the model reads it, and ask one query under every slot at once."
    )
    presets = preset_buttons()
    slot = slot_choice(first)
    slot.unrender()
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=300):
            inputs = fields(first, slot)
        with gr.Column(scale=6, min_width=300):
            slot.render()
            panel = answers()
            with gr.Row():
                to_position = gr.Button(
                    "Try this in Position", elem_id="compose-to-position", size="sm", min_width=140
                )
                to_order = gr.Button(
                    "Try this in Order", elem_id="compose-to-order", size="sm", min_width=140
                )
            gr.Markdown("### The prompt, as the model reads it")
            preview = gr.HTML(elem_id="compose-prompt", padding=False)
    tab = ComposeTab(inputs, to_position, to_order, preview, asked_for, panel.stale, history, now)
    _wire_editing(tab, presets)
    _wire_asking(tab, panel, found)
    return tab


def _wire_editing(tab: ComposeTab, presets: list[tuple[gr.Button, Preset]]) -> None:
    """Wire everything that changes the prompt; each change redraws the preview and can be undone."""
    inputs, quiet = tab.fields, {"api_visibility": "private", "show_progress": "hidden"}
    gr.on(
        [component.change for component in inputs.composed],
        look,
        tab.looked,
        [tab.history, tab.preview, tab.stale],
        trigger_mode="always_last",
        **LOOKING,
    )
    for button, preset in presets:
        button.click(partial(take_preset, preset), None, inputs.shown, **quiet)
    inputs.task.input(change_task, inputs.composed, inputs.shown, **quiet)
    inputs.query_pick.input(
        lambda task, query_id: query_text(task, query_id) or gr.skip(),
        [inputs.task, inputs.query_pick],
        inputs.query,
        **quiet,
    )
    inputs.upload.upload(
        take_upload, [inputs.upload, *inputs.composed], [*inputs.shown, inputs.notice], **quiet
    )
    filling = inputs.filling
    filling.fill.click(
        fill,
        [filling.method, filling.n_demos, filling.seed, *inputs.composed],
        [inputs.demos, inputs.notice],
        api_visibility="private",
        show_progress="minimal",
        show_progress_on=inputs.notice,
    )
    filling.undo.click(undo, [tab.history, *inputs.composed], [tab.history, *inputs.shown], **quiet)


def _wire_asking(tab: ComposeTab, panel: Answers, found: gr.State) -> None:
    outputs = [tab.asked_for, found, panel.stop, panel.stale, panel.answer, panel.slots, panel.guessing]
    asking = panel.ask.click(
        ask_all,
        [panel.guess_first, *tab.fields.composed],
        outputs,
        concurrency_id=MODEL_QUEUE,
        concurrency_limit=1,
        api_visibility="private",
        show_progress="minimal",
        show_progress_on=panel.answer,
    )
    wire_look(tab, asking.then)
    panel.stop.click(
        stop_asking, None, panel.stop, queue=False, show_progress="hidden", api_visibility="private"
    )
    panel.reveal.click(
        reveal,
        [found, tab.asked_for, panel.guess_flips, panel.guess_slot],
        [panel.stale, panel.answer, panel.slots, panel.guessing],
        api_visibility="private",
        show_progress="hidden",
    )


def wire_look(tab: ComposeTab, *events: Any) -> None:
    """Redraw the preview after these events too: a tab that opens, a model that has arrived."""
    for event in events:
        event(
            look,
            tab.looked,
            [tab.history, tab.preview, tab.stale],
            **LOOKING,
        )


def look(history: Seen, asked_for: Composed | None, now: float, *values: Any) -> Values:
    """Redraw the preview, remember the prompt for Undo, and mark answers that belong to another prompt."""
    if now < history.at:  # overtaken: something newer is on the page
        return gr.skip(), gr.skip(), gr.skip()
    try:
        composed = collect(*values)
        prompts = history.prompts
        if prompts[-1] != composed:
            prompts = [*prompts, composed][-MAX_UNDO:]
        stale = note("warn", STALE) if asked_for not in (None, composed) else ""
        return Seen(prompts, now), preview_html(composed), stale
    except SAYABLE as error:
        return history._replace(at=now), note("error", say(error)), gr.skip()


def take_preset(preset: Preset) -> Values:
    """Fill the tab with a preset."""
    gr.Info(preset.shows)
    return show(preset.make())


def change_task(*values: Any) -> Values:
    """Begin another task with demonstrations and a query of its own."""
    task, model, _, _, slot, _, _ = values
    try:
        loaded = load_task(task)
        fresh = Composed(task, model, query=loaded.queries[0].input, slot=slot)
        method = "balanced" if loaded.labels else "random"
        return show(fresh.filled(method, min(5, len(loaded.pool)), 0))
    except SAYABLE as error:
        gr.Warning(escape(say(error)))
        return tuple(gr.skip() for _ in range(8))


def take_upload(path: str | None, *values: Any) -> Values:
    """Read an uploaded task, keep it, and begin with it."""
    nothing = tuple(gr.skip() for _ in range(8))
    if not path:
        return *nothing, ""
    try:
        content, name = Path(path).read_bytes(), Path(path).name
        read = read_task(content, name)
        begun = change_task(keep_copy(content, name), *values[1:])
    except SAYABLE as error:
        return *nothing, note("error", say(error))
    warned = " ".join(f"{text}." for text in read.warnings)
    said = f"{len(read.task.pool)} demonstrations and {len(read.task.queries)} queries read. {warned}"
    return *begun, note("warn" if warned else "info", said)


def fill(method: str, n_demos: float, seed: float, *values: Any) -> Values:
    """Replace the demonstrations by some of the task's pool."""
    try:
        return demos_as_rows(collect(*values).filled(method, int(n_demos), int(seed or 0))), ""
    except SAYABLE as error:
        return gr.skip(), note("error", say(error))


def undo(history: Seen, *values: Any) -> Values:
    """Go back to the last prompt that differs from the one on screen, which `look` may not have seen yet."""
    try:
        current = collect(*values)
    except SAYABLE:  # what is on screen can't be read: anything before it will do
        current = None
    past = list(history.prompts)
    while past and past[-1] == current:
        past.pop()
    if not past:
        gr.Info("There is nothing to undo.")
        return history, *(gr.skip() for _ in range(8))
    return history._replace(prompts=past), *show(past[-1])


def ask_all(request: gr.Request, guess_first: bool, *values: Any) -> Iterator[Values]:
    """Ask under every slot; yield the state of the panel at least twice a second."""
    can_stop, at_rest = gr.Button(interactive=True), gr.Button(interactive=False)
    hide, asked = gr.Group(visible=False), None
    try:
        composed = collect(*values)
        slot = composed.slot if composed.demos else "none"
        yield None, None, can_stop, "", note("info", "Asking…"), "", hide
        for told in answering(composed, request.session_hash or ""):
            if isinstance(told, str):
                yield gr.skip(), gr.skip(), can_stop, "", note("info", told), gr.skip(), hide
                continue
            asked = told
            if not guess_first:
                yield composed, asked, can_stop, "", answer_html(asked, slot), slots_html(asked, slot), hide
    except SAYABLE as error:
        gr.Warning(escape(say(error)))
        yield None, None, at_rest, "", note("error", say(error)), "", hide
        return
    if asked is None or len(asked.rows) < asked.n_layouts:
        yield None, None, at_rest, "", note("info", STOPPED), "", hide
    elif guess_first:
        yield composed, asked, at_rest, "", note("info", HIDDEN), "", gr.Group(visible=True)
    else:
        yield composed, asked, at_rest, "", answer_html(asked, slot), slots_html(asked, slot), hide


def stop_asking(request: gr.Request) -> Any:
    """Stop what this page asks; the panel says so when the pass has ended."""
    stop(request.session_hash or "")
    return gr.Button(interactive=False)


def reveal(asked: Asked | None, composed: Composed | None, n_flips: float, guess_slot: str | None) -> Values:
    """Show the answers, and how the guess compares with them."""
    if asked is None or composed is None:
        return "", note("info", "Ask first."), "", gr.Group(visible=False)
    slot = composed.slot if composed.demos else "none"
    guess = compared(n_flips, guess_slot, asked, slot)
    return guess, answer_html(asked, slot), slots_html(asked, slot), gr.Group(visible=False)
