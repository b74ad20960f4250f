"""What the Runs tab shows, as tables and escaped HTML; nothing here touches a component."""

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from html import escape
from typing import Any

import pandas as pd

from lab.runs.compare import RunComparison
from lab.runs.examples import machine_of
from lab.runs.plain import json_pages
from lab.runs.store import Store
from lab.stats.verdict import MINUS, comparison_sentence, p_text
from lab.ui.running import RunState
from lab.ui.widgets.markup import note

SILENT_S = 180.0
HISTORY = {
    "Last touched": 185,
    "Experiment": 120,
    "Task": 140,
    "Model": 150,
    "Queries": 85,
    "Answers": 90,
    "Status": 120,
    "Verdict": 520,
    "Run": 150,
}
HISTORY_COLUMNS = list(HISTORY)
MAX_FLIPS = 500
_VERDICT_CHARS = 110
_STATUS_MARKS = {"finished": "✓", "stopped": "‖", "failed": "✗", "killed": "✗", "running": "…"}
_STATUS_WORDS = {
    "finished": "",
    "stopped": "Resume goes on where it stopped.",
    "failed": "What was answered is kept; Resume tries again.",
    "killed": "No sign of life for over three minutes. Resume goes on after the last batch.",
    "running": "Here or in another process. Refresh shows how far it is.",
}


def status_of(status: str, updated: datetime, now: datetime | None = None) -> str:
    """Say how a run stands; one that is "running" but silent for three minutes was "killed"."""
    now = now or datetime.now(timezone.utc)
    is_silent = (now - updated).total_seconds() > SILENT_S
    return "killed" if status == "running" and is_silent else status


def history(store: Store, runs: pd.DataFrame) -> pd.DataFrame:
    """Shape rows of `Store.runs` for the screen, with `HISTORY_COLUMNS`."""
    rows = []
    for run in runs.itertuples():
        params, summary = run.recipe.params, store.summary(run.run_id)
        status = status_of(run.status, run.updated)
        rows.append(
            (
                _moment(run.updated),
                run.experiment,
                _task(params),
                str(params.get("model", "")).rpartition("/")[2],
                _n_queries(params, summary),
                int(run.n_predictions),
                f"{_STATUS_MARKS[status]} {status}",
                _short(summary.get("verdict") or run.message),
                run.run_id,
            )
        )
    return pd.DataFrame(rows, columns=HISTORY_COLUMNS)


def choices(runs: pd.DataFrame) -> list[tuple[str, str]]:
    """Name each run in a line, for a list to choose from."""
    return [
        (
            f"{_moment(run.updated)} · {run.experiment} · {_task(run.recipe.params)} · "
            f"{status_of(run.status, run.updated)} · {run.run_id}",
            run.run_id,
        )
        for run in runs.itertuples()
    ]


def details_html(store: Store, run: Any, title: str) -> str:
    """Show a run: what it says, how it stands, and everything it can be traced to.

    Args:
        store: Where it is kept.
        run: Its row of `Store.runs`, as `itertuples` gives it.
        title: Of its experiment.
    """
    summary, status = store.summary(run.run_id), status_of(run.status, run.updated)
    verdict = summary.get("verdict") or (
        f"No verdict yet: {run.n_predictions} answers are kept. Open shows what they say so far."
        if run.n_predictions
        else "No verdict: no answer was kept."
    )
    params, made, model = run.recipe.params, run.environment, run.environment.get("model") or {}
    facts = {
        "Run": run.run_id,
        "Experiment": title,
        "Task": _task(params),
        "Queries": f"{_n_queries(params, summary)} ({run.n_predictions} answers kept)",
        "Model": f"{model.get('id', params.get('model'))}, revision {model.get('revision', 'not recorded')}",
        "Seed": params.get("seed"),
        "Began": _moment(run.created),
        "Last touched": _moment(run.updated),
        "Machine": machine_of(made),
        "Code": _versions(made),
    }
    if made.get("example"):
        facts["Origin"] = f"shipped example {made['example']}, made {str(made.get('time'))[:10]}"
    listed = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(str(value))}</dd></div>" for name, value in facts.items()
    )
    recipe = escape(json_pages(json.loads(run.recipe.to_json())))
    return (
        f'{_STYLE}<article class="run-card" aria-label="Run {run.run_id}">'
        f'<p class="run-state"><span class="run-status run-{status}">{_STATUS_MARKS[status]} {status}</span> '
        f"{escape(_STATUS_WORDS[status])} {escape(run.message)}</p>"
        f'<p class="run-verdict">{escape(str(verdict))}</p><dl>{listed}</dl>'
        "<details><summary>Recipe: everything that determines this run</summary>"
        f"<pre>{recipe}</pre></details>"
        "</article>"
    )


def progress_html(state: RunState) -> str:
    """Show how a run that goes on stands."""
    if state.phase == "failed":
        return note("error", state.message)
    if state.phase in ("stopped", "finished"):
        words = "The run is finished." if state.phase == "finished" else "Stopped; what is answered is kept."
        return note("verdict" if state.phase == "finished" else "info", words)
    done = state.progress
    if done is None:
        return note("info", state.message or "Waiting for the model.")
    to_go = "" if done.eta_s is None else f", about {_duration(done.eta_s)} to go"
    word = "Stopping after this batch: " if state.phase == "stopping" else ""
    return (
        f'{_STYLE}<div class="run-progress"><progress max="{done.total}" value="{done.done}" '
        f'aria-label="Prompts answered"></progress>'
        f"<p>{word}{done.done} of {done.total} prompts{to_go}.</p></div>"
    )


def comparison_html(compared: RunComparison, reason: str = "") -> str:
    """Show two runs' accuracy under each layout side by side, and the sentence that sums it up.

    Args:
        compared: The comparison; without shared answers only accuracies are shown.
        reason: Why answers are not paired, if they are not.
    """
    heads = ["Layout", "A", "B"]
    caption = "Accuracy under each layout."
    if compared.n_shared:
        heads += [
            f"B {MINUS} A in points (95 %)",
            "Right→wrong",
            "Wrong→right",
            "Answers that differ",
            "p (Holm)",
        ]
        caption = "Accuracy under each layout, and its change from A to B on the queries that both asked."
    rows = "".join(_layout_row(row, len(heads)) for row in compared.accuracy.to_dict("records"))
    return (
        f'{_STYLE}<div class="run-compared"><p class="run-verdict">{escape(headline(compared, reason))}</p>'
        '<div class="run-scroll" tabindex="0" role="region" aria-label="Accuracy by layout">'
        f"<table><caption>{caption}</caption><thead><tr>"
        + "".join(f'<th scope="col">{head}</th>' for head in heads)
        + f"</tr></thead><tbody>{rows}</tbody></table></div></div>"
    )


def headline(compared: RunComparison, reason: str = "") -> str:
    """Say in a sentence or two how two runs differ."""
    if reason:
        return reason
    n, differ = compared.n_shared, len(compared.flips)
    said = f"{differ} of {n} answers that both runs give differ ({100 * differ / n:.1f} %)."
    layout, strongest = min(compared.comparisons.items(), key=lambda item: (item[1].p, -item[1].n_flips))
    return f"{said} The clearest change is under {layout}: {comparison_sentence(strongest)}"


def flips_table(compared: RunComparison) -> pd.DataFrame:
    """Shape the answers that differ for the screen, at most `MAX_FLIPS` of them, near-ties marked."""
    shown = compared.flips.head(MAX_FLIPS)
    return pd.DataFrame(
        {
            "Query": shown["query_id"],
            "Layout": shown["layout"],
            "Right answer": shown["gold"],
            "A said": shown["a"],
            "B said": shown["b"],
            "Kind": shown["kind"],
            "Margin A (nats)": shown["margin_a"].astype(float).round(3),
            "Margin B (nats)": shown["margin_b"].astype(float).round(3),
            "Near-tie": ["yes" if tie else "" for tie in shown["near_tie"]],
        }
    )


def _layout_row(row: Mapping[str, Any], n_columns: int) -> str:
    cells = [_bar(row["accuracy_a"], row["n_a"], "a"), _bar(row["accuracy_b"], row["n_b"], "b")]
    if row["n_shared"]:
        bounds = f"{_points(row['ci_low'])} to {_points(row['ci_high'])}"
        cells += [
            f"{_points(row['change'])} ({bounds})",
            *(f"{row[name]:.0f}" for name in ("broken", "fixed")),
        ]
        cells += [f"{row['flips']:.0f} of {row['n_shared']}", p_text(row["p_holm"])]
    elif n_columns > 3:
        cells += ["not paired", *[""] * (n_columns - 4)]
    listed = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr><th scope="row">{escape(row["layout"])}</th>{listed}</tr>'


def _bar(accuracy: float, n: int, name: str) -> str:
    if not n:
        return "—"
    percent = 100 * accuracy
    return (
        f'<span class="run-bar"><span class="run-fill-{name}" style="width:{percent:.1f}%"></span></span>'
        f"{percent:.1f} % <small>n = {n}</small>"
    )


def _points(change: float) -> str:
    text = f"{abs(100 * change):.1f}"
    return text if float(text) == 0 else f"{MINUS if change < 0 else '+'}{text}"


def _versions(environment: Mapping[str, Any]) -> str:
    named = [
        ("lab", "In-Context Lab"),
        ("torch", "torch"),
        ("transformers", "transformers"),
        ("python", "Python"),
    ]
    parts = [f"{title} {environment[key]}" for key, title in named if environment.get(key)]
    if environment.get("commit"):
        parts.append(f"commit {str(environment['commit'])[:12]}")
    return ", ".join(parts) or "not recorded"


def _task(params: Mapping[str, Any]) -> str:
    return ", ".join(params.get("tasks") or [str(params.get("task", ""))])


def _n_queries(params: Mapping[str, Any], summary: Mapping[str, Any]) -> int:
    counted = summary.get("n_queries", params.get("n_queries", 0))
    return sum(counted.values()) if isinstance(counted, Mapping) else int(counted or 0)


def _moment(moment: datetime) -> str:
    return datetime.fromtimestamp(moment.timestamp()).strftime("%Y-%m-%d %H:%M")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _short(text: Any) -> str:
    text = " ".join(str(text or "").split())
    return text if len(text) <= _VERDICT_CHARS else f"{text[: _VERDICT_CHARS - 1].rstrip()}…"


_RULES = """
.run-card, .run-compared { color: var(--body-text-color); font-size: 15px; }
.run-card .run-state { margin: 0 0 8px; color: var(--body-text-color-subdued); }
.run-card .run-status { display: inline-block; margin-right: 6px; padding: 2px 10px; border-radius: 999px;
  font-size: 13px; font-weight: 600; border: 1px solid currentColor; }
.run-card .run-finished { color: #166534; }
.run-card .run-stopped, .run-card .run-running { color: #92400e; }
.run-card .run-failed, .run-card .run-killed { color: #b91c1c; }
.dark .run-card .run-finished { color: #86efac; }
.dark .run-card .run-stopped, .dark .run-card .run-running { color: #fcd34d; }
.dark .run-card .run-failed, .dark .run-card .run-killed { color: #fca5a5; }
.run-card .run-verdict, .run-compared .run-verdict { margin: 0 0 14px; font-size: 18px; line-height: 1.4;
  font-weight: 600; max-width: 80ch; white-space: pre-line; }
.run-card dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 300px), 1fr));
  gap: 10px 24px; margin: 0 0 12px; }
.run-card dt { font-size: 13px; color: var(--body-text-color-subdued); }
.run-card dd { margin: 0; overflow-wrap: anywhere; }
.run-card summary { cursor: pointer; padding: 4px 0; }
.run-card pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 13px; padding: 12px;
  border-radius: 8px; background: var(--background-fill-secondary); color: var(--body-text-color); }
.run-progress progress { width: 100%; height: 10px; accent-color: var(--color-accent); }
.run-progress p { margin: 4px 0 0; }
#runs-bar { align-items: flex-end; }
#runs-details .prose, #runs-compared .prose { max-width: none; }
.run-scroll { overflow-x: auto; }
.run-compared .run-scroll table tr { border: 0; }
.run-compared table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums;
  font-size: 14px; }
.run-compared table caption { text-align: left; padding-bottom: 6px; color: var(--body-text-color-subdued); }
.run-compared .run-scroll table tr th, .run-compared .run-scroll table tr td {
  padding: 7px 12px 7px 0; text-align: left;
  white-space: nowrap; border: 0; border-bottom: 1px solid var(--border-color-primary); background: none; }
.run-compared small { color: var(--body-text-color-subdued); }
.run-bar { display: inline-block; vertical-align: middle; width: 72px; height: 10px; margin-right: 8px;
  border-radius: 3px; overflow: hidden; background: var(--background-fill-secondary);
  box-shadow: inset 0 0 0 1px var(--border-color-primary); }
.run-bar span { display: block; height: 100%; }
.run-bar .run-fill-a { background: #64748b; }
.run-bar .run-fill-b { background: #6366f1; }
"""
_STYLE = f"<style>{_RULES}</style>"
