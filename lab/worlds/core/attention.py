"""Attention with every step in reach: softmax or linear, rotary positions, momentum.

| here | what |
|---|---|
| `momentum` η | each head also gathers Σ_{i<t} η^(t-i) v_i: Dai et al. 2023 (arXiv:2212.10559), equation 13 |
| linear | the pattern is the scores themselves, without softmax: q·k / √d_head of what came before |
| rotary | Su et al. 2021 (arXiv:2104.09864), in its half-split form |
"""

import math

import torch
from torch import nn
from torch.nn import functional

from lab.worlds.core.hooks import Taps

_Places = torch.Tensor | slice


class Attention(nn.Module):
    """Heads over a sequence.

    Args:
        d_model: Width of the stream; a multiple of 2 · n_heads.
        n_heads: Heads.
        is_causal: Whether a position sees only itself and those before it.
        is_linear: Whether the softmax is left out.
        is_rotary: Whether queries and keys are rotated by their position.
        momentum: η; 0 does without.
        max_length: Longest sequence.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        is_causal: bool,
        is_linear: bool,
        is_rotary: bool,
        momentum: float,
        max_length: int,
    ) -> None:
        super().__init__()
        self.n_heads, self.is_causal, self.is_linear, self.momentum = n_heads, is_causal, is_linear, momentum
        self.qkv = nn.Linear(d_model, 3 * d_model, bias=False)
        self.out = nn.Linear(d_model, d_model, bias=False)
        self.turns = _turns(max_length, d_model // n_heads) if is_rotary else None

    def forward(self, x: torch.Tensor, taps: Taps, prefix: str, at: slice = slice(None)) -> torch.Tensor:
        """Gather from x, shape (batch, pos, d_model), for the positions `at`.

        Args:
            x: What is looked at.
            taps: Hooks and cache of this pass.
            prefix: Leads the names of the places.
            at: Who looks; with fewer than all, queries and patterns are of these alone.
        """
        n, length, d_model = x.shape
        places = torch.arange(length)[at]
        q, k, v = self._projected(x, at)
        q, k, v = (
            taps.at(f"{prefix}.hook_{name}", each)
            for name, each in zip("qkv", (q, k, v), strict=True)
        )  # fmt: skip
        q, k, values = (each.transpose(1, 2) for each in (q, k, v))  # (batch, head, pos, d_head)
        if self.turns is not None:
            q, k = _rotated(q, self.turns, places), _rotated(k, self.turns, slice(length))
        z = self._gathered(q, k, values, places, taps, prefix)
        if self.momentum:
            z = z + _decay(length, self.momentum)[places] @ values
        z = taps.at(f"{prefix}.hook_z", z.transpose(1, 2))
        return self.out(z.reshape(n, len(places), d_model))

    def _projected(self, x: torch.Tensor, at: slice) -> list[torch.Tensor]:
        """Return queries at some positions, keys and values at all, each (batch, pos, head, d_head)."""
        n, length, d_model = x.shape
        if at == slice(None):
            return list(self.qkv(x).view(n, length, 3, self.n_heads, -1).unbind(2))
        for_queries, for_the_rest = self.qkv.weight.split((d_model, 2 * d_model))
        q = functional.linear(x[:, at], for_queries).unflatten(2, (self.n_heads, -1))
        rest = functional.linear(x, for_the_rest).view(n, length, 2, self.n_heads, -1)
        return [q, *rest.unbind(2)]

    def _gathered(self, q, k, v, places: torch.Tensor, taps: Taps, prefix: str) -> torch.Tensor:
        hidden = torch.arange(k.shape[-2]) > places[:, None] if self.is_causal else None  # (query, key)
        names = f"{prefix}.hook_attn_scores", f"{prefix}.hook_pattern"
        if not self.is_linear and not taps.is_watched(*names):
            is_square = len(places) == k.shape[-2]
            mask = None if hidden is None or is_square else ~hidden
            is_causal = self.is_causal and is_square
            return functional.scaled_dot_product_attention(q, k, v, mask, is_causal=is_causal)
        scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
        if hidden is not None:
            scores = scores.masked_fill(hidden, 0.0 if self.is_linear else -math.inf)
        scores = taps.at(names[0], scores)
        pattern = taps.at(names[1], scores if self.is_linear else scores.softmax(-1))
        return pattern @ v


def _turns(max_length: int, d_head: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return cosines and sines of the angle of every position and pair, shape (max_length, d_head / 2)."""
    half = d_head // 2
    angles = torch.arange(max_length)[:, None] * 10_000.0 ** (-torch.arange(half) / half)
    return angles.cos(), angles.sin()


def _rotated(x: torch.Tensor, turns: tuple[torch.Tensor, torch.Tensor], places: _Places) -> torch.Tensor:
    """Turn the pairs of x, shape (…, pos, d_head), that stands at these places, by the angle of each."""
    cosine, sine = turns
    return _Rotation.apply(x, cosine[places], sine[places])


class _Rotation(torch.autograd.Function):
    """Turn the halves of x, shape (…, pos, d_head), as pairs; its gradient is turned back.

    Written out it makes one new tensor, where autograd makes one for every slice and product.
    """

    @staticmethod
    def forward(ctx, x: torch.Tensor, cosine: torch.Tensor, sine: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(cosine, sine)
        half = cosine.shape[-1]
        first, second, turned = x[..., :half], x[..., half:], torch.empty_like(x)
        torch.mul(first, cosine, out=turned[..., :half]).addcmul_(second, sine, value=-1)
        torch.mul(first, sine, out=turned[..., half:]).addcmul_(second, cosine)
        return turned

    @staticmethod
    def backward(ctx, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        cosine, sine = ctx.saved_tensors
        return _Rotation.apply(gradient, cosine, -sine), None, None


def _decay(length: int, momentum: float) -> torch.Tensor:
    """Return η^(t-i) for i < t and else 0, shape (length, length)."""
    apart = torch.arange(length)[:, None] - torch.arange(length)
    return torch.where(apart > 0, momentum ** apart.clamp_min(1).float(), torch.zeros(()))
