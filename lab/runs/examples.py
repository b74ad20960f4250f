"""Example runs that are shipped with the lab: real results to look at before any model is loaded.

Each is a folder of assets/examples as `python -m lab run ... --out FOLDER` writes it; examples.json lists
them in the order in which they are shown, as [{"slug": ..., "title": ...}].
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lab.runs.export import read_predictions
from lab.runs.recipe import Recipe
from lab.runs.store import Row, Store

if TYPE_CHECKING:
    import pandas as pd

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "examples"


@dataclass(frozen=True)
class Example:
    """An example run, without its predictions.

    Args:
        slug: Its folder's name, which stands in links.
        title: A few words for the screen.
        recipe: What determines it.
        machine: What it was made on: processor, cores, device and precision.
        date: The day on which it was made, YYYY-MM-DD.
    """

    slug: str
    title: str
    recipe: Recipe
    machine: str
    date: str


class ExampleRun(NamedTuple):
    """An example run with all that `write_run` wrote: the tables of `Store`, and the raw answers if any."""

    recipe: Recipe
    predictions: "pd.DataFrame"
    prompts: "pd.DataFrame"
    summary: dict[str, Any]
    environment: dict[str, Any]
    answers: dict[tuple[str, str], str]


def list_examples(folder: Path = FOLDER) -> list[Example]:
    """List the shipped examples in the order in which they are shown."""
    index = folder / "examples.json"
    if not index.exists():
        return []
    return [_head(folder, entry["slug"], entry["title"]) for entry in _json(index)]


def read_example(slug: str, folder: Path = FOLDER) -> ExampleRun:
    """Read an example's files; neither a model nor a store is needed.

    Raises:
        ValueError: If no example has that name.
    """
    import pandas as pd

    path = _path(slug, folder)
    answers = path / "answers.jsonl"
    return ExampleRun(
        recipe=_recipe(path),
        predictions=read_predictions(path / "predictions.csv"),
        prompts=pd.DataFrame(_json_lines(path / "prompts.jsonl")),
        summary=_json(path / "summary.json"),
        environment=_json(path / "environment.json"),
        answers={
            (row["query_id"], row["layout"]): row["answer"]
            for row in (_json_lines(answers) if answers.exists() else ())
        },
    )


def adopt(store: Store, slug: str, folder: Path = FOLDER) -> str:
    """Put an example into a store under its own run id, finished, so that it opens like any other run.

    A run with that id that holds predictions already is left as it is: it is the same run, made here.

    Returns:
        The run's id.

    Raises:
        ValueError: If no example has that name.
        StoreError: If the store can't be written.
    """
    example = read_example(slug, folder)
    run_id, rows = example.recipe.id, _rows(example)
    status = store.status(run_id)
    if status is not None and 0 < len(store.predictions(run_id)) != len(rows):
        return run_id
    if status is None or status[0] != "finished":
        store.begin(example.recipe, {"example": slug, **example.environment})
        store.add_batch(run_id, 0, rows)
        store.finish(run_id, example.summary)
    return run_id


def _rows(example: ExampleRun) -> list[Row]:
    prompts = {
        (row["query_id"], row["layout"]): (row["prompt"], tuple(row["candidates"]))
        for row in example.prompts.to_dict("records")
    }
    labels = [name for name in example.predictions if name.startswith("logp_")]
    rows = []
    for row in example.predictions.to_dict("records"):
        key = row["query_id"], row["layout"]
        prompt, candidates = prompts[key]
        rows.append(
            Row(
                **{name: row[name] for name in ("query_id", "layout", "prediction", "gold", "correct")},
                margin=row["margin"],
                logp={name.removeprefix("logp_"): row[name] for name in labels if row[name] == row[name]},
                n_tokens=row["n_tokens"],
                seconds=row["seconds"],
                prompt=prompt,
                candidates=candidates,
                answer=example.answers.get(key, ""),
            )
        )
    return rows


def _path(slug: str, folder: Path) -> Path:
    slugs = [entry["slug"] for entry in _json(folder / "examples.json")]
    if slug not in slugs:
        raise ValueError(f"example must be one of {', '.join(slugs)}, got {str(slug)[:80]!r}")
    return folder / slug


def _head(folder: Path, slug: str, title: str) -> Example:
    path = _path(slug, folder)
    made = _json(path / "environment.json")
    return Example(slug, title, _recipe(path), machine_of(made), str(made.get("time", ""))[:10])


def machine_of(environment: dict[str, Any]) -> str:
    """Say in a few words what a run was made on; "unknown" where nothing was recorded.

    >>> machine_of({"cpu": "AMD EPYC", "cores": 2, "model": {"device": "cpu", "dtype": "float32"}})
    'AMD EPYC, 2 cores, float32 on cpu'
    """
    cores, model = environment.get("cores"), environment.get("model") or {}
    parts = [environment.get("cpu"), f"{cores} cores" if cores else None]
    if model.get("device"):
        parts.append(f"{model.get('dtype')} on {model['device']}")
    return ", ".join(str(part) for part in parts if part) or "unknown"


def _recipe(path: Path) -> Recipe:
    return Recipe.from_json((path / "recipe.json").read_text(encoding="utf-8"))


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _json_lines(path: Path) -> list[dict[str, Any]]:
    # Only "\n" ends a line: U+2028 may stand inside a JSON string.
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
