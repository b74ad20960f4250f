"""How right is each layout, and how many answers does it change? One point a layout with its interval."""

import pandas as pd
import plotly.graph_objects as go

from lab.figures.frame import framed, missing, shown, vertical_line
from lab.figures.palette import FLIP_COLOURS, SERIES, UNPARSED, layout_colour, layout_symbol
from lab.stats.floor import Floor

ROW_PX = 34
PATTERNS = {"n_broken": "", "n_fixed": "/", "n_other": "."}


def _height(n_rows: int) -> int:
    return 150 + ROW_PX * max(n_rows, 3)


def _percent_axis(figure: go.Figure) -> None:
    figure.update_xaxes(tickformat=".0%")


def _points(
    names: list[str], values: pd.Series, low: pd.Series, high: pd.Series, hover: list[str]
) -> go.Scatter:
    colours = [layout_colour(name) for name in names]
    return go.Scatter(
        x=values,
        y=[shown(name) for name in names],
        mode="markers",
        marker={
            "size": 12,
            "color": colours,
            "symbol": [layout_symbol(n) for n in names],
            "line": {"width": 2, "color": colours},
        },
        error_x={
            "type": "data",
            "symmetric": False,
            "array": high - values,
            "arrayminus": values - low,
            "thickness": 2,
            "width": 5,
            "color": UNPARSED,
        },
        hovertext=hover,
        hoverinfo="text",
        showlegend=False,
    )


def accuracy_bars(
    table: pd.DataFrame, title: str = "", zero_shot: str = "none", metric: str = "Accuracy"
) -> go.Figure:
    """Draw each layout's metric with its 95 % interval, and a line at the zero-shot prompt.

    Args:
        table: As `accuracy_table` returns it: layout, n, metric, low, high; it may lack layouts or be empty.
        title: The finding; built from the table if it is "".
        zero_shot: The layout that the line stands for.
        metric: What the axis is called, such as "Mean ROUGE-L F1".
    """
    if table.empty:
        return missing(
            title or "Accuracy by layout", "No layout is answered yet: start the run to fill this figure."
        )
    table = table.iloc[::-1]  # the first layout on top
    best, worst = table.loc[table["metric"].idxmax()], table.loc[table["metric"].idxmin()]
    if not title and len(table) == 1:
        title = f"{best.layout} reaches {best.metric:.0%}"
    elif not title and best.metric == worst.metric:
        title = f"{best.metric:.0%} under every layout"
    elif not title:
        title = f"{best.layout} reaches {best.metric:.0%}, {worst.layout} {worst.metric:.0%}"
    hover = [
        f"<b>{shown(row.layout)}</b><br>{metric} {row.metric:.1%} "
        f"(95 % {row.low:.1%} to {row.high:.1%})<br>n = {row.n}"
        for row in table.itertuples()
    ]
    figure = go.Figure(_points(list(table["layout"]), table["metric"], table["low"], table["high"], hover))
    framed(
        figure,
        title,
        f"{metric} (share of n = {table['n'].max()} queries, 95 % interval)",
        height=_height(len(table)),
    )
    _percent_axis(figure)
    zero = table.loc[table["layout"] == zero_shot, "metric"]
    if len(zero):
        vertical_line(figure, float(zero.iloc[0]), f"zero-shot {zero.iloc[0]:.0%}")
        figure.update_layout(margin_t=figure.layout.margin.t + 8)
    return figure


def prediction_change_bars(
    comparisons: pd.DataFrame, floor: Floor | None = None, title: str = ""
) -> go.Figure:
    """Draw the share of answers that each layout changes against the reference, split by kind of flip.

    Args:
        comparisons: One row a `Comparison`: reference, layout, n, n_flips, prediction_change with
            _low and _high, n_broken, n_fixed, n_other.
        floor: The false-flip floor; a line marks its upper bound.
        title: The finding; built from the table if it is "".
    """
    if comparisons.empty:
        return missing(title or "Answers that flip", "Two layouts must be answered to count flips.")
    table = comparisons.iloc[::-1]
    most, n = comparisons.loc[comparisons["prediction_change"].idxmax()], int(table["n"].max())
    title = (
        title
        or f"Moving from {most.reference} to {most.layout} flips {most.prediction_change:.0%} of the answers"
    )
    names = [shown(layout) for layout in table["layout"]]
    figure = go.Figure()
    for column, kind in (
        ("n_broken", "right→wrong"),
        ("n_fixed", "wrong→right"),
        ("n_other", "wrong→other wrong"),
    ):
        label = kind if column != "n_other" else "other flips"
        figure.add_bar(
            x=table[column] / table["n"],
            y=names,
            orientation="h",
            name=label,
            marker={
                "color": FLIP_COLOURS[kind],
                "pattern": {
                    "shape": PATTERNS[column],
                    "fillmode": "overlay",
                    "fgcolor": "white",
                    "fgopacity": 0.55,
                },
            },
            customdata=table[[column, "n"]],
            hovertemplate=f"%{{y}}: %{{customdata[0]}} {label} of n = %{{customdata[1]}}<extra></extra>",
        )
    figure.add_scatter(
        x=table["prediction_change"],
        y=names,
        mode="markers",
        marker={"color": UNPARSED, "size": 7, "symbol": "line-ns-open"},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": table["prediction_change_high"] - table["prediction_change"],
            "arrayminus": table["prediction_change"] - table["prediction_change_low"],
            "thickness": 2,
            "width": 5,
            "color": UNPARSED,
        },
        name="95 % interval",
        hovertext=[
            f"<b>{name}</b>: {row.n_flips} of n = {row.n} flip, {row.prediction_change:.1%}<br>"
            f"95 % {row.prediction_change_low:.1%} to {row.prediction_change_high:.1%}"
            for name, row in zip(names, table.itertuples(), strict=True)
        ],
        hoverinfo="text",
    )
    framed(
        figure,
        title,
        f"Prediction change against {most.reference} (share of n = {n})",
        height=_height(len(table)) + 30,
    )
    figure.update_layout(barmode="stack", bargap=0.45, legend_traceorder="normal")
    _percent_axis(figure)
    figure.update_xaxes(rangemode="tozero")
    if floor is not None:
        vertical_line(figure, floor.high, f"batching alone ≤ {floor.high:.1%}")
        figure.update_layout(margin_t=figure.layout.margin.t + 8)
    return figure


def accuracy_by_task(table: pd.DataFrame, title: str = "", zero_shot: str = "none") -> go.Figure:
    """Draw accuracy change against zero-shot by task, one marker a layout.

    Args:
        table: As `accuracy_table` returns it, with a column task besides.
        title: The finding; built from the table if it is "".
        zero_shot: The layout that is the zero of the axis; it is not drawn.
    """
    drawn = table[(table["layout"] != zero_shot) & table["accuracy_change"].notna()] if len(table) else table
    if drawn.empty:
        return missing(title or "Accuracy change by task", "No task is answered under every layout yet.")
    means = drawn.groupby("layout", sort=False)["accuracy_change"].mean()
    title = title or (
        f"Over {drawn['task'].nunique()} tasks {means.idxmax()} changes accuracy by "
        f"{100 * means.max():+.0f} points, "
        f"{means.idxmin()} by {100 * means.min():+.0f}"
    ).replace("-", "\u2212")
    figure = go.Figure()
    for place, (layout, rows) in enumerate(drawn.groupby("layout", sort=False)):
        colour = layout_colour(layout) or SERIES[place % len(SERIES)]
        figure.add_scatter(
            x=rows["accuracy_change"],
            y=[shown(task) for task in rows["task"]],
            mode="markers",
            name=shown(layout),
            marker={"size": 11, "color": colour, "symbol": layout_symbol(layout)},
            customdata=rows[["n", "change_low", "change_high"]],
            hovertemplate=f"<b>%{{y}}</b>, {shown(layout)}: %{{x:+.1%}} "
            "(95 % %{customdata[1]:+.1%} to %{customdata[2]:+.1%})<br>n = %{customdata[0]}<extra></extra>",
        )
    framed(
        figure,
        title,
        f"Accuracy change against {zero_shot} (points of 100 %)",
        height=_height(drawn["task"].nunique()) + 30,
    )
    figure.update_xaxes(tickformat="+.0%", zeroline=True, zerolinecolor=UNPARSED, zerolinewidth=2)
    figure.update_yaxes(autorange="reversed")
    return figure
