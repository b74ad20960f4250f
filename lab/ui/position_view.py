"""What the Position tab shows of a result: sentences, tiles and tables, from plain data; all text is escaped."""

from collections.abc import Mapping
from html import escape
from typing import Any

import pandas as pd

from lab.experiments.calibrated import obstacle
from lab.experiments.events import Result
from lab.experiments.views import split_controls
from lab.prompts.layout import Layout
from lab.stats.calibration import balance_warning
from lab.stats.flips import FLIP_KINDS, NEAR_TIE_NATS
from lab.stats.verdict import p_text
from lab.tasks import load_task
from lab.ui.widgets.markup import note, stat_tiles

FIGURES = {
    "Accuracy": "accuracy",
    "Prediction change": "comparisons",
    "Transitions": "transitions",
    "Margins": "margins",
}
NO_RESULT = "Choose a task and press Run, or one of the presets: what flips appears here."


def verdict_html(verdict: str, provenance: str, badge: str = "") -> str:
    """Write the verdict large, with where it comes from."""
    marked = f'<p style="margin:0">{note("info", badge)}</p>' if badge else ""
    return (
        f'{marked}<h2 style="margin:4px 0;font-size:clamp(18px,2vw,24px);line-height:1.3">{escape(verdict)}</h2>'
        f'<p style="margin:0;opacity:.8;font-size:13px;overflow-wrap:anywhere">{escape(provenance)}</p>'
    )


def example_badge(params: Any, environment: Mapping[str, Any]) -> str:
    """Mark a shipped example, so that nobody takes it for a run of their own."""
    model = (environment.get("model") or {}).get("id") or params.model
    made = str(environment.get("time", ""))[:10]
    on = f" on {escape(made)}" if made else ""
    return f"<b>Example:</b> made with {escape(str(model))}{on}; press Run to make your own."


def differences(current: Any, opened: Any) -> list[str]:
    """Name the parameters in which the form differs from the run on screen, with the form's values."""
    names = [name for name in vars(current) if getattr(current, name) != getattr(opened, name)]
    return [f"{name} = {_short(getattr(current, name))}" for name in names]


def _short(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def stale_html(changed: list[str]) -> str:
    """Say that the results on screen belong to other settings."""
    if not changed:
        return ""
    return note("warning", f"These results are for other settings. Changed since: {escape('; '.join(changed))}.")


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
    tiles.append(("Near-ties", f"{_near_ties(result.predictions):.0f} %", f"answers won by under {NEAR_TIE_NATS} nats"))
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
    limit = f"the dashed line is the most that batching alone may flip, {100 * floor['high']:.1f} %" if floor else (
        "the false-flip floor was not measured"
    )  # fmt: skip
    return {
        "Accuracy": f"{best} has the highest score, {100 * right[best]:.0f} %, and {worst} the lowest, "
        f"{100 * right[worst]:.0f} %, over {facts['n_queries']} queries; bars are 95 % intervals.",
        "Prediction change": f"How many answers differ from those under {facts['reference']}; {limit}.",
        "Transitions": "Where the answers under one layout go under another: every band that changes its row is a flip.",
        "Margins": f"How far the chosen label is ahead of the next; below {NEAR_TIE_NATS} nats it is a near-tie.",
    }


def comparisons_table(result: Result) -> pd.DataFrame:
    """Write the comparisons in plain words, one row a layout."""
    rows = [
        {
            "Layout": c["layout"],
            "Stands at": Layout.parse(c["layout"]).title,
            "Right": f"{100 * c['metric_layout']:.0f} %",
            f"Change against {c['reference']}": f"{100 * c['metric_change']:+.1f} points "
            f"({100 * c['ci_low']:+.0f} to {100 * c['ci_high']:+.0f})",
            "Broken": c["n_broken"],
            "Fixed": c["n_fixed"],
            "Other flips": c["n_other"],
            "After Holm": p_text(c["p_holm"]),
            "In words": c["sentence"],
        }
        for c in result.summary.get("comparisons", [])
    ]
    return pd.DataFrame(rows)


def pairs_table(result: Result) -> pd.DataFrame:
    """Write the comparisons of all pairs."""
    pairs = result.tables.get("pairs")
    if pairs is None or pairs.empty:
        return pd.DataFrame()
    wanted = ["reference", "layout", "n", "n_broken", "n_fixed", "n_other", "metric_change", "p", "p_holm", "test"]
    return pairs[wanted].round(4)


def calibration_html(predictions: pd.DataFrame, method: str) -> str:
    """Say what calibration does here, why one kind cannot be had, and when it may hurt."""
    why = obstacle(predictions, "contextual")
    parts = [note("info", escape(why))] if why else []
    asked, _, _ = split_controls(predictions)
    if method == "batch" and (warning := balance_warning(asked)):
        parts.append(note("warning", escape(warning)))
    return "".join(parts)


def calibrations(predictions: pd.DataFrame) -> list[tuple[str, str]]:
    """List the calibrations that this run allows."""
    titles = {"none": "None", "contextual": "Contextual", "batch": "Batch"}
    return [(title, method) for method, title in titles.items() if not obstacle(predictions, method)]


def query_texts(task: str) -> dict[str, str]:
    """Read the inputs of a task's queries by id; empty where the task cannot be had any more."""
    try:
        return {query.id: query.input for query in load_task(task).queries}
    except ValueError:
        return {}


def filtered(predictions: pd.DataFrame, kind: str, reference: str) -> pd.DataFrame:
    """Keep the queries with a flip of a kind against the reference: "all", "any" flip, or one of `FLIP_KINDS`."""
    from lab.stats.flips import flip_kinds

    if kind == "all" or predictions.empty:
        return predictions
    kinds = flip_kinds(predictions, reference)
    found = (kinds != "same") if kind == "any" else (kinds == kind)
    return predictions[predictions["query_id"].isin(found.index[found.any(axis=1)])]


FILTERS = [("Every query", "all"), ("Only flips", "any"), *((kind, kind) for kind in FLIP_KINDS if kind != "same")]
