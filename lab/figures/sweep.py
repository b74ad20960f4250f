"""What training brought in every cell of two settings, as a map."""

import pandas as pd
import plotly.graph_objects as go

from lab.figures.frame import framed, shown
from lab.figures.palette import INK

HIGH, LOW = 0.9, 0.1
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
