"""The list of concepts, on which every split rests."""

from collections import Counter

import pytest

from lab.images.concepts import STYLES, concept_of, concepts


def test_words_and_codes_are_unique_and_words_have_at_most_three_parts():
    words = [concept.word for concept in concepts()]
    assert len(set(words)) == len({concept.code for concept in concepts()}) == 160
    assert max(len(word.split()) for word in words) <= 3


def test_every_group_gives_held_out_concepts():
    held_out = Counter(concept.group for concept in concepts() if concept.is_held_out)
    assert sum(held_out.values()) == 24
    assert held_out.keys() == {"animals", "food", "places", "things", "plants"}


def test_held_out_concepts_were_seen_in_all_styles():
    assert {concept.unseen_style for concept in concepts() if concept.is_held_out} == {""}


def test_unseen_styles_are_styles_and_each_is_unseen_for_some_concept():
    assert {concept.unseen_style for concept in concepts()} == {"", *STYLES}


def test_a_concept_is_found_by_its_word():
    assert concept_of("christmas tree").code == "1f384"


@pytest.mark.parametrize("wrong", ["foxx", "Fox", "", "🦊"])
def test_an_unknown_word_is_answered_with_the_nearest(wrong):
    with pytest.raises(ValueError, match=f"no concept is called {wrong!r}; the nearest is '"):
        concept_of(wrong)


def test_the_nearest_word_is_near():
    with pytest.raises(ValueError, match="nearest is 'fox'"):
        concept_of("foxx")
