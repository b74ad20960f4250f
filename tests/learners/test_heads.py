import numpy as np
import pytest
import torch

from lab.learners.heads import circuits, head_scores
from lab.stats.heads import copy_scores
from tests.tiny_models import tiny_lm


def test_every_head_has_three_scores_and_the_kernels_are_as_before():
    lm = tiny_lm()
    before = lm.model.config._attn_implementation
    scores = head_scores(lm)
    config = lm.model.config
    for values in scores:
        assert values.shape == (config.num_hidden_layers, config.num_attention_heads)
    assert ((scores.previous_token >= 0) & (scores.previous_token <= 1)).all()
    assert ((scores.copy >= -1) & (scores.copy <= 1)).all()
    assert lm.model.config._attn_implementation == before
    assert np.array_equal(head_scores(lm).induction, scores.induction)


def test_an_untrained_model_attends_nearly_evenly():
    scores = head_scores(tiny_lm())
    assert scores.induction.max() < 0.1
    assert scores.previous_token.max() < 0.2


def test_the_small_circuits_have_the_eigenvalues_of_token_in_to_logit_out():
    lm = tiny_lm()
    body = lm.model.model
    layer, head = body.layers[0], 1
    n_heads = lm.model.config.num_attention_heads
    d_head = layer.self_attn.o_proj.weight.shape[1] // n_heads
    group = head // (n_heads // lm.model.config.num_key_value_heads)
    v = layer.self_attn.v_proj.weight[group * d_head : (group + 1) * d_head]
    o = layer.self_attn.o_proj.weight[:, head * d_head : (head + 1) * d_head]
    embedding, out = lm.model.get_input_embeddings().weight, lm.model.get_output_embeddings().weight
    whole = (out * body.norm.weight) @ o @ v @ (embedding * layer.input_layernorm.weight).T
    values = torch.linalg.eigvals(whole.double())
    expected = values.real.sum() / values.abs().sum()
    assert copy_scores(circuits(lm)[0])[head] == pytest.approx(expected.item(), abs=1e-4)


def test_a_model_without_attention_is_refused():
    with pytest.raises(ValueError, match="choose a transformer"):
        head_scores(tiny_lm("mamba"))
