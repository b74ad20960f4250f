"""The part of the Runs tab that takes the chosen run away as a file."""

from html import escape
from typing import Any, NamedTuple

import gradio as gr

from lab.ui.exports import FORMATS, Chosen, export, winning_layout
from lab.ui.people import Lab
from lab.ui.running import say
from lab.ui.widgets.markup import note

MAX_CHOICES = 300
NOTHING_CHOSEN = "Choose a run above; its file is made here."


class ExportPanel(NamedTuple):
    """The kind of file, which prompt where it is of one, and the file itself."""

    kind: gr.Radio
    about: gr.HTML
    cell: gr.Row
    query: gr.Dropdown
    layout: gr.Dropdown
    file: gr.DownloadButton


def build(lab: Lab, chosen: gr.Dropdown) -> ExportPanel:
    """Build the panel inside the current block; it follows the chosen run."""
    panel = _panel()

    def offer(run_id: str | None, kind: str, request: gr.Request) -> tuple:
        """Offer the run's queries and layouts where one prompt is exported."""
        if not run_id or kind not in FORMATS or not FORMATS[kind].is_of_one_prompt:
            return gr.Row(visible=False), gr.skip(), gr.skip()
        try:
            predictions = lab.store_for(request).predictions(run_id)
        except Exception as error:
            return gr.Row(visible=False), gr.Dropdown(choices=[], value=None, info=say(error)), gr.skip()
        golds = dict(zip(predictions["query_id"], predictions["gold"], strict=True))
        queries = [(f"{query} · {gold[:60]}", query) for query, gold in list(golds.items())[:MAX_CHOICES]]
        best, layouts = winning_layout(predictions), list(predictions["layout"].unique())
        return (
            gr.Row(visible=True),
            gr.Dropdown(choices=queries, value=next(iter(golds), None)),
            gr.Dropdown(
                choices=[(f"{each} (best)" if each == best else each, each) for each in layouts], value=best
            ),
        )

    def make(
        run_id: str | None, kind: str, query: str | None, layout: str | None, request: gr.Request
    ) -> tuple:
        """Make the file, or say why it can't be."""
        off = gr.DownloadButton("Download", value=None, interactive=False)
        if not run_id:
            return note("info", NOTHING_CHOSEN), off
        try:
            store = lab.store_for(request)
            path = export(Chosen(store, run_id, query or "", layout or "", lab.is_shared), kind)
        except Exception as error:  # said, logged if it is nobody's mistake
            return note("error", say(error)), off
        label = f"Download {path.name} ({_size(path.stat().st_size)})"
        return f"<p>{escape(FORMATS[kind].about)}</p>", gr.DownloadButton(label, value=path, interactive=True)

    light: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    inputs, outputs = [chosen, panel.kind, panel.query, panel.layout], [panel.about, panel.file]
    gr.on(
        [chosen.change, panel.kind.input],
        offer,
        [chosen, panel.kind],
        [panel.cell, panel.query, panel.layout],
        **light,
    ).then(make, inputs, outputs, **light)
    gr.on([panel.query.input, panel.layout.input], make, inputs, outputs, **light)
    return panel


def _panel() -> ExportPanel:
    kind = gr.Radio(
        [(each.title, kind) for kind, each in FORMATS.items()],
        value="csv",
        label="Format",
        info="What the file of the chosen run holds.",
        elem_id="runs-format",
    )
    with gr.Row(visible=False) as cell:
        query = gr.Dropdown(
            [],
            label="Query",
            info="Whose prompt; any query id may be typed.",
            allow_custom_value=True,
            elem_id="runs-query",
        )
        layout = gr.Dropdown(
            [], label="Layout", info="The one with the highest accuracy is marked.", elem_id="runs-layout"
        )
    about = gr.HTML(elem_id="runs-about")
    file = gr.DownloadButton("Download", elem_id="runs-download", interactive=False, variant="primary")
    return ExportPanel(kind, about, cell, query, layout, file)


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes >= 1e6 else f"{max(1, round(n_bytes / 1e3))} kB"
