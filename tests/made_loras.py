"""Sets of noise and LoRA vectors of noise, for a tiny model."""

import numpy as np
import torch

from lab.images.grid import PAIR
from lab.images.lora_vector import layout
from lab.images.model import ImageModel
from lab.images.sets import ImageSet


def noise_sets(n: int = 5) -> list[ImageSet]:
    """Return pairs of panels of noise, all with one caption."""
    random = np.random.default_rng(0)
    texts = ("fox, flat style", "owl, 3d style")
    return [
        ImageSet(
            PAIR, random.integers(0, 256, (2, 64, 64, 3), dtype=np.uint8), texts,
            "[COLOURED] a drawing coloured", None, (None, None), f"set {place}",
        )
        for place in range(n)
    ]  # fmt: skip


def noise_vector(model: ImageModel, seed: int = 0) -> torch.Tensor:
    """Return a LoRA loud enough to change every picture."""
    n_numbers = sum(slot.n_numbers for slot in layout(model))
    return 0.3 * torch.randn(n_numbers, generator=torch.Generator().manual_seed(seed))
