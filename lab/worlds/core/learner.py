"""A learner of a world: parts that read what comes in, a body, a readout."""

from collections.abc import Mapping

import torch
from torch import nn

from lab.worlds.core.hooks import Cache, Hooks
from lab.worlds.core.recurrent import Recurrent
from lab.worlds.core.transformer import Transformer, TransformerConfig


class Learner(nn.Module):
    """What is trained.

    Args:
        parts: What the world's own `encode` uses, by name.
        body: Answers embeddings with embeddings.
        readout: Turns what the body answers into the world's answers.
    """

    def __init__(self, parts: Mapping[str, nn.Module], body: nn.Module, readout: nn.Module) -> None:
        super().__init__()
        self.parts, self.body, self.readout = nn.ModuleDict(parts), body, readout

    def answer(
        self,
        embedded: torch.Tensor,
        hooks: Hooks | None = None,
        cache: Cache | None = None,
        at: int | slice = slice(None),
    ) -> torch.Tensor:
        """Return the readout of an embedded sequence.

        Args:
            embedded: Shape (batch, pos, d_model).
            hooks: What is put in the stead of activations.
            cache: Filled with activations.
            at: Which positions are read; a single one leaves their axis out.
        """
        if isinstance(at, slice):
            return self.readout(self.body(embedded, hooks, cache, at))
        only = slice(at, at + 1 or None)
        return self.readout(self.body(embedded, hooks, cache, only)[:, 0])

    @property
    def n_parameters(self) -> int:
        """Count what is trained."""
        return sum(each.numel() for each in self.parameters() if each.requires_grad)


def new_body(config: TransformerConfig, is_recurrent: bool = False) -> Transformer | Recurrent:
    """Return an untrained transformer, or a recurrent body of equal depth and nearly equal size."""
    body = Transformer(config)
    if not is_recurrent:
        return body
    size = sum(each.numel() for each in body.parameters())
    return Recurrent(config.d_model, config.n_layers, size)
