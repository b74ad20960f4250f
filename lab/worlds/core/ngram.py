"""Heads that are told where to look: at what followed the last tokens when they stood there before.

| here | paper | what |
|---|---|---|
| order n | n - 1 | tokens that have to match, plus the one that is looked at: order 2 is an induction head |
| `maps` | | a linear map an order; the pattern itself has no parameters |

Source: Akyürek et al. 2024 (arXiv:2401.12973). Differences: all orders stand side by side in one layer,
before the body; their code has a module an order, with a second map for the token itself.
"""

import torch
from torch import nn

from lab.worlds.core.hooks import Cache, Hooks, Place, Taps
from lab.worlds.core.recurrent import Recurrent
from lab.worlds.core.transformer import Transformer

ORDERS = (2, 3, 4)
NGRAM_PLACES = (
    Place("ngrams.hook_pattern", "batch order query key", "uniform over what followed the same tokens"),
    Place("ngrams.hook_out", "batch pos d_model", "what the n-gram heads add to the stream"),
)
"""The places of a layer of n-gram heads, in front of those of the body."""


class NGramBody(nn.Module):
    """A layer of n-gram heads, then a body; takes and returns embeddings, shape (batch, pos, d_model).

    Args:
        body: What reads their output.
        d_model: Its width.
        orders: Of the heads.
    """

    def __init__(self, body: Transformer | Recurrent, d_model: int, orders: tuple[int, ...] = ORDERS) -> None:
        super().__init__()
        self.body, self.orders = body, orders
        self.maps = nn.ModuleList(nn.Linear(d_model, d_model, bias=False) for _ in orders)
        self.config = getattr(body, "config", None)
        self.hook_names = [*(place.name for place in NGRAM_PLACES), *body.hook_names]

    def forward(
        self,
        x: torch.Tensor,
        hooks: Hooks | None = None,
        cache: Cache | None = None,
        at: slice = slice(None),
        *,
        tokens: torch.Tensor,
    ) -> torch.Tensor:
        """Add what the heads see to the embeddings, and run these through the body.

        Args:
            x: Embeddings.
            hooks: What is put in the stead of activations, of the layer or the body.
            cache: Filled with activations.
            at: Which positions are returned.
            tokens: What the embeddings stand for, shape (batch, pos); equal numbers match.

        Raises:
            ValueError: A hook names no place or returns another shape.
        """
        taps = Taps(self.hook_names, hooks, cache)
        pattern = taps.at(
            "ngrams.hook_pattern", torch.stack([uniform(followers(tokens, n)) for n in self.orders], 1)
        )
        seen = sum(
            each(looked) for each, looked in zip(self.maps, (pattern @ x[:, None]).unbind(1), strict=True)
        )
        x = x + taps.at("ngrams.hook_out", seen)
        own = {place.name for place in NGRAM_PLACES}
        return self.body(x, {name: hook for name, hook in taps.hooks.items() if name not in own}, cache, at)


def followers(tokens: torch.Tensor, order: int) -> torch.Tensor:
    """Tell which tokens followed the last order - 1 tokens when these stood there before.

    Args:
        tokens: Shape (batch, pos).
        order: 1 or more; with 1 everything but the first token matches.

    Returns:
        Bool, shape (batch, query, key). A query's last token is its own; keys are never later than it.

    >>> followers(torch.tensor([[0, 1, 2, 0]]), 2)[0, 3].tolist()
    [False, True, False, False]
    """
    length = tokens.shape[1]
    is_follower = torch.ones(length, length, dtype=torch.bool).tril()
    is_follower[:, 0] = False  # nothing stands before the first token
    is_same = tokens[:, :, None] == tokens[:, None]
    found = is_follower.expand_as(is_same).clone()
    for back in range(1, order):
        shifted = torch.zeros_like(found)
        shifted[:, back - 1 :, back:] = is_same[:, : length - back + 1, : length - back]
        found &= shifted
    return found


def uniform(is_seen: torch.Tensor) -> torch.Tensor:
    """Spread attention evenly over what is seen; rows that see nothing are 0."""
    return is_seen / is_seen.sum(-1, keepdim=True).clamp_min(1)
