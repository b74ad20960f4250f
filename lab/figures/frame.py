"""What every figure shares: a sentence as its title, clear paper, room for long labels."""

import textwrap
from html import escape

import plotly.graph_objects as go

from lab.figures.palette import GRID, INK

LEGEND_BELOW = 34  # pixels that tick labels take
AXIS_CHARACTERS = 32
TITLE_CHARACTERS = 34  # a title line fits a screen of 390 pixels
FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'


def shown(text: str, width: int = 40) -> str:
    """Write a text that a person chose so that plotly shows it as it is, cut to a width."""
    text = " ".join(str(text).split())
    return escape(text if len(text) <= width else text[: width - 1] + "…", quote=False)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, AXIS_CHARACTERS)


def framed(
    figure: go.Figure, title: str, x_title: str = "", y_title: str = "", height: int = 380
) -> go.Figure:
    """Give a figure its title, axes and look; returns the same figure.

    `uirevision` is constant, so that zoom and hidden traces stay while a run refreshes the figure.
    """
    lines = textwrap.wrap(title, TITLE_CHARACTERS) or [""]
    top = 34 + 21 * len(lines)
    figure.update_layout(
        title={
            "text": "<br>".join(shown(line, TITLE_CHARACTERS) for line in lines),
            "x": 0,
            "xref": "container",
            "xanchor": "left",
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            "pad": {"l": 4, "t": 10 if len(lines) == 1 else 18},
            "font": {"size": 15, "weight": 600},
        },
        margin={"l": 8, "r": 12, "t": top, "b": 8},
        height=height,
        template="none",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "size": 13, "color": INK},
        hoverlabel={"bgcolor": "#1e293b", "font": {"color": "#f8fafc", "family": FONT}, "align": "left"},
        legend={
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": -(LEGEND_BELOW + 17 * len(_wrapped(x_title))) / max(height - top - 110, 100),
            "yanchor": "top",
        },
        uirevision="constant",
        dragmode=False,
    )
    axis = {
        "gridcolor": GRID,
        "zeroline": False,
        "linecolor": GRID,
        "automargin": True,
        "title": {"standoff": 10, "font": {"size": 13}},
        "tickangle": 0,
        "nticks": 6,
        "tickfont": {"size": 12},
    }
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    if x_title:
        figure.update_xaxes(title_text="<br>".join(_wrapped(x_title)))
    if y_title:
        figure.update_yaxes(title_text=y_title)
    return figure


def missing(title: str, what: str) -> go.Figure:
    """Return a figure without data that says what it waits for."""
    figure = framed(go.Figure(), title, height=260)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    lines = textwrap.wrap(what, TITLE_CHARACTERS)
    figure.add_annotation(
        text="<br>".join(escape(line, quote=False) for line in lines),
        x=0.5,
        y=0.5,
        xref="paper",
        yref="paper",
        showarrow=False,
        font={"size": 14},
    )
    return figure


def vertical_line(figure: go.Figure, x: float, text: str, colour: str = INK, level: int = 0) -> None:
    """Mark a value across the figure and say above it what it is; `level` stacks several such texts."""
    figure.add_shape(
        type="line",
        x0=x,
        x1=x,
        y0=0,
        y1=1,
        yref="paper",
        line={"color": colour, "width": 2, "dash": ("dash", "dot", "dashdot")[level % 3]},
    )
    figure.add_annotation(
        x=x,
        y=1,
        yref="paper",
        yshift=2 + 17 * level,
        yanchor="bottom",
        xanchor="center",
        showarrow=False,
        text=escape(text, quote=False),
        font={"size": 12, "color": INK},
    )
