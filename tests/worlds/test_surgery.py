import pytest
import torch

from lab.worlds.core.surgery import kept, looking, previous_token, silenced, together
from lab.worlds.core.transformer import Transformer, TransformerConfig


@pytest.fixture
def model() -> Transformer:
    torch.manual_seed(0)
    return Transformer(TransformerConfig(16, 2, 4)).eval()


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(2, 5, 16, generator=torch.Generator().manual_seed(0))


def seen(model, x, hooks=None):
    cache = {}
    model(x, hooks, cache)
    return cache


def test_silencing_no_head_changes_nothing(model, x):
    assert torch.equal(model(x), model(x, silenced([])))


def test_a_silenced_head_gathers_nothing_and_the_others_what_they_did(model, x):
    before, after = seen(model, x), seen(model, x, silenced([(0, 1), (0, 3)]))
    z = after["blocks.0.attn.hook_z"]
    assert z[:, :, [1, 3]].abs().max() == 0
    assert torch.equal(z[:, :, [0, 2]], before["blocks.0.attn.hook_z"][:, :, [0, 2]])


def test_silencing_all_heads_leaves_the_stream_as_it_was(model, x):
    cache = seen(model, x, silenced([(layer, head) for layer in range(2) for head in range(4)]))
    assert torch.equal(cache["blocks.1.hook_resid_post"], x)


def test_a_head_looks_where_it_is_told_and_rows_of_nan_stay_its_own(model, x):
    wanted = torch.full((5, 5), float("nan"))
    wanted[4] = torch.tensor([0.0, 1, 0, 0, 0])
    before, after = seen(model, x), seen(model, x, looking(1, wanted, slice(2, 3)))
    name = "blocks.1.attn.hook_pattern"
    assert torch.equal(after[name][:, 2, 4], wanted[4].expand(2, 5))
    assert torch.equal(after[name][:, 2, :4], before[name][:, 2, :4])
    assert torch.equal(after[name][:, [0, 1, 3]], before[name][:, [0, 1, 3]])


def test_kept_patterns_undo_what_an_ablation_changes_downstream(model, x):
    before = seen(model, x)
    cut = silenced([(0, 0)])
    moved = seen(model, x, cut)
    held = seen(model, x, together(cut, kept(before, after=0)))
    name = "blocks.1.attn.hook_pattern"
    assert not torch.allclose(moved[name], before[name], atol=1e-4)
    assert torch.equal(held[name], before[name])
    assert list(kept(before, after=0)) == [name]


def test_hooks_of_one_place_act_one_after_the_other():
    joined = together({"a": lambda value: value + 1}, {"a": lambda value: 10 * value, "b": lambda v: v})
    assert joined["a"](torch.ones(())) == 20
    assert set(joined) == {"a", "b"}


def test_previous_token_looks_one_back():
    assert previous_token(3).tolist() == [[1, 0, 0], [1, 0, 0], [0, 1, 0]]
