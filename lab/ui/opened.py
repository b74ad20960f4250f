"""The run that a tab shows: one of the person's store, or an example that is shipped."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lab.experiments import EXPERIMENTS
from lab.experiments.events import Result
from lab.experiments.making import stored_answers
from lab.experiments.registry import build_params, find_experiment
from lab.runs.examples import ExampleRun, list_examples, machine_of, read_example
from lab.runs.store import Store

if TYPE_CHECKING:
    import pandas as pd


NO_STORE: Any = None  # a shipped example is read from its files


@dataclass(frozen=True)
class Opened:
    """Names the run on screen; small and frozen, to be kept in a page's state.

    Args:
        experiment: Its experiment's id.
        run_id: Its id.
        values: The values of its parameters.
        example: The slug of a shipped example; "" for a run of the store.
    """

    experiment: str
    run_id: str
    values: Mapping[str, Any] = field(hash=False)
    example: str = ""

    @classmethod
    def stored(cls, store: Store, run_id: str) -> "Opened":
        """Open a run of a store."""
        recipe = store.recipe(run_id)
        return cls(recipe.experiment, run_id, recipe.params)

    @classmethod
    def shipped(cls, slug: str) -> "Opened":
        """Open a shipped example."""
        recipe = _example(slug).recipe
        return cls(recipe.experiment, recipe.id, recipe.params, slug)

    @classmethod
    def first_shipped(cls, experiment_id: str) -> "Opened | None":
        """Open the first shipped example of an experiment; None where there is none."""
        return next(iter(cls.all_shipped(experiment_id)), None)

    @classmethod
    def all_shipped(cls, experiment_id: str) -> "list[Opened]":
        """Open every shipped example of an experiment, in the order in which they are shown."""
        return [cls.shipped(each.slug) for each in list_examples() if each.recipe.experiment == experiment_id]

    @property
    def params(self) -> Any:
        """The parameters, of the experiment's own type."""
        return build_params(find_experiment(EXPERIMENTS, self.experiment), self.values)

    def predictions(self, store: Store) -> "pd.DataFrame":
        """Read its predictions table."""
        return _example(self.example).predictions if self.example else store.predictions(self.run_id)

    def prompts(self, store: Store) -> "pd.DataFrame":
        """Read its prompts: query_id, layout, prompt, candidates."""
        return _example(self.example).prompts if self.example else store.prompts(self.run_id)

    def answers(self, store: Store) -> dict[tuple[str, str], str]:
        """Read what was generated, unparsed, by query id and layout."""
        if self.example:
            return _example(self.example).answers
        return stored_answers(store, self.run_id)

    def summary(self, store: Store) -> dict[str, Any]:
        """Read its summary, empty while it is not finished."""
        return _example(self.example).summary if self.example else store.summary(self.run_id)

    def environment(self, store: Store) -> dict[str, Any]:
        """Read what it was made in."""
        return _example(self.example).environment if self.example else store.environment(self.run_id)

    def result(self, store: Store) -> Result:
        """Sum it up, without a model."""
        experiment = find_experiment(EXPERIMENTS, self.experiment)
        if not self.example:
            return experiment.read(self.params, store)
        run = _example(self.example)
        return experiment.summarise(run.predictions, self.params, self.run_id)

    def provenance(self, store: Store) -> str:
        """Say in one line where its numbers come from."""
        made = self.environment(store)
        model = made.get("model") or {}
        revision = f" ({_short(str(model['revision']))})" if model.get("revision") else ""
        parts = [
            f"{model.get('id') or self.values.get('model', '')}{revision}",
            machine_of(made),
            f"seed {self.values.get('seed', 0)}",
            str(made.get("time", ""))[:16].replace("T", " "),
            f"run {self.run_id}",
        ]
        return " · ".join(part for part in parts if part)


def _short(revision: str) -> str:
    """Cut a commit's hash to the digits that people read; a package's name and version stay whole."""
    return revision[:12] if len(revision) == 40 else revision


@lru_cache(maxsize=8)
def _example(slug: str) -> ExampleRun:
    return read_example(slug)
