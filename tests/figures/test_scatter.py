import pytest

from lab.figures import scatter_plot


def test_groups_have_marks_of_their_own_and_names_on_hover():
    figure = scatter_plot(
        {"noun": [(0, 1), (2, 3)], "adjective": [(4, 5)]}, "found", "x", "y", {"noun": ["n1", "n2"]}
    )
    first, second = figure.data
    assert (list(first.x), list(first.y), list(first.text)) == ([0, 2], [1, 3], ["n1", "n2"])
    assert first.marker.symbol != second.marker.symbol and first.marker.color != second.marker.color
    assert second.text is None and figure.layout.title.text == "found"


def test_arrows_go_out_from_the_origin_in_one_scale():
    figure = scatter_plot({}, "found", "x", "y", {"up": ["prompt 1", "prompt 2"]}, {"up": [(1, 2), (3, 4)]})
    (drawn,) = figure.data
    assert list(drawn.x) == [0, 1, None, 0, 3, None] and list(drawn.y) == [0, 2, None, 0, 4, None]
    assert list(drawn.marker.size) == [0, 14, 0, 0, 14, 0] and drawn.text[1] == "prompt 1"
    assert figure.layout.yaxis.scaleanchor == "x"


def test_what_is_compared_with_is_a_line_and_text_is_no_markup():
    figure = scatter_plot({"<b>a</b>": [(0, 0)]}, "found", "x", "y", lines={"same": [(0, 0), (1, 1)]})
    dots, line = figure.data
    assert "<b>" not in dots.name and line.mode == "lines" and list(line.x) == [0, 1]


def test_a_group_without_members_is_drawn_empty():
    assert len(scatter_plot({"none": []}, "found", "x", "y").data[0].x) == 0
    with pytest.raises(ValueError):
        scatter_plot({}, "found", "x", "y", lines={"nothing": []})
