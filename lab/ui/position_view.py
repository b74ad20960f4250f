"""What the Position tab shows of a result: sentences, tiles, tables, from plain data; all is escaped."""

from collections.abc import Mapping
from html import escape
from typing import Any

import pandas as pd

from lab.experiments.calibrated import obstacle
from lab.experiments.events import Result
from lab.experiments.views import split_controls
from lab.stats.calibration import balance_warning
from lab.stats.flips import NEAR_TIE_NATS
from lab.stats.verdict import p_text
from lab.ui.widgets.markup import note, stat_tiles

FIGURES = {
    "Accuracy": "accuracy",
    "Prediction change": "comparisons",
    "Transitions": "transitions",
    "Margins": "transitions",
}
NO_RESULT = "Choose a task and press Run, or one of the presets: what flips appears here."


def tiles_html(result: Result, summary: Mapping[str, Any]) -> str:
    """Show the figures that a reader wants first."""
    facts, comparisons = result.summary, result.summary.get("comparisons", [])
    tiles = [("Queries", f"{facts['n_queries']:,}", "answered under every layout")]
    if comparisons:
        most = max(comparisons, key=lambda c: c["prediction_change"])
        words = f"{most['n_flips']} of {most['n']} answers flip from {most['reference']} to {most['layout']}"
        tiles.append(("Most flips", f"{100 * most['prediction_change']:.0f} %", words))
    if floor := facts.get("floor"):
        words = f"{floor['n_flips']} of {floor['n']} flip when nothing changes but the batch; the 95 % bound"
        tiles.append(("False-flip floor", f"≤ {100 * floor['high']:.1f} %", words))
    tiles.append(
        ("Near-ties", f"{_near_ties(result.predictions):.0f} %", f"answers won by under {NEAR_TIE_NATS} nats")
    )
    if q := facts.get("cochran_q"):
        words = f"are all layouts right equally often? Cochran's Q = {q['q']:.1f}, {q['df']} df"
        tiles.append(("All layouts alike?", p_text(q["p"]), words))
    if (saved := summary.get("n_tokens_saved")) is not None:
        all_tokens = saved + summary.get("n_tokens", 0)
        words = f"of {all_tokens:,} tokens not computed: prompts share their beginnings"
        tiles.append(("Tokens saved", f"{100 * saved / max(all_tokens, 1):.0f} %", words))
    return stat_tiles(tiles)


def _near_ties(predictions: pd.DataFrame) -> float:
    asked, _, _ = split_controls(predictions)
    return 100 * float((asked["margin"] < NEAR_TIE_NATS).mean()) if len(asked) else 0.0


def sentences(result: Result) -> dict[str, str]:
    """Say of each figure what it shows."""
    facts = result.summary
    if not facts:
        return {}
    right = facts["accuracy"]
    best, worst = max(right, key=right.get), min(right, key=right.get)
    floor = facts.get("floor")
    limit = "the false-flip floor was not measured"
    if floor:
        limit = f"the dashed line is the most that batching alone may flip, {100 * floor['high']:.1f} %"
    high, low = 100 * right[best], 100 * right[worst]
    spread = f"{best} has the highest score, {high:.0f} %, and {worst} the lowest, {low:.0f} %"
    if right[best] == right[worst]:
        spread = f"Every layout has the same score, {100 * right[best]:.0f} %"
    return {
        "Accuracy": f"{spread}, over {facts['n_queries']} queries; bars are 95 % intervals.",
        "Prediction change": f"How many answers differ from those under {facts['reference']}; {limit}.",
        "Transitions": "Where answers go under another layout: a band that changes its row is a flip.",
        "Margins": "Do unsure answers flip more? The margin is the lead of the chosen label over the next, "
        f"under the reference; below {NEAR_TIE_NATS} nats it is a near-tie.",
    }


def comparisons_html(result: Result) -> str:
    """Write the comparisons in plain words, one row a layout."""
    heads = ("Layout", "Broken", "Fixed", "Other flips", "p after Holm", "In words")
    rows = [
        (
            c["layout"],
            c["n_broken"],
            c["n_fixed"],
            c["n_other"],
            p_text(c["p_holm"]).removeprefix("p ").removeprefix("= "),
            c["sentence"],
        )
        for c in result.summary.get("comparisons", [])
    ]
    if not rows:
        return note("info", "There is only one layout, so nothing to compare.")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows)
    return (
        '<div style="overflow-x:auto" tabindex="0"><table class="compose-slots in-words">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def pairs_table(result: Result) -> pd.DataFrame:
    """Write the comparisons of all pairs."""
    pairs = result.tables.get("pairs")
    if pairs is None or pairs.empty:
        return pd.DataFrame()
    wanted = [
        "reference",
        "layout",
        "n",
        "n_broken",
        "n_fixed",
        "n_other",
        "metric_change",
        "p",
        "p_holm",
        "test",
    ]
    return pairs[wanted].round(4)


def calibration_html(predictions: pd.DataFrame, method: str) -> str:
    """Say what calibration does here, why one kind cannot be had, and when it may hurt."""
    why = obstacle(predictions, "contextual")
    parts = [note("info", why)] if why else []
    asked, _, _ = split_controls(predictions)
    if method == "batch" and (warning := balance_warning(asked)):
        parts.append(note("warn", warning))
    return "".join(parts)


def calibrations(predictions: pd.DataFrame) -> list[tuple[str, str]]:
    """List the calibrations that this run allows."""
    titles = {"none": "None", "contextual": "Contextual", "batch": "Batch"}
    return [(title, method) for method, title in titles.items() if not obstacle(predictions, method)]


def transition_sentence(moved: pd.DataFrame, start: str, end: str) -> str:
    """Say what happens to the answers between two layouts."""
    counts = moved["kind"].value_counts()
    flips = len(moved) - int(counts.get("same", 0))
    ties = int((moved["near_tie"] & (moved["kind"] != "same")).sum())
    return (
        f"From {start} to {end}, {flips} of {len(moved)} answers flip: "
        f"{int(counts.get('right→wrong', 0))} broken, "
        f"{int(counts.get('wrong→right', 0))} fixed; {ties} of the flips were near-ties."
    )
