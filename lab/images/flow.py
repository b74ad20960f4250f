"""Rectified flow over packed latents: from noise (time 1) to a picture (time 0) along straight lines.

| here | paper | what |
|---|---|---|
| `clean` | x₀ | packed latents of a canvas |
| `noise` | ε | a standard normal of the same shape |
| `time` | t | 0 a picture, 1 noise; x_t = (1 − t) x₀ + t ε |
| velocity | v | ε − x₀, what the transformer answers |

Source: Esser et al. 2024 (arXiv:2403.03206), equations 1, 13 and 19.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_SHIFT = 0.2  # of the logit-normal's mean: a little more time is spent on noisy canvases


def times(n: int, generator: "torch.Generator") -> "torch.Tensor":
    """Draw logit-normal times, shape (n,)."""
    import torch

    return torch.sigmoid(torch.randn(n, generator=generator) + _SHIFT)


def pack(latents: "torch.Tensor") -> "torch.Tensor":
    """Turn latents (n, channels, h, w) into tokens of 2 × 2, shape (n, h/2 · w/2, 4 · channels)."""
    from diffusers import FluxPipeline

    return FluxPipeline._pack_latents(latents, *latents.shape)


def unpack(tokens: "torch.Tensor", height: int, width: int) -> "torch.Tensor":
    """Undo `pack`; height and width are those of the latents."""
    n, _, channels = tokens.shape
    laid = tokens.view(n, height // 2, width // 2, channels // 4, 2, 2)
    return laid.permute(0, 3, 1, 4, 2, 5).reshape(n, channels // 4, height, width)


def positions(height: int, width: int) -> "torch.Tensor":
    """Return the positions of the tokens of h × w latents: (0, row, column), shape (tokens, 3)."""
    import torch
    from diffusers import FluxPipeline

    return FluxPipeline._prepare_latent_image_ids(1, height // 2, width // 2, "cpu", torch.float32)


def noised(clean: "torch.Tensor", noise: "torch.Tensor", time: "torch.Tensor") -> "torch.Tensor":
    """Go a time along the line from a picture to noise; `time` has shape (n,)."""
    along = time.view(-1, 1, 1)
    return (1 - along) * clean + along * noise
