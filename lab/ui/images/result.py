"""The studies of image sets: what they call things, and the canvases behind a cell."""

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from lab.runs.store import Store
from lab.ui.opened import Opened
from lab.ui.run_controls import RunControls, Updates
from lab.ui.study import Study, Words
from lab.ui.widgets.markup import note
from lab.ui.widgets.pictures import grid_html, picture_html

FIGURES = {"Accuracy": "accuracy", "Prediction change": "comparisons"}


def image_study(
    experiment_id: str,
    no_result: str,
    read: str,
    columns: Callable[[Any], tuple[str, ...]],
    form: Callable[[], tuple[RunControls, dict[str, Any]]],
    fill: Callable[[Mapping[str, Any], Mapping[str, Any]], Updates],
) -> Study:
    """Describe a study of image sets; `read` says what the probe reads, as in "in the asked panel"."""
    words = Words(
        no_result,
        matrix=f"What the probe reads {read}",
        queries="Sets",
        asked="drawn in every column, from the same noise",
        look="Choose a cell to see the pictures behind it.",
        figures={
            "Accuracy": f"How often the probe reads the right concept and style {read}; bars are 95 % "
            "intervals.",
            "Prediction change": "How many readings differ from those under the reference.",
        },
    )
    return Study(experiment_id, words, FIGURES, columns, form, fill, pictures_html)


def pictures_html(run: Opened, store: Store, query_id: str, layout: str) -> str:
    """Show what was drawn for one set in every column; what arrives from a browser is only looked up."""
    table = run.predictions(store)
    rows = table[table["query_id"] == query_id]
    if rows.empty:
        return note("info", "This set is not drawn yet.")
    answers = run.answers(store)
    prompts = run.prompts(store).set_index(["query_id", "layout"])["prompt"]
    figures = []
    for row in rows.itertuples():
        url = answers.get((query_id, row.layout), "")
        if not url.startswith("data:image/png;base64,") or "+again" in row.layout:
            continue
        caption = str(prompts.get((query_id, row.layout), ""))
        mark = "right" if row.correct else "wrong"
        title = f"{row.layout}{' (chosen)' if row.layout == layout else ''}"
        figures.append(picture_html(url, caption, title, f"read as {row.prediction}, {mark}. {caption}"))
    gold = escape(str(rows["gold"].iloc[0]))
    heading = f'<h3 tabindex="-1">{escape(query_id)}: asked for “{gold}”</h3>'
    return heading + grid_html(figures, "")
