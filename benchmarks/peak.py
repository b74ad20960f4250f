"""The fastest that this machine multiplies matrices, and the tokens a second that this allows a model."""

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from lab.learners.load import CausalLM

SIZES = (768, 1024, 1536, 2048)


def peak_flops(dtype: "torch.dtype", device: str, seconds: float = 1.0) -> float:
    """Return the best floating-point operations a second of a square matrix product, over several sizes."""
    import torch

    best = 0.0
    for size in SIZES:
        a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
        a @ b
        started, n_products = time.perf_counter(), 0
        while time.perf_counter() - started < seconds:
            a @ b
            n_products += 1
        if device == "cuda":
            torch.cuda.synchronize()
        best = max(best, 2 * size**3 * n_products / (time.perf_counter() - started))
    return best


def flops_a_token(lm: "CausalLM", n_context: int) -> float:
    """Return the operations of a forward pass for one token that attends to `n_context` others.

    Two for each weight that multiplies it (embeddings are looked up, the output layer works on few places),
    and four a layer for each attended place and channel of its queries.
    """
    config = lm.model.config.get_text_config()
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    embeddings = {lm.model.get_input_embeddings().weight, lm.model.get_output_embeddings().weight}
    n_weights = sum(p.numel() for p in lm.model.parameters() if all(p is not e for e in embeddings))
    attention = 4 * config.num_hidden_layers * config.num_attention_heads * head_dim * n_context
    return 2 * n_weights + attention
