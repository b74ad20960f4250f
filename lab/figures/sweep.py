"""What training brought in every cell of two settings, as a map, or as two beside each other."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from lab.figures.frame import framed, shown
from lab.figures.palette import INK

HIGH, LOW = 0.9, 0.1
_TWO_ENDS: list[list] = [[0.0, "#d55e00"], [0.5, "#f1f5f9"], [1.0, "#0a76c4"]]
_PALE: list[list] = [
    [0.0, "rgba(10, 118, 196, 0.03)"],
    [1.0, "rgba(10, 118, 196, 0.38)"],
]  # ink is read on it


def sweep_map(
    table: pd.DataFrame, x: tuple[str, str], y: tuple[str, str], measure: str, label: str
) -> go.Figure:
    """Draw the median over seeds of a share, a cell each pair of settings.

    Args:
        table: A row a training: the two settings, and measures of 0 to 1.
        x: The column of the setting along x, and its name for a reader.
        y: The same along y; its least value stands at the bottom.
        measure: The column that is drawn.
        label: What it measures.
    """
    cells = table.groupby([y[0], x[0]])[measure].agg(["median", "min", "max", "count"]).reset_index()
    middle, least, most = (
        cells.pivot(index=y[0], columns=x[0], values=each) for each in ("median", "min", "max")
    )
    n_seeds = int(cells["count"].max())
    figure = go.Figure(
        go.Heatmap(
            z=middle.to_numpy(),
            x=[f"{value:,g}" for value in middle.columns],
            y=[f"{value:g}" for value in middle.index],
            zmin=0,
            zmax=1,
            colorscale=_PALE,
            xgap=2,
            ygap=2,
            text=[[f"{value:.0%}" for value in row] for row in middle.to_numpy()],
            texttemplate="%{text}",
            textfont={"color": INK},
            customdata=[
                [f"{low:.0%} to {high:.0%} over {n_seeds} seeds" for low, high in zip(*rows, strict=True)]
                for rows in zip(least.to_numpy(), most.to_numpy(), strict=True)
            ],
            hovertemplate=f"{shown(x[1])} %{{x}}, {shown(y[1])} %{{y}}: %{{z:.0%}}<br>%{{customdata}}"
            "<extra></extra>",
            showscale=False,
        )
    )
    values = cells["median"]
    title = (
        f"{label[0].upper()}{label[1:]}: over {HIGH:.0%} in {(values > HIGH).sum()} of {len(values)} cells, "
        f"under {LOW:.0%} in {(values < LOW).sum()}"
    )
    framed(figure, title, x[1], y[1], height=150 + 46 * len(middle))
    figure.update_xaxes(type="category", showgrid=False)
    figure.update_yaxes(type="category", showgrid=False)
    return figure


def twin_maps(
    maps: Mapping[str, np.ndarray],
    x: Sequence[float],
    y: Sequence[float],
    x_title: str,
    y_title: str,
    title: str,
) -> go.Figure:
    """Draw shares over the same two axes beside each other, in one scale.

    Args:
        maps: Values of 0 to 1 by their name, each of shape (len(y), len(x)).
        x: Along the columns, rising.
        y: Along the rows; the first stands at the bottom.
        x_title: What varies along x.
        y_title: What varies along y.
        title: The finding.
    """
    figure = make_subplots(1, len(maps), subplot_titles=list(map(shown, maps)), shared_yaxes=True)
    figure.update_annotations(font_size=13)
    for place, (name, values) in enumerate(maps.items(), start=1):
        figure.add_heatmap(
            z=values, x=list(x), y=[f"{value:,g}" for value in y], zmin=0, zmax=1, colorscale=_TWO_ENDS,
            showscale=place == len(maps), colorbar={"thickness": 12},
            hovertemplate=f"{shown(name)}<br>{shown(y_title)} %{{y}}, {shown(x_title)} %{{x:,}}: %{{z:.2f}}"
            "<extra></extra>",
            row=1, col=place,
        )  # fmt: skip
    framed(figure, title, x_title, height=210 + 30 * len(y))
    figure.update_layout(margin_t=figure.layout.margin.t + 24)
    figure.update_yaxes(type="category", showgrid=False, nticks=len(y) + 1)
    figure.update_yaxes(title_text=y_title, col=1)
    figure.update_xaxes(showgrid=False, nticks=3)
    return figure
