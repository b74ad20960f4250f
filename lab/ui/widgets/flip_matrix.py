"""Which queries change their answer, and where? A grid of queries and layouts to sort, filter and click."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from lab.ui.widgets.matrix_value import matrix_value, packed

__all__ = ["FlipMatrix", "matrix_value"]

_JS = (Path(__file__).parent / "flip_matrix.js").read_text(encoding="utf-8")


class FlipMatrix(gr.HTML):
    """Show every answer of a run, one row a query and one column a layout.

        matrix = FlipMatrix(matrix_value(result.predictions, texts, "sum"), elem_id="position-matrix")
        def look(event: gr.EventData):
            return f"{event.query_id} under {event.layout}"
        matrix.select(look, outputs=panel, trigger_mode="always_last", api_visibility="private")
        # while a run goes on: yield matrix_value(partial.predictions, texts, "sum"), show_progress="hidden"

    Sorting, filtering and the choice of the reference happen in the browser and survive new values, as do the
    scroll position and the chosen cell. A click, Enter or the space bar sends `select` with query_id, layout
    and reference (the one chosen on screen): they come from the browser, so look them up before use. A value
    that a listener reads back is None: keep the predictions, not the picture.
    """

    def __init__(
        self,
        value: Mapping[str, Any] | None = None,
        *,
        label: str = "Answers by query and layout",
        visible: bool = True,
        elem_id: str | None = None,
        elem_classes: list[str] | str | None = None,
        render: bool = True,
        key: int | str | None = None,
    ):
        super().__init__(
            value,
            label=label,
            html_template='<div class="lab-matrix"></div>',
            js_on_load=_JS,
            visible=visible,
            elem_id=elem_id,
            elem_classes=elem_classes,
            apply_default_css=False,
            render=render,
            key=key,
        )

    def postprocess(self, value: Mapping[str, Any] | None) -> str:
        """Pack what `matrix_value` built; None empties the matrix."""
        return packed(value) if value else ""

    def preprocess(self, payload: str | None) -> None:
        """Return None: nothing in the matrix is typed by the user."""
        return None
