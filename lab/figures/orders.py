"""What does the order do? Accuracies of all orders, what entropy foretells, and how far a place pulls."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from lab.figures.frame import framed, missing, shown, vertical_line
from lab.figures.palette import GRID, INK, SERIES, UNPARSED, layout_colour


def order_distribution(
    table: pd.DataFrame,
    chance_best: float | None = None,
    zero_shot: float | None = None,
    title: str = "",
    n: int | None = None,
) -> go.Figure:
    """Draw one point an order at its accuracy, piled up where several are equal.

    Args:
        table: As `order_table` returns it: layout, order, accuracy (0..1).
        chance_best: What the best of as many guessing orders would reach, 0..1.
        zero_shot: Accuracy without demonstrations, 0..1.
        title: The finding; built from the table if it is "".
        n: Queries asked under each order, for the hover text.
    """
    if table.empty:
        return missing(title or "Accuracy by order", "No query is answered under every order yet.")
    accuracy = table["accuracy"]
    title = title or (
        f"Reordering the same demonstrations moves accuracy between "
        f"{accuracy.min():.0%} and {accuracy.max():.0%}"
    )
    # A pile holds accuracies that look alike: 1/24 of their range is about one marker's width.
    piles = (accuracy / max(np.ptp(accuracy), 0.1) * 24).round()
    height = table.groupby(piles).cumcount() + 1
    asked = f"<br>n = {n} queries" if n else ""
    figure = go.Figure(
        go.Scatter(
            x=accuracy,
            y=height,
            mode="markers",
            marker={
                "size": 13,
                "color": layout_colour(table["layout"].iloc[0]),
                "opacity": 0.85,
                "line": {"width": 1, "color": "white"},
            },
            customdata=[shown(_order_words(order)) for order in table["order"]],
            hovertemplate=f"<b>order %{{customdata}}</b>: %{{x:.1%}}{asked}<extra></extra>",
            showlegend=False,
        )
    )
    framed(figure, title, f"Accuracy of each of {len(table)} orders", "Orders with that accuracy", height=320)
    figure.update_xaxes(tickformat=".0%")
    figure.update_yaxes(range=[0, max(4, height.max() + 1)], dtick=max(1, int(height.max() // 4)))
    marks = [("zero-shot", zero_shot), (f"best of {len(table)} guessing", chance_best)]
    drawn = [(name, value) for name, value in marks if value is not None and np.isfinite(value)]
    for level, (name, value) in enumerate(drawn):
        vertical_line(figure, value, f"{name} {value:.0%}", level=level)
    figure.update_layout(margin_t=figure.layout.margin.t + 17 * len(drawn))
    return figure


def _order_words(order: str) -> str:
    """Count demonstrations from 1, as people do: 2-0-1 is 3 1 2."""
    places = str(order).split("-")
    return (
        " ".join(str(int(place) + 1) for place in places) if all(p.isdigit() for p in places) else str(order)
    )


def entropy_scatter(table: pd.DataFrame, title: str = "") -> go.Figure:
    """Draw accuracy against GlobalE and LocalE, one point an order.

    Args:
        table: As `order_table` returns it: order, accuracy, global_entropy and local_entropy (nats).
        title: The finding; built from the table if it is "".

    Source: Lu et al. 2022 (arXiv:2104.08786), section 3.
    """
    if table.empty or "global_entropy" not in table:
        return missing(
            title or "Entropy and accuracy",
            "Entropies need scored labels under every order; there are none yet.",
        )
    panels = (("global_entropy", "GlobalE"), ("local_entropy", "LocalE"))
    figure = make_subplots(1, 2, shared_yaxes=True, horizontal_spacing=0.06)
    said = []
    for column, (name, label) in enumerate(panels, start=1):
        varies = len(table) > 2 and np.ptp(table[name]) > 0 and np.ptp(table["accuracy"]) > 0
        rho = table[name].corr(table["accuracy"], method="spearman") if varies else np.nan
        said.append(f"{label} {rho:.2f}".replace("-", "\u2212") if np.isfinite(rho) else f"{label} unknown")
        figure.add_scatter(
            x=table[name],
            y=table["accuracy"],
            mode="markers",
            marker={
                "size": 10,
                "color": SERIES[column - 1],
                "symbol": ("circle", "diamond")[column - 1],
                "opacity": 0.8,
            },
            customdata=[shown(_order_words(order)) for order in table["order"]],
            hovertemplate=f"<b>order %{{customdata}}</b><br>{label} %{{x:.2f}} nats, "
            "accuracy %{y:.1%}<extra></extra>",
            showlegend=False,
            row=1,
            col=column,
        )
    title = title or f"Rank correlation of entropy with accuracy over {len(table)} orders: {', '.join(said)}"
    framed(figure, title)
    for column, (_, label) in enumerate(panels, start=1):
        figure.update_xaxes(title_text=f"{label} (nats)", nticks=5, row=1, col=column)
    figure.update_yaxes(tickformat=".0%")
    figure.update_yaxes(title_text="Accuracy", row=1, col=1)
    return figure


def influence_curve(table: pd.DataFrame, title: str = "") -> go.Figure:
    """Draw how much a demonstration's label raises its own log-odds, by the place at which it stands.

    Args:
        table: As `influence` returns it: place (from 0), label, effect, low, high (nats), n_with, n_without.
        title: The finding; built from the table if it is "".
    """
    known = table.dropna(subset=["effect"]) if len(table) else table
    if known.empty:
        return missing(
            title or "Influence by place",
            "A label must stand at several places: use more orders, or two labels.",
        )
    figure = go.Figure()
    for row, (label, rows) in enumerate(known.groupby("label", sort=False)):
        colour = SERIES[row % len(SERIES)]
        figure.add_scatter(
            x=rows["place"] + 1,
            y=rows["effect"],
            mode="lines+markers",
            name=shown(label),
            line={"color": colour, "width": 2.5, "dash": ("solid", "dash", "dot", "dashdot")[row % 4]},
            marker={"size": 9, "symbol": ("circle", "diamond", "square", "triangle-up")[row % 4]},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": rows["high"] - rows["effect"],
                "arrayminus": rows["effect"] - rows["low"],
                "thickness": 1.5,
                "width": 4,
            },
            customdata=rows[["n_with", "n_without"]],
            hovertemplate=f"<b>{shown(label)}</b> at place %{{x}}: %{{y:+.2f}} nats<br>"
            "n = %{customdata[0]} orders with it there, %{customdata[1]} without<extra></extra>",
        )
    if not title:
        by_place = known.groupby("place")["effect"].mean()
        strongest = int(by_place.idxmax()) + 1
        n_places = int(known["place"].max()) + 1
        title = f"A label counts most at place {strongest} of {n_places}: {by_place.max():+.2f} nats".replace(
            "-", "\u2212"
        )
    framed(figure, title, "Place of the demonstration, first to last", "Effect on its log-odds (nats)")
    figure.update_xaxes(dtick=1)
    figure.update_yaxes(zeroline=True, zerolinecolor=UNPARSED, zerolinewidth=2, gridcolor=GRID)
    figure.update_layout(font_color=INK)
    return figure
