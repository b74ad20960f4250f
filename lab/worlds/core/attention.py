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

    def forward(self, x: torch.Tensor, taps: Taps, prefix: str) -> torch.Tensor:
        """Gather from x, shape (batch, pos, d_model); `prefix` leads the names of the places."""
        n, length, d_model = x.shape
        q, k, v = self.qkv(x).view(n, length, 3, self.n_heads, -1).unbind(2)
        q, k, v = (
            taps.at(f"{prefix}.hook_{name}", each)
            for name, each in zip("qkv", (q, k, v), strict=True)
        )  # fmt: skip
        q, k, values = (each.transpose(1, 2) for each in (q, k, v))  # (batch, head, pos, d_head)
        if self.turns is not None:
            q, k = _rotated(q, self.turns), _rotated(k, self.turns)
        z = self._gathered(q, k, values, taps, prefix)
        if self.momentum:
            z = z + _decay(length, self.momentum) @ values
        z = taps.at(f"{prefix}.hook_z", z.transpose(1, 2))
        return self.out(z.reshape(n, length, d_model))

    def _gathered(self, q, k, v, taps: Taps, prefix: str) -> torch.Tensor:
        places = f"{prefix}.hook_attn_scores", f"{prefix}.hook_pattern"
        if not self.is_linear and not taps.is_watched(*places):
            return functional.scaled_dot_product_attention(q, k, v, is_causal=self.is_causal)
        scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
        if self.is_causal:
            later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
            scores = scores.masked_fill(later, 0.0 if self.is_linear else -math.inf)
        scores = taps.at(places[0], scores)
        pattern = taps.at(places[1], scores if self.is_linear else scores.softmax(-1))
        return pattern @ v


def _turns(max_length: int, d_head: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return cosines and sines of the angle of every position and pair, shape (max_length, d_head / 2)."""
    half = d_head // 2
    angles = torch.arange(max_length)[:, None] * 10_000.0 ** (-torch.arange(half) / half)
    return angles.cos(), angles.sin()


def _rotated(x: torch.Tensor, turns: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    cosine, sine = (each[: x.shape[-2]] for each in turns)
    first, second = x.chunk(2, -1)
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], -1)


def _decay(length: int, momentum: float) -> torch.Tensor:
    """Return η^(t-i) for i < t and else 0, shape (length, length)."""
    apart = torch.arange(length)[:, None] - torch.arange(length)
    return torch.where(apart > 0, momentum ** apart.clamp_min(1).float(), torch.zeros(()))
