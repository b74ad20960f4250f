"""Is the answer right, and how right?

Answers: exact match and F1 after the normalisation of Rajpurkar et al. 2016 (arXiv:1606.05250), the official
SQuAD v1.1 evaluation. Summaries: ROUGE-L F1 (Lin 2004, ACL W04-1013) over the longest common subsequence of
lower-case alphanumeric words, without stemming. Numbers: the final answer of Cobbe et al. 2021
(arXiv:2110.14168).
"""

import re
import string
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from lab.tasks.task import Query, Task

_QUOTES = "\"'`*_\u2018\u2019\u201c\u201d\u00ab\u00bb"
_PUNCTUATION = str.maketrans("", "", string.punctuation)
# A number that touches a letter on its left ("B2") or is half of a fraction ("3/4") is not read.
_NUMBER = re.compile(
    r"(?<![\w/])(?<![0-9][.,])(?P<sign>-?)[$\u20ac\u00a3]?"
    r"(?P<digits>[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?|(?<!\.)\.[0-9]+)"
    r"(?![0-9]|[.,][0-9]|\s?/\s?[0-9])"
)
_MARKER = re.compile(r"####|\banswer(?:\s+is|\s*:)|\bfinal answer\b", re.IGNORECASE)
_SHORT_WORDS = 12


class Judged(NamedTuple):
    """What was understood ("" when nothing was) and its score in 0..1."""

    prediction: str
    score: float


def judge(task: Task, query: Query, answer_text: str) -> Judged:
    """Read a generated answer by the task's metric and score it against the query's gold.

    Equal predictions mean equal content, so that a flip is not a matter of spelling: a label is returned as
    the task spells it, a right answer as the gold, a number in plain decimals.

    Args:
        task: Gives the metric, the labels and the output's cue, which an answer may repeat.
        query: Gives the gold and, for metric "answer", other right answers.
        answer_text: The raw generated text.

    Returns:
        The prediction, "" if the answer could not be read, and its score: 0 or 1, for "rouge" ROUGE-L F1.
    """
    text = _own_text(task, answer_text)
    if task.metric == "label":
        prediction = match_label(text, task.labels)
        return Judged(prediction, float(prediction != "" and prediction == query.gold))
    if task.metric == "number":
        prediction, gold = extract_number(text), extract_number(query.gold)
        return Judged(prediction, float(prediction != "" and prediction == gold))
    right = (query.gold, *query.accept)
    if task.metric == "rouge":
        summary = " ".join(text.split())
        return Judged(summary, max(rouge_l(summary, reference) for reference in right))
    prediction = normalise_answer(_first_line(text))
    if prediction and prediction in map(normalise_answer, right):
        return Judged(query.gold, 1.0)
    return Judged(prediction, 0.0)


def match_label(text: str, labels: tuple[str, ...]) -> str:
    """Return the label that the text starts with (the longest), else the only one it mentions, else "".

    Case is ignored and labels match whole words. A label of one letter in running text must keep its case
    and, at the start, must not open a sentence: "A dog barks" names no option A.
    """
    start = text.lstrip(_QUOTES + "([ \t\n")
    by_length = sorted(labels, key=len, reverse=True)
    for label in by_length:
        found = re.match(rf"{re.escape(label)}(?!\w)", start, re.IGNORECASE)
        opens_sentence = len(label) == 1 and re.match(r"[ \t]+[a-z]", start[1:])
        if found and not opens_sentence:
            return label
    pattern = "|".join(
        rf"(?<!\w){re.escape(label) if len(label) == 1 else f'(?i:{re.escape(label)})'}(?!\w)"
        for label in by_length
    )
    mentioned = {
        next(label for label in by_length if re.fullmatch(re.escape(label), found, re.IGNORECASE))
        for found in re.findall(pattern, text)
    }
    return mentioned.pop() if len(mentioned) == 1 else ""


def extract_number(text: str) -> str:
    """Return the number that the text gives as its answer, in plain decimals, or "".

    After "####" or "answer is" the number of that sentence counts, in a short first line its first number,
    elsewhere the last number of all; after an "=" only what follows it. Thousands commas and currency signs
    are dropped; fractions such as 3/4 are not read.

    >>> extract_number("6 * 3 = 18, so 18 + 2 = 20. #### 1,020.50")
    '1020.5'
    """
    text = text.replace("\u2212", "-")
    markers = list(_MARKER.finditer(text))
    if markers:
        tail = text[markers[-1].end() :].strip().split("\n")[0]
        sentence = re.split(r"(?<=[.!?])\s", tail)[0]
        numbers = _numbers(sentence.rsplit("=", 1)[-1]) or _numbers(tail)
        if numbers:
            return numbers[0]
    line = _first_line(text)
    if len(line.split()) <= _SHORT_WORDS:
        numbers = _numbers(line.rsplit("=", 1)[-1]) or _numbers(line)
        if numbers:
            return numbers[0]
    numbers = _numbers(text)
    return numbers[-1] if numbers else ""


def normalise_answer(text: str) -> str:
    """Lower the case, drop punctuation and the articles a, an, the, and collapse blanks.

    Articles stay where nothing else is left, so that an answer "A" can still be right.

    Source: normalize_answer of the official SQuAD v1.1 evaluation (arXiv:1606.05250, section 6.1).
    """
    bare = text.lower().translate(_PUNCTUATION)
    content = " ".join(re.sub(r"\b(a|an|the)\b", " ", bare).split())
    return content or " ".join(bare.split())


def f1(prediction: str, right: Iterable[str]) -> float:
    """Return the best F1 in 0..1 over normalised words between a prediction and the right answers."""
    return max((_word_f1(prediction, answer) for answer in right), default=0.0)


def rouge_l(prediction: str, reference: str) -> float:
    """Return ROUGE-L F1 in 0..1 between two texts.

    Source: Lin 2004, section 3.1, with beta = 1; equal to `rougeL` of the rouge-score package without
    stemming.
    """
    a, b = (re.findall(r"[a-z0-9]+", text.lower()) for text in (prediction, reference))
    n_common = _lcs_length(a, b)
    return 2 * n_common / (len(a) + len(b)) if n_common else 0.0


def _lcs_length(a: list[str], b: list[str]) -> int:
    row = [0] * (len(b) + 1)
    for word in a:
        diagonal = 0
        for j, other in enumerate(b, start=1):
            above = row[j]
            row[j] = diagonal + 1 if word == other else max(above, row[j - 1])
            diagonal = above
    return row[-1]


def _word_f1(prediction: str, answer: str) -> float:
    a, b = normalise_answer(prediction).split(), normalise_answer(answer).split()
    n_common = sum((Counter(a) & Counter(b)).values())
    return 2 * n_common / (len(a) + len(b)) if n_common else 0.0


def _numbers(text: str) -> list[str]:
    values = []
    for match in _NUMBER.finditer(text):
        value = Decimal(match["digits"].replace(",", ""))
        plain = f"{-value if match['sign'] and value else value:f}"
        values.append((plain.rstrip("0").rstrip(".") if "." in plain else plain.lstrip("+")) or "0")
    return values


def _own_text(task: Task, answer_text: str) -> str:
    """Drop reasoning in think tags, a repeated output cue, and what a model invents as the next example."""
    text = answer_text.rpartition("</think>")[2]
    if "<think>" in text:
        return ""
    text = re.sub(rf"^[\s*_#]*{re.escape(task.output_name)}\s*:[*_]*", "", text, flags=re.IGNORECASE)
    next_example = re.search(rf"\n\s*{re.escape(task.input_name)}\s*:", text)
    return (text[: next_example.start()] if next_example else text).strip()


def _first_line(text: str) -> str:
    line = next((line.strip() for line in text.split("\n") if line.strip()), "")
    return line.strip(_QUOTES + " ")
