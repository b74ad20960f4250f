"""Selections are deterministic, of the asked size, and never show the query's own answer."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.tasks.fillers import filler_text
from lab.tasks.selection import (
    METHODS,
    NEEDS_QUERY,
    by_ids,
    draws,
    select,
    shuffle_outputs,
)
from lab.tasks.task import Demonstration, Query, Task

CASES = settings(max_examples=60, deadline=None)
LABELS = ("red", "green", "blue")
NOUNS = (
    "apple",
    "brick",
    "cloud",
    "drum",
    "eagle",
    "fern",
    "glove",
    "hat",
    "ink",
    "jug",
    "kite",
    "lamp",
    "moss",
    "nail",
    "oar",
    "pen",
    "quilt",
    "rope",
)
POOL = tuple(Demonstration(f"p{i}", f"the {noun} {i}", LABELS[i % 3]) for i, noun in enumerate(NOUNS))
TASK = Task("toy", "Toy", "classification", "label", "Say.", "Text", "Label", LABELS, POOL, ())
OPEN = Task("open", "Open", "question answering", "answer", "Say.", "Text", "Answer", (), POOL, ())
QUERY = Query("q0", "a lamp in the moss", "red")


def embed(texts):
    """Embed by counts of letters, so that anagrams are nearest."""
    return np.array([[text.count(chr(97 + i)) for i in range(26)] for text in texts], dtype=np.float32)


@CASES
@given(st.sampled_from(METHODS), st.integers(1, len(POOL)), st.integers(0, 99))
def test_selection_has_n_different_demonstrations_of_the_pool_and_repeats(method, n, seed):
    demos = select(TASK, method, n, seed, QUERY, embed)
    assert len({d.id for d in demos}) == len(demos) == n
    assert set(demos) <= set(POOL)
    assert demos == select(TASK, method, n, seed, QUERY, embed)


@CASES
@given(st.integers(1, len(POOL)), st.integers(0, 99))
def test_balanced_selection_differs_by_at_most_one_a_label(n, seed):
    counts = Counter(d.output for d in select(TASK, "balanced", n, seed))
    assert max(counts.values()) - min(counts[label] for label in LABELS) <= 1


def test_seed_changes_random_and_balanced_but_not_first():
    for method, n_expected in (("random", 20), ("balanced", 20), ("first", 1)):
        assert len({select(TASK, method, 6, seed) for seed in range(20)}) >= 0.9 * n_expected
    assert select(TASK, "first", 4, 7) == POOL[:4]


@pytest.mark.parametrize("method", METHODS)
def test_the_query_itself_is_never_shown(method):
    query = Query("q0", "  The APPLE 0 ", "red")
    demos = select(TASK, method, len(POOL) - 1, 0, query, embed)
    assert POOL[0] not in demos and len(demos) == len(POOL) - 1
    with pytest.raises(ValueError, match=r"n must be 1\.\.17"):
        select(TASK, method, len(POOL), 0, query, embed)


def test_bm25_puts_the_most_similar_last():
    demos = select(TASK, "bm25", 3, 0, QUERY)
    assert {d.input.split()[1] for d in demos[-2:]} == {"lamp", "moss"}
    assert select(TASK, "bm25", 1, 0, Query("q1", "Rope!", "red"))[0].input == "the rope 17"
    # nothing in common: the first of the pool, the very first nearest to the query
    assert select(TASK, "bm25", 2, 0, Query("q1", "\u00bf?", "red")) == (POOL[1], POOL[0])


def test_nearest_puts_the_most_similar_last_by_cosine():
    demos = select(TASK, "nearest", len(POOL), 0, Query("q1", "het plam 55", "red"), embed)
    assert demos[-1].input == "the lamp 11"
    a, b = embed([d.input for d in demos]), embed(["het plam 55"])[0]
    cosines = a @ b / np.linalg.norm(a, axis=1) / np.linalg.norm(b)
    assert np.all(np.diff(cosines) >= -1e-6)


def test_zero_embeddings_select_the_first_rows():
    assert select(TASK, "nearest", 2, 0, QUERY, lambda texts: np.zeros((len(texts), 4))) == (POOL[1], POOL[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("random", 0, 0), r"n must be 1..18 \(the pool of toy\), got 0"),
        (("random", 19, 0), r"n must be 1..18 .*got 19"),
        (("best", 2, 0), "method must be one of random, .*got 'best'"),
        (("by hand", 2, 0), "by hand is by_ids"),
        (("bm25", 2, 0), "bm25 selects for a query"),
        (("nearest", 2, 0), "nearest selects for a query"),
        (("nearest", 2, 0, QUERY), "nearest needs embeddings"),
    ],
)
def test_bad_arguments_are_refused_with_a_remedy(arguments, message):
    with pytest.raises(ValueError, match=message):
        select(TASK, *arguments)


def test_balanced_needs_labels():
    with pytest.raises(ValueError, match="balanced needs labels and open has none"):
        select(OPEN, "balanced", 2, 0)


def test_by_hand_keeps_the_order_and_refuses_unknown_and_repeated_ids():
    assert by_ids(TASK, ["p4", "p1"]) == (POOL[4], POOL[1])
    with pytest.raises(ValueError, match="no demonstration 'p99'; did you mean p9"):
        by_ids(TASK, ["p99"])
    with pytest.raises(ValueError, match="'p4' is chosen twice"):
        by_ids(TASK, ["p4", "p4"])


@CASES
@given(
    st.sampled_from(["random", "balanced", "first"]), st.integers(1, 18), st.integers(1, 9), st.integers(0, 9)
)
def test_drawn_sets_share_as_little_as_possible(method, n, n_sets, seed):
    sets = draws(TASK, n, n_sets, seed, method)
    assert [len({d.id for d in one}) for one in sets] == [n] * n_sets
    assert sets[0] == select(TASK, method, n, seed)
    used = Counter(d.id for one in sets for d in one)
    if method != "balanced":
        assert max(used.values()) - min(used[d.id] for d in POOL) <= 1
    else:
        for label in LABELS:
            ids = [d.id for d in POOL if d.output == label]
            assert max(used[i] for i in ids) - min(used[i] for i in ids) <= 1


def test_draws_refuses_what_it_cannot_do():
    for method in NEEDS_QUERY:
        with pytest.raises(ValueError, match="draws no sets"):
            draws(TASK, 2, 2, 0, method)
    with pytest.raises(ValueError, match="n_sets must be at least 1, got 0"):
        draws(TASK, 2, 0, 0)


@CASES
@given(st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=2, max_size=14), st.integers(0, 99))
def test_shuffled_outputs_are_the_same_multiset_and_as_wrong_as_possible(outputs, seed):
    demos = [Demonstration(f"p{i}", f"x{i}", output) for i, output in enumerate(outputs)]
    shuffled = shuffle_outputs(demos, seed)
    assert [(d.id, d.input) for d in shuffled] == [(d.id, d.input) for d in demos]
    assert Counter(d.output for d in shuffled) == Counter(outputs)
    n_wrong = sum(a.output != b.output for a, b in zip(demos, shuffled, strict=True))
    largest = max(Counter(outputs).values())
    assert n_wrong == min(len(outputs), 2 * (len(outputs) - largest))
    assert shuffled == shuffle_outputs(demos, seed)


def test_equal_outputs_become_other_labels_where_there_are_some():
    demos = [d for d in POOL if d.output == "red"]
    assert {d.output for d in shuffle_outputs(demos, 0, LABELS)} <= {"green", "blue"}
    assert shuffle_outputs(demos, 0) == tuple(demos)
    assert shuffle_outputs([], 0, LABELS) == ()


def test_wrong_outputs_are_no_rule_to_be_learnt():
    shuffled = shuffle_outputs(POOL, 3)
    became = {
        label: {b.output for a, b in zip(POOL, shuffled, strict=True) if a.output == label}
        for label in LABELS
    }
    assert all(len(outputs) == 2 for outputs in became.values())


COUNTERS = {
    "words": lambda t: len(t.split()),
    "bytes": lambda t: len(t.encode()),
    "pieces": lambda t: -(-len(t) // 4),
}


@CASES
@given(st.integers(1, 900), st.sampled_from(sorted(COUNTERS)), st.integers(0, 9))
def test_filler_has_the_asked_length_and_ends_with_a_word(n_tokens, counter, seed):
    text = filler_text(n_tokens, COUNTERS[counter], seed)
    longest_word = {"words": 1, "bytes": 5, "pieces": 2}[counter]
    assert abs(COUNTERS[counter](text) - n_tokens) <= max(2, longest_word if n_tokens < 6 else 0)
    assert text == text.strip() and text
    assert text == filler_text(n_tokens, COUNTERS[counter], seed)


def test_filler_differs_by_seed_and_needs_a_length():
    words = COUNTERS["words"]
    assert len({filler_text(40, words, seed) for seed in range(10)}) == 10
    with pytest.raises(ValueError, match="n_tokens must be at least 1, got 0"):
        filler_text(0, words, 0)


def test_filler_sentences_are_original_and_distinct():
    from lab.tasks.fillers import _SENTENCES

    assert len(set(_SENTENCES)) == len(_SENTENCES) >= 60
    assert all(s[0].isupper() and s.endswith(".") and not any(c.isdigit() for c in s) for s in _SENTENCES)
