import pytest
import torch

from lab.worlds.strings import LAYOUTS, Strings, arranged, read, words_of, written

WORDS = words_of(4)
TEXT = "ab|acd|b|cab|ad"


def strings_of(*texts: str, n_symbols: int = 4) -> Strings:
    """Make a batch of texts of one length; the truth of each token is its place."""
    tokens = torch.tensor([[words_of(n_symbols).index(each) for each in text] for text in texts])
    truth = torch.arange(tokens.shape[1])[None, :, None].expand(*tokens.shape, n_symbols).float()
    return Strings(tokens, truth, torch.full((len(texts),), tokens.shape[1]))


def text_of(batch: Strings, row: int = 0) -> str:
    return "".join(WORDS[token] for token in batch.tokens[row, : batch.length[row]].tolist())


def test_a_context_is_written_without_its_answer():
    batch = strings_of(TEXT)
    assert written(batch) == ["ab|acd|b|cab|a?"]
    assert batch.target.tolist() == [3]
    assert batch.inputs[0, 0] == batch.n_symbols == 4
    assert torch.equal(batch.inputs[:, 1:], batch.tokens[:, :-1])


def test_whole_strings_are_reversed_and_the_last_one_stays():
    assert text_of(arranged(strings_of(TEXT), "reversed")) == "cab|b|acd|ab|ad"


def test_of_whole_strings_the_later_half_is_left():
    found = arranged(strings_of(TEXT), "half")
    assert text_of(found) == "b|cab|ad"
    assert found.length.tolist() == [8] and found.target.tolist() == [3]
    assert written(found) == ["b|cab|a?"]


def test_shuffled_symbols_leave_separators_counts_and_the_last_string():
    found = arranged(strings_of(TEXT, TEXT), "shuffled")
    text = text_of(found)
    assert text != TEXT and text.endswith("|ad")
    assert [place for place, each in enumerate(text) if each == "|"] == [2, 6, 8, 12]
    assert sorted(text) == sorted(TEXT)
    assert text_of(found, 1) != text


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_truth_moves_with_its_token(layout):
    batch = strings_of(TEXT, "abcd|abcd|abcda")
    found = arranged(batch, layout)
    for row in range(2):
        places = found.truth[row, :, 0].long()
        assert sorted(places.tolist()) == list(range(15))
        assert torch.equal(batch.tokens[row, places], found.tokens[row])


@pytest.mark.parametrize("text", ["abcdabcd", "|abcdab|"])
def test_a_context_of_one_string_stays_as_it_is(text):
    for layout in ("reversed", "half"):
        found = arranged(strings_of(text.strip("|")), layout)
        assert text_of(found) == text.strip("|")


def test_an_unknown_layout_is_refused():
    with pytest.raises(ValueError, match="layout must be one of drawn, reversed, shuffled, half"):
        arranged(strings_of(TEXT), "sorted")


def test_a_text_is_read_with_or_without_blanks():
    assert read("ab | d", 4, 10) == [0, 1, 4, 3]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("abe", "'e' is not in the alphabet: write letters from a to d"),
        ("", "1 to 5 letters and separators can be read, got 0"),
        ("abcabc", "1 to 5 letters and separators can be read, got 6"),
    ],
)
def test_a_text_that_can_not_be_read_says_how_it_is_written(text, message):
    with pytest.raises(ValueError, match=message):
        read(text, 4, 5)
