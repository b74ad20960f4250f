"""A result as one HTML file that opens without a network: verdict, figures, tables, where it came from."""

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from lab.runs.plain import json_pages

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
.verdict { font-size: 1.15rem; border-left: 4px solid #4c72b0; padding-left: 1rem; white-space: pre-line; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid #ddd; padding: .25rem .6rem; text-align: left; white-space: pre-wrap; }
pre { white-space: pre-wrap; background: #f6f6f6; padding: 1rem; }
"""


def report_html(
    title: str,
    verdict: str,
    tables: "Mapping[str, pd.DataFrame]",
    figures: "Mapping[str, go.Figure]",
    provenance: Mapping[str, Any] | None = None,
) -> str:
    """Write a self-contained page; everything given is escaped.

    Args:
        title: The question or the run.
        verdict: A plain sentence.
        tables: Tables by their caption.
        figures: Plotly figures by their caption; plotly.js is inlined once, and not at all without figures.
        provenance: What the figures can be traced to: recipe, environment, time.
    """
    parts = [f"<h1>{escape(title)}</h1>", f'<p class="verdict">{escape(verdict)}</p>']
    if figures:
        from plotly.offline import get_plotlyjs

        parts.append(f"<script>{get_plotlyjs()}</script>")
    for caption, figure in figures.items():
        drawn = figure.to_html(full_html=False, include_plotlyjs=False, config={"responsive": True})
        parts.append(f"<section><h2>{escape(caption)}</h2>{drawn}</section>")
    for caption, table in tables.items():
        shown = table.to_html(index=False, escape=True, border=0, na_rep="")
        parts.append(f'<section><h2>{escape(caption)}</h2><div class="scroll">{shown}</div></section>')
    if provenance is not None:
        parts.append(f"<h2>Where this comes from</h2><pre>{escape(json_pages(provenance))}</pre>")
    head = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n"
    )
    return head + "\n".join(parts) + "\n</body></html>\n"
