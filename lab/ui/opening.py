"""Ways between the tabs: links that open where they were copied, a composed prompt that moves on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr
from gradio.events import Dependency

from lab.runs.recipe import Recipe
from lab.ui.compose import ComposeTab
from lab.ui.compose_fields import collect, show
from lab.ui.composed import Composed
from lab.ui.run_controls import TabHandle
from lab.ui.running import SAYABLE, say
from lab.ui.share import COMPOSE, COPY_JS, link, read_query

Updates = dict[Any, Any]
LIGHT: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

# The open tab is known to the browser alone, and which experiments on it can be run; they stand in for the
# first input, a line each.
_WHERE_JS = """(...args) => {
  const tab = document.querySelector('#lab-tabs [role="tab"][aria-selected="true"]');
  const runs = [...document.querySelectorAll('button[id$="-run"]')].filter((each) => each.offsetParent);
  const lines = [tab ? tab.textContent.trim() : "", ...runs.map((each) => each.id.replace(/-run$/, ""))];
  return [lines.join("\\n"), ...args.slice(1)];
}"""


@dataclass(frozen=True)
class Door:
    """How a tab is entered with a recipe, and how it writes its own.

    Args:
        tab: The tab's id.
        label: The tab's name on screen.
        inputs: The components that hold its setting.
        outputs: The components that `fill` changes.
        recipe: Turns the values of `inputs` into a recipe; may raise ValueError.
        fill: Turns a recipe's parameters into updates of `outputs`.
    """

    tab: str
    label: str
    inputs: Sequence[Any]
    outputs: Sequence[Any]
    recipe: Callable[[Sequence[Any]], Recipe]
    fill: Callable[[Mapping[str, Any]], Updates]


def wire_links(arrived: Dependency, tabs: gr.Tabs, copy: gr.Button, doors: Mapping[str, Door]) -> None:
    """Open the tab that the address asks for, and let the button copy the link to the open one.

    Args:
        arrived: The load event after which the page knows its visitor.
        tabs: All tabs.
        copy: The button that copies a link.
        doors: By the experiment's id of a recipe.
    """
    where = gr.Textbox(visible="hidden", elem_id="lab-where", show_label=False)
    box = gr.Textbox(
        label="Link to this tab",
        info="Copied. It holds the whole setting of the open tab, and nothing of the others.",
        elem_id="lab-link",
        interactive=False,
        max_lines=2,
        visible=False,
        buttons=["copy"],
    )
    every = [component for door in doors.values() for component in door.inputs]
    copy.click(_linking(doors), [where, *every], box, js=_WHERE_JS, **LIGHT).then(
        None, box, box, js=COPY_JS, **LIGHT
    )
    outputs = list(dict.fromkeys([tabs, *(each for door in doors.values() for each in door.outputs)]))
    # the page goes through all its parts for each that an event may show progress on
    arrived.then(_opening(tabs, doors), None, outputs, show_progress_on=where, **LIGHT)


def _linking(doors: Mapping[str, Door]) -> Callable[..., Any]:
    def write_link(where: str, *values: Any) -> Any:
        own, start = {}, 0
        for name, door in doors.items():
            own[name] = values[start : start + len(door.inputs)]
            start += len(door.inputs)
        name = door_at(where, doors)
        if name is None:
            labels = dict.fromkeys(door.label for door in doors.values())
            gr.Info(f"Links lead to {', '.join(labels)}: open one of them first.")
            return gr.Textbox(value="", visible=False)
        try:
            return gr.Textbox(value=link(doors[name].recipe(own[name])), visible=True)
        except SAYABLE as error:
            gr.Warning(escape(say(error)))
            return gr.Textbox(value="", visible=False)

    return write_link


def door_at(where: str, doors: Mapping[str, Door]) -> str | None:
    """Name the door that a person stands before; None where there is none.

    Args:
        where: The open tab's label, then a line for each experiment whose button to run it is in sight.
        doors: By the experiment's id; where none of a tab's is in sight, its first is meant.
    """
    label, *in_sight = where.split("\n")
    of_tab = [name for name, door in doors.items() if door.label == label]
    return next((name for name in of_tab if name in in_sight), of_tab[0] if of_tab else None)


def _opening(tabs: gr.Tabs, doors: Mapping[str, Door]) -> Callable[[gr.Request], Updates]:
    def open_link(request: gr.Request) -> Updates:
        shared = read_query(request.query_params)
        if shared.warning:
            gr.Warning(escape(shared.warning))
        if shared.recipe is None:
            return {tabs: gr.skip()}
        door = doors.get(shared.recipe.experiment)
        if door is None:
            gr.Warning(f"{shared.recipe.experiment} has no tab; run it with: python -m lab run --recipe FILE")
            return {tabs: gr.skip()}
        try:
            return {tabs: gr.Tabs(selected=door.tab), **door.fill(shared.recipe.params)}
        except SAYABLE as error:
            gr.Warning(escape(f"The link could not be opened: {say(error)}"))
            return {tabs: gr.skip()}

    return open_link


def wire_moving_on(button: gr.Button, compose: Door, target: Door, tabs: gr.Tabs) -> None:
    """Let a button carry the composed prompt to the tab of an experiment, and open that tab."""

    def move_on(*values: Any) -> Updates:
        try:
            composed = Composed.from_params(compose.recipe(values).params)
            filled = target.fill(composed.as_setting(target.tab))
        except SAYABLE as error:
            gr.Warning(escape(say(error)))
            return {tabs: gr.skip()}
        gr.Info(f"Your demonstrations are in {target.label}, by hand and in your order. Press Run there.")
        return {tabs: gr.Tabs(selected=target.tab), **filled}

    button.click(move_on, list(compose.inputs), [tabs, *target.outputs], **LIGHT)


def tab_doors(tab: str, label: str, handles: Mapping[str, TabHandle]) -> dict[str, Door]:
    """Make the doors of a tab, one for each of its experiments."""
    return {
        experiment_id: Door(
            tab, label, handle.inputs, [*handle.inputs, *handle.inner], handle.recipe, _filling(handle)
        )
        for experiment_id, handle in handles.items()
    }


def _filling(handle: TabHandle) -> Callable[[Mapping[str, Any]], Updates]:
    return lambda params: {**handle.fill(params), **handle.turned()}


def compose_door(tab: ComposeTab) -> Door:
    """Make the door of the Compose tab."""
    return Door(
        tab=COMPOSE,
        label="Compose",
        inputs=tab.fields.composed,
        outputs=tab.fields.shown,
        recipe=lambda values: collect(*values).recipe(),
        fill=lambda params: dict(zip(tab.fields.shown, show(Composed.from_params(params)), strict=True)),
    )
