"""What is asked: demonstrations to show, queries to answer, and how an answer is judged."""

from dataclasses import dataclass, field
from typing import Literal

Family = Literal["classification", "question answering", "summarisation", "reasoning"]
Metric = Literal["label", "answer", "rouge", "number"]

FAMILIES: tuple[Family, ...] = ("classification", "question answering", "summarisation", "reasoning")
METRICS: tuple[Metric, ...] = ("label", "answer", "rouge", "number")


@dataclass(frozen=True)
class Demonstration:
    """An input with its output, shown to the model."""

    id: str
    input: str
    output: str


@dataclass(frozen=True)
class Query:
    """An input whose output is asked for; `gold` is the right output, `accept` lists other right ones."""

    id: str
    input: str
    gold: str
    accept: tuple[str, ...] = ()


@dataclass(frozen=True)
class Task:
    """A named pool of demonstrations and queries with its template, label set and metric.

    A row is rendered as two lines, `{input_name}: {input}` and `{output_name}: {output}`.
    `labels` is empty unless `metric` is "label"; `max_new_tokens` bounds a generated answer.
    """

    id: str
    title: str
    family: Family
    metric: Metric
    instruction: str
    input_name: str
    output_name: str
    labels: tuple[str, ...]
    pool: tuple[Demonstration, ...] = field(repr=False)
    queries: tuple[Query, ...] = field(repr=False)
    max_new_tokens: int = 16
    licence: str = "unknown"
    source: str = ""

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise ValueError(f"family must be one of {', '.join(FAMILIES)}, got {self.family!r}")
        if self.metric not in METRICS:
            raise ValueError(f"metric must be one of {', '.join(METRICS)}, got {self.metric!r}")
        if bool(self.labels) != (self.metric == "label"):
            raise ValueError("labels are given exactly when the metric is 'label'")
