"""What is behind a cell: the context of one query under every layout, and what was answered to it."""

from html import escape

from lab.runs.store import Store
from lab.ui.opened import Opened
from lab.ui.widgets.markup import note


def sequences_html(run: Opened, store: Store, query_id: str, layout: str) -> str:
    """Show one query under every layout; what arrives from a browser is only looked up."""
    table = run.predictions(store)
    rows = table[table["query_id"] == query_id]
    if rows.empty:
        return note("info", "This query is not asked yet.")
    prompts = run.prompts(store).set_index(["query_id", "layout"])["prompt"]
    lines = []
    for row in rows.itertuples():
        if "+again" in row.layout:
            continue
        mark = "right" if row.correct else "wrong"
        chosen = " (chosen)" if row.layout == layout else ""
        context = escape(str(prompts.get((query_id, row.layout), "")))
        lines.append(
            f"<tr><th scope='row'>{escape(row.layout)}{chosen}</th><td><code>{context}</code></td>"
            f"<td>{escape(row.prediction)}, {mark}</td></tr>"
        )
    gold = escape(str(rows["gold"].iloc[0]))
    return (
        f'<h3 tabindex="-1">{escape(query_id)}: right is {gold}</h3><div style="overflow-x:auto"><table>'
        f"<tr><th>layout</th><th>context</th><th>answer</th></tr>{''.join(lines)}</table></div>"
    )
