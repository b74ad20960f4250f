"""Which public data sets does the lab know, and how does one of their rows become an input with its output?

The eight tasks of Cobbina & Zhou 2025 (arXiv:2507.22887, section 4), with the columns of their hub copies.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lab.tasks.rows import Row
from lab.tasks.task import Family, Metric

LETTERS = ("A", "B", "C", "D")
_TOPICS = ("World", "Sports", "Business", "Technology")
_RELATIONS = ("entailment", "neutral", "contradiction")
_OPTION = "Answer the question with the letter of the right option."


@dataclass(frozen=True)
class HubPreset:
    """A data set of the hub and how it is read.

    `read` turns a row, as the data set holds it, into a Row, or None for a row that fits no task (no gold
    label, more than four options). `n_buffer` rows of each split are fetched, from which the wanted ones are
    drawn: large where a data set is sorted by subject. `max_new_tokens` bounds a generated answer.
    """

    dataset: str
    config: str | None
    pool_split: str
    query_split: str
    read: Callable[[Mapping[str, Any]], Row | None]
    title: str
    family: Family
    metric: Metric
    instruction: str
    input_name: str
    output_name: str
    licence: str
    labels: tuple[str, ...] = ()
    max_new_tokens: int = 4
    n_buffer: int = 2000


def read_ag_news(row: Mapping[str, Any]) -> Row | None:
    """Read `text`, `label` (0..3: World, Sports, Business, Sci/Tech)."""
    return Row(row["text"].strip(), _TOPICS[row["label"]])


def read_mnli(row: Mapping[str, Any]) -> Row | None:
    """Read `premise`, `hypothesis`, `label` (0..2; -1 where the gold is withheld)."""
    if row["label"] not in range(3):
        return None
    return Row(f"{row['premise'].strip()}\nHypothesis: {row['hypothesis'].strip()}", _RELATIONS[row["label"]])


def read_arc(row: Mapping[str, Any]) -> Row | None:
    """Read `question`, `choices` {text, label}, `answerKey`; keys 1..4 become A..D; None for 5 options."""
    texts, keys = row["choices"]["text"], row["choices"]["label"]
    if len(texts) > len(LETTERS) or row["answerKey"] not in keys:
        return None
    return _multiple_choice(row["question"], texts, keys.index(row["answerKey"]))


def read_mmlu(row: Mapping[str, Any]) -> Row | None:
    """Read `question`, `choices` (four texts), `answer` (0..3)."""
    return _multiple_choice(row["question"], row["choices"], row["answer"])


def read_squad(row: Mapping[str, Any]) -> Row | None:
    """Read `context`, `question`, `answers` {text, answer_start}; each annotator's answer is right."""
    answers = list(dict.fromkeys(text.strip() for text in row["answers"]["text"]))
    if not answers:
        return None
    return Row(
        f"{row['context'].strip()}\nQuestion: {row['question'].strip()}", answers[0], tuple(answers[1:])
    )


def read_gsm8k(row: Mapping[str, Any]) -> Row | None:
    """Read `question`, `answer` (steps, then "#### number"), without the <<calculator>> marks."""
    return Row(row["question"].strip(), re.sub(r"<<[^>]*>>", "", row["answer"]).strip())


def read_cnn_dailymail(row: Mapping[str, Any]) -> Row | None:
    """Read `article`, `highlights` (one sentence a line)."""
    summary = " ".join(row["highlights"].split()).replace(" .", ".")
    return Row(row["article"].strip(), summary) if row["article"].strip() and summary else None


def read_xsum(row: Mapping[str, Any]) -> Row | None:
    """Read `document`, `summary` (one sentence)."""
    text, summary = row["document"].strip(), row["summary"].strip()
    return Row(text, summary) if text and summary else None


def _multiple_choice(question: str, options: list[str], right: int) -> Row:
    lines = [f"{letter}. {option.strip()}" for letter, option in zip(LETTERS, options, strict=False)]
    return Row("\n".join([question.strip(), *lines]), LETTERS[right])


def _arc(level: str) -> HubPreset:
    return HubPreset(
        "allenai/ai2_arc", f"ARC-{level}", "train", "test", read_arc, f"ARC {level.lower()} (science exam)",
        "question answering", "label", _OPTION, "Question", "Answer", "CC-BY-SA-4.0", LETTERS,
    )  # fmt: skip


PRESETS: dict[str, HubPreset] = {
    "ag_news": HubPreset(
        "fancyzhx/ag_news", None, "train", "test", read_ag_news, "AG News (topic of a news item)",
        "classification", "label", "Classify the article as World, Sports, Business or Technology.",
        "Article", "Topic", "unknown (non-commercial use)", _TOPICS,
    ),
    "mnli": HubPreset(
        "nyu-mll/glue", "mnli", "train", "validation_matched", read_mnli, "MNLI (does the premise entail it)",
        "classification", "label", "Say how the hypothesis relates to the premise.",
        "Premise", "Relation", "mixed (OANC, CC-BY, see the data set's page)", _RELATIONS,
    ),
    "arc_easy": _arc("Easy"),
    "arc_challenge": _arc("Challenge"),
    "mmlu": HubPreset(
        "cais/mmlu", "all", "validation", "test", read_mmlu, "MMLU (57 subjects)",
        "question answering", "label", _OPTION, "Question", "Answer", "MIT", LETTERS, n_buffer=15_000,
    ),
    "squad": HubPreset(
        "rajpurkar/squad", None, "train", "validation", read_squad, "SQuAD (question about a passage)",
        "question answering", "answer",
        "Read the passage and answer the question with a few words taken from the passage.",
        "Passage", "Answer", "CC-BY-SA-4.0", max_new_tokens=24, n_buffer=11_000,
    ),
    "gsm8k": HubPreset(
        "openai/gsm8k", "main", "train", "test", read_gsm8k, "GSM8K (arithmetic in words)",
        "reasoning", "number", "Solve the problem step by step and end with #### and the number.",
        "Question", "Answer", "MIT", max_new_tokens=256,
    ),
    "cnn_dailymail": HubPreset(
        "abisee/cnn_dailymail", "3.0.0", "train", "test", read_cnn_dailymail, "CNN/DailyMail (highlights)",
        "summarisation", "rouge", "Summarise the article in three or four sentences.",
        "Article", "Summary", "Apache-2.0", max_new_tokens=120, n_buffer=1000,
    ),
    "xsum": HubPreset(
        "EdinburghNLP/xsum", None, "train", "test", read_xsum, "XSum (one-sentence summary)",
        "summarisation", "rouge", "Summarise the article in one sentence.",
        "Article", "Summary", "unknown (BBC articles)", max_new_tokens=48, n_buffer=1000,
    ),
}  # fmt: skip
