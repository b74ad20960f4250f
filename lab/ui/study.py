"""How a run on pictures stands on screen: flip matrix, what is behind a cell, tests and figures."""

from collections.abc import Callable, Mapping
from html import escape
from typing import Any, NamedTuple

import gradio as gr

from lab.experiments.events import Result
from lab.experiments.views import split_controls
from lab.runs.store import Store
from lab.stats.verdict import p_text
from lab.ui.figure_card import FigureCard, cards_updates, figure_card
from lab.ui.opened import NO_STORE, Opened
from lab.ui.people import Lab
from lab.ui.position_view import comparisons_html
from lab.ui.result_view import run_verdict, so_far, wire_stale
from lab.ui.run_controls import (
    QUIET,
    ExperimentTab,
    RunControls,
    Stage,
    TabHandle,
    Updates,
    in_order,
    wire_run,
)
from lab.ui.running import RunState
from lab.ui.shipped import show_at_build
from lab.ui.widgets.flip_matrix import FlipMatrix, matrix_value
from lab.ui.widgets.markup import stat_tiles

Look = Callable[[Opened, Store, str, str], str]
"""Shows what is behind a cell: of a run in a store, a query and a column."""


class Words(NamedTuple):
    """What a study calls things.

    Args:
        no_result: What stands there before a run.
        matrix: What the cells of the matrix hold.
        queries: What is asked about, as in "Sets".
        asked: What every column has in common.
        look: What choosing a cell shows.
        figures: A sentence for each figure, by its title.
    """

    no_result: str
    matrix: str
    queries: str
    asked: str
    look: str
    figures: Mapping[str, str]


class Watch(NamedTuple):
    """What a study shows of a run besides its answers, above them.

    Args:
        build: Places it, and returns its components.
        show: How they change: (components, run, state), the state None for a run that is opened, and the
            run None where there is none.
    """

    build: Callable[[], list[Any]]
    show: Callable[[list[Any], Opened | None, RunState | None], Updates]


class Study(NamedTuple):
    """What differs between the experiments that a flip matrix shows.

    Args:
        id: The experiment's id.
        words: What it calls things.
        figures: Figures of a result, each with the table behind it.
        columns: Names the columns of the matrix from parameters.
        form: Places the controls: the buttons, and a control for each parameter.
        fill: Values of parameters to updates of the controls.
        look: Shows what is behind a cell.
        watch: What else is shown, above the answers.
    """

    id: str
    words: Words
    figures: Mapping[str, str]
    columns: Callable[[Any], tuple[str, ...]]
    form: Callable[[], tuple[RunControls, dict[str, Any]]]
    fill: Callable[[Mapping[str, Any], Mapping[str, Any]], Updates]
    look: Look
    watch: Watch | None = None


class Panel(NamedTuple):
    """What shows a result."""

    watched: list[Any]
    verdict: gr.HTML
    stale: gr.HTML
    matrix: FlipMatrix
    cell: gr.HTML
    tiles: gr.HTML
    comparisons: gr.HTML
    cards: dict[str, FigureCard]

    @property
    def figures(self) -> list[Any]:
        """The parts that hold figures."""
        return [part for card in self.cards.values() for part in card]

    @property
    def outputs(self) -> list[Any]:
        """Every component of it."""
        return [*self.watched, *self[1:-1], *self.figures]


def study_tab(lab: Lab, study: Study) -> tuple[ExperimentTab, dict[str, Any]]:
    """Build the sub-tab of a study inside the current block; return it, and its controls by parameter."""
    first = Opened.first_shipped(study.id)
    opened = gr.State(first)
    with gr.Row(equal_height=False, elem_classes="lab-split"):
        with gr.Column(scale=3, min_width=320):
            controls, by_name = study.form()
        with gr.Column(scale=8, min_width=320):
            panel = place_results(study.id, study.words, study.figures, study.watch)
    handle, _ = wire_study(lab, study, panel, opened, controls, by_name)
    wire_cells(lab, study.look, panel, opened)
    shipped = shown(study, panel, first, NO_STORE) if first is not None else {}
    show_at_build({part: value for part, value in shipped.items() if part not in panel.figures})
    tab = ExperimentTab({study.id: handle}, panel.figures, lambda: in_order(shipped, panel.figures))
    return tab, by_name


def place_results(prefix: str, words: Words, figures: Mapping[str, str], watch: Watch | None = None) -> Panel:
    """Place what shows a result inside the current block; `prefix` leads the ids of its parts."""
    waiting = f"<h2>{escape(words.no_result)}</h2>"
    watched = watch.build() if watch else []
    verdict = gr.HTML(waiting, elem_id=f"{prefix}-verdict", padding=False)
    stale = gr.HTML(elem_id=f"{prefix}-stale", padding=False)
    matrix = FlipMatrix(elem_id=f"{prefix}-matrix", label=words.matrix)
    cell = gr.HTML(elem_id=f"{prefix}-cell", padding=False)
    tiles = gr.HTML(elem_id=f"{prefix}-tiles", padding=False)
    gr.Markdown("### Broken, fixed, or chance?")
    comparisons = gr.HTML(elem_id=f"{prefix}-comparisons", padding=False)
    with gr.Row(equal_height=False):
        cards = {title: figure_card(title, f"{prefix}-{title.split()[-1].lower()}") for title in figures}
    return Panel(watched, verdict, stale, matrix, cell, tiles, comparisons, cards)


def wire_study(
    lab: Lab,
    study: Study,
    panel: Panel,
    opened: gr.State,
    controls: RunControls,
    by_name: dict[str, Any],
    shares_panel: bool = False,
) -> tuple[TabHandle, list[Any]]:
    """Let a study's buttons fill a panel.

    Args:
        lab: Whose stores hold the runs.
        study: What is run.
        panel: What shows it.
        opened: The run on screen.
        controls: Its buttons.
        by_name: Its controls by parameter.
        shares_panel: Whether other studies fill the panel as well.

    Returns:
        How the rest of the page uses it, and its runs, each to be followed with `then`.
    """
    stage = Stage(
        lab,
        study.id,
        list(by_name.values()),
        lambda values: dict(zip(by_name, values, strict=True)),
        opened,
        panel.outputs,
        lambda state, run, store: _updates(study, panel, state, run, store),
    )
    runs = wire_run(stage, controls)
    wire_stale(stage, panel.stale, runs if shares_panel else ())

    handle = TabHandle.of(
        stage, lambda values: study.fill(by_name, values), lambda run, store: shown(study, panel, run, store)
    )
    return handle, runs


def wire_cells(lab: Lab, look: Look, panel: Panel, opened: gr.State) -> None:
    """Show what is behind a cell that is chosen."""

    def chosen(run: Opened | None, request: gr.Request, event: gr.EventData) -> str:
        if run is None:
            return ""
        return look(run, lab.store_for(request), str(event.query_id), str(event.layout))

    panel.matrix.select(chosen, opened, panel.cell, scroll_to_output=True, **QUIET)


def shown(study: Study, panel: Panel, opened: Opened, store: Store) -> Updates:
    """Show a stored or shipped run."""
    return _shown(study, panel, opened, store, opened.result(store))


def cleared(study: Study, panel: Panel) -> Updates:
    """Show that there is no result."""
    return {
        **dict.fromkeys((panel.stale, panel.cell, panel.tiles, panel.comparisons), ""),
        **_watched(study, panel, None, None),
        **cards_updates(panel.cards, None, {}, {}),
        panel.verdict: f"<h2>{escape(study.words.no_result)}</h2>",
        panel.matrix: None,
    }


def place_of(query_id: str, n: int) -> int | None:
    """Return the place, from 0, that a query's id ends in as a number from 1; None where it is no query.

    >>> place_of("mirror 3", 5), place_of("mirror 6", 5), place_of("mirror", 5)
    (2, None, None)
    """
    number = query_id.rpartition(" ")[2]
    place = int(number) - 1 if number.isascii() and number.isdigit() else -1
    return place if 0 <= place < n else None


def _updates(study: Study, panel: Panel, state: RunState, opened: Opened, store: Store) -> Updates:
    """Say how the panel changes while a run goes on, and when it is over."""
    if state.result is not None and state.result.summary:
        return _shown(study, panel, opened, store, state.result)
    return {
        **_watched(study, panel, opened, state),
        **dict.fromkeys((panel.stale, panel.cell, panel.tiles, panel.comparisons), ""),
        **cards_updates(panel.cards, None, {}, {}),
        panel.verdict: run_verdict(so_far(state.predictions), opened, store),
        panel.matrix: _matrix(study, state.predictions, opened),
    }


def _shown(study: Study, panel: Panel, opened: Opened, store: Store, result: Result) -> Updates:
    """Show a whole result."""
    facts = result.summary
    updates: Updates = {
        **_watched(study, panel, opened, None),
        panel.stale: "",
        panel.cell: f"<p>{escape(study.words.look)}</p>",
        panel.verdict: run_verdict(result.verdict, opened, store),
        panel.matrix: _matrix(study, result.predictions, opened),
    }
    if not facts:
        return updates
    return {
        **updates,
        panel.tiles: _tiles(study, facts),
        panel.comparisons: comparisons_html(result),
        **cards_updates(panel.cards, result, study.words.figures, study.figures),
    }


def _watched(study: Study, panel: Panel, opened: Opened | None, state: RunState | None) -> Updates:
    return study.watch.show(panel.watched, opened, state) if study.watch else {}


def _tiles(study: Study, facts: Mapping[str, Any]) -> str:
    tiles = [(study.words.queries, f"{facts['n_queries']:,}", study.words.asked)]
    if facts["comparisons"]:
        most = max(facts["comparisons"], key=lambda c: c["prediction_change"])
        words = f"{most['n_flips']} of {most['n']} answers flip from {most['reference']} to {most['layout']}"
        tiles.append(("Most flips", f"{100 * most['prediction_change']:.0f} %", words))
    if floor := facts.get("floor"):
        words = f"{floor['n_flips']} of {floor['n']} flip when only the batch changes; the 95 % bound"
        tiles.append(("False-flip floor", f"≤ {100 * floor['high']:.0f} %", words))
    if q := facts.get("cochran_q"):
        tiles.append(("All columns alike?", p_text(q["p"]), f"Cochran's Q = {q['q']:.1f}, {q['df']} df"))
    return stat_tiles(tiles)


def _matrix(study: Study, predictions: Any, opened: Opened) -> Any:
    if predictions is None or predictions.empty:
        return None
    asked, _, _ = split_controls(predictions)
    params = opened.params
    return matrix_value(asked, {}, params.reference, columns=study.columns(params))
