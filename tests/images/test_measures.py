"""Figures of panels and sets, against hand calculations."""

import numpy as np
import pandas as pd
import pytest

from lab.images.concepts import STYLES, concepts
from lab.images.measures import (
    binding_at_flip,
    cohesion,
    edge_iou,
    edges,
    nearest_distance,
    panel_table,
    psnr,
    set_table,
)
from lab.images.probe import Reading

ANIMALS = [concept.word for concept in concepts() if concept.group == "animals"]
FOOD = [concept.word for concept in concepts() if concept.group == "food"]


def reading_of(rankings: list[list[str]], styles: list[str], p_empty: list[float] | None = None) -> Reading:
    """Make a reading that ranks these words first, then all others."""
    places = {concept.word: place for place, concept in enumerate(concepts())}
    similarity = np.full((len(rankings), len(places)), -0.5)
    logp_style = np.full((len(rankings), len(STYLES)), np.log(0.1))
    for row, words in enumerate(rankings):
        for rank, word in enumerate(words):
            similarity[row, places[word]] = 0.9 - rank / 100
        logp_style[row, STYLES.index(styles[row])] = np.log(0.6)
    empty = np.zeros(len(rankings)) if p_empty is None else np.array(p_empty)
    return Reading(similarity, logp_style, empty, np.eye(len(rankings)))


def test_a_panel_is_right_where_identity_and_style_are():
    fox, owl, cat = ANIMALS[:3]
    apple = FOOD[0]
    reading = reading_of(
        [[fox], [owl, fox], [apple, *FOOD[1:6], fox], [apple, fox, cat], [fox]],
        ["flat", "flat", "flat", "3d", "outline"],
        [0, 0, 0, 0, 0.9],
    )
    table = panel_table(reading, [fox] * 5, ["flat", "flat", "flat", "flat", "outline"])
    assert table["is_identity"].tolist() == [True, False, False, False, False]
    assert table["is_among_5"].tolist() == [True, True, False, True, False]  # the third ranks it seventh
    assert table["is_within_group"].tolist() == [True, False, True, True, False]  # an apple is no animal
    assert table["is_style"].tolist() == [True, True, True, False, False]
    assert table["is_right"].tolist() == [True, False, False, False, False]
    assert table["is_empty"].tolist() == [False] * 4 + [True]
    assert table["read_word"].tolist() == [fox, owl, apple, apple, fox]
    assert table["set_id"].tolist() == [0, 1, 2, 3, 4]


def test_reading_and_truth_must_pair_up_and_be_known():
    reading = reading_of([["fox"]], ["flat"])
    with pytest.raises(ValueError, match="1 panels need as many words and styles, got 2, 1"):
        panel_table(reading, ["fox", "fox"], ["flat"])
    with pytest.raises(ValueError, match="no concept is called 'foks'"):
        panel_table(reading, ["foks"], ["flat"])


def test_a_set_succeeds_only_if_every_panel_is_right():
    a, b = ANIMALS[:2]
    read = [a, a, b, b, a, b, a, a]
    styles = ["flat", "3d", "flat", "3d", "flat", "3d", "flat", "flat"]
    p_empty = [0, 0, 0, 0, 0, 0, 0, 0.8]
    panels = panel_table(
        reading_of([[word] for word in read], styles, p_empty),
        [a] * 8,
        ["flat", "3d"] * 4,
        ["x", "x", "y", "y", "z", "z", "e", "e"],
    )
    table = set_table(panels)
    assert table.index.tolist() == ["x", "y", "z", "e"]
    assert table["n_panels"].tolist() == [2, 2, 2, 2]
    assert table["is_success"].tolist() == [True, False, False, False]
    assert table["is_one_identity"].tolist() == [True, True, False, False]  # y: one identity, a wrong one
    assert table["is_one_style"].tolist() == [False, False, False, False]


def test_cohesion_equals_the_mean_over_pairs():
    random = np.random.default_rng(0)
    vectors = random.standard_normal((7, 5))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = np.array(["b", "b", "a", "a", "a", "c", "c"])
    found = cohesion(vectors, ids)
    for place, name in enumerate(["b", "a", "c"]):
        own, others = vectors[ids == name], vectors[ids != name]
        pairs = [own[i] @ own[j] for i in range(len(own)) for j in range(i)]
        assert found.within[place] == pytest.approx(np.mean(pairs))
        assert found.across[place] == pytest.approx(np.mean(own @ others.T))
    np.testing.assert_allclose(found.difference, found.within - found.across)


def test_one_picture_everywhere_has_no_cohesion():
    same = np.tile([0.6, 0.8], (6, 1))
    np.testing.assert_allclose(cohesion(same, [0, 0, 1, 1, 2, 2]).difference, 0, atol=1e-12)
    apart = np.repeat(np.eye(3), 2, axis=0)
    np.testing.assert_allclose(cohesion(apart, [0, 0, 1, 1, 2, 2]).difference, 1)


@pytest.mark.parametrize("ids", [[0, 0, 0, 0], [0, 0, 0, 1]])
def test_cohesion_needs_two_sets_of_two_panels(ids):
    with pytest.raises(ValueError, match="two sets or more"):
        cohesion(np.eye(4), ids)


def test_binding_holds_where_outputs_swap_with_their_texts():
    before = np.array([["fox", "owl"], ["fox", "owl"], ["fox", "fox"], ["fox", "owl"]])
    after = np.array([["owl", "fox"], ["fox", "owl"], ["fox", "fox"], ["owl", "cat"]])
    assert binding_at_flip(before, after).tolist() == [True, False, False, False]


def test_binding_follows_any_order():
    before = np.array([[1, 2, 3]])
    assert binding_at_flip(before, np.array([[3, 1, 2]]), order=(2, 0, 1)).all()
    assert not binding_at_flip(before, np.array([[3, 1, 2]]), order=(1, 2, 0)).any()
    with pytest.raises(ValueError, match="must permute 3 panels and move some"):
        binding_at_flip(before, before, order=(0, 1, 2))
    with pytest.raises(ValueError, match="n_sets, n_panels"):
        binding_at_flip(before, before[0])


def test_psnr_of_a_constant_error_is_its_closed_form():
    truth = np.full((2, 4, 4, 3), 100, np.uint8)
    drawn = truth.copy()
    drawn[1] += 5
    assert psnr(drawn, truth)[0] == np.inf
    assert psnr(drawn, truth)[1] == pytest.approx(20 * np.log10(255 / 5))
    with pytest.raises(ValueError, match="pair up"):
        psnr(drawn, truth[:1])


def square(left: int, colour=(0, 0, 0), side: int = 32) -> np.ndarray:
    picture = np.full((1, side, side, 3), 255, np.uint8)
    picture[:, 8:20, left : left + 12] = colour
    return picture


def test_edges_lie_along_a_step_and_nowhere_else():
    step = np.zeros((1, 6, 6, 3), np.uint8)
    step[:, :, 3:] = 255
    assert edges(step)[0].tolist() == [[False, False, True, True, False, False]] * 6
    ramp = np.broadcast_to(np.arange(0, 60, 10, dtype=np.uint8)[None, None, :, None], (1, 6, 6, 3))
    assert not edges(ramp).any()  # Sobel's gradient is 80 inside: 10 a pixel, weights 8


def test_edges_agree_whatever_the_colours():
    assert edge_iou(square(8), square(8, (200, 20, 20)))[0] == 1
    assert edge_iou(square(8), square(8))[0] == 1
    blank = np.full((1, 32, 32, 3), 255, np.uint8)
    assert edge_iou(blank, blank)[0] == 1
    assert edge_iou(square(8), blank)[0] == 0


def test_edges_agree_less_the_further_a_drawing_moves():
    moved = [edge_iou(square(8), square(8 + by))[0] for by in (0, 1, 2, 4)]
    assert moved == sorted(moved, reverse=True) and len(set(moved)) == 4


def test_a_step_moved_by_one_pixel_shares_three_columns_of_five():
    first, second = np.zeros((2, 1, 6, 9, 3), np.uint8)
    first[:, :, 4:] = second[:, :, 5:] = 255
    # edges two pixels wide, widened to four, one column apart: 3 shared of 5
    assert edge_iou(first, second)[0] == pytest.approx(3 / 5)


def test_the_nearest_training_canvas_is_found_and_a_copy_has_distance_zero():
    random = np.random.default_rng(0)
    known = random.integers(0, 256, (5, 4, 8, 3), dtype=np.uint8)
    asked = np.stack([known[3], np.clip(known[1].astype(int) + 7, 0, 255).astype(np.uint8)])
    found = nearest_distance(asked, known)
    assert found.place.tolist() == [3, 1]
    assert found.distance[0] == 0
    naive = np.sqrt(((asked[1].astype(float) - known[1]) ** 2).mean())
    assert found.distance[1] == pytest.approx(naive, rel=1e-6)
    with pytest.raises(ValueError, match="no canvas like"):
        nearest_distance(asked, known[:0])


def test_tables_of_no_panels_are_empty():
    none = Reading(np.zeros((0, 160)), np.zeros((0, 5)), np.zeros(0), np.zeros((0, 8)))
    table = panel_table(none, [], [])
    assert isinstance(table, pd.DataFrame) and len(table) == 0 and len(set_table(table)) == 0
