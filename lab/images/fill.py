"""What the fill branch sees beside the noisy canvas: the canvas with holes, and where the holes are.

| channels of a token, in this order | n |
|---|---|
| noisy latents | 4 · 8 |
| latents of the canvas, its masked pixels mid-grey | 4 · 8 |
| the mask's pixels, 1 where to draw | 4 · 4 · 4 |

The layout is that of FluxFillPipeline, so that FLUX.1-Fill would read the same channels (a test compares).
"""

from typing import TYPE_CHECKING

import numpy as np

from lab.images.flow import pack
from lab.images.model import ImageModel

if TYPE_CHECKING:
    import torch


def fill_channels(model: ImageModel, canvases: np.ndarray, is_drawn: np.ndarray) -> "torch.Tensor":
    """Encode what a fill transformer sees of canvases beside their noise.

    Args:
        model: Its autoencoder encodes; a fill branch is not needed.
        canvases: uint8, shape (n, height, width, 3); pixels that are to be drawn do not count.
        is_drawn: Which pixels these are, bool, shape (n, height, width).

    Returns:
        Shape (n, tokens, 4 · channels + 4 · factor²), factor being the pixels of a latent's side.
    """
    import torch

    seen = model.to_latents(canvases, is_hidden=is_drawn)
    masks = torch.from_numpy(is_drawn.copy()).to(seen)
    return torch.cat([seen, mask_channels(masks, model.pipeline.vae_scale_factor)], dim=2)


def mask_channels(masks: "torch.Tensor", factor: int) -> "torch.Tensor":
    """Lay the pixels of masks (n, height, width) out by token, shape (n, tokens, 4 · factor²)."""
    n, height, width = masks.shape
    cells = masks.view(n, height // factor, factor, width // factor, factor).permute(0, 2, 4, 1, 3)
    return pack(cells.reshape(n, factor * factor, height // factor, width // factor))
