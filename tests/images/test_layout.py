"""Arrangements of panels: their ids, captions, and the way back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.images.grid import PAIR, ROW, SQUARE
from lab.images.layout import CHANGES, PanelLayout, default_layouts, parse_layout
from lab.images.sets import ImageSet


def a_set(markers=None) -> ImageSet:
    pixels = np.stack([np.full((64, 64, 3), value, np.uint8) for value in (10, 20, 30)])
    return ImageSet(ROW, pixels, ("one", "two", "three"), "three pictures", markers, (None,) * 3, "a set")


layouts = st.builds(PanelLayout, st.permutations(range(4)).map(tuple), st.sampled_from(["", *CHANGES]))


@given(layouts)
def test_an_id_is_read_back(layout):
    assert parse_layout(layout.id, 4) == layout


@given(layouts)
def test_back_undoes_arranged(layout):
    things = np.array([10, 20, 30, 40])
    assert list(layout.back(np.array(layout.arranged(list(things))))) == list(things)


def test_markers_follow_the_places_and_texts_the_panels():
    assert (
        PanelLayout((2, 0, 1)).caption(a_set()) == "three pictures: [LEFT] three; [MIDDLE] one; [RIGHT] two"
    )


def test_named_markers_stay_with_their_panels():
    scenes = ("[SCENE-1]", "[SCENE-2]", "[SCENE-3]")
    told = PanelLayout((1, 0, 2)).caption(a_set(scenes))
    assert told == "three pictures: [SCENE-2] two; [SCENE-1] one; [SCENE-3] three"


def test_retold_changes_the_telling_and_not_the_places():
    told = PanelLayout((0, 1, 2), "retold").caption(a_set())
    assert told == "three pictures: [RIGHT] three; [MIDDLE] two; [LEFT] one"


def test_the_default_layouts_show_every_change_once():
    assert default_layouts(PAIR) == ("1-2", "2-1", "1-2+retold", "1-2+alone", "1-2+panel-ids")
    assert "2-3-4-1" in default_layouts(SQUARE)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("left", "written like 1-2"),
        ("1-2-3", "2 panels"),
        ("1-1", "every panel once"),
        ("1-3", "every panel once"),
        ("1-2+sideways", "change must be one of"),
    ],
)
def test_what_is_no_layout_says_what_one_looks_like(text, message):
    with pytest.raises(ValueError, match=message):
        parse_layout(text, 2)
