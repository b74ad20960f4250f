"""A figure with its sentence, its table, and both as files; what is downloaded is written in the browser."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr

if TYPE_CHECKING:
    import pandas as pd

    from lab.experiments.events import Result

CSV_JS = (Path(__file__).parent / "page" / "table_csv.js").read_text(encoding="utf-8")
PNG_JS = (Path(__file__).parent / "page" / "figure_png.js").read_text(encoding="utf-8")
LIGHT = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


class FigureCard(NamedTuple):
    """What a figure's card shows."""

    sentence: gr.HTML
    plot: gr.Plot
    table: gr.Dataframe


def figure_card(title: str, elem_id: str) -> FigureCard:
    """Place an empty card."""
    with gr.Column(elem_id=f"{elem_id}-card", min_width=320):
        sentence = gr.HTML(elem_id=f"{elem_id}-sentence", padding=False)
        plot = gr.Plot(label=title, show_label=False, elem_id=elem_id)
        with gr.Accordion(f"{title}: table and downloads", open=False):
            table = gr.Dataframe(
                interactive=False,
                wrap=True,
                label=title,
                show_label=False,
                max_height=320,
                elem_id=f"{elem_id}-table",
            )
            with gr.Row():
                csv = gr.Button("Table as CSV", size="sm", min_width=110, elem_id=f"{elem_id}-csv")
                png = gr.Button("Figure as PNG", size="sm", min_width=110, elem_id=f"{elem_id}-png")
    csv.click(None, table, None, js=CSV_JS.replace("NAME", elem_id), **LIGHT)
    png.click(None, None, None, js=PNG_JS.replace("NAME", elem_id), **LIGHT)
    return FigureCard(sentence, plot, table)


def card_updates(
    card: FigureCard, sentence: str, figure: Any, table: "pd.DataFrame | None"
) -> dict[Any, Any]:
    """Say how a card changes; without a figure it is empty."""
    return {
        card.sentence: f"<p>{escape(sentence)}</p>" if figure is not None else "",
        card.plot: figure,
        card.table: rounded(table),
    }


def cards_updates(
    cards: Mapping[str, FigureCard],
    result: "Result | None",
    sentences: Mapping[str, str],
    tables: Mapping[str, str],
) -> dict[Any, Any]:
    """Fill every card from a result.

    Args:
        cards: By the figure's name in the result.
        result: None empties them.
        sentences: By the figure's name.
        tables: The name of the result's table that stands behind each figure.
    """
    updates: dict[Any, Any] = {}
    for name, card in cards.items():
        figure = result.figures.get(name) if result else None
        table = result.tables.get(tables.get(name, "")) if result else None
        updates |= card_updates(card, sentences.get(name, ""), figure, table)
    return updates


def rounded(table: "pd.DataFrame | None") -> "pd.DataFrame | None":
    """Round to what a reader can use; the exact numbers are in the exports under Runs."""
    return None if table is None else table.round(4)
