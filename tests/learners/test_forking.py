"""Forked caches: what they share, what they leave alone, and which models have none."""

import pytest
import torch
from tiny_models import tiny_network

from lab.learners.forking import bytes_per_token, can_fork, can_pad, fork, new_cache


def encoded(model, tokens):
    cache = new_cache(model)
    model(input_ids=torch.tensor([tokens]), cache=cache, use_cache=True)
    return cache


@pytest.mark.parametrize(
    ("kind", "forks", "pads"),
    [
        ("llama", True, True),
        ("qwen3", True, True),
        ("gpt2", True, True),
        ("neox", True, True),
        ("gemma3", True, False),  # a sliding window counts places
        ("mistral", True, False),
        ("gpt_neo", True, False),  # so does its local attention, which its cache does not tell
        ("mpt", True, False),  # a bias by distance, and no position_ids
        ("mamba", False, False),
        ("rwkv", False, False),  # takes no cache, and would ignore one without a word
        ("qwen3_next", False, False),
    ],
)
def test_which_models_fork_and_which_pad(kind, forks, pads):
    model = tiny_network(kind)
    assert (can_fork(model), can_pad(model)) == (forks, pads)


@pytest.mark.parametrize("kind", ["llama", "gemma3"])
def test_a_fork_takes_no_memory_and_leaves_the_original_as_it_is(kind):
    model = tiny_network(kind)
    cache = encoded(model, range(10, 60))
    before = [(layer.keys.clone(), layer.values.clone(), layer.get_seq_length()) for layer in cache.layers]
    forked = fork(cache, 5, keep=True)
    for layer, original in zip(forked.layers, cache.layers, strict=True):
        assert layer.keys.shape[0] == 5
        assert layer.keys.data_ptr() == original.keys.data_ptr()
    model(input_ids=torch.tensor([[1, 2, 3]] * 5), cache=forked, use_cache=True)
    assert forked.get_seq_length() == 53
    for layer, (keys, values, length) in zip(cache.layers, before, strict=True):
        assert layer.get_seq_length() == length == 50
        assert torch.equal(layer.keys, keys) and torch.equal(layer.values, values)


@pytest.mark.parametrize("tokens", [(), tuple(range(10, 60))])
def test_a_fork_that_keeps_nothing_answers_like_one_that_keeps(tokens):
    model = tiny_network("llama")
    cache = encoded(model, tokens) if tokens else new_cache(model)
    ids = torch.tensor([[1, 2, 3], [4, 5, 6]])
    kept = model(input_ids=ids, cache=fork(cache, 2, keep=True), use_cache=True).logits
    forgetful = fork(cache, 2, keep=False)
    assert torch.equal(model(input_ids=ids, cache=forgetful, use_cache=True).logits, kept)
    assert forgetful.get_seq_length() == len(tokens)


@pytest.mark.parametrize("kind", ["llama", "qwen3", "gpt2", "neox"])
def test_bytes_per_token_is_what_a_cache_takes(kind):
    model = tiny_network(kind)
    cache = encoded(model, range(10, 30))
    n_bytes = sum(t.numel() * t.element_size() for layer in cache.layers for t in (layer.keys, layer.values))
    assert bytes_per_token(model) * 20 == n_bytes
