from collections import Counter

import pytest
import torch
from torch import nn

from lab.worlds.core.learner import new_body
from lab.worlds.core.ngram import NGRAM_PLACES, NGramBody, followers, uniform
from lab.worlds.core.transformer import TransformerConfig
from lab.worlds.exact.ngrams import WEIGHT, distance, ngram_scores, ngrams, of_symbols

INPUTS = torch.randint(4, (3, 20), generator=torch.Generator().manual_seed(0))
INPUTS[:, 0] = 3


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_followers_are_what_came_after_the_same_tokens(order):
    found = followers(INPUTS, order)
    for row, tokens in enumerate(INPUTS.tolist()):
        for query in range(20):
            last = tokens[query - order + 2 : query + 1]
            for key in range(20):
                is_there = 1 <= key <= query and key >= order - 1 and query >= order - 2
                is_same = is_there and tokens[key - order + 1 : key] == last
                assert found[row, query, key] == is_same, (order, query, key)


def test_attention_is_even_over_what_is_seen_and_nothing_where_there_is_nothing():
    pattern = uniform(followers(INPUTS, 2))
    sums = pattern.sum(2)
    assert ((sums - 1).abs().lt(1e-6) | (sums == 0)).all()
    assert pattern.triu(1).abs().max() == 0 and sums[:, 0].max() == 0


def test_ngrams_count_and_back_off():
    found = ngrams(INPUTS, 3)
    tokens = INPUTS[0].tolist()
    for place in (0, 1, 7, 19):
        expected = torch.full((4,), 0.25)
        for order in (1, 2, 3, 4):
            last = tuple(tokens[place + 2 - order : place + 1]) if place + 2 >= order else None
            counts = Counter(
                tokens[key]
                for key in range(max(1, order - 1), place + 1)
                if last is not None and tuple(tokens[key - order + 1 : key]) == last
            )
            counted = torch.tensor([float(counts[token]) for token in range(4)])
            expected = (counted + WEIGHT * expected) / (counted.sum() + WEIGHT)
            assert torch.allclose(found[order][0, place], expected, atol=1e-6)


def test_of_a_cycle_the_2_gram_knows_what_comes_next_and_the_1_gram_does_not():
    inputs = torch.tensor([[3, *[0, 1, 2] * 12]])
    found = ngrams(inputs, 3)
    assert found[2][0, -1, 0] > 0.9
    assert found[1][0, -1, 0].item() == pytest.approx(1 / 3, abs=0.01)


def test_distances_are_from_0_to_1():
    assert distance(torch.tensor([0.5, 0.5, 0.0]), torch.tensor([0.0, 0.0, 1.0])) == 1
    assert distance(torch.tensor([0.5, 0.5]), torch.tensor([0.75, 0.25])) == 0.25
    assert torch.allclose(of_symbols(torch.tensor([0.3, 0.1, 0.6])), torch.tensor([0.75, 0.25]))


@pytest.mark.parametrize("order", [2, 3])
def test_a_perfect_ngram_head_has_the_score_1(order):
    tokens = INPUTS
    pattern = torch.stack([uniform(followers(tokens, order)), torch.zeros(3, 20, 20)], 1)
    assert ngram_scores(pattern, tokens, order).tolist() == pytest.approx([1.0, 0.0])


@pytest.fixture(params=[True, False], ids=["recurrent", "transformer"])
def body(request) -> NGramBody:
    torch.manual_seed(0)
    config = TransformerConfig(16, 2, 2, d_mlp=8, max_length=20)
    return NGramBody(new_body(config, is_recurrent=request.param), 16)


def test_heads_that_are_silenced_leave_the_body_as_it_is_alone(body):
    x = torch.randn(3, 20, 16)
    quiet = body(x, {"ngrams.hook_out": torch.zeros_like}, tokens=INPUTS)
    assert torch.equal(quiet, body.body(x))
    assert not torch.allclose(quiet, body(x, tokens=INPUTS))


def test_its_places_come_before_those_of_the_body(body):
    cache = {}
    body(torch.randn(3, 20, 16), cache=cache, tokens=INPUTS)
    assert list(cache) == body.hook_names == [*(each.name for each in NGRAM_PLACES), *body.body.hook_names]
    assert cache["ngrams.hook_pattern"].shape == (3, 3, 20, 20)
    with pytest.raises(ValueError, match=r"nearest is 'ngrams\.hook_pattern'"):
        body(torch.randn(3, 20, 16), {"ngrams.pattern": nn.Identity()}, tokens=INPUTS)


def test_a_hook_of_the_body_reaches_it(body):
    x = torch.randn(3, 20, 16)
    changed = body(x, {"blocks.1.hook_resid_post": torch.zeros_like}, tokens=INPUTS)
    assert changed.std(1).max() < 1e-6


def test_its_heads_see_nothing_that_comes_later(body):
    x = torch.randn(3, 20, 16)
    other, moved = INPUTS.clone(), x.clone()
    other[:, 12:], moved[:, 12:] = 0, 0.0
    assert torch.allclose(body(x, tokens=INPUTS)[:, :12], body(moved, tokens=other)[:, :12], atol=1e-6)
