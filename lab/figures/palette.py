"""One set of colours for figures and widgets, told apart with any colour vision.

The hues are those of Okabe & Ito 2008, darkened where they would vanish on white: every line colour keeps
a contrast of 3:1 on white and on the dark page, every ink 4.5:1 on its fill (WCAG 2.2 AA).
"""

SLOT_COLOURS: dict[str, str] = {
    "none": "#64748b",
    "ssp": "#0a76c4",
    "esp": "#2b97d3",
    "sum": "#0f8f6b",
    "eum": "#d55e00",
    "turns": "#b8629a",
}
SLOT_SYMBOLS: dict[str, str] = {
    "none": "circle-open",
    "ssp": "circle",
    "esp": "square",
    "sum": "diamond",
    "eum": "triangle-up",
    "turns": "triangle-down",
}
OTHER = "#8a7a3b"
SERIES: tuple[str, ...] = ("#0a76c4", "#d55e00", "#0f8f6b", "#b8629a", "#8a7a3b", "#7068d8")

RIGHT, WRONG, UNPARSED = "#0a76c4", "#d55e00", "#64748b"
FLIP_COLOURS: dict[str, str] = {
    "same": "#94a3b8",
    "right→wrong": "#d55e00",
    "wrong→right": "#0a76c4",
    "wrong→other wrong": "#8a7a3b",
    "right→other right": "#0f8f6b",
}
DIVERGING: list[list] = [[0.0, "#d55e00"], [0.5, "#ffffff"], [1.0, "#0a76c4"]]
"""A colour scale for differences; give it a range that is symmetric about zero, so that zero is white."""

INK, GRID = "#475569", "rgba(100, 116, 139, 0.22)"

LIGHT: dict[str, str] = {
    "right": "#d3e7f8",
    "right-ink": "#0a3a66",
    "wrong": "#fbd6b6",
    "wrong-ink": "#6b2a00",
    "unparsed": "#e2e8f0",
    "unparsed-ink": "#334155",
    "instruction": "#e6dffb",
    "instruction-ink": "#3d2a86",
    "demonstration": "#d2f0e5",
    "demonstration-odd": "#b3e2d1",
    "demonstration-ink": "#0b4637",
    "query": "#fdeab2",
    "query-ink": "#573f00",
    "filler": "#e2e8f0",
    "filler-ink": "#334155",
    "template": "#f1f5f9",
    "template-ink": "#475569",
    "info": "#eef2ff",
    "info-ink": "#3730a3",
    "warn": "#fef3c7",
    "warn-ink": "#713f12",
    "error": "#fee4e2",
    "error-ink": "#8c1d18",
    "verdict": "#f1f5f9",
    "verdict-ink": "#0f172a",
}
DARK: dict[str, str] = {
    "right": "#123f68",
    "right-ink": "#d9ecff",
    "wrong": "#7a3510",
    "wrong-ink": "#ffe8d8",
    "unparsed": "#374151",
    "unparsed-ink": "#e2e8f0",
    "instruction": "#3b2f73",
    "instruction-ink": "#e9e3ff",
    "demonstration": "#0f4a3b",
    "demonstration-odd": "#17614e",
    "demonstration-ink": "#d6f7ea",
    "query": "#5a4406",
    "query-ink": "#fdf0c4",
    "filler": "#374151",
    "filler-ink": "#e2e8f0",
    "template": "#1e293b",
    "template-ink": "#b6c2d2",
    "info": "#1e1b4b",
    "info-ink": "#c7d2fe",
    "warn": "#422006",
    "warn-ink": "#fde68a",
    "error": "#4c1512",
    "error-ink": "#fecaca",
    "verdict": "#1e293b",
    "verdict-ink": "#f1f5f9",
}


def slot_of(layout: str) -> str:
    """Take the slot out of a layout's id.

    >>> slot_of("eum+restated"), slot_of("sum~1@2-0-1")
    ('eum', 'sum')
    """
    for mark in "+~@":
        layout = layout.partition(mark)[0]
    return layout


def layout_colour(layout: str) -> str:
    """Return the colour of a layout, always that of its slot; other names share one."""
    return SLOT_COLOURS.get(slot_of(layout), OTHER)


def layout_symbol(layout: str) -> str:
    """Return the marker of a layout: its slot's, open where the layout is a control."""
    symbol = SLOT_SYMBOLS.get(slot_of(layout), "star")
    is_control = "+" in layout and not symbol.endswith("-open")
    return f"{symbol}-open" if is_control else symbol
