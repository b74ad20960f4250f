import pytest
import torch

from lab.worlds.core.transformer import Transformer, TransformerConfig
from lab.worlds.exact.dual_form import Heads, attended, difference, updated


def drawn(n: int = 3, length: int = 12) -> Heads:
    return Heads.random(n, length, 2, 8, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("n_own", [1, 2, 11])
def test_attention_to_demonstrations_is_an_update_of_weights(n_own):
    assert difference(drawn(), n_own) < 1e-5


def test_every_demonstration_adds_one_outer_product():
    heads = drawn()
    fewer = Heads(heads.q, heads.k[:, 1:], heads.v[:, 1:])
    delta, alone = updated(heads, 2)
    without, still = updated(fewer, 2)
    first = torch.einsum("nhd,nhe->nhde", heads.v[:, 0], heads.k[:, 0])
    assert torch.allclose(delta - without, first, atol=1e-6)
    assert torch.equal(alone, still)
    assert torch.linalg.matrix_rank(delta - without, atol=1e-4).eq(1).all()


def test_it_is_a_step_of_gradient_descent_whose_errors_are_the_values():
    heads = drawn()
    weights = torch.zeros(3, 2, 8, 8, requires_grad=True)
    said = torch.einsum("nhde,nphe->nphd", weights, heads.k[:, :-2])
    (-(said * heads.v[:, :-2]).sum()).backward()
    assert torch.allclose(-weights.grad, updated(heads, 2)[0], atol=1e-5)


def test_it_is_what_a_linear_layer_without_positions_gathers_but_for_its_scale():
    torch.manual_seed(0)
    body = Transformer(TransformerConfig(16, 1, 2, positions="none", is_linear=True)).eval()
    cache: dict = {}
    with torch.no_grad():
        body(torch.randn(4, 9, 16), None, cache)
    heads = Heads.of(cache, 0)
    assert torch.allclose(attended(heads) / 8**0.5, cache["blocks.0.attn.hook_z"][:, -1], atol=1e-6)
    assert difference(heads, 2) < 1e-5
