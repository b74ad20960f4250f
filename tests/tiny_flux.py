"""A pipeline of the real classes with small random weights: it draws noise, and every path is real."""

import torch

from lab.images.components import new_text_encoders, new_transformer, new_vae
from lab.images.model import ImageModel, assemble


def tiny_model(seed: int = 0) -> ImageModel:
    """Return a random model whose output depends on its text, times and positions."""
    torch.manual_seed(seed)
    pooled, states = new_text_encoders()
    transformer = new_transformer(width=64)
    with torch.no_grad():  # the last layer is zero at first, which would make every picture the same
        for parameter in transformer.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape))
    modules = {"vae": new_vae(), "transformer": transformer, "text_encoder": pooled, "text_encoder_2": states}
    for module in modules.values():
        module.eval().requires_grad_(False)
    return assemble(modules)
