"""How a learner got on, and what it looks at: curves over training steps, attention and matrices as maps."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from lab.figures.frame import framed, missing, shown
from lab.figures.palette import INK, SERIES

_DASHES = ("solid", "dash", "dot", "dashdot")
_SHORT = 3  # characters of words that all find room below bars
_MOST_NAMED = 40  # positions of a map; of more, not every one is named
ATTENTION: list[list] = [[0.0, "rgba(10, 118, 196, 0.04)"], [1.0, "#0a76c4"]]


def growth_curves(
    table: pd.DataFrame, title: str = "", y_title: str = "", is_share: bool = False
) -> go.Figure:
    """Draw one line a measure over training steps.

    Args:
        table: Columns step, label and value; labels keep their order. It may be empty.
        title: The finding; where each line ends if it is "".
        y_title: What is measured.
        is_share: Whether values are shares of 0 to 1.
    """
    if table.empty:
        return missing(title or y_title or "Training", "Nothing is measured yet: press Run.")
    figure = go.Figure()
    labels = list(dict.fromkeys(table["label"]))
    for place, label in enumerate(labels):
        line = table[table["label"] == label]
        figure.add_scatter(
            x=line["step"],
            y=line["value"],
            name=shown(label),
            mode="lines",
            line={
                "color": SERIES[place % len(SERIES)],
                "width": 2.5,
                "dash": _DASHES[place // len(SERIES) % len(_DASHES)],
            },
            hovertemplate=f"{shown(label)}<br>step %{{x:,}}: %{{y:.3f}}<extra></extra>",
        )
    title = title or _where_they_end(table, "{:.0%}" if is_share else "{:.2f}")
    framed(figure, title, "Training steps", y_title, height=330 + 22 * (len(labels) // 2))
    if is_share:
        figure.update_yaxes(range=[-0.03, 1.03], tickformat=".0%")
    return figure


def profile_lines(
    x: Sequence[float] | Sequence[str],
    lines: Mapping[str, Sequence[float]],
    title: str,
    x_title: str,
    y_title: str,
    points: Sequence[tuple[float, float]] = (),
    is_clicked: bool = False,
) -> go.Figure:
    """Draw a learner beside exact answers, over something that varies within a sequence.

    Args:
        x: Where; words draw bars.
        lines: A value each x by the name of the line, the learner's first and solid.
        title: The finding.
        x_title: What varies.
        y_title: What is measured.
        points: What the sequence itself shows, as dots.
        is_clicked: Whether clicks on empty paper are to be told as well, and not those on a line alone.
    """
    figure = go.Figure()
    is_named = bool(x) and isinstance(x[0], str)
    if is_clicked and not is_named:
        figure.add_trace(_paper(x, lines, points))
    for place, (name, values) in enumerate(lines.items()):
        color = SERIES[place % len(SERIES)]
        hover = f"{shown(name)}<br>{x_title} %{{x}}: %{{y:.3f}}<extra></extra>"
        if is_named:
            figure.add_bar(
                x=list(x), y=list(values), name=shown(name), marker_color=color, hovertemplate=hover
            )
        else:
            line = {"color": color, "width": 2.5, "dash": _DASHES[min(place, len(_DASHES) - 1)]}
            figure.add_scatter(
                x=list(x), y=list(values), name=shown(name), mode="lines", line=line, hovertemplate=hover
            )
    if points:
        across, up = zip(*points, strict=True)
        marker = {"color": INK, "size": 9}
        figure.add_scatter(x=across, y=up, name="shown", mode="markers", marker=marker)
    framed(figure, title, x_title, y_title, height=330 + 22 * (len(lines) // 2))
    if is_named:
        figure.update_layout(barmode="group")
        is_short = all(len(str(name)) <= _SHORT for name in x)
        figure.update_xaxes(type="category", nticks=len(x) + 1 if is_short else 6)
    return figure


def _paper(
    x: Sequence[float] | Sequence[str],
    lines: Mapping[str, Sequence[float]],
    points: Sequence[tuple[float, float]],
) -> go.Heatmap:
    """Cover what is drawn, and a quarter more above and below, by cells that can't be seen."""
    heights = [value for values in lines.values() for value in values] + [y for _, y in points]
    low, high = float(np.nanmin(heights)), float(np.nanmax(heights))
    more = 0.25 * (high - low or 1.0)
    across = np.linspace(min(map(float, x)), max(map(float, x)), 61)
    up = np.linspace(low - more, high + more, 41)
    clear = [[0.0, "rgba(0,0,0,0)"], [1.0, "rgba(0,0,0,0)"]]
    return go.Heatmap(
        x=across,
        y=up,
        z=np.zeros((len(up), len(across))),
        colorscale=clear,
        showscale=False,
        hoverinfo="none",
    )


def seed_bands(table: pd.DataFrame, measure: str, title: str) -> go.Figure:
    """Draw a measure of several trainings: a line an arm, the median over seeds, in a band of all of them.

    Args:
        table: Columns that tell arms apart, then seed, then what varies along a training if anything does,
            then measures. Without it every seed is a dot above its arm.
        measure: One of the measures.
        title: What is shown.
    """
    columns = list(table.columns)
    place = columns.index("seed")
    arms, rest = columns[:place], columns[place + 1 :]
    x = rest[0] if len(rest) > 1 else None
    named = table.assign(arm=[_arm(row) for row in table[arms].to_dict("records")])
    figure = go.Figure()
    for index, (arm, of_arm) in enumerate(named.groupby("arm", sort=False)):
        color = SERIES[index % len(SERIES)]
        if x is None:
            values = of_arm[measure].astype(float)
            figure.add_scatter(
                x=[arm] * len(values), y=values, name=shown(arm), mode="markers",
                marker={"color": color, "size": 11, "opacity": 0.75}, showlegend=False,
            )  # fmt: skip
            continue
        over = of_arm.astype({measure: float}).groupby(x)[measure].agg(["min", "median", "max"])
        band = {"x": [*over.index, *over.index[::-1]], "y": [*over["max"], *over["min"][::-1]]}
        figure.add_scatter(
            **band, fill="toself", fillcolor=f"rgba{(*_rgb(color), 0.16)}", line={"width": 0},
            hoverinfo="skip", showlegend=False,
        )  # fmt: skip
        dash = _DASHES[index // len(SERIES) % len(_DASHES)]
        figure.add_scatter(
            x=over.index, y=over["median"], name=shown(arm), mode="lines",
            line={"color": color, "width": 2.5, "dash": dash},
            hovertemplate=f"{shown(arm)}<br>{x} %{{x:,}}: %{{y:.3f}}<extra></extra>",
        )  # fmt: skip
    framed(figure, title, shown(x or ", ".join(arms)), shown(measure), height=360 + 11 * len(figure.data))
    if x is None:
        figure.update_xaxes(type="category")
    return figure


def _arm(row: Mapping[str, object]) -> str:
    """Name an arm: its only word, or each value with what it is a value of."""
    if len(row) == 1 and isinstance(next(iter(row.values())), str):
        return str(next(iter(row.values())))
    return ", ".join(f"{name} {value}" for name, value in row.items()) or "all"


def _rgb(color: str) -> tuple[int, int, int]:
    """Read #rrggbb."""
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    return red, green, blue


def attention_map(pattern: np.ndarray, tokens: Sequence[str], title: str) -> go.Figure:
    """Draw what every token looks at.

    Args:
        pattern: Attention, shape (query, key); rows sum to 1.
        tokens: What stands at each position.
        title: Which head it is, and what it does.
    """
    places = [f"{place + 1} {shown(token, 12)}" for place, token in enumerate(tokens)]
    hover = [
        [f"{shown(query)} → {shown(key)}: {pattern[row, column]:.2f}" for column, key in enumerate(tokens)]
        for row, query in enumerate(tokens)
    ]
    n_named = min(len(tokens), _MOST_NAMED)
    gap = 2 if len(tokens) <= _MOST_NAMED else 0
    figure = go.Figure(
        go.Heatmap(
            z=pattern,
            x=places,
            y=places,
            zmin=0,
            zmax=1,
            colorscale=ATTENTION,
            xgap=gap,
            ygap=gap,
            hovertext=hover,
            hoverinfo="text",
            colorbar={"title": "weight", "thickness": 12, "tickformat": ".0%"},
        )
    )
    framed(figure, title, "looked at", "looking", height=max(320, 130 + 24 * n_named))
    figure.update_yaxes(type="category", autorange="reversed", nticks=n_named + 1)
    figure.update_xaxes(type="category", nticks=n_named + 1, tickangle=-60 if len(tokens) > 8 else 0)
    return figure


def matrices(blocks: Mapping[str, np.ndarray], title: str) -> go.Figure:
    """Draw square matrices beside each other, in one diverging scale that is white at zero."""
    from plotly.subplots import make_subplots

    from lab.figures.palette import DIVERGING

    most = max(float(np.abs(block).max()) for block in blocks.values()) or 1.0
    captions = [shown(name).replace(": ", "<br>") for name in blocks]  # two lines: four stand on a phone
    figure = make_subplots(1, len(blocks), subplot_titles=captions)
    figure.update_annotations(font_size=12)
    for place, block in enumerate(blocks.values(), start=1):
        figure.add_heatmap(
            z=block,
            zmin=-most,
            zmax=most,
            colorscale=DIVERGING,
            showscale=place == len(blocks),
            colorbar={"thickness": 12},
            hovertemplate="row %{y}, column %{x}: %{z:.3f}<extra></extra>",
            row=1,
            col=place,
        )
    framed(figure, title, height=350)
    figure.update_layout(margin_t=figure.layout.margin.t + 20)
    figure.update_yaxes(autorange="reversed", showticklabels=False)
    figure.update_xaxes(showticklabels=False)
    return figure


def _where_they_end(table: pd.DataFrame, form: str) -> str:
    """Say what was reached: every line if there are few, else the lowest and the highest."""
    last = table[table["step"] == table["step"].max()].sort_values("value", ascending=False, kind="stable")
    ends = [f"{row.label} {form.format(row.value)}" for row in last.itertuples()]
    told = ", ".join(ends) if len(ends) <= 3 else f"from {ends[-1]} to {ends[0]}"
    return f"After {table['step'].max():,} steps: {told}"
