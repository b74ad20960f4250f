"""What kind of task is a file? Its family, metric, names and instruction, guessed from its outputs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from statistics import median

from lab.tasks.metrics import extract_number
from lab.tasks.task import FAMILIES, METRICS, Family, Metric

MAX_GUESSED_LABELS = 20
MAX_LABELS = 100
_MAX_LABEL_CHARS = 40
_LONG_WORDS = 12
_MAX_NEW_TOKENS = 256
_METRIC_OF: dict[str, Metric] = {
    "classification": "label",
    "question answering": "answer",
    "summarisation": "rouge",
}
_FAMILY_OF: dict[Metric, Family] = {
    "label": "classification",
    "answer": "question answering",
    "rouge": "summarisation",
    "number": "reasoning",
}
_NAMES_OF: dict[Metric, tuple[str, str]] = {
    "label": ("Text", "Label"),
    "answer": ("Question", "Answer"),
    "rouge": ("Text", "Summary"),
    "number": ("Question", "Answer"),
}


@dataclass(frozen=True)
class Overrides:
    """What the user says instead of the guess; None leaves the guess."""

    family: Family | None = None
    metric: Metric | None = None
    instruction: str | None = None
    input_name: str | None = None
    output_name: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no task can have."""
        if self.family is not None and self.family not in FAMILIES:
            raise ValueError(f"family must be one of {', '.join(FAMILIES)}, got {self.family!r}")
        if self.metric is not None and self.metric not in METRICS:
            raise ValueError(f"metric must be one of {', '.join(METRICS)}, got {self.metric!r}")
        for field in ("input_name", "output_name"):
            name = getattr(self, field)
            if name is not None and (not name.strip() or len(name) > 40 or "\n" in name or ":" in name):
                raise ValueError(
                    f"{field} must be 1..40 characters without colon or line break, got {name!r}"
                )

    def given(self) -> dict[str, str]:
        """Return what is overridden, by name."""
        pairs = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: value for name, value in pairs if value is not None}


@dataclass(frozen=True)
class Kind:
    """Everything of a task but its rows, id and origin."""

    family: Family
    metric: Metric
    instruction: str
    input_name: str
    output_name: str
    labels: tuple[str, ...]
    max_new_tokens: int


def guess_kind(outputs: Sequence[str], overrides: Overrides) -> Kind:
    """Guess a task's kind from its outputs, in file order.

    Few short outputs that all recur are labels; else numbers are reasoning; a median of more than 12 words is
    a summary; anything else is a question with a short answer.

    Raises:
        ValueError: If the outputs are all the same, or are too many to be labels where labels are asked for.
    """
    spellings = label_spellings(outputs)
    if len(spellings) < 2:
        raise ValueError(
            f"output is {outputs[0]!r} in every row; a task needs at least two different outputs"
        )
    metric = overrides.metric
    if metric is None:
        metric = _METRIC_OF.get(overrides.family or "") or _guess_metric(outputs, overrides.family)
    labels = tuple(dict.fromkeys(spellings.values())) if metric == "label" else ()
    if len(labels) > MAX_LABELS:
        raise ValueError(f"a label task may have at most {MAX_LABELS} labels, got {len(labels):,}")
    names = _NAMES_OF[metric]
    input_name = (overrides.input_name or names[0]).strip()
    return Kind(
        family=overrides.family or _FAMILY_OF[metric],
        metric=metric,
        instruction=overrides.instruction or _instruction(metric, labels, input_name),
        input_name=input_name,
        output_name=(overrides.output_name or names[1]).strip(),
        labels=labels,
        max_new_tokens=_max_new_tokens(outputs),
    )


def label_spellings(outputs: Sequence[str]) -> dict[str, str]:
    """Map each output, case ignored, to its most frequent spelling, in order of first appearance."""
    counts = Counter(outputs)
    spellings: dict[str, str] = {}
    for output in counts:
        best = spellings.setdefault(output.casefold(), output)
        if counts[output] > counts[best]:
            spellings[output.casefold()] = output
    return spellings


def _guess_metric(outputs: Sequence[str], family: Family | None) -> Metric:
    are_numbers = all(extract_number(output) and len(output.split()) <= 2 for output in outputs)
    if family == "reasoning":
        return "number" if are_numbers else "answer"
    counts = Counter(output.casefold() for output in outputs)
    is_short = max(map(len, counts)) <= _MAX_LABEL_CHARS
    if len(counts) <= MAX_GUESSED_LABELS and min(counts.values()) >= 2 and is_short:
        return "label"
    if are_numbers:
        return "number"
    return "rouge" if median(len(output.split()) for output in outputs) > _LONG_WORDS else "answer"


def _instruction(metric: Metric, labels: tuple[str, ...], input_name: str) -> str:
    if metric == "label":
        return f"Classify the {input_name.lower()} as {', '.join(labels[:-1])} or {labels[-1]}."
    if metric == "rouge":
        return f"Summarise the {input_name.lower()}."
    if metric == "number":
        return "Work out the answer and give it as a number."
    return "Give the answer in a few words."


def _max_new_tokens(outputs: Sequence[str]) -> int:
    longest = max(max(1.5 * len(output.split()), len(output) / 3) for output in outputs)
    return min(_MAX_NEW_TOKENS, int(longest) + 4)
