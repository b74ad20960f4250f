"""The recurrent arm: a GRU in the transformer's place, of about as many parameters."""

import torch
from torch import nn

from lab.worlds.core.hooks import PLACES, Cache, Hooks, Taps, named

_KEPT = ("hook_embed", "blocks.{layer}.hook_resid_post", "ln_final.hook_normalized")


class Recurrent(nn.Module):
    """Layers of GRU; takes and returns embeddings, shape (batch, pos, d_model), as `Transformer` does.

    Args:
        d_model: Width of what comes in and goes out.
        n_layers: Layers.
        n_parameters: How many parameters it is to have; it gets the width that comes nearest.
    """

    def __init__(self, d_model: int, n_layers: int, n_parameters: int) -> None:
        super().__init__()
        self.width = width_for(d_model, n_layers, n_parameters)
        widths = [d_model] + [self.width] * n_layers
        self.layers = nn.ModuleList(
            nn.GRU(widths[layer], widths[layer + 1], batch_first=True) for layer in range(n_layers)
        )
        self.out = nn.Linear(self.width, d_model)
        self.ln_final = nn.LayerNorm(d_model)
        self.hook_names = named([each for each in PLACES if each.name in _KEPT], n_layers)

    def forward(
        self,
        x: torch.Tensor,
        hooks: Hooks | None = None,
        cache: Cache | None = None,
        at: slice = slice(None),
    ) -> torch.Tensor:
        """Run embeddings through the layers; `hook_resid_post` is a layer's state, `width` wide.

        Returns:
            The positions `at`.

        Raises:
            ValueError: A hook names no place or returns another shape.
        """
        taps = Taps(self.hook_names, hooks, cache)
        x = taps.at("hook_embed", x)
        for layer, gru in enumerate(self.layers):
            x = taps.at(f"blocks.{layer}.hook_resid_post", gru(x)[0])
        return taps.at("ln_final.hook_normalized", self.ln_final(self.out(x)))[:, at]


def width_for(d_model: int, n_layers: int, n_parameters: int) -> int:
    """Return the width with which a `Recurrent` comes nearest to a number of parameters."""

    def count(width: int) -> int:
        first = 3 * width * (d_model + width + 2)
        later = 3 * width * (2 * width + 2)
        return first + (n_layers - 1) * later + d_model * (width + 1) + 2 * d_model

    return min(range(1, 1025), key=lambda width: abs(count(width) - n_parameters))
