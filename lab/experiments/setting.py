"""What all experiments on prompts have in common: task, model, queries, demonstrations, and the scoring."""

import json
import random
from dataclasses import dataclass

from lab.prompts.layout import Layout
from lab.tasks.selection import METHODS
from lab.tasks.task import Demonstration, Query, Task

BY_HAND = "by hand"
SCORINGS = ("likelihood", "generation")
MAX_QUERIES, MAX_DEMOS, MAX_LAYOUTS = 10_000, 64, 256


@dataclass(frozen=True)
class PromptSetting:
    """Parameters that every experiment on prompts shares.

    Args:
        task: A shipped task, a CSV or JSONL file, or `hub:` and a data set.
        model: A preset, a model id of the hub, or a folder.
        device: auto, cpu, cuda or mps.
        dtype: auto, float32, bfloat16 or float16.
        n_queries: How many queries are asked; a task that has fewer asks all it has.
        n_demos: How many demonstrations are shown.
        selection: How they are chosen: random, balanced (at random where there are no labels), first, bm25,
            nearest, or by hand.
        demos: By hand: pool ids, or demonstrations as JSON objects with input and output.
        instruction: Replaces the task's own; empty keeps it.
        scoring: Label tasks: likelihood compares their log-probabilities, generation reads what is written.
        is_length_normalised: Compare mean instead of summed log-probability of a label's tokens.
        seed: Determines the draw of queries and demonstrations.
    """

    task: str = "topic"
    model: str = "smollm2-135m"
    device: str = "auto"
    dtype: str = "auto"
    n_queries: int = 100
    n_demos: int = 5
    selection: str = "balanced"
    demos: tuple[str, ...] = ()
    instruction: str = ""
    scoring: str = "likelihood"
    is_length_normalised: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        _check_range("n_queries", self.n_queries, 1, MAX_QUERIES)
        _check_range("n_demos", self.n_demos, 1, MAX_DEMOS)
        _check_one_of("selection", self.selection, (*METHODS, BY_HAND))
        _check_one_of("scoring", self.scoring, SCORINGS)
        if (self.selection == BY_HAND) != bool(self.demos):
            raise ValueError("demos are given exactly when the selection is 'by hand'")
        if self.demos:
            _check_range("the number of demos", len(self.demos), 1, MAX_DEMOS)
            object.__setattr__(self, "n_demos", len(self.demos))
        object.__setattr__(self, "task", named_by_content(self.task))


def named_by_content(reference: str) -> str:
    """Replace the path of a task file by the id of its kept copy, so that a recipe depends on no path."""
    from lab.tasks.files import load_path, looks_like_path

    return load_path(reference).id if looks_like_path(reference) else reference


def sample_queries(task: Task, n: int, seed: int) -> tuple[Query, ...]:
    """Draw n queries of a task without replacement; a larger n with the same seed only adds queries."""
    shuffled = list(task.queries)
    random.Random(seed).shuffle(shuffled)
    return tuple(shuffled[:n])


def demos_by_hand(task: Task, demos: tuple[str, ...]) -> tuple[Demonstration, ...]:
    """Read demonstrations given by hand: ids of the pool, or JSON objects with input and output.

    Raises:
        ValueError: If one cannot be read, is empty, stands twice, or has an output that is no label.
    """
    from lab.tasks.selection import by_ids

    read: list[Demonstration] = []
    for place, text in enumerate(demos):
        if not text.lstrip().startswith("{"):
            read.extend(by_ids(task, [text]))
            continue
        try:
            fields = json.loads(text)
            asked, output = (
                str(fields[key] if fields[key] is not None else "") for key in ("input", "output")
            )
            demo = Demonstration(f"hand-{place}", asked.strip(), output.strip())
        except (json.JSONDecodeError, KeyError) as error:
            raise ValueError(
                f"demonstration {place + 1} must be a JSON object with input and output, got {text[:60]!r}"
            ) from error
        read.append(demo)
    seen: dict[str, int] = {}
    for place, demo in enumerate(read, 1):
        if not demo.input or not demo.output:
            raise ValueError(f"demonstration {place} has an empty input or output: fill it in or remove it")
        if task.labels and demo.output not in task.labels:
            raise ValueError(
                f"demonstration {place} has the output {demo.output!r}; "
                f"choose one of {', '.join(task.labels)}"
            )
        if demo.input in seen:
            raise ValueError(
                f"demonstrations {seen[demo.input]} and {place} have the same input: remove one of them"
            )
        seen[demo.input] = place
    return tuple(read)


def parse_layouts(texts: tuple[str, ...]) -> tuple[Layout, ...]:
    """Read layout ids; each may stand once.

    Raises:
        ValueError: If there is none, one is unknown, or one stands twice.
    """
    _check_range("the number of layouts", len(texts), 1, MAX_LAYOUTS)
    layouts = tuple(Layout.parse(text) for text in texts)
    twice = {layout.id for layout in layouts if layouts.count(layout) > 1}
    if twice:
        raise ValueError(f"layout {sorted(twice)[0]} stands twice: name each layout once")
    return layouts


def _check_range(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name} must be {low}..{high}, got {value}")


def _check_one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, got {value!r}")
