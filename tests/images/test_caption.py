"""Joint captions, and what is said of those that a model can't read."""

import pytest

from lab.images.caption import check, compose
from lab.images.grid import PAIR, ROW, SINGLE

GOOD = "[LEFT] fox, flat style; [RIGHT] owl, 3d style"


def errors(caption: str, grid=PAIR, markers=None) -> list[str]:
    return [finding.message for finding in check(caption, grid, markers) if finding.is_error]


def warnings(caption: str, grid=PAIR) -> list[str]:
    return [finding.message for finding in check(caption, grid) if not finding.is_error]


def test_a_single_panel_has_neither_marker_nor_separator():
    assert compose([" fox, flat style "], SINGLE) == "fox, flat style"


def test_texts_follow_their_markers_in_any_order():
    assert compose(["a", "b", "c"], ROW, order=[2, 0, 1]) == "[RIGHT] c; [LEFT] a; [MIDDLE] b"
    assert compose(["a", "b"], PAIR, markers=["[SCENE-1]", "[SCENE-2]"]) == "[SCENE-1] a; [SCENE-2] b"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"texts": ["a"]}, "2 panels need as many texts, got 1"),
        ({"texts": ["a", "b"], "markers": ["[LEFT]"]}, "2 panels need as many markers, got 1"),
        ({"texts": ["a", "b"], "order": [0, 0]}, r"each of the 2 panels once, got \[0, 0\]"),
    ],
)
def test_what_does_not_fit_the_grid_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        compose(grid=PAIR, **arguments)


def test_a_good_caption_has_no_findings():
    assert check(GOOD, PAIR) == []


def test_an_empty_caption_is_an_error():
    assert errors("  ") == ["The caption is empty: describe at least one panel."]


def test_the_token_limit_counts_words_and_punctuation():
    # 11 tokens in GOOD; with 21 more there are 32, the limit of two panels
    assert errors(GOOD + " fox" * 21) == []
    assert "33 tokens and this canvas reads 32: shorten it by 1 words" in errors(GOOD + " fox" * 22)[0]


def test_a_missing_or_repeated_marker_is_an_error():
    assert "[RIGHT] is missing" in errors("[LEFT] fox")[0]
    assert "[LEFT] stands 2 times" in errors("[LEFT] fox; [LEFT] owl; [RIGHT] owl")[0]
    assert errors("[SCENE-1] fox; [SCENE-2] fox", markers=["[SCENE-1]", "[SCENE-2]"]) == []


def test_a_character_named_once_is_pointed_out():
    assert "<Mia> occurs once" in warnings("[LEFT] <Mia> the fox; [RIGHT] owl")[0]
    assert warnings("[LEFT] <Mia> the fox; [RIGHT] <Mia>") == []
    assert warnings("<Mia> the fox", SINGLE) == []


def test_unknown_words_are_named_but_do_not_forbid_the_caption():
    assert errors("[LEFT] zeppelin; [RIGHT] fox") == []
    assert "'zeppelin'" in warnings("[LEFT] zeppelin; [RIGHT] fox")[0]
