"""Look closer: what takes a learner apart and sets it beside others, a tab each, where it suits a world."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import gradio as gr

from lab.ui.people import Lab
from lab.ui.run_controls import Updates
from lab.ui.worlds import apart, beside, language, matrices, studied
from lab.ui.worlds.along import Growing, Own, Toy
from lab.ui.worlds.rooms import ROOMS, Room


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
    Part("matrices", "Matrices", matrices.suits),
    Part("growing", "More examples", Growing.suits),
    Part("own", "Your own", Own.suits),
    Part("toy", "A few numbers", Toy.suits),
    Part("beside", "Side by side", _always),
    Part("language", "Language model", _always),
    Part("studied", "The paper's claims", studied.suits),
)


class Closer(NamedTuple):
    """The tabs, by the ids of their parts."""

    tabs: gr.Tabs
    by_id: dict[str, gr.Tab]

    @property
    def outputs(self) -> list[Any]:
        """List what `turned` changes."""
        return [self.tabs, *self.by_id.values()]

    def turned(self, room: Room) -> Updates:
        """Show the tabs that suit a world, and the first of them."""
        suited = [part.id for part in PARTS if part.suits(room)]
        shown: Updates = {tab: gr.Tab(visible=name in suited) for name, tab in self.by_id.items()}
        return {**shown, self.tabs: gr.Tabs(selected=suited[0])}


def build(
    lab: Lab, chooser: gr.Radio, opened: gr.State, latest: gr.State, when: Sequence[Any], grown: Any
) -> Closer:
    """Place the tabs inside the current block.

    Args:
        lab: Whose stores hold the runs.
        chooser: Which world.
        opened: The run on screen.
        latest: The runs that were on screen before.
        when: Events after which all is drawn anew.
        grown: The event that tells of a finished training.
    """
    builders: dict[str, Callable[[], None]] = {
        "heads": lambda: apart.build(opened, when),
        "matrices": lambda: matrices.build(opened, when),
        "growing": lambda: Growing.build(opened, when),
        "own": lambda: Own.build(opened, when),
        "toy": lambda: Toy.build(opened, when),
        "beside": lambda: beside.build(opened, latest, when),
        "language": lambda: language.build(lab, opened, when),
        "studied": lambda: studied.build(chooser, [grown]),
    }
    by_id = {}
    gr.Markdown("### Look closer", elem_id="worlds-apart")
    with gr.Tabs(elem_id="worlds-closer", overflow_behavior="wrap") as tabs:
        for part in PARTS:
            with gr.Tab(part.title, id=part.id, visible=part.suits(ROOMS[0])) as by_id[part.id]:
                builders[part.id]()
    return Closer(tabs, by_id)
