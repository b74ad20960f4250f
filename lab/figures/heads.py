"""Every head of a model as a cell, and every place of its stream: which do a thing, and how strongly."""

from collections.abc import Collection, Sequence

import numpy as np
import plotly.graph_objects as go

from lab.figures.frame import framed, missing, shown
from lab.figures.growth import ATTENTION
from lab.figures.palette import DIVERGING, INK


def head_map(values: np.ndarray, name: str, silenced: Collection[str] = (), model: str = "") -> go.Figure:
    """Draw a score of every head, layers downwards.

    Args:
        values: Shape (n_layers, n_heads), 0 to 1, or -1 to 1; NaN throughout where the score has no meaning.
        name: Of the score.
        silenced: Heads that are switched off, as texts "layer.head"; they are crossed out.
        model: Whose heads they are, for the title.
    """
    if not np.isfinite(values).any():
        return missing(
            f"{name}: no score", "No token comes twice in these sequences, or its parts are not known."
        )
    layer, head = np.unravel_index(np.nanargmax(values), values.shape)
    has_negatives = bool(np.nanmin(values) < 0)
    n_layers, n_heads = values.shape
    marks = [
        ["✕" if f"{row}.{column}" in silenced else "" for column in range(n_heads)] for row in range(n_layers)
    ]
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=[str(column) for column in range(n_heads)],
            y=[str(row) for row in range(n_layers)],
            zmin=-1 if has_negatives else 0,
            zmax=1,
            colorscale=DIVERGING if has_negatives else ATTENTION,
            xgap=2,
            ygap=2,
            text=marks,
            texttemplate="%{text}",
            textfont={"color": INK, "size": 16},
            hovertemplate=f"head %{{y}}.%{{x}}: {shown(name)} %{{z:.2f}}<extra></extra>",
            colorbar={"thickness": 12},
        )
    )
    of_model = f"{model}: head" if model else "Head"
    title = f"{of_model} {layer}.{head} has the highest {name}, {values[layer, head]:.2f}"
    framed(figure, title, "head", "layer", height=max(210, 130 + (30 if n_layers < 8 else 15) * n_layers))
    figure.update_yaxes(type="category", autorange="reversed", nticks=n_layers + 1)
    figure.update_xaxes(type="category", nticks=n_heads + 1)
    return figure


def stream_map(values: np.ndarray, layers: Sequence[str], positions: Sequence[int], title: str) -> go.Figure:
    """Draw what can be read at every place of the residual stream; the stream flows upwards.

    Args:
        values: Shares, shape (n_layers, n_positions).
        layers: Their names, from what comes in.
        positions: Of the sequence, counted from 1.
        title: The finding.
    """
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=[str(position) for position in positions],
            y=[shown(layer) for layer in layers],
            zmin=0,
            zmax=1,
            colorscale=ATTENTION,
            xgap=1,
            ygap=2,
            hovertemplate="%{y}, position %{x}: %{z:.0%}<extra></extra>",
            colorbar={"thickness": 12, "tickformat": ".0%"},
        )
    )
    framed(figure, title, "position in the sequence", "", height=190 + 34 * len(layers))
    figure.update_xaxes(type="category", showgrid=False, nticks=8, tickangle=0)
    figure.update_yaxes(type="category", showgrid=False)
    return figure
