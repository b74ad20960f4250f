"""One layer of attention with its matrices multiplied out, so that one can read what each head computes.

| here | paper | what |
|---|---|---|
| `kq` | KQ_h | the score of a token z for the query z_q is z · KQ_h z_q |
| `ov` | last row of OV_h | what head h adds to the answer for a token that it looks at |

Source: He et al. 2025 (arXiv:2503.12734), section 2.
"""

import torch
from torch import nn

from lab.worlds.core.hooks import PLACES, Cache, Hooks, Taps, named

_KEPT = ("blocks.{layer}.attn.hook_attn_scores", "blocks.{layer}.attn.hook_pattern")


class MergedAttention(nn.Module):
    """Softmax heads that read tokens (x, y) and answer with one number a query.

    Args:
        n_heads: Heads.
        d_token: Numbers a token.
        scale: Standard deviation of the first weights.
    """

    def __init__(self, n_heads: int, d_token: int, scale: float = 0.1) -> None:
        super().__init__()
        self.kq = nn.Parameter(scale * torch.randn(n_heads, d_token, d_token))
        self.ov = nn.Parameter(scale * torch.randn(n_heads, d_token))
        self.hook_names = named([each for each in PLACES if each.name in _KEPT], 1)

    def forward(
        self,
        tokens: torch.Tensor,
        queries: torch.Tensor,
        hooks: Hooks | None = None,
        cache: Cache | None = None,
    ) -> torch.Tensor:
        """Answer queries from a context.

        Args:
            tokens: The context, shape (batch, key, d_token).
            queries: Shape (batch, query, d_token).
            hooks: What is put in the stead of scores or pattern, both (batch, head, query, key).
            cache: Filled with them.

        Returns:
            Shape (batch, query).
        """
        taps = Taps(self.hook_names, hooks, cache)
        scores = torch.einsum("bnd,hde,bqe->bhqn", tokens, self.kq, queries)
        scores = taps.at("blocks.0.attn.hook_attn_scores", scores)
        pattern = taps.at("blocks.0.attn.hook_pattern", scores.softmax(-1))
        return torch.einsum("bhqn,bnd,hd->bq", pattern, tokens, self.ov)
