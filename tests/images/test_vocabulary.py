"""Captions are read as WordPiece tokens, markers and names as one each."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.images.concepts import STYLES, concepts
from lab.images.grid import TOKENS_PER_PANEL, Grid
from lab.images.panels import BACKGROUNDS, SIZES, Panel
from lab.images.vocabulary import (
    ADDED,
    MARKERS,
    MAX_TOKENS,
    NAMES,
    TRIGGERS,
    count_tokens,
    fast_tokenizer,
    split,
    tokenizer,
    unknown_words,
)


@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("size", SIZES)
def test_every_panel_can_be_described(background, size):
    for concept in concepts():
        for style in STYLES:
            text = Panel(concept.word, style, background, size).text
            assert unknown_words(text) == []
            assert count_tokens(text) <= TOKENS_PER_PANEL - 3  # a marker, a separator and a name fit too


def test_markers_triggers_and_names_are_one_known_token_each():
    grids = [
        Grid(rows, columns) for rows, columns in ((1, 2), (2, 1), (1, 3), (3, 1), (2, 2), (1, 4), (4, 1))
    ]
    for token in (*MARKERS, *TRIGGERS, *NAMES, *(marker for grid in grids for marker in grid.markers)):
        assert split(token) == [token.lower()]
        assert unknown_words(token) == []
        assert count_tokens(token) == (1 if token else 0)


def test_added_tokens_follow_the_rows_of_the_text_encoder():
    ids = [fast_tokenizer().token_to_id(token) for token in ADDED]
    assert ids == list(range(30_522, 30_522 + len(ADDED)))


def test_a_text_is_read_without_tokens_that_begin_and_end_it():
    ids = tokenizer()("[TOP-LEFT] <Mia> the Fox; [MINE]").input_ids
    tokens = tokenizer().convert_ids_to_tokens(ids)
    assert tokens == ["[top-left]", "<mia>", "the", "fox", ";", "[", "mine", "]"]


@given(st.text(max_size=80))
@settings(max_examples=60, deadline=None)
def test_any_text_can_be_split_counted_and_read(text):
    assert set(unknown_words(text)) <= set(split(text))
    ids = tokenizer()(text, truncation=True, max_length=MAX_TOKENS).input_ids
    assert len(ids) == min(MAX_TOKENS, count_tokens(text))


def test_punctuation_is_words_of_its_own_and_case_does_not_count():
    words = ["[left]", "fox", ",", "flat", "style", ";", "x", ":", "y", "."]
    assert split("[LEFT] Fox, FLAT style; x:y.") == words


def test_counting_does_not_depend_on_what_was_read_before():
    tokenizer()(["a fox"], padding="max_length", truncation=True, max_length=2)
    assert count_tokens("a fox, flat style") == 5
