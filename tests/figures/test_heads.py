import numpy as np

from lab.figures import head_map, stream_map


def test_the_strongest_head_is_named_and_silenced_ones_are_crossed_out():
    values = np.array([[0.1, 0.2], [0.9, np.nan]])
    figure = head_map(values, "induction score", ["0.1"])
    assert figure.layout.title.text.replace("<br>", " ") == "Head 1.0 has the highest induction score, 0.90"
    assert [list(row) for row in figure.data[0].text] == [["", "✕"], ["", ""]]
    assert (figure.data[0].zmin, figure.data[0].zmax) == (0, 1)


def test_a_score_that_can_be_negative_is_white_at_zero():
    figure = head_map(np.array([[-0.5, 0.5]]), "copy score", model="tiny")
    assert (figure.data[0].zmin, figure.data[0].zmax) == (-1, 1)
    assert figure.layout.title.text.replace("<br>", " ").startswith("tiny: head 0.1 has the highest copy")


def test_without_any_score_the_figure_says_why():
    figure = head_map(np.full((2, 2), np.nan), "induction score")
    assert "No token comes twice" in figure.layout.annotations[0].text.replace("<br>", " ")


def test_the_stream_flows_upwards_from_what_comes_in():
    figure = stream_map(
        np.array([[0.2, 0.3], [0.4, 1.0]]), ["what comes in", "after block 0"], [4, 5], "It is so"
    )
    assert list(figure.data[0].y) == ["what comes in", "after block 0"]
    assert list(figure.data[0].x) == ["4", "5"]
    assert (figure.data[0].zmin, figure.data[0].zmax) == (0, 1)
    assert figure.layout.yaxis.autorange != "reversed"
