"""Answers are read and scored as their sources say; the official scorers are the oracles."""

import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.tasks.metrics import (
    extract_number,
    f1,
    judge,
    match_label,
    normalise_answer,
    rouge_l,
)
from lab.tasks.task import Query, Task

CASES = settings(max_examples=60, deadline=None)
SENTIMENT = ("positive", "negative")
TOPICS = ("World", "Sports", "Business", "Technology")
NLI = ("entailment", "not entailment", "neutral")


def task(metric: str, labels: tuple[str, ...] = ()) -> Task:
    return Task("t", "T", "reasoning", metric, "Do.", "Question", "Answer", labels, (), ())


@pytest.mark.parametrize(
    ("answer", "labels", "expected"),
    [
        ("positive", SENTIMENT, "positive"),
        ("  Positive.\nReview: next one", SENTIMENT, "positive"),
        ('"NEGATIVE"', SENTIMENT, "negative"),
        ("**negative** because it drags", SENTIMENT, "negative"),
        ("The sentiment is positive.", SENTIMENT, "positive"),
        ("It is neither positive nor negative", SENTIMENT, ""),
        ("positively glowing", SENTIMENT, ""),
        ("I can't say", SENTIMENT, ""),
        ("", SENTIMENT, ""),
        ("not entailment", NLI, "not entailment"),
        ("This is not entailment.", NLI, "not entailment"),
        ("Entailment, not neutral", NLI, "entailment"),
        ("sports", TOPICS, "Sports"),
        ("B. the second", ("A", "B", "C", "D"), "B"),
        ("(C)", ("A", "B", "C", "D"), "C"),
        ("d", ("A", "B", "C", "D"), "D"),
        ("The answer is B.", ("A", "B", "C", "D"), "B"),
        ("A dog barks", ("A", "B", "C", "D"), "A"),
        ("It is a bird", ("A", "B", "C", "D"), ""),
        ("A\u0130B", ("i", "AB"), ""),
    ],
)
def test_label_is_the_start_or_the_only_mention(answer, labels, expected):
    assert match_label(answer.strip(), labels) == expected


@CASES
@given(st.sampled_from(TOPICS), st.text(max_size=30))
def test_label_followed_by_a_stop_is_that_label(label, rest):
    assert match_label(f"{label}. {rest}", TOPICS) == label


@CASES
@given(st.text(max_size=60))
def test_any_text_gives_a_label_or_nothing(text):
    assert match_label(text, NLI) in ("", *NLI)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("42", "42"),
        ("42.", "42"),
        ("-7", "-7"),
        ("\u22127", "-7"),
        ("1,234.50", "1234.5"),
        ("$1,020", "1020"),
        ("100", "100"),
        ("0.0", "0"),
        ("-0", "0"),
        (".5 of it", "0.5"),
        ("about 3 apples and 4 pears", "3"),
        ("12 + 30 = 42", "42"),
        ("He has 3, buys 4. #### 7", "7"),
        ("#### 1,000\nQuestion: 5 and 6?", "1000"),
        ("First 3. Then 4. The answer is 12 apples. That took 2 days.", "12"),
        ("The answer is 5 + 3 = 8.", "8"),
        ("Answer: 9", "9"),
        ("Tom starts with 10 apples and after giving away some to each of his 3 friends he keeps 4", "4"),
        ("3/4", ""),
        ("5-3", "5"),
        ("no number", ""),
        ("B2", ""),
        ("", ""),
        ("...5", "5"),
        ("50%", "50"),
        ("\\boxed{72}", "72"),
    ],
)
def test_number_is_the_one_given_as_the_answer(text, expected):
    assert extract_number(text) == expected


@CASES
@given(st.integers(-(10**12), 10**12), st.sampled_from(["{:d}", "{:,d}", "It is {:d}.", "a\nb\n#### {:,d}"]))
def test_every_spelling_of_an_integer_is_read(value, form):
    assert extract_number(form.format(value)) == str(value)


def squad_normalize(s):
    """Copy the steps of normalize_answer in the official SQuAD v1.1 evaluation."""
    s = "".join(ch for ch in s.lower() if ch not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", s).split())


@CASES
@given(st.text(alphabet="aAn tThe.,'-x5\u00e9\n", max_size=40))
def test_normalisation_is_squads_unless_nothing_would_be_left(text):
    assert normalise_answer(text) == squad_normalize(text) or squad_normalize(text) == ""


def test_lone_article_stays_an_answer():
    assert normalise_answer("A.") == "a"


def test_f1_counts_shared_words():
    assert f1("the Eiffel tower in Paris", ["Eiffel Tower"]) == pytest.approx(2 * 2 / (4 + 2))
    assert f1("Lyon", ["Paris", "Lyon!"]) == 1
    assert f1("", ["Paris"]) == 0


@CASES
@given(
    *2
    * [
        st.lists(
            st.sampled_from(["the", "cat", "Sat", "on", "mat.", "it's", "5", "\u00e9t\u00e9"]), max_size=12
        )
    ]
)
def test_rouge_l_equals_the_rouge_score_package(a, b):
    scorer = pytest.importorskip("rouge_score.rouge_scorer")
    oracle = scorer.RougeScorer(["rougeL"]).score(" ".join(b), " ".join(a))["rougeL"].fmeasure
    assert rouge_l(" ".join(a), " ".join(b)) == pytest.approx(oracle)


def test_rouge_l_worked_by_hand():
    # common subsequence "police the gunman" of 4 and 4 words (Lin 2004, section 3.1: S1 and S2 give 3/4)
    assert rouge_l("police kill the gunman", "police killed the gunman") == 0.75
    assert rouge_l("the gunman kill police", "police killed the gunman") == 0.5


def test_judge_by_label():
    query = Query("q0", "x", "positive")
    assert judge(task("label", SENTIMENT), query, "Answer: Positive!") == ("positive", 1.0)
    assert judge(task("label", SENTIMENT), query, "negative") == ("negative", 0.0)
    assert judge(task("label", SENTIMENT), query, "hm") == ("", 0.0)


def test_judge_by_answer_takes_the_first_line_and_any_accepted_answer():
    query = Query("q0", "x", "five", ("5", "five eggs"))
    assert judge(task("answer"), query, 'answer: "The five."\nQuestion: next') == ("five", 1.0)
    assert judge(task("answer"), query, "5") == ("five", 1.0)
    assert judge(task("answer"), query, "Six eggs.") == ("six eggs", 0.0)
    assert judge(task("answer"), query, " ?! ") == ("", 0.0)


def test_judge_by_number_compares_values():
    query = Query("q0", "x", "1,200")
    assert judge(task("number"), query, "so 1200.00") == ("1200", 1.0)
    assert judge(task("number"), query, "1201") == ("1201", 0.0)
    assert judge(task("number"), query, "none") == ("", 0.0)


def test_judge_by_rouge_ignores_an_invented_next_example():
    query = Query("q0", "x", "The town built a bridge.")
    judged = judge(task("rouge"), query, "The town\nbuilt a bridge.\nQuestion: and another text")
    assert judged == ("The town built a bridge.", 1.0)
    assert judge(task("rouge"), query, "") == ("", 0.0)


def test_reasoning_in_think_tags_is_no_answer():
    query = Query("q0", "x", "8")
    assert judge(task("number"), query, "<think>3, maybe 4</think>\n8").score == 1
    assert judge(task("number"), query, "<think>it could be 8") == ("", 0.0)


@CASES
@given(
    st.sampled_from(["label", "answer", "number", "rouge"]),
    st.text(max_size=80),
    st.text(min_size=1, max_size=20),
)
def test_judging_never_fails_and_scores_in_0_to_1(metric, answer, gold):
    labels = SENTIMENT if metric == "label" else ()
    prediction, score = judge(task(metric, labels), Query("q0", "x", gold), answer)
    assert 0 <= score <= 1
    assert prediction or score == 0
