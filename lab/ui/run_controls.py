"""Run, stop, and ask what a run will take: the buttons of an experiment, and how it stands."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from types import MappingProxyType
from typing import Any, NamedTuple

import gradio as gr

from lab.cli.progress import duration
from lab.experiments import EXPERIMENTS
from lab.experiments.events import Cost
from lab.experiments.registry import Experiment, build_params, find_experiment
from lab.runs.recipe import Recipe
from lab.ui import running
from lab.ui.opened import Opened
from lab.ui.people import Lab
from lab.ui.running import MODEL_QUEUE, SAYABLE, RunState
from lab.ui.widgets.markup import note, stat_tiles

Updates = dict[gr.components.Component, Any]
LIGHT = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
HEAVY = {"concurrency_id": MODEL_QUEUE, "concurrency_limit": 1, "api_visibility": "private"}
# With gradio's own "once", a click during the answer to the one before it would be lost.
QUIET = {"show_progress": "hidden", "api_visibility": "private", "trigger_mode": "always_last"}
QUEUED = "Waiting for its turn: one run at a time on this machine. Your place stands beside this line."


class RunControls(NamedTuple):
    """The buttons of an experiment and its status line."""

    run: gr.Button
    stop: gr.Button
    cost: gr.Button
    status: gr.HTML


@dataclass(frozen=True)
class Stage:
    """An experiment on a tab.

    Args:
        lab: Whose runs are whose.
        experiment_id: Which experiment.
        inputs: The controls that hold its parameters.
        collect: Turns their values into those of parameters; may raise ValueError.
        opened: The page's state: the `Opened` run on screen, or None.
        outputs: The components that a run fills.
        show: Says how they change for a state of a run: (state, opened, store) to updates.
    """

    lab: Lab
    experiment_id: str
    inputs: Sequence[gr.components.Component]
    collect: Callable[[Sequence[Any]], Mapping[str, Any]]
    opened: gr.State
    outputs: Sequence[gr.components.Component]
    show: Callable[[RunState, Opened, Any], Updates]

    @property
    def experiment(self) -> Experiment:
        """The experiment itself."""
        return find_experiment(EXPERIMENTS, self.experiment_id)

    def params(self, values: Sequence[Any]) -> Any:
        """Build the parameters that the controls show.

        Raises:
            ValueError: With a sentence for the screen.
        """
        return build_params(self.experiment, self.collect(values))


class TabHandle(NamedTuple):
    """How the rest of the page uses an experiment's place on a tab.

    Args:
        inputs: The controls that hold its parameters.
        outputs: Every component that a run fills, and the controls.
        recipe: Values of `inputs` to the recipe they name; may raise ValueError.
        fill: Values of parameters to updates of `inputs`, by component.
        open_run: (run id, request) to one update for each of `outputs`: shows a stored run and restores its
            inputs.
        inner: What inside the tab is to turn to it, such as its own tabs, each with the properties it gets.
    """

    inputs: list[Any]
    outputs: list[Any]
    recipe: Callable[[Sequence[Any]], Recipe]
    fill: Callable[[Mapping[str, Any]], Updates]
    open_run: Callable[[str, gr.Request], list[Any]]
    inner: Mapping[Any, Mapping[str, Any]] = MappingProxyType({})

    def turned(self) -> Updates:
        """Turn the inside of the tab to it."""
        return {part: gr.update(**properties) for part, properties in self.inner.items()}

    @classmethod
    def of(
        cls,
        stage: Stage,
        fill: Callable[[Mapping[str, Any]], Updates],
        show: Callable[[Opened, Any], Updates],
    ) -> "TabHandle":
        """Make the handle of a stage: `fill` restores its controls, `show` shows a stored run."""
        outputs = [*stage.inputs, stage.opened, *stage.outputs]

        def open_run(run_id: str, request: gr.Request) -> list[Any]:
            store = stage.lab.store_for(request)
            run = Opened.stored(store, run_id)
            return in_order({**fill(run.values), stage.opened: run, **show(run, store)}, outputs)

        def recipe(values: Sequence[Any]) -> Recipe:
            return stage.experiment.recipe(stage.params(values))

        return cls(list(stage.inputs), outputs, recipe, fill, open_run)


class ExperimentTab(NamedTuple):
    """What the rest of the page needs of a tab that runs experiments.

    Args:
        handles: How runs of each of its experiments are filled in, opened and named.
        late: The components that `draw` fills once the page is there: plotly is too slow to wait for.
        draw: Returns an update for each of them, from the shipped example.
    """

    handles: dict[str, TabHandle]
    late: list[Any]
    draw: Callable[[], list[Any]]


NO_TAB = ExperimentTab({}, [], list)  # stands for a tab whose model is not there


def run_controls(prefix: str, run_label: str = "Run") -> RunControls:
    """Place the buttons and the status line."""
    with gr.Row():
        run = gr.Button(run_label, variant="primary", elem_id=f"{prefix}-run", min_width=120, scale=2)
        stop = gr.Button("Stop", variant="stop", elem_id=f"{prefix}-stop", interactive=False, min_width=80)
    cost = gr.Button("What will it take?", elem_id=f"{prefix}-cost", size="sm")
    status = gr.HTML(elem_id=f"{prefix}-status", padding=False, min_height=24)
    return RunControls(run, stop, cost, status)


def wire_run(stage: Stage, controls: RunControls, *also: Any) -> list[Any]:
    """Wire the buttons of a stage; `also` are events after which it runs as well.

    Returns:
        The runs themselves, each to be followed with `then`.
    """

    def pressed(request: gr.Request) -> Updates:
        running.announce(request, stage.experiment_id)
        return {
            controls.run: gr.Button(interactive=False),
            controls.stop: gr.Button(interactive=True),
            controls.status: note("info", QUEUED),
        }

    def run(request: gr.Request, *values: Any) -> Iterator[Updates]:
        yield from running_updates(stage, controls, values, request)

    def stop(request: gr.Request) -> Any:
        is_running = running.stop(request, stage.experiment_id)
        # the run itself tells that it is stopping: words from here could come after its last ones and stay
        return gr.Button(interactive=False) if is_running else gr.skip()

    def price(*values: Any) -> Iterator[Any]:
        yield from pricing_updates(stage, values)

    buttons = [controls.run, controls.stop, controls.status]
    outputs = [*buttons, stage.opened, *stage.outputs]
    runs = [
        begin(pressed, None, buttons, **LIGHT).then(
            run,
            list(stage.inputs),
            outputs,
            show_progress="minimal",
            show_progress_on=controls.status,
            **HEAVY,
        )
        for begin in (controls.run.click, *also)
    ]
    controls.stop.click(stop, None, controls.stop, **LIGHT)
    controls.cost.click(
        price, list(stage.inputs), controls.status,
        show_progress="minimal", show_progress_on=controls.status, **HEAVY,
    )  # fmt: skip
    return runs


def running_updates(
    stage: Stage, controls: RunControls, values: Sequence[Any], request: gr.Request
) -> Iterator[Updates]:
    """Make a run and say after each of its states what changes on screen; errors become sentences."""
    store = stage.lab.store_for(request)
    try:
        params = stage.params(values)
        recipe = stage.experiment.recipe(params)
        opened = Opened(stage.experiment_id, recipe.id, recipe.params)
        for state in running.stream(stage.experiment, params, stage.lab, request):
            updates: Updates = {controls.status: status_html(state)}
            if state.predictions is not None or state.result is not None or state.learned:
                updates |= {stage.opened: opened} | stage.show(state, opened, store)
            if state.phase == "failed":
                gr.Warning(state.message)
            if state.is_over:
                updates |= _at_rest(controls, "Resume" if state.phase == "stopped" else "")
            yield updates
    except SAYABLE as error:
        gr.Warning(running.say(error))
        yield {controls.status: note("error", running.say(error)), **_at_rest(controls)}


def pricing_updates(stage: Stage, values: Sequence[Any]) -> Iterator[str]:
    """Say what a run will take."""
    try:
        for state in running.pricing(stage.experiment, stage.params(values)):
            if state.phase == "failed":
                gr.Warning(state.message)
            yield cost_html(state.cost) if state.cost is not None else status_html(state)
    except SAYABLE as error:
        gr.Warning(running.say(error))
        yield note("error", running.say(error))


def _at_rest(controls: RunControls, label: str = "") -> Updates:
    """Let a run be begun; without a label the button is called what it was at first."""
    return {
        controls.run: gr.Button(label or controls.run.value, interactive=True),
        controls.stop: gr.Button(interactive=False),
    }


def status_html(state: RunState) -> str:
    """Say how a run stands."""
    if state.phase == "failed":
        return note("error", state.message)
    if state.phase == "waiting":
        return note("info", f"Waiting for the batch of another run to end ({state.elapsed_s:.0f} s).")
    if state.phase == "loading":
        return note("info", f"{state.message} ({state.elapsed_s:.0f} s).")
    cost = cost_html(state.cost) if state.cost is not None else ""
    unit = state.cost.unit if state.cost is not None else "prompts"
    if state.phase == "finished":
        return note("info", f"Finished in {duration(state.elapsed_s)}; it is kept under Runs.") + cost
    kept = "Everything answered so far is kept; Resume goes on where it stopped."
    if state.progress is None:
        return note("info", f"Stopped. {kept}" if state.phase == "stopped" else "Begins.") + cost
    done, total, unit = state.progress.done, state.progress.total, state.progress.unit or unit
    share = 100 * done / max(total, 1)
    if state.phase == "stopped":
        return note("warn", f"Stopped at {done:,} of {total:,} {unit}. {kept}") + cost
    togo = f", about {duration(state.progress.eta_s)} to go" if state.progress.eta_s is not None else ""
    parts = [state.progress.message] if state.progress.message else []
    parts.append(f"{duration(state.elapsed_s)} so far{togo}")
    begun = "Stopping after this batch" if state.phase == "stopping" else f"{done:,} of {total:,} {unit}"
    return (
        f'<progress max="100" value="{share:.1f}" aria-label="Progress of the run" '
        f'style="width:100%;height:10px;accent-color:var(--color-accent)">{share:.0f} %</progress>'
        f'<p role="status" style="margin:4px 0">{begun} · {escape(" · ".join(parts))}</p>' + cost
    )


def cost_html(cost: Cost) -> str:
    """Say what a run takes, and what is to be known about its prompts."""
    saved = 100 * (1 - cost.n_tokens / max(cost.n_tokens_unshared, 1))
    shared = f"{saved:.0f} % saved of {cost.n_tokens_unshared:,}: shared prefixes" if saved else "in all"
    tokens = [("Tokens to compute", f"{cost.n_tokens:,}", shared)] if cost.n_tokens else []
    tiles = [
        (cost.unit.capitalize(), f"{cost.n_prompts:,}", "queries × layouts, with controls"),
        *tokens,
        ("Time", f"about {duration(cost.seconds)}", "at the speed measured on this machine"),
        ("Memory", f"{cost.memory_bytes / 2**20:,.0f} MB", "weights and the largest batch"),
    ]
    return stat_tiles(tiles) + "".join(f'<p class="lab-bars-note">{escape(text)}</p>' for text in cost.notes)


def in_order(updates: Updates, outputs: Sequence[gr.components.Component]) -> list[Any]:
    """Turn updates by component into a list in the order of the outputs; the others stay as they are."""
    return [updates.get(component, gr.skip()) for component in outputs]
