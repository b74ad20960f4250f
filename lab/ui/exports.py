"""A stored run as files to take away: tables, a report, and one of its prompts for use elsewhere."""

import errno
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lab.runs.export import messages_json, report_html, snippet, write_predictions, write_run
from lab.runs.plain import json_pages
from lab.runs.store import Store

if TYPE_CHECKING:
    import pandas as pd

    from lab.experiments.events import Result
    from lab.experiments.registry import Experiment
    from lab.prompts.layout import Layout
    from lab.tasks.task import Demonstration, Query, Task

KEPT_S = 3600.0


@dataclass(frozen=True)
class Chosen:
    """What is exported.

    Args:
        store: Where the run is kept.
        run_id: Which run.
        query_id: Which query, where one prompt is exported.
        layout: Under which layout, likewise.
        is_shared: Whether strangers use this server, so that a script must not name its folders.
    """

    store: Store
    run_id: str
    query_id: str = ""
    layout: str = ""
    is_shared: bool = False


class Format(NamedTuple):
    """A kind of file: its name on screen, what it is good for, how it is written, if it is of one prompt."""

    title: str
    about: str
    ending: str
    write: Callable[[Chosen, Path], None]
    is_of_one_prompt: bool = False


def export(chosen: Chosen, kind: str) -> Path:
    """Write a run, or one prompt of it, as a file in a new folder, which is deleted after an hour.

    Raises:
        ValueError: If the run, the kind or the cell is unknown, the messages can't be rebuilt, or the disk is
            full.
        StoreError: If the store can't be read.
    """
    if kind not in FORMATS:
        raise ValueError(f"export must be one of {', '.join(FORMATS)}, got {str(kind)[:40]!r}")
    name = f"{chosen.store.recipe(chosen.run_id).experiment}-{chosen.run_id}{FORMATS[kind].ending}"
    try:
        path = _new_folder() / name
        FORMATS[kind].write(chosen, path)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise ValueError("the file can't be written, the disk is full: free some space") from None
    return path


def run_experiment(store: Store, run_id: str) -> "tuple[Experiment, Any]":
    """Find the experiment of a stored run and its parameters.

    Raises:
        ValueError: If the run is unknown, or was made when its experiment had other parameters.
    """
    from lab.experiments import EXPERIMENTS
    from lab.experiments.registry import build_params, find_experiment

    recipe = store.recipe(run_id)
    experiment = find_experiment(EXPERIMENTS, recipe.experiment)
    params = build_params(experiment, recipe.params)
    if experiment.recipe(params).id != run_id:
        raise ValueError(
            f"run {run_id} was made when {experiment.id} had other parameters: its predictions can be "
            "exported, but it can't go on or be summed up anew"
        )
    return experiment, params


def read_result(store: Store, run_id: str) -> "Result":
    """Sum up a stored run, finished or not, without a model."""
    experiment, params = run_experiment(store, run_id)
    return experiment.read(params, store)


def winning_layout(predictions: "pd.DataFrame") -> str:
    """Return the layout with the highest accuracy, the first of several; controls don't count; "" if none."""
    plain = predictions[~predictions["layout"].str.contains("+", regex=False)]
    if plain.empty:
        return ""
    return str(plain.groupby("layout", sort=False)["correct"].mean().idxmax())


def messages(chosen: Chosen) -> list[dict[str, str]]:
    """Rebuild the chat messages of one prompt from the recipe, and check them against the stored prompt.

    Raises:
        ValueError: If the cell is unknown, holds filler text, or the task has changed since the run.
    """
    from lab.prompts.layout import Layout
    from lab.prompts.render import SEPARATOR, arrange, demonstration_blocks

    prompt = _cell(chosen)["prompt"]
    layout = Layout.parse(chosen.layout)
    if layout.control == "filler":
        raise ValueError("filler text depends on the model's tokens: choose a layout with demonstrations")
    if layout.control == "again":
        layout = replace(layout, control="")
    _, params = run_experiment(chosen.store, chosen.run_id)
    task, query = _asked(params, chosen.query_id)
    blocks = demonstration_blocks(task, _demos(params, task, layout, query))
    question = f"{task.input_name}: {query.input.strip()}\n{task.output_name}:"
    turns = [
        {"role": role, "content": SEPARATOR.join(block.text for block in part)}
        for role, part in arrange(task, layout, blocks, question)
    ]
    if any(turn["content"] not in prompt for turn in turns):
        raise ValueError("the task has changed since this run was made: take the exact prompt from the ZIP")
    return turns


def script(chosen: Chosen) -> str:
    """Write a script that reproduces one prediction with transformers alone.

    Raises:
        ValueError: If the cell is unknown, or a generated answer's task has changed since the run.
    """
    cell, params = _cell(chosen), chosen.store.recipe(chosen.run_id).params
    prompt, candidates, n_new = cell["prompt"], cell["candidates"], 0
    if candidates:  # after a chat template nothing stands before an answer, after plain text a blank
        is_plain = candidates[0].startswith(" ")
    else:
        is_plain = prompt.endswith(messages(chosen)[-1]["content"])
        n_new = _asked(run_experiment(chosen.store, chosen.run_id)[1], chosen.query_id)[0].max_new_tokens
    model, revision, remark = _weights(chosen)
    code = snippet(
        model,
        prompt,
        candidates,
        revision=revision,
        is_length_normalised=bool(params.get("is_length_normalised", True)),
        add_special_tokens=is_plain,
        max_new_tokens=n_new,
    )
    return f"# Run {chosen.run_id}, query {chosen.query_id!r}, layout {chosen.layout!r}.\n{remark}{code}"


def _cell(chosen: Chosen) -> dict[str, Any]:
    prompts = chosen.store.prompts(chosen.run_id)
    found = prompts[(prompts["query_id"] == chosen.query_id) & (prompts["layout"] == chosen.layout)]
    if found.empty:
        raise ValueError(
            f"the run holds no prompt for query {chosen.query_id!r} under layout {chosen.layout!r}: "
            "choose both from the lists"
        )
    return found.iloc[0].to_dict()


def _asked(params: Any, query_id: str) -> "tuple[Task, Query]":
    """Find the task and the query behind a stored query id, which names its task in a run of several."""
    from lab.experiments.views import content_free_queries
    from lab.tasks import load_task

    names = [name for name in getattr(params, "tasks", ()) if query_id.startswith(f"{name}/")]
    task = load_task(names[0] if names else params.task)
    wanted = query_id.removeprefix(f"{names[0]}/") if names else query_id
    if params.instruction:
        task = replace(task, instruction=params.instruction)
    for query in (*task.queries, *content_free_queries()):
        if query.id == wanted:
            return task, query
    raise ValueError(f"the task has no query {wanted!r} any more: take the exact prompt from the ZIP")


def _demos(params: Any, task: "Task", layout: "Layout", query: "Query") -> "tuple[Demonstration, ...]":
    from lab.experiments.contexts import Contexts
    from lab.prompts.template import Template

    no_tokenizer: Any = None  # only filler text is counted in tokens
    return Contexts(params, task, Template(no_tokenizer), getattr(params, "n_sets", 1)).demos(layout, query)


def _weights(chosen: Chosen) -> tuple[str, str | None, str]:
    """Say where a script finds the run's weights: a name or folder, a hub revision, and a remark."""
    from lab.learners.catalogue import PRESETS
    from lab.weights import Package, weights_home

    record = chosen.store.environment(chosen.run_id).get("model") or {}
    model = str(record.get("id") or chosen.store.recipe(chosen.run_id).params.get("model"))
    source = {card.id: card.source for card in PRESETS}.get(model)
    if not isinstance(source, Package):
        return model, record.get("revision") if "/" in model and not Path(model).is_dir() else None, ""
    remark = f"# The weights are {source.origin}; other weights give other scores.\n"
    return source.id if chosen.is_shared else str(weights_home() / source.id), None, remark


def _write_csv(chosen: Chosen, path: Path) -> None:
    write_predictions(chosen.store.predictions(chosen.run_id), path)


def _write_spreadsheet(chosen: Chosen, path: Path) -> None:
    write_predictions(chosen.store.predictions(chosen.run_id), path, spreadsheet=True)


def _write_json(chosen: Chosen, path: Path) -> None:
    store, run_id = chosen.store, chosen.run_id
    recipe = store.recipe(run_id)
    parts = {
        "run_id": run_id,
        "recipe": {"experiment": recipe.experiment, "params": recipe.params, "version": recipe.version},
        "environment": store.environment(run_id),
        "summary": store.summary(run_id),
        "predictions": store.predictions(run_id).to_dict("list"),
    }
    path.write_text(json_pages(parts), encoding="utf-8")


def _write_report(chosen: Chosen, path: Path) -> None:
    store, run_id = chosen.store, chosen.run_id
    experiment, _ = run_experiment(store, run_id)
    result = read_result(store, run_id)
    provenance = {
        "run": run_id,
        "experiment": experiment.id,
        "params": store.recipe(run_id).params,
        "environment": store.environment(run_id),
        "source": experiment.source,
    }
    page = report_html(experiment.question, result.verdict, result.tables, result.figures, provenance)
    path.write_text(page, encoding="utf-8")


def _write_zip(chosen: Chosen, path: Path) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        files = write_run(chosen.store, chosen.run_id, folder, spreadsheet=True)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                archive.write(file, f"{path.stem}/{file.name}")


def _write_messages(chosen: Chosen, path: Path) -> None:
    path.write_text(messages_json(messages(chosen)), encoding="utf-8")


def _write_script(chosen: Chosen, path: Path) -> None:
    path.write_text(script(chosen), encoding="utf-8")


FORMATS: dict[str, Format] = {
    "csv": Format(
        "Predictions (CSV)",
        "Every prediction, without loss: floats read back to the same number.",
        ".csv",
        _write_csv,
    ),
    "spreadsheet": Format(
        "CSV for a spreadsheet",
        "Cells that a spreadsheet would run as a formula get a leading apostrophe.",
        ".spreadsheet.csv",
        _write_spreadsheet,
    ),
    "json": Format(
        "Whole run (JSON)",
        "Recipe, environment, summary and predictions in one file.",
        ".json",
        _write_json,
    ),
    "report": Format(
        "Report (HTML)",
        "Verdict, figures and tables in one page that opens without a network.",
        ".html",
        _write_report,
    ),
    "zip": Format(
        "All files (ZIP)",
        "What the terminal writes with --out: recipe, predictions, the exact prompts, summary.",
        ".zip",
        _write_zip,
    ),
    "messages": Format(
        "Messages of one prompt",
        "One prompt as messages in OpenAI's chat format (JSON), to try its layout on another model.",
        ".messages.json",
        _write_messages,
        True,
    ),
    "snippet": Format(
        "Python for one answer",
        "A script that needs only transformers and prints the scores of one answer.",
        ".py",
        _write_script,
        True,
    ),
}


@cache
def _root() -> tempfile.TemporaryDirectory:
    """Make this process's folder of exports once; it goes when the process ends."""
    return tempfile.TemporaryDirectory(prefix="in-context-lab-")


def _new_folder() -> Path:
    root = Path(_root().name)
    for old in root.iterdir():
        with suppress(OSError):  # another request may be deleting it
            if time.time() - old.stat().st_mtime > KEPT_S:
                shutil.rmtree(old)
    return Path(tempfile.mkdtemp(dir=root))
