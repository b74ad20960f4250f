import pytest
import torch

from lab.worlds.sentences import EXAMPLE, Vocabulary

WORDS = Vocabulary(3)


def test_words_are_nouns_adjectives_copula_blank_and_unseen():
    assert WORDS.names[:10] == ["n1", "n2", "n3", "a1", "a2", "a3", "is", "?", "x1", "x2"]
    assert (WORDS.names[WORDS.copula], WORDS.names[WORDS.blank], WORDS.n_met) == ("is", "?", 8)
    assert [WORDS.likeness(word) for word in (0, 2, 3, 5, 8)] == [0, 0, 1, 1, 0.5]


def test_sentences_are_said_in_both_forms_and_answered_by_place():
    adjectives, nouns = torch.tensor([3, 0]), torch.tensor([1, 4])
    words, target = WORDS.say(adjectives, nouns, torch.tensor([True, False]), torch.tensor([1, 0]))
    assert words.tolist() == [[6, 3, 1, 1], [4, 6, 0, 0]]
    assert target.tolist() == [[3, 1, 1], [0, 0, 0]]


def test_what_is_written_is_read_as_it_was_said():
    assert WORDS.read(EXAMPLE) == (0, 3, True, 0)
    assert WORDS.read("N2 is x1  x1") == (8, 1, False, 8)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("is n1 a9 n1", "a1 to a3 and x1 to x20, got a9"),
        ("is n1 ? n1", r"got \?"),
        ("n1 a1 is n1", "write “is adjective noun” or “noun is adjective”"),
        ("is n1 a1", "one of both words"),
        ("is n1 a1 a2", "one of both words"),
        ("is n1 a1 is", "one of both words"),
        ("", "such as is n1 a1 n1"),
    ],
)
def test_what_is_in_neither_form_is_refused(text, said):
    with pytest.raises(ValueError, match=said):
        WORDS.read(text)
