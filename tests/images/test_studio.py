"""Candidates, previews and their ranking, on a small random model."""

import numpy as np
import pytest
from tiny_flux import tiny_model

from lab.images.grid import PAIR, ROW, SINGLE
from lab.images.model import ImageModel
from lab.images.probe import Reading
from lab.images.sampler import Settings
from lab.images.studio import Order, drawing, match, mentioned, wanted

TEXTS = ("fox, outline style", "the same thing, flat style")


@pytest.fixture(scope="module")
def model() -> ImageModel:
    return tiny_model()


def reading_of(places: list[int]) -> Reading:
    n = len(places)
    similarity = np.zeros((n, 160))
    similarity[range(n), places] = 1.0
    return Reading(similarity, np.zeros((n, 5)), np.zeros(n), np.zeros((n, 8)))


def test_previews_come_before_the_pictures_and_both_have_every_candidate(model):
    seen = list(drawing(model, Order(PAIR, TEXTS, n_candidates=2, seed=5, settings=Settings(6))))
    assert [each.step for each in seen] == [4, 6]
    assert seen[-1].is_done and seen[-1].seeds == (5, 6)
    assert all(each.panels.shape == (2, 2, 64, 64, 3) for each in seen)


def test_a_candidate_is_what_its_seed_draws_alone(model):
    *_, both = drawing(model, Order(PAIR, TEXTS, n_candidates=2, seed=5, settings=Settings(2)))
    *_, alone = drawing(model, Order(PAIR, TEXTS, seed=6, settings=Settings(2)))
    assert np.abs(both.panels[1].astype(int) - alone.panels[0]).max() <= 1


def test_what_is_given_shows_in_its_panel(model):
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    *_, drawn = drawing(model, Order(PAIR, TEXTS, settings=Settings(2), given={0: picture}))
    other = Order(PAIR, TEXTS, settings=Settings(2), given={0: 255 - picture})
    *_, changed = drawing(model, other)
    assert not np.array_equal(drawn.panels[0, 0], changed.panels[0, 0])


def test_an_unusable_caption_is_refused_with_its_reason(model):
    with pytest.raises(ValueError, match="shorten it"):
        next(drawing(model, Order(SINGLE, ("fox " * 40,))))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_candidates": 9}, "n_candidates must be 1 to 8"),
        ({"seed": -1}, "seed must be"),
        ({"given": {0: np.zeros(1), 1: np.zeros(1)}}, "none is left to draw"),
    ],
)
def test_an_order_that_cannot_be_drawn_says_why(arguments, message):
    with pytest.raises(ValueError, match=message):
        Order(PAIR, TEXTS, **arguments)


def test_concepts_are_read_from_texts():
    assert mentioned("a small pine tree, flat style") == "pine tree"
    assert mentioned("[LEFT] the Fire Engine") == "fire engine"
    assert mentioned("something else") is None
    assert wanted(TEXTS) == ["fox", "fox"]
    assert wanted(["nothing", "owl", "the same thing"]) == [None, "owl", None]


def test_the_match_counts_only_panels_whose_concept_is_named():
    from lab.images.concepts import concepts

    fox = [each.word for each in concepts()].index("fox")
    assert match(reading_of([fox, fox]), TEXTS) == 1.0
    assert match(reading_of([fox, (fox + 1) % 160]), TEXTS) == 0.5
    assert match(reading_of([0, 0, 0]), ["", "", ""]) == 0.0
    assert ROW.n_panels == 3
