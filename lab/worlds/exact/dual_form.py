"""Is attention to demonstrations the same as an update of weights?

Without its softmax it is: what a query gathers from demonstrations and from its own tokens is

    Σ_i v_i (k_i · q) + Σ_j v_j (k_j · q) = (ΔW + W_ZSL) q,   ΔW = Σ_i v_i k_iᵀ

so that each demonstration adds an outer product to the weights that answer without any, as a step of
gradient descent on a linear layer adds error times input.

Source: Dai et al. 2023 (arXiv:2212.10559), sections 2 and 3; softmax, scale and positions are left out.
"""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import torch

    from lab.worlds.core.hooks import Cache


class Heads(NamedTuple):
    """Queries (n, head, d_head), and keys and values of tokens before it, (n, pos, head, d_head)."""

    q: "torch.Tensor"
    k: "torch.Tensor"
    v: "torch.Tensor"

    @classmethod
    def of(cls, cache: "Cache", layer: int) -> "Heads":
        """Take those of the last token of a transformer's layer, as they are before any rotation."""
        q, k, v = (cache[f"blocks.{layer}.attn.hook_{name}"] for name in "qkv")
        return cls(q[:, -1], k, v)

    @classmethod
    def random(cls, n: int, length: int, n_heads: int, d_head: int, generator: "torch.Generator") -> "Heads":
        """Draw Gaussian ones, divided by √d_head."""
        import torch

        shape = n, length, n_heads, d_head
        k, v = (torch.randn(shape, generator=generator) / d_head**0.5 for _ in range(2))
        return cls(torch.randn(n, n_heads, d_head, generator=generator) / d_head**0.5, k, v)


def attended(heads: Heads) -> "torch.Tensor":
    """Return what linear attention gathers, Σ v (k · q), shape (n, head, d_head)."""
    import torch

    scores = torch.einsum("nphd,nhd->nhp", heads.k, heads.q)
    return torch.einsum("nhp,nphd->nhd", scores, heads.v)


def updated(heads: Heads, n_own: int) -> "tuple[torch.Tensor, torch.Tensor]":
    """Return ΔW of the demonstrations and W_ZSL of the last `n_own` tokens, (n, head, d_head, d_head)."""
    import torch

    shown, own = slice(None, -n_own), slice(-n_own, None)
    delta, alone = (
        torch.einsum("nphd,nphe->nhde", heads.v[:, part], heads.k[:, part]) for part in (shown, own)
    )
    return delta, alone


def difference(heads: Heads, n_own: int) -> float:
    """Return the largest difference between both forms, as a share of the largest number that comes out."""
    import torch

    by_attention = attended(heads)
    by_weights = torch.einsum("nhde,nhe->nhd", sum(updated(heads, n_own)), heads.q)
    return ((by_attention - by_weights).abs().max() / by_attention.abs().max()).item()
