import numpy as np
import pandas as pd
import pytest

from lab.figures import attention_map, growth_curves, matrices, profile_lines


def curves(*labels: str) -> pd.DataFrame:
    rows = [
        {"step": step, "label": label, "value": step / 100 / (place + 1)}
        for place, label in enumerate(labels)
        for step in (0, 50, 100)
    ]
    return pd.DataFrame(rows)


def test_a_line_a_measure_and_the_title_tells_where_they_end():
    figure = growth_curves(curves("known", "new"), y_title="accuracy", is_share=True)
    assert [trace.name for trace in figure.data] == ["known", "new"]
    assert list(figure.data[1].y) == [0, 0.25, 0.5]
    assert figure.layout.title.text.replace("<br>", " ") == "After 100 steps: known 100%, new 50%"


def test_more_lines_than_colours_are_told_apart_by_their_dashes():
    figure = growth_curves(curves(*"abcdefgh"))
    assert "from h 0.12 to a 1.00" in figure.layout.title.text.replace("<br>", " ")
    looks = [(trace.line.color, trace.line.dash) for trace in figure.data]
    assert len(set(looks)) == 8


def test_before_the_first_measure_it_says_what_to_do():
    figure = growth_curves(pd.DataFrame(columns=["step", "label", "value"]), y_title="accuracy")
    assert "press Run" in figure.layout.annotations[0].text.replace("<br>", " ")


def test_labels_are_shown_as_text():
    figure = growth_curves(curves("<b>x</b>"))
    assert figure.data[0].name == "&lt;b&gt;x&lt;/b&gt;"


def test_attention_is_told_as_query_to_key():
    pattern = np.array([[1.0, 0.0], [0.25, 0.75]])
    figure = attention_map(pattern, ["7", "<b>"], "Head 0.0")
    assert figure.data[0].hovertext[1][0] == "&lt;b&gt; → 7: 0.25"
    assert np.array_equal(figure.data[0].z, pattern)
    assert figure.layout.yaxis.autorange == "reversed"


def test_equal_tokens_stay_apart():
    figure = attention_map(np.eye(3), ["a", "b", "a"], "")
    assert len(set(figure.data[0].x)) == 3


def test_a_map_of_a_long_sequence_stays_on_a_page():
    short, long = (attention_map(np.eye(n), ["a"] * n, "") for n in (40, 128))
    assert short.layout.height == long.layout.height < 1200


def test_matrices_share_a_scale_that_is_white_at_zero():
    figure = matrices({"head 0": np.diag([0.5, -0.2]), "head 1": np.zeros((2, 2))}, "KQ")
    assert [(trace.zmin, trace.zmax) for trace in figure.data] == [(-0.5, 0.5)] * 2
    assert figure.data[0].colorscale[1][1] == "#ffffff"


def test_matrices_of_nothing_are_drawn():
    assert matrices({"head 0": np.zeros((2, 2))}, "KQ").data[0].zmax == pytest.approx(1)


def test_a_profile_draws_lines_over_numbers_bars_over_words_and_what_the_sequence_shows():
    lines = {"learner": [0.5, 0.2], "Bayes": [0.4, 0.1]}
    over = profile_lines([1, 2], lines, "Falls", "examples", "error", points=[(1.0, 0.3)])
    assert [trace.type for trace in over.data] == ["scatter"] * 3
    assert [trace.line.dash for trace in over.data[:2]] == ["solid", "dash"]
    assert list(over.data[2].y) == [0.3]
    bars = profile_lines(["red", "blue"], lines, "Falls", "ball", "probability")
    assert [trace.type for trace in bars.data] == ["bar"] * 2
    assert list(bars.data[0].x) == ["red", "blue"]


def test_a_click_anywhere_can_be_told_where_lines_are_drawn():
    plain = profile_lines([0.0, 2.0], {"learner": [1.0, 3.0]}, "t", "x", "y")
    over = profile_lines([0.0, 2.0], {"learner": [1.0, 3.0]}, "t", "x", "y", [(1.0, 5.0)], is_clicked=True)
    assert [trace.type for trace in plain.data] == ["scatter"]
    paper = over.data[0]
    assert (paper.x[0], paper.x[-1], paper.y[0], paper.y[-1]) == (0, 2, 0, 6)  # a quarter of 4 beyond
    assert paper.hoverinfo == "none"
