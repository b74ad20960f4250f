"""`run` and `resume`: one run of an experiment, progress on stderr, its summary the last line on stdout."""

import os
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.runs.plain import json_line
from lab.runs.recipe import LIMIT_BYTES, Recipe
from lab.runs.store import Store, StoreError

if TYPE_CHECKING:
    from lab.experiments.events import Result
    from lab.experiments.registry import Experiment

Registry = Callable[[], "Sequence[Experiment]"]


class RunFailed(Exception):
    """A run ended without a result; the message is one line with the command that goes on with it."""


def run(
    registry: Registry,
    experiment_id: str | None,
    pairs: Sequence[str],
    recipe_file: str | None,
    out: str | None,
    as_json: bool,
) -> int:
    """Run an experiment with its defaults, a recipe file's parameters, and then those given as key=value."""
    from lab.experiments.registry import find_experiment, parse_params

    recipe = _recipe_from_file(recipe_file, experiment_id) if recipe_file else None
    chosen = recipe.experiment if recipe is not None else experiment_id
    if chosen is None:
        raise ValueError("name an experiment, such as `run position`, or give a recipe with --recipe FILE")
    experiment = find_experiment(registry(), chosen)
    params = parse_params(experiment, pairs, recipe.params if recipe else None)
    return _make(experiment, params, out, as_json)


def resume(registry: Registry, run_id: str, out: str | None, as_json: bool) -> int:
    """Go on with a stored run; nothing already scored is scored again."""
    from lab.experiments.registry import build_params, find_experiment

    with Store() as store:
        recipe = store.recipe(run_id)
    experiment = find_experiment(registry(), recipe.experiment)
    params = build_params(experiment, recipe.params)
    found = experiment.recipe(params).id
    if found != run_id:
        raise ValueError(
            f"run {run_id!r} was made when {experiment.id} had other parameters and can't go on; its "
            f"predictions are kept, `run {experiment.id}` begins a new one"
        )
    return _make(experiment, params, out, as_json)


def _recipe_from_file(name: str, experiment_id: str | None) -> Recipe:
    path = Path(name)
    try:
        with path.open("rb") as file:
            raw = file.read(LIMIT_BYTES + 1)  # one byte over is enough to be refused
        recipe = Recipe.from_json(raw.decode("utf-8-sig"))
    except OSError as error:
        raise ValueError(f"--recipe must name a readable file, got {name!r}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"--recipe must name a UTF-8 JSON file, got {name!r}") from None
    if experiment_id is not None and recipe.experiment != experiment_id:
        raise ValueError(
            f"the recipe in {name!r} is for experiment {recipe.experiment!r}, got {experiment_id!r}; "
            f"use `run {recipe.experiment}`"
        )
    return recipe


def _make(experiment: "Experiment", params: Any, out: str | None, as_json: bool) -> int:
    """Run to the result, export it, and print the summary."""
    if out is not None:
        _check_folder(out)
    run_id = experiment.recipe(params).id
    with Store() as store, _accounted(store, run_id):
        result = _result(experiment, params, store)
        if out is not None:
            _export(store, experiment, result, Path(out))
    summary = {"run_id": result.run_id, **result.summary}
    if as_json:
        print(json_line(summary))
    else:
        summary.pop("verdict", None)
        print(f"{result.verdict}\n{_sentence(summary)}")
    return 0


def _result(experiment: "Experiment", params: Any, store: Store) -> "Result":
    from lab.cli.progress import ProgressLine
    from lab.experiments.events import Cost, Progress, Result

    line = ProgressLine()
    events = experiment.run(params, store)
    result = None
    try:
        for event in events:
            if isinstance(event, Cost):
                line.cost(event)
            elif isinstance(event, Progress):
                line.progress(event)
            elif isinstance(event, Result):
                result = event
    finally:
        line.end()
        if isinstance(events, Generator):
            events.close()  # so that a sweep marks the run stopped now, not when it is collected
    if result is None:
        raise RunFailed("it ended without a result")
    return result


@contextmanager
def _accounted(store: Store, run_id: str) -> Iterator[None]:
    """Leave the run's status true however the block ends, and say how to go on."""
    again = f"go on with: python -m lab resume {run_id}"
    try:
        yield
    except KeyboardInterrupt:
        _mark(store, run_id, "stopped", "interrupted from the keyboard")
        print(f"stopped; {again}", file=sys.stderr)
        raise
    except (ValueError, StoreError) as error:
        _mark(store, run_id, "failed", str(error))
        raise
    except Exception as error:
        message = str(error) if isinstance(error, RunFailed) else f"{type(error).__name__}: {error}"
        _mark(store, run_id, "failed", message)
        if os.environ.get("LAB_TRACEBACK"):
            raise
        raise RunFailed(
            f"run {run_id} failed: {' '.join(message.split())}; {again} (LAB_TRACEBACK=1 shows where)"
        ) from error


def _mark(store: Store, run_id: str, status: str, message: str) -> None:
    with suppress(StoreError):  # what stopped the run matters more
        if store.status(run_id) is not None:
            store.set_status(run_id, status, message)


def _check_folder(out: str) -> None:
    """Refuse a folder that can't be written before the run rather than after it."""
    try:
        Path(out).mkdir(parents=True, exist_ok=True)
        is_writable = os.access(out, os.W_OK)
    except OSError as error:
        raise ValueError(f"--out must name a folder, got {out!r}: {error.strerror}") from None
    if not is_writable:
        raise ValueError(f"--out must name a folder that can be written, got {out!r}")


def _export(store: Store, experiment: "Experiment", result: "Result", folder: Path) -> None:
    from lab.runs.export import report_html, write_figures, write_run

    write_run(store, result.run_id, folder)
    write_figures(result.figures, folder / "figures")
    recipe = store.recipe(result.run_id)
    provenance = {
        "run": result.run_id,
        "experiment": recipe.experiment,
        "params": recipe.params,
        "environment": store.environment(result.run_id),
        "source": experiment.source,
    }
    page = report_html(experiment.question, result.verdict, result.tables, result.figures, provenance)
    (folder / "report.html").write_text(page, encoding="utf-8")


def _sentence(summary: dict[str, Any]) -> str:
    """Write a summary on one line: its plain values, then how many more there are."""
    shown = [
        f"{key} {_short(value)}"
        for key, value in summary.items()
        if not isinstance(value, dict | list | tuple)
    ]
    nested = len(summary) - len(shown)
    return ", ".join(shown) + (f", and {nested} more with --json" if nested else "")


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else " ".join(str(value).split())
