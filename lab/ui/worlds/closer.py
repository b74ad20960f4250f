"""Look closer: what takes a learner apart and sets it beside others, a tab each, where it suits a world."""

from collections.abc import Callable
from typing import Any, NamedTuple

import gradio as gr

from lab.ui.opened import Opened
from lab.ui.people import Lab
from lab.ui.run_controls import QUIET, Updates
from lab.ui.worlds import (
    apart,
    automaton,
    beside,
    language,
    law,
    layers,
    matrices,
    own,
    plots,
    studied,
    swept,
    toy,
)
from lab.ui.worlds.rooms import ROOMS, Room
from lab.ui.worlds.swept import Forms
from lab.ui.worlds.view import Latest, Sight, View


class Part(NamedTuple):
    """A tab.

    Args:
        id: Its id.
        title: A few words.
        suits: Which worlds it is for.
    """

    id: str
    title: str
    suits: Callable[[Room], bool]


def _always(room: Room) -> bool:
    return True


PARTS = (
    Part("heads", "Heads", apart.suits),
    Part("layers", "Layers", layers.suits),
    Part("matrices", "Matrices", matrices.suits),
    Part("automaton", "The automaton", automaton.suits),
    Part("law", "The law", law.suits),
    Part("plots", "More plots", plots.suits),
    Part("own", "Your own", own.suits),
    Part("toy", "A few numbers", toy.suits),
    Part("swept", "Map of settings", swept.suits),
    Part("beside", "Side by side", _always),
    Part("language", "Language model", _always),
    Part("studied", "The paper's claims", studied.suits),
)


class Closer(NamedTuple):
    """The tabs, by the ids of their parts, and which of them is looked at."""

    tabs: gr.Tabs
    by_id: dict[str, gr.Tab]
    looked: gr.State

    @property
    def outputs(self) -> list[Any]:
        """List what `turned` changes."""
        return [self.tabs, *self.by_id.values(), self.looked]

    def turned(self, room: Room) -> Updates:
        """Show the tabs that suit a world, and the first of them."""
        suited = [part.id for part in PARTS if part.suits(room)]
        shown: Updates = {tab: gr.Tab(visible=name in suited) for name, tab in self.by_id.items()}
        return {**shown, self.tabs: gr.Tabs(selected=suited[0]), self.looked: suited[0]}


def build(
    lab: Lab, chooser: gr.Radio, forms: Forms, opened: gr.State, latest: gr.State, grown: gr.State
) -> Closer:
    """Place the tabs inside the current block.

    Args:
        lab: Whose stores hold the runs.
        chooser: Which world.
        forms: The controls of every world.
        opened: The run on screen.
        latest: The runs that were on screen before; a new one is put among them.
        grown: How many learners have ended their training.
    """
    builders: dict[str, Callable[[], View]] = {
        "heads": lambda: apart.build(opened),
        "layers": lambda: layers.build(opened),
        "matrices": lambda: matrices.build(opened),
        "automaton": lambda: automaton.build(opened),
        "law": law.build,
        "plots": lambda: plots.build(opened),
        "own": lambda: own.build(opened),
        "toy": toy.build,
        "swept": lambda: swept.build(chooser, forms),
        "beside": lambda: beside.build(opened, latest),
        "language": language.build,
        "studied": lambda: studied.build(chooser),
    }
    by_id, views = {}, {}
    gr.Markdown("### Look closer", elem_id="worlds-apart")
    looked = gr.State(PARTS[0].id)
    with gr.Tabs(elem_id="worlds-closer", overflow_behavior="wrap") as tabs:
        for part in PARTS:
            with gr.Tab(part.title, id=part.id, visible=part.suits(ROOMS[0])) as by_id[part.id]:
                views[part.id] = builders[part.id]()
    _wire(lab, Closer(tabs, by_id, looked), views, opened, latest, [opened.change, grown.change])
    return Closer(tabs, by_id, looked)


def _wire(
    lab: Lab, closer: Closer, views: dict[str, View], opened: gr.State, latest: gr.State, when: list[Any]
) -> None:
    """Draw the tab in sight when a learner comes on screen, and any other when it is turned to.

    One event does for all tabs: the page goes through its parts at every event.
    """
    inputs = [each for view in views.values() for each in view.inputs]
    outputs = [each for view in views.values() for each in view.outputs]

    def arrive(looked: str, run: Opened | None, seen: Latest, request: gr.Request, *values: Any) -> Updates:
        start = 0
        updates: Updates = {latest: beside.remembered(run, seen)}
        for name, view in views.items():
            given = values[start : start + len(view.inputs)]
            start += len(view.inputs)
            if name == looked:
                sight = Sight(run, seen, lab.store_for(request), is_new=True)
                updates |= zip(view.outputs, view.show(sight, *given), strict=True)
        return updates

    gr.on(
        when, arrive, [closer.looked, opened, latest, *inputs], [latest, *outputs],
        show_progress_on=closer.tabs, **QUIET,
    )  # fmt: skip
    for name, view in views.items():
        closer.by_id[name].select(
            _turning(lab, name, view), [opened, latest, *view.inputs], [closer.looked, *view.outputs],
            show_progress_on=closer.tabs, **QUIET,
        )  # fmt: skip


def _turning(lab: Lab, name: str, view: View) -> Callable[..., list[Any]]:
    def turn_to(run: Opened | None, seen: Latest, request: gr.Request, *values: Any) -> list[Any]:
        return [name, *view.show(Sight(run, seen, lab.store_for(request), is_new=False), *values)]

    return turn_to
