"""Prompts to begin with: each shows one thing within a minute."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from lab.tasks import load_task
from lab.ui.composed import Composed


@dataclass(frozen=True)
class Preset:
    """A prompt to begin with: its id, its button, what it shows, and how it is made."""

    id: str
    title: str
    shows: str
    make: Callable[[], Composed]


def _topic() -> Composed:
    return Composed(task="topic", query=load_task("topic").queries[0].input).filled("balanced", 4, 0)


def _last_one_out() -> Composed:
    task = load_task("sentiment")
    positive = [demo for demo in task.pool if demo.output == "positive"][:4]
    negative = next(demo for demo in task.pool if demo.output == "negative")
    demos = tuple((demo.input, demo.output) for demo in [*positive, negative])
    return Composed(task="sentiment", demos=demos, query=task.queries[1].input)


def _swapped() -> Composed:
    task = load_task("sentiment")
    right = Composed(task="sentiment", query=task.queries[0].input).filled("balanced", 4, 3)
    other = dict(zip(task.labels, reversed(task.labels), strict=True))
    return replace(right, demos=tuple((text, other[label]) for text, label in right.demos))


def _capitals() -> Composed:
    task = load_task("capitals")
    return Composed(task="capitals", query=task.queries[1].input, slot="eum").filled("first", 5, 0)


PRESETS: tuple[Preset, ...] = (
    Preset("topic", "Four news topics", "One example of each topic: does their place matter?", _topic),
    Preset(
        "last",
        "Four of a kind, then one",
        "Does the model repeat the last label, or the commonest?",
        _last_one_out,
    ),
    Preset("swapped", "Wrong labels", "All outputs are swapped: does the model notice?", _swapped),
    Preset("capitals", "A written answer", "Capitals: the model writes instead of choosing.", _capitals),
)
