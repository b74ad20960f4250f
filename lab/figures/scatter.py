"""Dots, lines and arrows in a plane: vectors laid flat, and answers beside answers."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from lab.figures.frame import framed, shown
from lab.figures.palette import SERIES

Place = tuple[float, float]
_DASHES = ("dot", "dash", "dashdot")


def scatter_plot(
    dots: Mapping[str, Sequence[Place]],
    title: str,
    x_title: str,
    y_title: str,
    names: Mapping[str, Sequence[str]] | None = None,
    arrows: Mapping[str, Sequence[Place]] | None = None,
    lines: Mapping[str, Sequence[Place]] | None = None,
) -> go.Figure:
    """Draw groups of dots, each in a colour and with a mark of its own.

    Args:
        dots: Places by the name of their group.
        title: The finding.
        x_title: What the first axis is.
        y_title: What the second is.
        names: What each dot or arrow is, by the name of its group.
        arrows: Where arrows from (0, 0) end, by the name of their group; axes get one scale.
        lines: Places that are joined, by name.
    """
    names, arrows, lines = names or {}, arrows or {}, lines or {}
    figure = go.Figure()
    for place, (group, each) in enumerate(dots.items()):
        _dots(figure, group, each, names.get(group), place)
    for place, (group, ends) in enumerate(arrows.items()):
        _arrows(figure, group, ends, names.get(group), SERIES[place % len(SERIES)])
    for place, (name, joined) in enumerate(lines.items()):
        across, up = zip(*joined, strict=True)
        line = {
            "color": SERIES[(len(dots) + place) % len(SERIES)],
            "dash": _DASHES[place % len(_DASHES)],
            "width": 2,
        }
        figure.add_scatter(x=across, y=up, name=shown(name), mode="lines", line=line, hoverinfo="name")
    framed(figure, title, x_title, y_title, height=400)
    if arrows:
        figure.update_yaxes(scaleanchor="x", scaleratio=1)
    return figure


_MARKS = ("circle", "diamond", "square", "triangle-up", "x")


def _dots(
    figure: go.Figure, group: str, places: Sequence[Place], names: Sequence[str] | None, place: int
) -> None:
    across, up = zip(*places, strict=True) if places else ((), ())
    figure.add_scatter(
        x=across,
        y=up,
        name=shown(group),
        mode="markers",
        marker={
            "color": SERIES[place % len(SERIES)],
            "symbol": _MARKS[place % len(_MARKS)],
            "size": 7,
            "opacity": 0.7,
        },
        text=[shown(each) for each in names] if names else None,
        hovertemplate=("%{text}<br>" if names else "")
        + f"{shown(group)}: %{{x:.3g}}, %{{y:.3g}}<extra></extra>",
    )


def _arrows(
    figure: go.Figure, group: str, ends: Sequence[Place], names: Sequence[str] | None, color: str
) -> None:
    """Draw arrows as one line that goes out and back in gaps, with a head at each end."""
    across = [value for x, _ in ends for value in (0.0, x, None)]
    up = [value for _, y in ends for value in (0.0, y, None)]
    words = [shown(each) for each in names or [group] * len(ends)]
    figure.add_scatter(
        x=across,
        y=up,
        name=shown(group),
        mode="lines+markers",
        line={"color": color, "width": 2},
        marker={
            "color": color,
            "symbol": "arrow",
            "angleref": "previous",
            "size": [value for _ in ends for value in (0, 14, 0)],
            "opacity": 1,
        },
        text=[value for word in words for value in ("", word, "")],
        hovertemplate=f"%{{text}}, {shown(group)}: %{{x:.3g}}, %{{y:.3g}}<extra></extra>",
    )
