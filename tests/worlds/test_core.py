import math
from pathlib import Path

import pytest
import torch
from torch import nn

from lab.worlds.core.attention import _rotated, _turns
from lab.worlds.core.hooks import PLACES, Taps, named
from lab.worlds.core.learner import Learner, new_body
from lab.worlds.core.merged import MergedAttention
from lab.worlds.core.recurrent import Recurrent, width_for
from lab.worlds.core.transformer import Transformer, TransformerConfig

FULL = TransformerConfig(d_model=16, n_layers=2, n_heads=2, d_mlp=24, max_length=12)


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(3, 7, 16, generator=torch.Generator().manual_seed(0))


def seeded(config: TransformerConfig) -> Transformer:
    torch.manual_seed(0)
    return Transformer(config).eval()


def test_it_computes_what_pytorchs_own_encoder_does(x):
    ours = seeded(TransformerConfig(16, 2, 2, d_mlp=24, positions="none"))
    layer = nn.TransformerEncoderLayer(16, 2, 24, 0.0, "gelu", batch_first=True, norm_first=True)
    theirs = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(16), enable_nested_tensor=False).eval()
    for block, other in zip(ours.blocks, theirs.layers, strict=True):
        pairs = [
            (other.self_attn.in_proj_weight, block.attn.qkv.weight),
            (other.self_attn.out_proj.weight, block.attn.out.weight),
            (other.linear1.weight, block.mlp.enter.weight),
            (other.linear1.bias, block.mlp.enter.bias),
            (other.linear2.weight, block.mlp.leave.weight),
            (other.linear2.bias, block.mlp.leave.bias),
        ]
        for to, value in pairs:
            to.data.copy_(value)
        other.self_attn.in_proj_bias.data.zero_()
        other.self_attn.out_proj.bias.data.zero_()
    mask = nn.Transformer.generate_square_subsequent_mask(7)
    assert torch.allclose(ours(x), theirs(x, mask=mask, is_causal=True), atol=1e-5)


@pytest.mark.parametrize("heads", [1, 2])
@pytest.mark.parametrize("is_linear", [True, False])
@pytest.mark.parametrize("is_causal", [True, False])
def test_looking_at_everything_changes_nothing(x, heads, is_linear, is_causal):
    config = TransformerConfig(16, 2, heads, d_mlp=8, is_linear=is_linear, is_causal=is_causal, momentum=0.3)
    model, cache = seeded(config), {}
    plain = model(x)
    watched = model(x, {name: lambda value: value for name in model.hook_names}, cache)
    assert torch.allclose(plain, watched, atol=1e-5)
    assert list(cache) == model.hook_names


@pytest.mark.parametrize("at", [slice(-1, None), slice(None, None, 2), slice(3, 5)])
@pytest.mark.parametrize("positions", ["rotary", "learned"])
@pytest.mark.parametrize("is_linear", [True, False])
@pytest.mark.parametrize("is_causal", [True, False])
def test_what_is_read_alone_is_what_all_positions_give(x, at, positions, is_linear, is_causal):
    model = seeded(
        TransformerConfig(16, 2, 2, 8, positions, is_linear=is_linear, is_causal=is_causal, momentum=0.3)
    )
    parameters = list(model.parameters())
    alone, among = model(x, at=at), model(x)[:, at]
    assert torch.allclose(alone, among, atol=1e-5)
    gradients = [torch.autograd.grad(each.square().sum(), parameters) for each in (alone, among)]
    for mine, theirs in zip(*gradients, strict=True):
        assert torch.allclose(mine, theirs, atol=1e-3, rtol=1e-4)


def test_who_watches_the_last_block_sees_all_positions_of_it(x):
    model, cache = seeded(FULL), {}
    watched = model(x, cache=cache, at=slice(-1, None))
    assert cache["blocks.1.attn.hook_pattern"].shape == (3, 2, 7, 7)
    assert cache["ln_final.hook_normalized"].shape == (3, 7, 16)
    assert torch.allclose(watched, model(x)[:, -1:], atol=1e-5)
    silent = {"blocks.1.hook_attn_out": torch.zeros_like}
    assert torch.allclose(model(x, silent, at=slice(-1, None)), model(x, silent)[:, -1:], atol=1e-5)


def test_the_gradient_of_a_rotation_is_that_of_finite_differences():
    x = torch.randn(2, 3, 8, dtype=torch.float64, requires_grad=True)
    turns = tuple(each.double() for each in _turns(3, 8))
    assert torch.autograd.gradcheck(lambda value: _rotated(value, turns, slice(3)), x)
    assert torch.autograd.gradgradcheck(lambda value: _rotated(value, turns, slice(3)), x)


def test_the_table_of_places_is_the_list_of_what_a_pass_computes(x):
    model, cache = seeded(FULL), {}
    model(x, cache=cache)
    sizes = {"batch": 3, "pos": 7, "d_model": 16, "head": 2, "d_head": 8, "query": 7, "key": 7, "d_mlp": 24}
    for place in PLACES:
        for layer in range(2):
            shape = tuple(sizes[axis] for axis in place.axes.split())
            assert cache[place.name.format(layer=layer)].shape == shape
    assert list(cache) == named(PLACES, 2)


def test_without_an_mlp_its_places_are_missing():
    names = seeded(TransformerConfig(16, 1, 2)).hook_names
    assert not [name for name in names if "mlp" in name or "mid" in name]


def test_an_unknown_hook_names_the_nearest_one(x):
    with pytest.raises(ValueError, match=r"nearest is 'blocks\.1\.attn\.hook_pattern'"):
        seeded(FULL)(x, {"blocks.1.attn.pattern": lambda value: value})


def test_a_hook_that_returns_another_shape_is_refused(x):
    with pytest.raises(ValueError, match=r"hook_embed has the shape \(3, 7, 16\)"):
        seeded(FULL)(x, {"hook_embed": lambda value: value[:, 1:]})


def test_gradients_flow_through_a_hook(x):
    model = seeded(FULL)
    model(x, {"blocks.0.hook_resid_post": lambda value: 0 * value}).sum().backward()
    assert model.blocks[0].attn.qkv.weight.grad.abs().max() == 0
    assert model.blocks[1].attn.qkv.weight.grad is not None


def test_a_causal_model_does_not_see_what_comes_later(x):
    model = seeded(FULL)
    changed = x.clone()
    changed[:, 4:] = 0
    assert torch.allclose(model(x)[:, :4], model(changed)[:, :4], atol=1e-6)
    assert not torch.allclose(model(x)[:, 4:], model(changed)[:, 4:], atol=1e-3)


def test_attention_sums_to_one_over_what_may_be_seen(x):
    cache = {}
    seeded(FULL)(x, cache=cache)
    pattern = cache["blocks.0.attn.hook_pattern"]
    assert torch.allclose(pattern.sum(-1), torch.ones(3, 2, 7))
    assert pattern.triu(1).abs().max() == 0


def test_rotation_turns_pairs_as_complex_numbers_do():
    x = torch.randn(1, 1, 5, 8)
    half = torch.view_as_complex(torch.stack(x.chunk(2, -1), -1))
    angles = torch.arange(5)[:, None] * 10_000.0 ** (-torch.arange(4) / 4)
    turned = half * torch.polar(torch.ones(5, 4), angles)
    assert torch.allclose(
        _rotated(x, _turns(9, 8), slice(5)), torch.cat([turned.real, turned.imag], -1), atol=1e-5
    )


def test_scores_of_rotated_vectors_depend_on_their_distance_alone():
    q, k = torch.randn(8), torch.randn(8)
    turns = _turns(12, 8)
    at = [_rotated(each.expand(1, 1, 12, 8), turns, slice(12))[0, 0] for each in (q, k)]
    scores = at[0] @ at[1].T
    assert torch.allclose(scores[5, 3], scores[9, 7], atol=1e-5)


def test_linear_attention_is_a_sum_of_outer_products(x):
    model, cache = seeded(TransformerConfig(16, 1, 1, positions="none", is_linear=True)), {}
    model(x, cache=cache)
    q, k, v = (cache[f"blocks.0.attn.hook_{name}"][:, :, 0] for name in "qkv")
    summed = torch.einsum("bik,biv->bikv", k, v).cumsum(1)  # the weights that the context has written
    z = torch.einsum("bik,bikv->biv", q, summed) / math.sqrt(16)
    assert torch.allclose(cache["blocks.0.attn.hook_z"][:, :, 0], z, atol=1e-5)


def test_momentum_adds_a_fading_sum_of_earlier_values(x):
    plain, moved = {}, {}
    seeded(TransformerConfig(16, 1, 2))(x, cache=plain)
    seeded(TransformerConfig(16, 1, 2, momentum=0.5))(x, cache=moved)
    v = plain["blocks.0.attn.hook_v"]
    for t in range(7):
        faded = sum((0.5 ** (t - i) * v[:, i] for i in range(t)), torch.zeros(3, 2, 8))
        gained = (moved["blocks.0.attn.hook_z"] - plain["blocks.0.attn.hook_z"])[:, t]
        assert torch.allclose(gained, faded, atol=1e-5)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"d_model": 15, "n_heads": 2}, "multiple of 2"),
        ({"positions": "absolute"}, "rotary, learned or none"),
        ({"momentum": 1.0}, "momentum must be 0 to less than 1"),
    ],
)
def test_a_wrong_configuration_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        TransformerConfig(**wrong)


def test_a_sequence_that_is_too_long_is_refused():
    with pytest.raises(ValueError, match="at most 12 tokens, got 13"):
        seeded(FULL)(torch.zeros(1, 13, 16))


def test_learned_positions_tell_equal_tokens_apart():
    same = torch.ones(1, 4, 16)
    alike = seeded(TransformerConfig(16, 1, 1, positions="none"))(same)
    apart = seeded(TransformerConfig(16, 1, 1, positions="learned"))(same)
    assert torch.allclose(alike[:, 0], alike[:, 3], atol=1e-6)
    assert not torch.allclose(apart[:, 0], apart[:, 3], atol=1e-3)


@pytest.mark.parametrize("n_layers", [1, 2])
def test_the_recurrent_arm_has_as_many_parameters_as_it_is_told(n_layers):
    model = Recurrent(32, n_layers, 40_000)
    size = sum(each.numel() for each in model.parameters())
    assert abs(size - 40_000) < 40_000 * 0.02
    assert width_for(32, n_layers, size) == model.width


def test_the_recurrent_arm_has_places_too(x):
    model, cache = new_body(FULL, is_recurrent=True), {}
    assert model(x, cache=cache).shape == x.shape
    assert list(cache) == model.hook_names == [
        "hook_embed", "blocks.0.hook_resid_post", "blocks.1.hook_resid_post", "ln_final.hook_normalized",
    ]  # fmt: skip


def test_a_learner_reads_out_the_positions_that_are_asked_for(x):
    learner = Learner({}, seeded(FULL), nn.Linear(16, 3))
    whole = learner.answer(x)
    assert whole.shape == (3, 7, 3)
    assert torch.allclose(learner.answer(x, at=-1), whole[:, -1], atol=1e-5)


def test_taps_without_hooks_pass_values_untouched():
    value = torch.ones(2)
    assert Taps(["here"]).at("here", value) is value


def test_merged_matrices_answer_as_heads_written_out():
    torch.manual_seed(0)
    model, cache = MergedAttention(2, 4, scale=1.0), {}
    tokens, queries = torch.randn(3, 6, 4), torch.randn(3, 2, 4)
    answered = model(tokens, queries, cache=cache)
    for row in range(3):
        for query in range(2):
            total = 0.0
            for head in range(2):
                scores = torch.stack([z @ model.kq[head] @ queries[row, query] for z in tokens[row]])
                total += scores.softmax(0) @ (tokens[row] @ model.ov[head])
            assert torch.allclose(answered[row, query], total, atol=1e-5)
    assert list(cache) == model.hook_names


def test_the_documented_table_of_places_is_the_one_in_the_code():
    page = (Path(__file__).parents[2] / "docs" / "worlds.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if "hook_" in line and line.startswith("| `")]
    assert rows == [f"| `{place.name}` | {place.axes} | {place.what} |" for place in PLACES]
