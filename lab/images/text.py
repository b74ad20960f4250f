"""Read captions as a FluxPipeline does: token states and a pooled vector."""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from lab.images.vocabulary import MAX_TOKENS, tokenizer

if TYPE_CHECKING:
    import torch

_turn = threading.Lock()  # a fast tokenizer keeps the length that it was last asked for


class Read(NamedTuple):
    """Captions as the transformer takes them: states (n, tokens, width), pooled (n, width)."""

    states: "torch.Tensor"
    pooled: "torch.Tensor"


def read(captions: Sequence[str], encoders: "tuple[torch.nn.Module, torch.nn.Module]", n_tokens: int) -> Read:
    """Encode captions with the embedded text encoders; gradients flow.

    Args:
        captions: n texts; what goes beyond `n_tokens` is cut, as the pipeline does.
        encoders: The CLIP-like and the T5-like encoder.
        n_tokens: Tokens that the states are padded to.
    """
    pooled, states = encoders
    device = next(states.parameters()).device
    fill = {"padding": "max_length", "truncation": True, "return_tensors": "pt"}
    with _turn:
        for_pooled = tokenizer()(list(captions), max_length=MAX_TOKENS, **fill).input_ids.to(device)
        for_states = tokenizer()(list(captions), max_length=n_tokens, **fill).input_ids.to(device)
    return Read(states(for_states)[0], pooled(for_pooled).pooler_output)
