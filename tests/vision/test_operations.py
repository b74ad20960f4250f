"""Operations on pictures of shapes: exact answers, and pairs that speak for one operation."""

from dataclasses import replace

import numpy as np
import pytest

from lab.vision.operations import (
    Palette,
    find_operation,
    fitting_view,
    operations,
    random_palette,
    telling_view,
)
from lab.vision.shapes import COLOURS, SHAPES, SIDE, Thing, View, random_view

PALETTE = Palette((255, 0, 0), (0, 0, 255))
THINGS = (
    Thing("star", "red", "plain", 16, 16, 22, 0),
    Thing("circle", "red", "stripes", 48, 16, 14, 0),
    Thing("square", "blue", "plain", 16, 48, 14, 0),
)
VIEW = View(THINGS, (240, 240, 240))


def painted(operation_id: str, view: View = VIEW) -> set[int]:
    """Return which things an operation paints."""
    _, output = find_operation(operation_id).pair(view, PALETTE, np.random.default_rng(0))
    is_found = (output == PALETTE.found).all(axis=-1)
    assert (is_found | (output == PALETTE.rest).all(axis=-1)).all()
    return set(view.marks()[is_found].tolist())


@pytest.mark.parametrize(
    ("operation_id", "places"),
    [
        ("colour-red", {0, 1}), ("shape-square", {2}), ("texture-stripes", {1}), ("largest", {0}),
        ("red-star", {0}), ("leftmost", {0}),
    ],
)  # fmt: skip
def test_what_is_meant_is_painted_and_nothing_else(operation_id, places):
    assert painted(operation_id) == places


def test_the_one_that_stands_alone_needs_others_that_share_a_shape():
    alone = find_operation("odd-shape")
    assert not alone.fits(VIEW)  # three shapes, none of them shared
    two_stars = replace(VIEW, things=(THINGS[0], replace(THINGS[1], shape="star"), THINGS[2]))
    assert painted("odd-shape", two_stars) == {2}


@pytest.mark.parametrize("name", ["mirror", "flip", "invert", "swap"])
def test_changes_that_undo_themselves_do(name):
    change = find_operation(name).change
    picture = VIEW.picture()
    assert not np.array_equal(change(picture), picture)
    assert np.array_equal(change(change(picture)), picture)


def test_four_quarter_turns_change_nothing_and_edges_are_where_things_end():
    picture = VIEW.picture()
    turned = picture
    for _ in range(4):
        turned = find_operation("turn").change(turned)
    assert np.array_equal(turned, picture)
    edges = find_operation("edges").change(picture)[..., 0]
    assert edges[16, 16] == 0 and edges[60, 60] == 0  # within a plain thing, and on the ground
    assert edges.max() > 200


def test_what_restores_gets_a_spoilt_input_and_the_clean_picture_as_its_answer():
    for name in ("denoise", "fill"):
        spoilt, clean = find_operation(name).pair(VIEW, PALETTE, np.random.default_rng(0))
        assert np.array_equal(clean, VIEW.picture()) and not np.array_equal(spoilt, clean)
    is_hole = (spoilt == 128).all(axis=-1)
    assert is_hole.sum() >= 18 * 18 and np.array_equal(spoilt[~is_hole], clean[~is_hole])


@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.id)
def test_every_operation_finds_views_and_answers_in_the_right_form(operation):
    random = np.random.default_rng(0)
    for draw in (telling_view, fitting_view):
        view = draw(operation, random)
        assert operation.fits(view)
        for picture in operation.pair(view, random_palette(random), random):
            assert picture.shape == (SIDE, SIDE, 3) and picture.dtype == np.uint8


@pytest.mark.parametrize("operation_id", ["shape-star", "colour-red", "texture-dots", "red-star", "largest"])
def test_a_telling_view_speaks_for_few_other_operations(operation_id):
    random = np.random.default_rng(1)
    operation = find_operation(operation_id)
    rivals = [each for each in operations() if each.find and each.id != operation_id and "-" in each.id]
    doubts = {"telling": 0, "fitting": 0}
    for name, draw in (("telling", telling_view), ("fitting", fitting_view)):
        for _ in range(40):
            view = draw(operation, random)
            meant = sorted(operation.find(view))
            doubts[name] += sum(sorted(each.find(view)) == meant for each in rivals)
    assert doubts["telling"] < 0.6 * doubts["fitting"]


def test_held_out_combinations_are_made_of_parts_that_training_shows():
    seen = {each.id for each in operations() if not each.is_held_out}
    held_out = [each for each in operations() if each.is_held_out]
    assert len(held_out) == 16 and len(operations()) == 71
    for each in held_out:
        first, second = each.id.split("-")
        if each.kind == "segment":
            assert {f"colour-{first}", f"shape-{second}"} <= seen
        else:
            assert {first, second} <= seen
    combined = [each.id for each in held_out if each.kind == "segment"]
    assert {name.split("-")[0] for name in combined} == set(COLOURS)
    assert {name.split("-")[1] for name in combined} == set(SHAPES)


def test_things_do_not_overlap_and_stay_inside():
    random = np.random.default_rng(0)
    for _ in range(20):
        view = random_view(random)
        marks = view.marks()
        for place, thing in enumerate(view.things):
            alone = (View((thing,), view.ground).marks() == 0).sum()
            assert (marks == place).sum() == alone
        rim = np.concatenate([marks[0], marks[-1], marks[:, 0], marks[:, -1]])
        assert (rim == -1).all()


def test_an_unknown_operation_is_named():
    with pytest.raises(ValueError, match="no operation is called 'magic'"):
        find_operation("magic")
