"""What an experiment must offer to be an entry of the registry, and how its parameters are read."""

import difflib
import math
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from lab.runs.recipe import Recipe

if TYPE_CHECKING:
    import pandas as pd

    from lab.experiments.events import Cost, Event, Result
    from lab.runs.store import Store
    from lab.weights import Progress


def load_language_model(params: Any, progress: "Progress") -> None:
    """Load the language model of an experiment on prompts; the next call for it returns at once."""
    from lab.learners.load import load

    load(params.model, params.device, params.dtype, progress)


def nothing_to_load(params: Any, progress: "Progress") -> None:
    """Load nothing: the experiment trains what it asks."""


TRUE, FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


@dataclass(frozen=True)
class CheckResult:
    """What a paper claimed and what was measured.

    Args:
        paper: The id of the paper.
        holds: Whether every claim holds here; None when the check could not be run.
        claims: A dict with claim, measured and verdict for each, all of them text.
        tables: What else a full check measured, rows as dicts by the name of the table.
    """

    paper: str
    holds: bool | None
    claims: list[dict[str, str]]
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Experiment:
    """A question with its method and source.

    Args:
        id: A slug that never changes: it stands in shared links.
        title: A few words.
        question: What it asks; ends in "?".
        paper: The id of the paper in `lab.papers` whose claim it measures.
        source: Where the method is from: paper, section, equation.
        params: A frozen dataclass whose fields have defaults and are int, float, str, bool or tuples of
            these; constructing it validates and raises ValueError.
        run: Begins or goes on with the run whose recipe is `recipe(params)`; yields events, the last a
            Result. It begins the run in the store and finishes it there.
        cost: Prices a run before it starts; it may load the model.
        read: Turns what the store has of a run, finished or not, into its result, without a model.
        summarise: Turns a predictions table, the parameters and a run id into a result: a pure function.
        check: Measures the paper's claims; the flag asks for a quick, coarser measurement.
        example: Parameters of a run that takes seconds.
        docs: The page of documentation, a path in the repository.
        load: Loads the model that parameters name, telling progress, so that a run can begin at once.
        weights: Names the weights that a check depends on, with a digest each.
    """

    id: str
    title: str
    question: str
    paper: str
    source: str
    params: type
    run: "Callable[[Any, Store], Iterator[Event]]"
    cost: "Callable[[Any], Cost]"
    read: "Callable[[Any, Store], Result]"
    summarise: "Callable[[pd.DataFrame, Any, str], Result]"
    check: "Callable[[bool, Store], CheckResult]"
    example: dict[str, Any]
    docs: str
    load: "Callable[[Any, Progress], None]" = load_language_model
    weights: "Callable[[], dict[str, str]]" = dict

    def recipe(self, params: Any) -> Recipe:
        """Name the run that these parameters determine."""
        return Recipe(self.id, asdict(params))


def find_experiment(experiments: Sequence[Experiment], experiment_id: str) -> Experiment:
    """Find an experiment by its id.

    Raises:
        ValueError: If there is none, with the nearest or all ids.
    """
    for experiment in experiments:
        if experiment.id == experiment_id:
            return experiment
    known = [experiment.id for experiment in experiments]
    raise ValueError(f"unknown experiment {experiment_id!r}; {known_names(experiment_id, known)}")


def parse_params(experiment: Experiment, pairs: Sequence[str], base: Mapping[str, Any] | None = None) -> Any:
    """Read parameters from texts of the form key=value; of a key given twice the last value counts.

    A tuple is written with commas (`slots=ssp,eum`) or as a JSON list.

    Args:
        experiment: Whose parameters.
        pairs: Texts as typed.
        base: Values to begin from, such as a recipe's; other parameters have their defaults.

    Raises:
        ValueError: If a text has no "=", a key is unknown, or a value isn't of its parameter's type or range.
    """
    values = dict(base or {})
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key.strip():
            raise ValueError(f"a parameter is given as key=value, got {pair!r}")
        values[key.strip()] = text
    return build_params(experiment, values)


def build_params(experiment: Experiment, values: Mapping[str, Any]) -> Any:
    """Build an experiment's parameters from a recipe's, a form's or typed values, each turned into its type.

    Raises:
        ValueError: If a key is unknown, or a value isn't of its parameter's type or range.
    """
    hints = typing.get_type_hints(experiment.params)
    known = [field.name for field in fields(experiment.params)]
    for key in values:
        if key not in known:
            raise ValueError(f"unknown parameter {key!r}; {known_names(key, known)}")
    return experiment.params(**{key: _typed(key, hints[key], value) for key, value in values.items()})


def known_names(name: str, known: Sequence[str]) -> str:
    """Write the end of a message about an unknown name: those there are, and the one probably meant."""
    listed = f"known: {', '.join(known)}" if known else "there are none"
    close = difflib.get_close_matches(name, known, n=1)
    return f"{listed}; did you mean {close[0]!r}?" if close else listed


def _typed(key: str, hint: Any, value: Any) -> Any:
    """Turn a typed text or a JSON value into the type a parameter is declared with."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        inner = [each for each in arguments if each is not type(None)]
        is_none = value is None or (isinstance(value, str) and value.lower() in ("none", ""))
        return None if is_none and len(inner) < len(arguments) else _typed(key, inner[0], value)
    if origin is tuple:
        return tuple(_typed(key, arguments[0], each) for each in _items(key, value))
    if origin is typing.Literal:
        found = [choice for choice in arguments if str(choice) == str(value)]
        if not found:
            raise ValueError(f"{key} must be one of {', '.join(map(str, arguments))}, got {value!r}")
        return found[0]
    return {bool: _bool, int: _int, float: _float}.get(hint, _text)(key, value)


def _items(key: str, value: Any) -> Sequence[Any]:
    if isinstance(value, list | tuple):
        return value
    if not isinstance(value, str):
        raise ValueError(f"{key} must be a list such as a,b, got {value!r}")
    if value.startswith("["):
        import json

        try:
            return json.loads(value)
        except ValueError as error:
            raise ValueError(
                f'{key} must be a list such as a,b or ["a", "b"], got {value!r}: {error}'
            ) from None
    return [item.strip() for item in value.split(",") if item.strip()]


def _bool(key: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in TRUE:
        return True
    if str(value).lower() in FALSE:
        return False
    raise ValueError(f"{key} must be true or false, got {value!r}")


def _int(key: str, value: Any) -> int:
    try:
        if isinstance(value, str):
            return int(value)
        if not isinstance(value, bool) and value == int(value):  # a form's slider gives 5.0 for 5
            return int(value)
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError(f"{key} must be a whole number, got {str(value)[:80]!r}")


def _float(key: str, value: Any) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{key} must be a finite number, got {str(value)[:80]!r}")
    return number


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{key} must be text, got {value!r}")
    return value
