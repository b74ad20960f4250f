"""The Runs tab: every run that was made here; open it, go on with it, compare it, take it away, delete it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

import gradio as gr
import pandas as pd

from lab.experiments import EXPERIMENTS
from lab.runs.examples import adopt, list_examples
from lab.runs.store import Store
from lab.ui import runs_compare, runs_export
from lab.ui import runs_view as view
from lab.ui.exports import run_experiment
from lab.ui.people import Lab
from lab.ui.running import MODEL_QUEUE, announce, say, stop, stream
from lab.ui.runs_compare import ComparePanel
from lab.ui.widgets.markup import note

ALL = "all"
MAX_LISTED = 500
NO_RUNS = (
    "No run is kept here yet. Press Run in the Position or the Order tab: the run appears here while it is "
    "made, batch by batch."
)
OR_EXAMPLES = " Or press “Add example runs” and look at runs that are shipped with the lab."
NO_MATCH = "No run of this experiment is kept here. Show the runs of all experiments, or make one in its tab."
NOTHING_CHOSEN = "Choose a run in the history: its verdict and where it comes from appear here."
LIGHT: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


class Opener(NamedTuple):
    """How another tab shows a run: `show(run_id, request)` returns one update for each of `outputs`."""

    show: Callable[[str, gr.Request], Sequence[Any]]
    outputs: list[Any]


class Event(NamedTuple):
    """What an event calls, from and to which components: `gr.on(triggers, *event)`."""

    fn: Callable[..., Any]
    inputs: list[Any]
    outputs: list[Any]


class RunsTab(NamedTuple):
    """What the shell needs of the tab: the list that holds the chosen run, the event that reads all anew.

    `refresh` belongs on the tab's selection, after the page has arrived and after a run has ended.
    """

    chosen: gr.Dropdown
    refresh: Event


class Head(NamedTuple):
    """The history and the choice of a run."""

    experiment: gr.Dropdown
    refresh: gr.Button
    examples: gr.Button
    message: gr.HTML
    table: gr.Dataframe
    chosen: gr.Dropdown


class Card(NamedTuple):
    """One run: its details, and what can be done with it."""

    details: gr.HTML
    open: gr.Button
    resume: gr.Button
    stop: gr.Button
    delete: gr.Button
    progress: gr.HTML
    sure: gr.Group
    question: gr.HTML
    confirm: gr.Button
    keep: gr.Button

    @property
    def shown(self) -> list[Any]:
        """What depends on the chosen run."""
        return [self.details, self.open, self.resume, self.delete, self.sure]


def build(lab: Lab, openers: Mapping[str, Opener] | None = None) -> RunsTab:
    """Build the tab inside the current block.

    Args:
        lab: Where runs are kept.
        openers: By experiment id, the tabs that can show a run again.
    """
    openers = openers or {}
    head, card = _head(), _card()
    with gr.Accordion("Export this run", open=False, elem_id="runs-export"):
        runs_export.build(lab, head.chosen)
    with gr.Accordion("Compare two runs", open=False, elem_id="runs-compare"):
        pair = runs_compare.build(lab)
    refresh = _refresh(lab, head, pair)
    show = _show(lab, head, card, openers)
    gr.on([head.refresh.click, head.experiment.input], *refresh, **LIGHT)
    head.table.select(_picked, None, head.chosen, **LIGHT)
    head.examples.click(_adopting(lab), None, head.message, **LIGHT).then(*refresh, **LIGHT)
    head.chosen.change(*show, **LIGHT)
    _wire_delete(lab, head, card, refresh)
    _wire_resume(lab, head, card, refresh, show)
    for experiment_id, opener in openers.items():
        opening = _opening(lab, experiment_id, opener)
        card.open.click(
            opening,
            head.chosen,
            [card.progress, *opener.outputs],
            show_progress_on=card.progress,
            api_visibility="private",
        )
    return RunsTab(head.chosen, refresh)


def _head() -> Head:
    with gr.Row(elem_id="runs-bar"):
        experiment = gr.Dropdown(
            [("All experiments", ALL), *((each.title, each.id) for each in EXPERIMENTS)],
            value=ALL,
            label="Show runs of",
            info="Which experiment's runs the history lists.",
            elem_id="runs-filter",
        )
        refresh = gr.Button("Refresh", elem_id="runs-refresh", scale=0, min_width=120)
        examples = gr.Button(
            "Add example runs", elem_id="runs-examples", scale=0, min_width=180, visible=False
        )
    message = gr.HTML(elem_id="runs-message")
    table = gr.Dataframe(
        headers=view.HISTORY_COLUMNS,
        label="History, the last touched first. Choose a row.",
        elem_id="runs-history",
        interactive=False,
        max_height=340,
        column_widths=[*view.HISTORY.values()],
    )
    chosen = gr.Dropdown(
        [], value=None, label="Run", info="The run that is shown, exported or deleted.", elem_id="runs-chosen"
    )
    return Head(experiment, refresh, examples, message, table, chosen)


def _card() -> Card:
    details = gr.HTML(note("info", NOTHING_CHOSEN), elem_id="runs-details")
    with gr.Row(elem_id="runs-actions"):
        open_ = gr.Button(
            "Open", variant="primary", elem_id="runs-open", interactive=False, scale=0, min_width=140
        )
        resume = gr.Button("Resume", elem_id="runs-resume", interactive=False, scale=0, min_width=140)
        stopper = gr.Button(
            "Stop", variant="stop", elem_id="runs-stop", visible=False, scale=0, min_width=140
        )
        delete = gr.Button("Delete", elem_id="runs-delete", interactive=False, scale=0, min_width=140)
    progress = gr.HTML(elem_id="runs-progress")
    with gr.Group(visible=False, elem_id="runs-sure") as sure:
        question = gr.HTML(elem_id="runs-question", padding=True)
        with gr.Row():
            confirm = gr.Button("Delete for good", variant="stop", elem_id="runs-confirm")
            keep = gr.Button("Keep it", elem_id="runs-keep")
    return Card(details, open_, resume, stopper, delete, progress, sure, question, confirm, keep)


def _error(error: Exception) -> str:
    return note("error", say(error))


def _picked(event: gr.SelectData) -> Any:
    return event.row_value[-1] if event.row_value and event.row_value[-1] else gr.skip()


def _row(store: Store, run_id: str | None) -> Any:
    """Find a run's row in the store, as `itertuples` gives it."""
    store.recipe(run_id or "")  # says which runs there are if this one is not
    return next(run for run in store.runs().itertuples() if run.run_id == run_id)


def _refresh(lab: Lab, head: Head, pair: ComparePanel) -> Event:
    """Read the history; the chosen runs stay chosen if they are still there."""

    def read(experiment: str, chosen: str | None, a: str | None, b: str | None, request: gr.Request) -> tuple:
        try:
            store = lab.store_for(request)
            runs = store.runs()
            shown = (runs if experiment == ALL else runs[runs["experiment"] == experiment]).head(MAX_LISTED)
            table = view.history(store, shown)
        except Exception as error:  # said, logged if it is nobody's mistake
            empty, none = pd.DataFrame(columns=view.HISTORY_COLUMNS), gr.Dropdown(choices=[], value=None)
            return empty, none, _error(error), gr.Button(visible=False), none, none
        lacks_examples = any(each.recipe.id not in set(runs["run_id"]) for each in list_examples())
        every = view.choices(runs.head(MAX_LISTED))
        before, last = _pair(runs)
        return (
            table,
            _kept(view.choices(shown), chosen, next(iter(shown["run_id"]), None)),
            _message(runs, shown, lacks_examples),
            gr.Button(visible=lacks_examples),
            _kept(every, a, before),
            _kept(every, b, last),
        )

    inputs = [head.experiment, head.chosen, pair.a, pair.b]
    return Event(read, inputs, [head.table, head.chosen, head.message, head.examples, pair.a, pair.b])


def _kept(choices: list[tuple[str, str]], value: str | None, default: str | None) -> gr.Dropdown:
    is_there = value in [run_id for _, run_id in choices]
    return gr.Dropdown(choices=choices, value=value if is_there else default)


def _pair(runs: pd.DataFrame) -> tuple[str | None, str | None]:
    """Offer for a comparison the last two runs of one experiment, the earlier as A."""
    for _, alike in runs.groupby("experiment", sort=False):
        if len(alike) > 1:
            return alike["run_id"].iloc[1], alike["run_id"].iloc[0]
    return None, None


def _message(runs: pd.DataFrame, shown: pd.DataFrame, lacks_examples: bool) -> str:
    if runs.empty:
        return note("info", NO_RUNS + (OR_EXAMPLES if lacks_examples else ""))
    if shown.empty:
        return note("info", NO_MATCH)
    return note("info", f"The last {MAX_LISTED} runs are listed.") if len(shown) == MAX_LISTED else ""


def _adopting(lab: Lab) -> Callable[..., str]:
    def add(request: gr.Request) -> str:
        try:
            for example in list_examples():
                adopt(lab.store_for(request), example.slug)
        except Exception as error:  # said, logged if it is nobody's mistake
            return _error(error)
        return ""

    return add


def _show(lab: Lab, head: Head, card: Card, openers: Mapping[str, Opener]) -> Event:
    """Show the chosen run, and offer what can be done with it."""

    def show(run_id: str | None, request: gr.Request) -> tuple:
        off, hidden = gr.Button(interactive=False), gr.Group(visible=False)
        if not run_id:
            return note("info", NOTHING_CHOSEN), off, off, off, hidden
        try:
            store = lab.store_for(request)
            run = _row(store, run_id)
            titles = {each.id: each.title for each in EXPERIMENTS}
            details = view.details_html(store, run, titles.get(run.experiment, run.experiment))
        except Exception as error:  # said, logged if it is nobody's mistake
            return _error(error), off, off, off, hidden
        can_open = gr.Button(interactive=run.experiment in openers)
        return (
            details,
            can_open,
            gr.Button(interactive=run.status != "finished"),
            gr.Button(interactive=True),
            hidden,
        )

    return Event(show, [head.chosen], card.shown)


def _opening(lab: Lab, experiment_id: str, opener: Opener) -> Callable[..., Sequence[Any]]:
    """Open a run if it is one of this experiment; the openers of all experiments hear every click."""

    def show(run_id: str | None, request: gr.Request) -> Sequence[Any]:
        unchanged = [gr.skip()] * len(opener.outputs)
        try:
            if lab.store_for(request).recipe(run_id or "").experiment != experiment_id:
                return [gr.skip(), *unchanged]
            run_experiment(lab.store_for(request), run_id or "")
            return ["", *opener.show(run_id or "", request)]
        except Exception as error:  # said, logged if it is nobody's mistake
            return [_error(error), *unchanged]

    return show


def _wire_delete(lab: Lab, head: Head, card: Card, refresh: Event) -> None:
    def ask(run_id: str | None, request: gr.Request) -> tuple:
        try:
            run = _row(lab.store_for(request), run_id)
        except Exception as error:  # said, logged if it is nobody's mistake
            return gr.Group(visible=False), "", _error(error)
        question = (
            f"Delete run {run.run_id} with its {run.n_predictions} answers? They can't be brought back."
        )
        return gr.Group(visible=True), f"<p>{escape(question)}</p>", ""

    def delete(run_id: str | None, request: gr.Request) -> tuple:
        try:
            lab.store_for(request).delete(run_id or "")
        except Exception as error:  # said, logged if it is nobody's mistake
            return gr.Group(visible=False), _error(error)
        return gr.Group(visible=False), note("verdict", f"Run {run_id} is deleted.")

    card.delete.click(ask, head.chosen, [card.sure, card.question, card.progress], **LIGHT)
    card.keep.click(lambda: gr.Group(visible=False), None, card.sure, **LIGHT)
    card.confirm.click(delete, head.chosen, [card.sure, card.progress], **LIGHT).then(*refresh, **LIGHT)


def _wire_resume(lab: Lab, head: Head, card: Card, refresh: Event, show: Event) -> None:
    buttons = [card.resume, card.stop]

    def begin(run_id: str | None, request: gr.Request) -> tuple:
        try:
            experiment, _ = run_experiment(lab.store_for(request), run_id or "")
        except Exception as error:  # said, logged if it is nobody's mistake
            return _error(error), gr.Button(interactive=False), gr.Button(visible=False)
        announce(request, experiment.id)
        return note("info", "Waiting for the model."), gr.Button(interactive=False), gr.Button(visible=True)

    def go_on(run_id: str | None, request: gr.Request) -> Iterator[str]:
        try:
            experiment, params = run_experiment(lab.store_for(request), run_id or "")
            for state in stream(experiment, params, lab, request):
                yield view.progress_html(state)
        except Exception as error:  # said, logged if it is nobody's mistake
            yield _error(error)

    def halt(run_id: str | None, request: gr.Request) -> str:
        try:
            stop(request, lab.store_for(request).recipe(run_id or "").experiment)
        except Exception as error:  # said, logged if it is nobody's mistake
            return _error(error)
        return note("info", "Stopping after the batch that is being answered.")

    begun = card.resume.click(begin, head.chosen, [card.progress, *buttons], **LIGHT)
    ended = begun.then(
        go_on,
        head.chosen,
        card.progress,
        concurrency_id=MODEL_QUEUE,
        concurrency_limit=1,
        show_progress="minimal",
        api_visibility="private",
    )
    ended.then(lambda: gr.Button(visible=False), None, card.stop, **LIGHT)
    ended.then(*refresh, **LIGHT).then(*show, **LIGHT)
    card.stop.click(halt, head.chosen, card.progress, **LIGHT)
