"""The tokenizer reads one token a word, and knows every word that captions of panels are made of."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.images.concepts import STYLES, concepts
from lab.images.grid import Grid
from lab.images.panels import BACKGROUNDS, SIZES, Panel
from lab.images.vocabulary import (
    BEGIN,
    END,
    MARKERS,
    MAX_TOKENS,
    N_WORDS,
    NAMES,
    PAD,
    TRIGGERS,
    UNKNOWN,
    split,
    tokenizer,
    unknown_words,
    words,
)


def test_special_tokens_come_first_and_all_words_fit_the_embedding_table():
    assert words()[:4] == (PAD, UNKNOWN, BEGIN, END)
    assert len(set(words())) == len(words()) <= N_WORDS


def test_ids_are_places_in_the_list():
    assert tokenizer().convert_tokens_to_ids(list(words())) == list(range(len(words())))


@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("size", SIZES)
def test_every_panel_can_be_described(background, size):
    for concept in concepts():
        for style in STYLES:
            assert unknown_words(Panel(concept.word, style, background, size).text) == []


def test_markers_triggers_and_names_are_one_known_token_each():
    grids = [
        Grid(rows, columns) for rows, columns in ((1, 2), (2, 1), (1, 3), (3, 1), (2, 2), (1, 4), (4, 1))
    ]
    for token in (*MARKERS, *TRIGGERS, *NAMES, *(marker for grid in grids for marker in grid.markers)):
        assert split(token) == [token.lower()]
        assert unknown_words(token) == []


@given(st.lists(st.sampled_from([*words()[4:], "zeppelin", "Fox", "[CUSTOM]"]), max_size=20))
@settings(max_examples=40, deadline=None)
def test_the_tokenizer_splits_as_split_does_and_ends_the_text(parts):
    text = " ".join(parts)
    known = set(words())
    expected = [token if token in known else UNKNOWN for token in split(text)]
    assert tokenizer().convert_ids_to_tokens(tokenizer()(text).input_ids) == [*expected, END]


@given(st.text(max_size=80))
@settings(max_examples=60, deadline=None)
def test_any_text_can_be_split_and_read(text):
    assert set(unknown_words(text)) <= set(split(text))
    n = len(tokenizer()(text, truncation=True, max_length=MAX_TOKENS).input_ids)
    assert 1 <= n <= MAX_TOKENS


def test_punctuation_is_tokens_of_its_own_and_case_does_not_count():
    assert split("[LEFT] Fox, FLAT style; x:y.") == [
        "[left]",
        "fox",
        ",",
        "flat",
        "style",
        ";",
        "x",
        ":",
        "y",
        ".",
    ]
