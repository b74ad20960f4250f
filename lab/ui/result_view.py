"""What every tab says of the run on screen: its verdict, where it is from, and that the form has moved on."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from lab.ui.drilldown import cached_task
from lab.ui.opened import Opened
from lab.ui.run_controls import LIGHT, Stage
from lab.ui.running import SAYABLE, say
from lab.ui.widgets.markup import note

if TYPE_CHECKING:
    import pandas as pd


def verdict_html(verdict: str, provenance: str, badge: str = "") -> str:
    """Write the verdict large, with where it comes from."""
    marked = note("info", badge) if badge else ""
    return (
        f'{marked}<h2 style="margin:4px 0;font-size:clamp(17px,1.7vw,21px);line-height:1.3">'
        f"{escape(verdict)}</h2>"
        f'<p style="margin:0;opacity:.8;font-size:13px;overflow-wrap:anywhere">{escape(provenance)}</p>'
    )


def example_badge(params: Any, environment: Mapping[str, Any]) -> str:
    """Mark a shipped example, so that nobody takes it for a run of their own."""
    model = (environment.get("model") or {}).get("id") or params.model
    made = str(environment.get("time", ""))[:10]
    on = f" on {made}" if made else ""
    return f"Example: made with {model}{on}; a run of your own takes its place."


def run_verdict(words: str, run: Opened, store: Any) -> str:
    """Write the verdict of the run on screen, marked where it is a shipped example."""
    badge = example_badge(run.params, run.environment(store)) if run.example else ""
    return verdict_html(words, run.provenance(store), badge)


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
    return note("warn", f"These results are for other settings. Changed since: {'; '.join(changed)}.")


def so_far(predictions: "pd.DataFrame | None") -> str:
    """Say in place of a verdict how many answers a run has that is not over."""
    n = 0 if predictions is None else len(predictions)
    return f"{n:,} answers so far. The verdict follows when the same queries are answered everywhere."


def wire_stale(stage: Stage, stale: gr.HTML, runs: Sequence[Any] = ()) -> None:
    """Mark the results of a stage as belonging to other settings once its controls differ from theirs.

    Args:
        stage: What is run.
        stale: Where it is said.
        runs: Runs after which to look, where many stages share what is opened; else all openings count.
    """

    def mark(run: Opened | None, *values: Any) -> str:
        if run is None or run.experiment != stage.experiment_id:
            return ""
        try:
            return stale_html(differences(stage.params(values), run.params))
        except SAYABLE as error:
            return note("error", say(error))

    looked_at = stage.inputs if runs else (*stage.inputs, stage.opened)
    triggers = [component.change for component in looked_at]
    inputs = [stage.opened, *stage.inputs]
    gr.on(triggers, mark, inputs, stale, trigger_mode="always_last", **LIGHT)
    for run in runs:
        run.then(mark, inputs, stale, **LIGHT)


def query_texts(task: str) -> dict[str, str]:
    """Read the inputs of a task's queries by id; empty where the task cannot be had any more."""
    try:
        return {query.id: query.input for query in cached_task(task).queries}
    except ValueError:
        return {}
