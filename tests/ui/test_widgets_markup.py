from collections import namedtuple

import pytest

from lab.ui.widgets.label_bars import label_bars_html
from lab.ui.widgets.markup import Tile, note, stat_tiles
from lab.ui.widgets.token_strip import Answered, prompt_html, side_by_side_html, visible_html

Block = namedtuple("Block", "kind place")
Span = namedtuple("Span", "block")
Token = namedtuple("Token", "text id span")

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'>&"


def tokens(*pieces: tuple[str, str, int]) -> list[Token]:
    return [Token(text, 100 + i, Span(Block(kind, place))) for i, (text, kind, place) in enumerate(pieces)]


def test_no_text_becomes_markup() -> None:
    strip = tokens((HOSTILE, "query", -1), (HOSTILE, "demonstration", 0), (HOSTILE, "filler", -1))
    side = Answered(HOSTILE, strip, [HOSTILE, "b"], [0.5, 0.5], HOSTILE, HOSTILE, 0.1)
    pages = [
        prompt_html(strip, title=HOSTILE),
        side_by_side_html(side, side),
        label_bars_html([HOSTILE], [1.0], HOSTILE),
        note("error", HOSTILE),
        stat_tiles([Tile(HOSTILE, HOSTILE, HOSTILE)]),
    ]
    for html in pages:
        assert "<script" not in html and "<img" not in html and HOSTILE not in html
        assert "&lt;script&gt;" in html


def test_a_block_kind_cannot_leave_its_attribute() -> None:
    assert 'onclick="' not in prompt_html(tokens(("a", 'x" onclick="alert(1)', -1)))


def test_line_ends_and_hidden_characters_are_spelled_out() -> None:
    shown = visible_html("a\n\t\x00\x1b\u202e\u200b\ufeff")
    for mark in ("↵", "⇥", "␀", "␛", "U+202E", "U+200B", "U+FEFF"):
        assert mark in shown
    assert "\u202e" not in shown and "\x00" not in shown


def test_right_to_left_text_and_joined_emoji_stay_whole() -> None:
    assert visible_html("سلام 👩\u200d🔬") == "سلام 👩\u200d🔬"
    assert "<bdi" in prompt_html(tokens(("سلام", "query", -1)))


def test_legend_counts_tokens_by_block() -> None:
    strip = tokens(
        ("a", "instruction", -1),
        ("b", "demonstration", 0),
        ("c", "demonstration", 0),
        ("d", "demonstration", 1),
    )
    html = prompt_html(strip)
    assert "4 tokens" in html
    assert "demonstration 1 <b>2</b>" in html
    assert "demonstration 2 <b>1</b>" in html


def test_special_tokens_are_chips_in_the_template_only() -> None:
    html = prompt_html(tokens(("<|im_end|>", "template", -1), ("<|im_end|>", "query", -1)))
    assert html.count("lab-special") == 1
    assert prompt_html(tokens(("x", "query", -1)), special_ids=[100]).count("lab-special") == 1


def test_a_very_long_prompt_says_what_it_leaves_out() -> None:
    html = prompt_html(tokens(*[("w", "query", -1)] * 6010))
    assert "10 tokens not shown" in html
    assert html.count("lab-token") < 6010 + 10


def test_bars_mark_the_right_and_the_predicted_label() -> None:
    html = label_bars_html(["a", "b"], [0.25, 0.75], gold="a", prediction="b", margin=0.05)
    assert "25 %" in html and "width:75.0%" in html
    assert "near-tie" in html
    assert ", right answer" in html and ", predicted" in html


def test_bars_refuse_what_is_no_probability() -> None:
    with pytest.raises(ValueError, match="one a label"):
        label_bars_html(["a"], [0.5, 0.5])
    with pytest.raises(ValueError, match=r"0\.\.1, got 2"):
        label_bars_html(["a"], [2.0])


def test_an_unknown_kind_of_note_is_refused() -> None:
    with pytest.raises(ValueError, match="info, warn, error, verdict, got 'success'"):
        note("success", "x")  # type: ignore[arg-type]


def test_errors_are_announced() -> None:
    assert 'role="alert"' in note("error", "x")
    assert note("info", "one\n\ntwo").count("<p>") == 2
