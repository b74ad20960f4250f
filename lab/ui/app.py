"""The page as a whole: header, headline, tabs, links that open where they were copied, keys, and the API."""

import os
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import gradio as gr
from gradio.events import Dependency

from lab.papers import is_waiting
from lab.ui import compose, order, position, runs
from lab.ui.api import mount_api
from lab.ui.headline import headline_html
from lab.ui.images import tab as images
from lab.ui.opening import compose_door, tab_doors, wire_links, wire_moving_on
from lab.ui.people import Lab, welcome
from lab.ui.run_controls import NO_TAB, TabHandle
from lab.ui.runs import Opener
from lab.ui.theme import CSS, THEME
from lab.ui.tour import head
from lab.ui.vision import tab as vision
from lab.ui.worlds import tab as worlds

MAX_UPLOAD = "16mb"
TITLE = "In-Context Lab"
QUESTION = "Keep the question still, move the examples, and see which answers flip."

_BRAND = f"<h1>{TITLE}</h1><p>{QUESTION}</p>"
_TOOLS = """<div class="lab-tools" role="toolbar" aria-label="Page">
<button type="button" id="lab-tour-start">Tour</button>
<button type="button" id="lab-projector" aria-pressed="false">Large type</button>
<button type="button" id="lab-dark" aria-pressed="false">Dark</button>
</div>"""


def build() -> gr.Blocks:
    """Build the page; neither torch nor a model is loaded for it."""
    lab = Lab.here()
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True, delete_cache=(3600, 86400)) as page:
        arrived = welcome(lab, page)
        with gr.Row(elem_id="lab-header"):
            gr.HTML(_BRAND, elem_id="lab-brand", padding=False)
            gr.HTML(_TOOLS, elem_id="lab-tools", padding=False)
            copy = gr.Button("Copy link", elem_id="copy-link", size="sm", scale=0, min_width=110)
        link_place = gr.Row()
        gr.HTML(headline_html(), elem_id="lab-headline", padding=False)
        _tabs(lab, arrived, copy, link_place)
        mount_api(lab)
    page.queue(default_concurrency_limit=8, max_size=64)
    return page


def _tabs(lab: Lab, arrived: Dependency, copy: gr.Button, link_place: gr.Row) -> None:
    with gr.Tabs(elem_id="lab-tabs", overflow_behavior="wrap") as tabs:
        with gr.Tab("Position", id="position"):
            in_position = position.build(lab)
        with gr.Tab("Compose", id="compose") as composing:
            in_compose = compose.build()
        with gr.Tab("Order", id="order"):
            in_order = order.build(lab)
        in_images = NO_TAB
        if not is_waiting("ic-lora"):
            with gr.Tab("Image sets", id="images"):
                in_images = images.build(lab)
        with gr.Tab("Vision", id="vision") as seeing:
            in_vision = vision.build(lab, seeing)
        with gr.Tab("Tiny worlds", id="worlds") as growing:
            in_worlds = worlds.build(lab, growing)
        with gr.Tab("Runs", id="runs") as history:
            in_runs = runs.build(
                lab,
                _openers(
                    tabs,
                    position=in_position.handles,
                    order=in_order.handles,
                    images=in_images.handles,
                    vision=in_vision.handles,
                    worlds=in_worlds.handles,
                ),
            )
    doors = {
        **tab_doors("position", "Position", in_position.handles),
        **tab_doors("order", "Order", in_order.handles),
        **tab_doors("images", "Image sets", in_images.handles),
        **tab_doors("vision", "Vision", in_vision.handles),
        **tab_doors("worlds", "Tiny worlds", in_worlds.handles),
        "compose": compose_door(in_compose),
    }
    with link_place:
        wire_links(arrived, tabs, copy, doors)
    wire_moving_on(in_compose.to_position, doors["compose"], doors["position"], tabs)
    wire_moving_on(in_compose.to_order, doors["compose"], doors["order"], tabs)
    compose.wire_look(in_compose, composing.select)
    for tab in (in_position, in_order, in_vision, in_worlds, *([in_images] if in_images.late else [])):
        arrived.then(tab.draw, None, tab.late, show_progress="hidden", api_visibility="private")
    history.select(*in_runs.refresh, show_progress="hidden", api_visibility="private")


def _openers(tabs: gr.Tabs, **handles: Mapping[str, TabHandle]) -> dict[str, Opener]:
    """Let the Runs tab show a run in the tab of its experiment, and go there."""
    return {
        experiment_id: _opener(tab_id, handle, tabs)
        for tab_id, of_tab in handles.items()
        for experiment_id, handle in of_tab.items()
    }


def _opener(tab_id: str, handle: TabHandle, tabs: gr.Tabs) -> Opener:
    def show(run_id: str, request: gr.Request) -> list[Any]:
        return [*handle.open_run(run_id, request), *handle.turned().values(), gr.Tabs(selected=tab_id)]

    return Opener(show, [*handle.outputs, *handle.inner, tabs])


def launch_options(environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Write the arguments of `launch`: closed to other sites, silent about its insides, and never shared.

    Raises:
        ValueError: If LAB_MCP=1 and the extra for it is not installed.
    """
    has_mcp = environ.get("LAB_MCP", "") not in ("", "0")
    if has_mcp and find_spec("mcp") is None:
        raise ValueError(
            "LAB_MCP=1 needs the extra mcp of gradio: pip install 'gradio[mcp]', or unset LAB_MCP"
        )
    return {
        "theme": THEME,
        "css": CSS,
        "head": head(),
        "server_name": environ.get("GRADIO_SERVER_NAME") or None,
        "server_port": int(environ["GRADIO_SERVER_PORT"]) if environ.get("GRADIO_SERVER_PORT") else None,
        "share": False,
        "strict_cors": True,
        "allowed_paths": [],
        "max_file_size": MAX_UPLOAD,
        "show_error": False,
        "enable_monitoring": False,
        "run_history": False,
        "ssr_mode": False,
        "pwa": False,
        "mcp_server": has_mcp,
        "footer_links": ["api"],
        "state_session_capacity": 400,
    }


LAUNCH: dict[str, Any] = launch_options()
