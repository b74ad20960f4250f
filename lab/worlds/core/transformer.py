"""A transformer over embeddings, small enough to take apart: every activation can be read and replaced."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from lab.worlds.core.attention import Attention
from lab.worlds.core.hooks import PLACES, Cache, Hooks, Taps, named


@dataclass(frozen=True)
class TransformerConfig:
    """What a transformer is made of.

    Args:
        d_model: Width of the residual stream; a multiple of 2 · n_heads.
        n_layers: Blocks.
        n_heads: Heads a block.
        d_mlp: Width of the MLPs; 0 leaves them out.
        positions: How a token knows where it stands.
        is_causal: Whether a token sees only itself and those before it.
        is_linear: Whether attention does without its softmax.
        has_norm: Whether what enters attention, MLP and readout is layer-normalised.
        momentum: η of momentum attention; 0 does without.
        max_length: Longest sequence.
    """

    d_model: int = 64
    n_layers: int = 2
    n_heads: int = 1
    d_mlp: int = 0
    positions: Literal["rotary", "learned", "none"] = "rotary"
    is_causal: bool = True
    is_linear: bool = False
    has_norm: bool = True
    momentum: float = 0.0
    max_length: int = 256

    def __post_init__(self) -> None:
        if self.n_layers < 1 or self.n_heads < 1 or self.d_model % (2 * self.n_heads):
            raise ValueError(
                f"d_model must be a multiple of 2 · n_heads, got {self.d_model} and {self.n_heads} heads "
                f"in {self.n_layers} layers"
            )
        if self.positions not in ("rotary", "learned", "none"):
            raise ValueError(f"positions must be rotary, learned or none, got {self.positions!r}")
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum must be 0 to less than 1, got {self.momentum}")


class Transformer(nn.Module):
    """Blocks of attention and MLP; takes embeddings, shape (batch, pos, d_model), and returns the same shape.

    A new kind of MLP, such as a mixture of experts, takes the place of `MLP` in `Block`.
    """

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.positions = (
            nn.Parameter(0.02 * torch.randn(config.max_length, config.d_model))
            if config.positions == "learned"
            else None
        )
        self.blocks = nn.ModuleList(Block(config, layer) for layer in range(config.n_layers))
        self.ln_final = nn.LayerNorm(config.d_model) if config.has_norm else nn.Identity()
        absent = () if config.d_mlp else ("mlp", "resid_mid")
        places = [each for each in PLACES if not any(part in each.name for part in absent)]
        self.hook_names = named(places, config.n_layers)

    def forward(
        self,
        x: torch.Tensor,
        hooks: Hooks | None = None,
        cache: Cache | None = None,
        at: slice = slice(None),
    ) -> torch.Tensor:
        """Run embeddings through the blocks.

        Where nobody watches the last block it is computed for the positions that are read alone; keys and
        values are those of all.

        Args:
            x: Shape (batch, pos, d_model).
            hooks: Functions of an activation that return what is to stand in its place, by name.
            cache: Filled with every activation by name, at all positions.
            at: Which positions are returned.

        Raises:
            ValueError: The sequence is too long, a hook names no place or returns another shape.
        """
        length = x.shape[1]
        if length > self.config.max_length:
            raise ValueError(f"a sequence must have at most {self.config.max_length} tokens, got {length}")
        taps = Taps(self.hook_names, hooks, cache)
        x = taps.at("hook_embed", x if self.positions is None else x + self.positions[:length])
        *before, last = self.blocks
        for block in before:
            x = block(x, taps)
        if taps.is_watched_in(f"blocks.{len(before)}", "ln_final"):
            return taps.at("ln_final.hook_normalized", self.ln_final(last(x, taps)))[:, at]
        return self.ln_final(last(x, taps, at))


class Block(nn.Module):
    """Attention, then an MLP, each added to the stream."""

    def __init__(self, config: TransformerConfig, layer: int) -> None:
        super().__init__()
        self.prefix = f"blocks.{layer}"
        self.ln1 = nn.LayerNorm(config.d_model) if config.has_norm else nn.Identity()
        self.attn = Attention(
            config.d_model,
            config.n_heads,
            config.is_causal,
            config.is_linear,
            config.positions == "rotary",
            config.momentum,
            config.max_length,
        )
        self.mlp = MLP(config) if config.d_mlp else None

    def forward(self, x: torch.Tensor, taps: Taps, at: slice = slice(None)) -> torch.Tensor:
        """Pass the stream, shape (batch, pos, d_model), and return it at some positions."""
        x = taps.at(f"{self.prefix}.hook_resid_pre", x)
        gathered = self.attn(self.ln1(x), taps, f"{self.prefix}.attn", at)
        x = x[:, at] + taps.at(f"{self.prefix}.hook_attn_out", gathered)
        if self.mlp is not None:
            x = taps.at(f"{self.prefix}.hook_resid_mid", x)
            x = x + taps.at(f"{self.prefix}.hook_mlp_out", self.mlp(x, taps, f"{self.prefix}.mlp"))
        return taps.at(f"{self.prefix}.hook_resid_post", x)


class MLP(nn.Module):
    """Two linear maps with a GELU between, on the normalised stream."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.ln = nn.LayerNorm(config.d_model) if config.has_norm else nn.Identity()
        self.enter = nn.Linear(config.d_model, config.d_mlp)
        self.leave = nn.Linear(config.d_mlp, config.d_model)

    def forward(self, x: torch.Tensor, taps: Taps, prefix: str) -> torch.Tensor:
        """Answer for every position, shape (batch, pos, d_model)."""
        pre = taps.at(f"{prefix}.hook_pre", self.enter(self.ln(x)))
        return self.leave(taps.at(f"{prefix}.hook_post", nn.functional.gelu(pre)))
