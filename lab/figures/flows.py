"""Where do answers go when the layout changes, and were they sure before?"""

from itertools import pairwise

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from lab.figures.frame import framed, missing, shown
from lab.figures.palette import FLIP_COLOURS, INK, RIGHT, SERIES, UNPARSED, WRONG
from lab.stats.flips import RIGHT_FROM, answers, kinds_against, wide
from lab.stats.intervals import wilson

STATES = ("right", "wrong", "unparsed")
STATE_COLOURS = {"right": RIGHT, "wrong": WRONG, "unparsed": UNPARSED}
MIN_A_BIN = 8


def _translucent(colour: str, alpha: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {alpha})"


def _complete(predictions: pd.DataFrame, layouts: list[str]) -> pd.DataFrame:
    rows = predictions[predictions["layout"].isin(layouts)]
    n_answered = rows.groupby("query_id")["layout"].nunique()
    return rows[rows["query_id"].isin(n_answered.index[n_answered == len(layouts)])]


def transitions_sankey(predictions: pd.DataFrame, layouts: list[str], title: str = "") -> go.Figure:
    """Draw how many queries go from right, wrong or unparsed under one layout to which under the next.

    Args:
        predictions: A predictions table, finished or not; queries without an answer under every layout are
            left out.
        layouts: Two or three layouts, in the order of the columns drawn.
        title: The finding; built from the table if it is "".

    Raises:
        ValueError: If there are fewer than two or more than three layouts.
    """
    if not 2 <= len(layouts) <= 3:
        raise ValueError(f"layouts must be 2 or 3, got {len(layouts)}: {', '.join(layouts)}")
    named = " → ".join(layouts)
    whole = _complete(predictions, layouts) if len(predictions) else predictions
    if whole.empty:
        return missing(
            title or f"Answers under {named}", f"No query is answered under {' and '.join(layouts)} yet."
        )
    said, is_right = answers(whole), wide(whole, "correct") >= RIGHT_FROM
    states = pd.DataFrame(
        np.where(is_right, "right", np.where(said == "", "unparsed", "wrong")), said.index, said.columns
    )
    nodes = [(layout, state) for layout in layouts for state in STATES if (states[layout] == state).any()]
    links = _links(said, is_right, states, layouts)
    node_names = [
        f"{shown(layout, 24)}: {state} {(states[layout] == state).sum()}" for layout, state in nodes
    ]
    figure = go.Figure(
        go.Sankey(
            arrangement="snap",
            node={
                "label": node_names,
                "color": [STATE_COLOURS[state] for _, state in nodes],
                "pad": 22,
                "thickness": 16,
                "line": {"width": 0},
                "hovertemplate": "%{label}<extra></extra>",
            },
            link={
                "source": [nodes.index((link.from_layout, link.start)) for link in links.itertuples()],
                "target": [nodes.index((link.to_layout, link.end)) for link in links.itertuples()],
                "value": links["n"],
                "color": [
                    _translucent(FLIP_COLOURS[kind], 0.35 if kind == "same" else 0.65)
                    for kind in links["kind"]
                ],
                "customdata": links["kind"],
                "hovertemplate": f"%{{customdata}}: %{{value}} of n = {len(states)}<extra></extra>",
            },
            textfont={"color": INK, "size": 13},
        )
    )
    if not title:
        kinds = kinds_against(said, is_right, layouts[0])[layouts[-1]]
        broken, fixed = (kinds == "right→wrong").sum(), (kinds == "wrong→right").sum()
        title = f"From {layouts[0]} to {layouts[-1]}, {broken} answers break and {fixed} are fixed"
        title += f" (n = {len(states)})"
    return framed(figure, title, height=380)


def _links(
    said: pd.DataFrame, is_right: pd.DataFrame, states: pd.DataFrame, layouts: list[str]
) -> pd.DataFrame:
    """Count queries by neighbouring layouts, states and kind of flip."""
    found = []
    for first, second in pairwise(layouts):
        flow = pd.DataFrame(
            {
                "from_layout": first,
                "to_layout": second,
                "start": states[first],
                "end": states[second],
                "kind": kinds_against(said, is_right, first)[second],
            }
        )
        found.append(flow.groupby(list(flow.columns), sort=False).size().rename("n").reset_index())
    return pd.concat(found, ignore_index=True)


def margin_flip_curve(transitions: pd.DataFrame, title: str = "", n_bins: int = 8) -> go.Figure:
    """Draw how often an answer flips against the margin it had under the reference.

    Args:
        transitions: As `transitions` returns it: margin_from (nats) and kind; with a column layout, one
            curve each.
        title: The finding; built from the table if it is "".
        n_bins: The most groups of about equally many queries; each holds at least 8.
    """
    known = transitions.dropna(subset=["margin_from"]) if len(transitions) else transitions
    if known.empty:
        return missing(
            title or "Flips by margin", "Margins exist only where labels are scored; none are known here."
        )
    known = known.assign(flips=known["kind"] != "same")
    groups = known.groupby("layout", sort=False) if "layout" in known else [("flips", known)]
    figure = go.Figure()
    for place, (name, rows) in enumerate(groups):
        curve = _rates(rows, n_bins)
        figure.add_scatter(
            x=curve["margin"],
            y=curve["rate"],
            mode="lines+markers",
            name=shown(name),
            line={"color": SERIES[place % len(SERIES)], "width": 2},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": curve["high"] - curve["rate"],
                "arrayminus": curve["rate"] - curve["low"],
                "thickness": 1.5,
                "width": 4,
            },
            customdata=curve[["n_flips", "n"]],
            hovertemplate=f"{shown(name)}, margin %{{x:.2f}} nats<br>"
            "%{customdata[0]} of n = %{customdata[1]} flip "
            "(%{y:.0%})<extra></extra>",
        )
    if not title:
        is_unsure = known["margin_from"] <= known["margin_from"].median()
        unsure, sure = known.loc[is_unsure, "flips"].mean(), known.loc[~is_unsure, "flips"].mean()
        title = f"Unsure answers flip in {unsure:.0%} of the cases"
        title += f", sure ones in {sure:.0%}" if (~is_unsure).any() else ""
    framed(figure, title, "Margin under the reference (nats)", "Share that flips (95 % interval)")
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    figure.update_layout(showlegend="layout" in known)
    return figure


def _rates(rows: pd.DataFrame, n_bins: int) -> pd.DataFrame:
    """Give flip rates in groups of about equally many rows, from small margins to large."""
    ordered = rows.sort_values("margin_from", kind="stable")
    n_bins = max(1, min(n_bins, len(ordered) // MIN_A_BIN))
    found = []
    for positions in np.array_split(np.arange(len(ordered)), n_bins):
        part = ordered.iloc[positions]
        n_flips, n = int(part["flips"].sum()), len(part)
        found.append((part["margin_from"].mean(), n_flips / n, *wilson(n_flips, n), n_flips, n))
    return pd.DataFrame(found, columns=["margin", "rate", "low", "high", "n_flips", "n"])
