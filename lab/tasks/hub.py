"""How is a data set of the hub asked like any other task?

By reference: `hub:<preset>` (see presets.py) or `hub:org/name[:config]?input=COLUMN&output=COLUMN`, with
optional `pool`, `query` (splits), `n_pool`, `n_queries`, `seed`, and, but for presets, `family`, `metric`,
`instruction`, `input_name` and `output_name`. The reference is the task's id, so a recipe that holds it is
reproducible as long as the data set does not change. Rows are streamed; only as many are fetched as are drawn
from.
"""

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl

from lab.tasks.guess import Overrides, guess_kind, label_spellings
from lab.tasks.metrics import extract_number
from lab.tasks.presets import PRESETS, HubPreset
from lab.tasks.rows import Row, demonstrations, queries, same_text
from lab.tasks.table import MAX_CELL_CHARS
from lab.tasks.task import Task

Loader = Callable[[str, str | None, str], Iterable[Mapping[str, Any]]]

N_POOL, N_QUERIES, MAX_DRAWN = 64, 200, 5000
_COUNTS = {"n_pool": N_POOL, "n_queries": N_QUERIES, "seed": 0}
_PARQUET_BRANCH = "refs/convert/parquet"


def load_hub(reference: str, load: Loader | None = None) -> Task:
    """Load a task from a data set of the hub.

    Args:
        reference: `hub:ag_news`, `hub:ag_news?n_queries=400`, `hub:org/name:config?input=text&output=label`.
        load: Gives the rows of (data set, config, split); streams them from the hub if None.

    Returns:
        A task with up to n_pool (64) demonstrations and n_queries (200) queries, drawn with the seed (0).

    Raises:
        ValueError: If the reference is malformed, the hub can't be reached, or the data set, its config,
            split or columns don't exist; with what to do.
    """
    name, _, options_text = reference.removeprefix("hub:").partition("?")
    options = dict(parse_qsl(options_text, keep_blank_values=True))
    counts = {key: _count(key, options.pop(key, str(value))) for key, value in _COUNTS.items()}
    if name in PRESETS:
        if options:
            known = ", ".join(_COUNTS)
            raise ValueError(
                f"{next(iter(options))!r} can't be set for the preset {name}; these can: {known}"
            )
        source = PRESETS[name]
        pool, asked = _draw(source, counts, load or stream)
    else:
        source, overrides = _custom(name, options)
        pool, asked = _draw(source, counts, load or stream)
        outputs = [row.output for row in [*pool, *asked]]
        source = replace(source, **vars(guess_kind(outputs, overrides)))
        if source.labels:
            spellings = label_spellings(outputs)
            pool, asked = (
                [row._replace(output=spellings[row.output.casefold()]) for row in part]
                for part in (pool, asked)
            )
    if source.metric == "number":
        asked = [row._replace(output=extract_number(row.output)) for row in asked]
    return Task(
        id=reference,
        title=source.title,
        family=source.family,
        metric=source.metric,
        instruction=source.instruction,
        input_name=source.input_name,
        output_name=source.output_name,
        labels=source.labels,
        pool=demonstrations(pool),
        queries=queries(asked),
        max_new_tokens=source.max_new_tokens,
        licence=source.licence,
        source=f"{source.dataset} {source.config or ''}".strip(),
    )


def stream(dataset: str, config: str | None, split: str) -> Iterable[Mapping[str, Any]]:
    """Stream the rows of a split from the hub; no code of the data set is run.

    A data set that is still a script is read from the Parquet branch that the hub keeps of it.
    """
    try:
        from datasets import load_dataset
    except ImportError:
        raise ValueError("data sets of the hub need the datasets package: pip install datasets") from None
    try:
        return load_dataset(dataset, config, split=split, streaming=True)
    except RuntimeError as error:
        if "scripts are no longer supported" not in str(error):
            raise
        return load_dataset(dataset, config, split=split, streaming=True, revision=_PARQUET_BRANCH)


def _custom(name: str, options: dict[str, str]) -> tuple[HubPreset, Overrides]:
    dataset, _, config = name.partition(":")
    if "/" not in dataset:
        close = get_close_matches(name, PRESETS, n=2, cutoff=0.5) or list(PRESETS)
        raise ValueError(f"no preset is called {name!r}; did you mean hub:{' or hub:'.join(close)}?")
    columns = [options.pop(key, "") for key in ("input", "output")]
    if not all(columns):
        raise ValueError(f"name the columns: hub:{name}?input=COLUMN&output=COLUMN")
    source = HubPreset(
        dataset=dataset,
        config=config or None,
        pool_split=options.pop("pool", "train"),
        query_split=options.pop("query", "test"),
        read=lambda row: Row(_cell(row, columns[0]), _cell(row, columns[1])),
        title=dataset,
        family="question answering",
        metric="answer",
        instruction="",
        input_name="",
        output_name="",
        licence="see the data set's page",
    )
    unknown = [key for key in options if key not in Overrides.__dataclass_fields__]
    if unknown:
        known = ", ".join(["input", "output", "pool", "query", *_COUNTS, *Overrides.__dataclass_fields__])
        raise ValueError(f"hub:{name} knows no {unknown[0]!r}; it knows {known}")
    return source, Overrides(**options)  # type: ignore[arg-type]


def _cell(row: Mapping[str, Any], column: str) -> str:
    value = row[column]
    if not isinstance(value, str | int | float):
        raise ValueError(f"column {column!r} must hold text or numbers, got {type(value).__name__}")
    return str(value).strip()


def _draw(source: HubPreset, counts: dict[str, int], load: Loader) -> tuple[list[Row], list[Row]]:
    n_pool, n_queries = counts["n_pool"], counts["n_queries"]
    rng = random.Random(counts["seed"])
    if source.pool_split == source.query_split:
        both = _usable(source, _fetch(source, source.query_split, n_pool + n_queries, load), set())
        drawn = rng.sample(both, min(len(both), n_pool + n_queries))
        pool, asked = drawn[:n_pool], drawn[n_pool:]
    else:
        seen: set[str] = set()
        candidates = _usable(source, _fetch(source, source.query_split, n_queries, load), seen)
        asked = rng.sample(candidates, min(len(candidates), n_queries))
        candidates = _usable(source, _fetch(source, source.pool_split, n_pool, load), seen)
        pool = rng.sample(candidates, min(len(candidates), n_pool))
    if not pool or not asked:
        raise ValueError(f"{source.dataset}: no usable row is left for the {'queries' if pool else 'pool'}")
    return pool, asked


def _usable(source: HubPreset, raw: list[dict[str, Any]], seen: set[str]) -> list[Row]:
    """Read rows, leaving out those without gold, too long ones, and inputs seen before (also in `seen`)."""
    rows = []
    for record in raw:
        try:
            row = source.read(record)
        except KeyError as error:
            found = ", ".join(map(repr, record))
            raise ValueError(f"{source.dataset} has no column {error}; it has {found}") from None
        if row is None or not row.input or not row.output or len(row.input) > MAX_CELL_CHARS:
            continue
        if same_text(row.input) not in seen:
            seen.add(same_text(row.input))
            rows.append(row)
    return rows


def _fetch(source: HubPreset, split: str, n: int, load: Loader) -> list[dict[str, Any]]:
    try:
        rows = load(source.dataset, source.config, split)
        names = _class_names(rows) if not source.instruction else {}
        fetched = [dict(row) for row in islice(rows, max(source.n_buffer, n))]
    except ValueError as error:
        raise ValueError(f"can't load {source.dataset}, split {split}: {_first_line(error)}") from None
    # The hub's clients raise errors of five packages for one cause: not reachable, not found, or not allowed.
    except Exception as error:
        is_missing = type(error).__name__ == "DatasetNotFoundError"
        remedy = "check its name, and log in if it is gated" if is_missing else "check the connection"
        raise ValueError(
            f"can't load {source.dataset}, split {split}: {_first_line(error)}; {remedy}, or take "
            "a task that is shipped, or a CSV file"
        ) from None
    for row in fetched:
        row.update(
            {key: of[row[key]] for key, of in names.items() if isinstance(row[key], int) and row[key] >= 0}
        )
    return fetched


def _class_names(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the names of the classes by column, where the data set stores class numbers."""
    features = getattr(rows, "features", None) or {}
    return {column: list(kind.names) for column, kind in features.items() if getattr(kind, "names", None)}


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def _count(key: str, text: str) -> int:
    low = 0 if key == "seed" else 1
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= MAX_DRAWN:
        raise ValueError(f"{key} must be {low}..{MAX_DRAWN}, got {text!r}")
    return int(text)
