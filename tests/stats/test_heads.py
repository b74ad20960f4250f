import numpy as np
import pytest

from lab.stats.heads import copy_scores, induction_scores, previous_token_scores


def uniform(length: int) -> np.ndarray:
    """Let every position attend alike to itself and all before it."""
    return np.tril(np.ones((length, length))) / np.arange(1, length + 1)[:, None]


def test_a_head_that_looks_back_by_one_scores_one_and_an_even_one_what_is_due():
    back = np.eye(5, k=-1)
    back[0, 0] = 1
    found = previous_token_scores(np.stack([back, uniform(5)])[None])
    assert found[0] == 1
    assert found[1] == pytest.approx(np.mean([1 / 2, 1 / 3, 1 / 4, 1 / 5]))


def test_a_single_token_has_none_before_it():
    assert np.isnan(previous_token_scores(np.ones((1, 2, 1, 1)))).all()


def test_induction_is_attention_to_what_followed_the_same_token():
    tokens = np.array([list("abcab")])
    pattern = np.zeros((1, 2, 5, 5))
    pattern[0, 0, 3, 1] = pattern[0, 0, 4, 2] = 1  # a looks at b, b looks at c
    pattern[0, 1, 3, 0] = 1  # a looks at a
    assert induction_scores(pattern, tokens).tolist() == [1, 0]


def test_all_earlier_copies_count_and_repeats_do_not_look_at_themselves():
    tokens = np.array([list("abaca"), list("aabbb")])
    pattern = np.broadcast_to(uniform(5), (2, 1, 5, 5))
    # a at 2: after the first a is b at 1; a at 4: b at 1 and c at 3; in aabbb only b at 4, after b at 2
    expected = np.mean([1 / 3, 2 / 5, 1 / 5])
    assert induction_scores(pattern, tokens) == pytest.approx([expected])


def test_without_a_repeated_token_there_is_nothing_to_score():
    assert np.isnan(induction_scores(np.ones((1, 1, 3, 3)) / 3, np.array([list("abc")]))).all()


def test_a_naive_count_gives_the_same():
    rng = np.random.default_rng(0)
    tokens = rng.integers(4, size=(6, 9))
    pattern = rng.random((6, 3, 9, 9))
    expected = np.zeros(3)
    count = 0
    for row in range(6):
        for t in range(9):
            after = [s + 1 for s in range(t) if tokens[row, s] == tokens[row, t] and s + 1 < t]
            if after:
                expected += pattern[row, :, t, after].sum(axis=0)
                count += 1
    assert induction_scores(pattern, tokens) == pytest.approx(expected / count)


def test_the_identity_copies_its_negative_does_the_opposite_and_a_turn_does_neither():
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    found = copy_scores(np.stack([np.eye(2), -np.eye(2), turn, np.zeros((2, 2))]))
    assert found == pytest.approx([1, -1, 0, 0])
