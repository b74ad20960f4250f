"""What is composed by hand: a task, demonstrations in their order, one query, one slot. Plain data."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from typing import Any

from lab.experiments.setting import BY_HAND, MAX_DEMOS, PromptSetting, demos_by_hand
from lab.prompts.layout import SLOTS, Layout
from lab.prompts.render import Prompt, demonstration_blocks, render
from lab.prompts.template import Template
from lab.runs.recipe import Recipe
from lab.tasks import Query, Task, load_task
from lab.tasks.selection import select

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Composed:
    """One prompt as it is being written.

    Args:
        task: A task's reference.
        model: A model's id.
        demos: Input and output of each demonstration, in their order; may be empty.
        query: The input that is asked.
        slot: Where the demonstrations stand.
        instruction: Replaces the task's own; empty keeps it.
        scoring: likelihood or generation, as in `PromptSetting`.
    """

    task: str = "topic"
    model: str = "smollm2-135m"
    demos: Pairs = ()
    query: str = ""
    slot: str = "sum"
    instruction: str = ""
    scoring: str = "likelihood"

    def __post_init__(self) -> None:
        for name in ("task", "model", "query", "slot", "instruction", "scoring"):
            if not isinstance(getattr(self, name), str):
                raise ValueError(f"{name} must be text, got {str(getattr(self, name))[:80]!r}")
        if self.slot not in SLOTS:
            raise ValueError(f"slot must be one of {', '.join(SLOTS)}, got {self.slot!r}")
        if len(self.demos) > MAX_DEMOS:
            raise ValueError(f"the number of demos must be 0..{MAX_DEMOS}, got {len(self.demos)}")

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> "Composed":
        """Read what `recipe` wrote.

        Raises:
            ValueError: If a key is unknown or a value is not of its type.
        """
        known = [field.name for field in fields(cls)]
        for key in params:
            if key not in known:
                raise ValueError(f"unknown parameter {key!r}; known: {', '.join(known)}")
        demos = params.get("demos", ())
        is_pairs = isinstance(demos, list | tuple) and all(
            isinstance(pair, list | tuple) and len(pair) == 2 and all(isinstance(text, str) for text in pair)
            for pair in demos
        )
        if not is_pairs:
            raise ValueError("demos must be a list of pairs [input, output], both of them text")
        return cls(**{**params, "demos": tuple((pair[0], pair[1]) for pair in demos)})

    def recipe(self) -> Recipe:
        """Write it as a recipe, for a link."""
        return Recipe("compose", asdict(self))

    @cached_property
    def loaded(self) -> Task:
        """The task, with the instruction that replaces its own."""
        task = load_task(self.task)
        return replace(task, instruction=self.instruction) if self.instruction.strip() else task

    @property
    def setting(self) -> PromptSetting:
        """The setting that asks with these demonstrations.

        Raises:
            ValueError: If a demonstration is empty, stands twice or has an output that is no label.
        """
        shared = {
            "task": self.task,
            "model": self.model,
            "instruction": self.instruction.strip(),
            "scoring": self.scoring,
        }
        if not self.demos:
            return PromptSetting(selection="first", n_demos=1, **shared)
        setting = PromptSetting(selection=BY_HAND, demos=self.demos_as_json(), **shared)
        demos_by_hand(self.loaded, setting.demos)
        return setting

    def demos_as_json(self) -> tuple[str, ...]:
        """Write the demonstrations as a recipe of an experiment holds them."""
        return tuple(json.dumps({"input": i, "output": o}, ensure_ascii=False) for i, o in self.demos)

    def as_setting(self, experiment_id: str) -> dict[str, Any]:
        """Write the parameters that an experiment takes over: everything but the query.

        Raises:
            ValueError: If there are too few demonstrations, or one can't be shown.
        """
        n_least = 2 if experiment_id == "order" else 1
        if len(self.demos) < n_least:
            raise ValueError(
                f"there are {len(self.demos)} demonstrations: {experiment_id} needs at least {n_least}"
            )
        setting = self.setting
        taken = {
            name: getattr(setting, name) for name in ("task", "model", "instruction", "scoring", "n_demos")
        }
        taken |= {"selection": BY_HAND, "demos": setting.demos}
        return {**taken, "slot": self.slot} if experiment_id == "order" and self.slot != "none" else taken

    def asked(self) -> Query:
        """Return the query: the task's, with its gold, where the text is its input; else one without."""
        text = self.query.strip()
        known = next((query for query in self.loaded.queries if query.input.strip() == text), None)
        return known or Query("typed", text, "")

    def slots(self) -> tuple[str, ...]:
        """Name the slots that can be asked: only `none` without demonstrations."""
        return SLOTS if self.demos else ("none",)

    def prompt(self, template: Template, slot: str | None = None) -> Prompt:
        """Render it under one slot, also while demonstrations are half written."""
        from lab.tasks.task import Demonstration

        demos = [
            Demonstration(str(place), i, o)
            for place, (i, o) in enumerate(self.demos)
            if i.strip() or o.strip()
        ]
        layout = Layout(slot or self.slot)  # type: ignore[arg-type]  # checked in __post_init__
        return render(template, self.loaded, layout, demonstration_blocks(self.loaded, demos), self.asked())

    def filled(self, method: str, n_demos: int, seed: int) -> "Composed":
        """Replace the demonstrations by n of the task's pool, chosen by a method of `lab.tasks.selection`."""
        from lab.learners.embedder import embed

        demos = select(self.loaded, method, n_demos, seed, self.asked(), embed)
        return replace(self, demos=tuple((demo.input, demo.output) for demo in demos))


def slots_alike(composed: Composed, template: Template, slots: Sequence[str]) -> dict[str, list[str]]:
    """Group slots that render to the very same prompt, by the first of each group; lone ones are left out."""
    by_text: dict[str, list[str]] = {}
    for slot in slots:
        by_text.setdefault(composed.prompt(template, slot).text, []).append(slot)
    return {group[0]: group for group in by_text.values() if len(group) > 1}
