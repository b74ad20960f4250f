"""What moves the outcome most? Shares of the variance, one bar a factor or interaction."""

import pandas as pd
import plotly.graph_objects as go

from lab.figures.frame import framed, missing, shown
from lab.figures.palette import SERIES, UNPARSED
from lab.stats.variance import RESIDUAL, TIMES

NAMES = {"demo_set": "demonstration set", "query_id": "query", RESIDUAL: "rest (not explained)"}


def _words(factor: str) -> str:
    return TIMES.join(NAMES.get(part, part) for part in factor.split(TIMES))


def variance_bars(decomposition: pd.DataFrame, title: str = "") -> go.Figure:
    """Draw the share of variance of each factor, interactions hatched, the rest grey.

    Args:
        decomposition: As `decompose` returns it: factor, sum_of_squares, eta2 (sums to 1), df.
        title: The finding; built from the table if it is "".
    """
    table = decomposition.dropna(subset=["eta2"]) if len(decomposition) else decomposition
    if table.empty:
        return missing(
            title or "Shares of the variance", "Nothing varies yet: every layout has the same accuracy."
        )
    explained = table[table["factor"] != RESIDUAL].sort_values("eta2")
    rest = table[table["factor"] == RESIDUAL]
    table = pd.concat(
        [rest, explained]
    )  # plotly draws upwards: the largest ends on top, the rest at the bottom
    if not title and len(explained):
        top = explained.iloc[-1]
        title = f"The {_words(top.factor)} explains {top.eta2:.0%} of the variance"
    is_rest, is_crossed = table["factor"] == RESIDUAL, table["factor"].str.contains(TIMES, regex=False)
    figure = go.Figure(
        go.Bar(
            x=table["eta2"],
            y=[shown(_words(factor)) for factor in table["factor"]],
            orientation="h",
            marker={
                "color": [UNPARSED if rest else SERIES[0] for rest in is_rest],
                "opacity": [0.55 if rest else 1 for rest in is_rest],
                "pattern": {
                    "shape": ["/" if c else "" for c in is_crossed],
                    "fillmode": "overlay",
                    "fgcolor": "white",
                    "fgopacity": 0.5,
                },
            },
            text=[f"{share:.0%}" for share in table["eta2"]],
            textposition="outside",
            cliponaxis=False,
            customdata=table[["sum_of_squares", "df"]],
            hovertemplate="<b>%{y}</b>: %{x:.1%}<br>sum of squares %{customdata[0]:.3g}, "
            "n = %{customdata[1]} "
            "degrees of freedom<extra></extra>",
            showlegend=False,
        )
    )
    framed(
        figure, title or "Shares of the variance", "Share of the variance (η²)", height=150 + 34 * len(table)
    )
    figure.update_xaxes(
        tickformat=".0%", nticks=4, range=[0, min(1.12, float(table["eta2"].max()) * 1.2 + 0.02)]
    )
    figure.update_layout(bargap=0.4)
    return figure
