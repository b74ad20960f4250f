"""What n-gram predictors say of a context, how far predictions are apart, and which heads do as they do.

| here | what |
|---|---|
| p_0 | every token alike |
| p_n | (c_n + β p_{n-1}) / (N_n + β): c_n counts what followed the last n - 1 tokens, N_n is their sum |

A prior whose mean is the order below (MacKay and Peto 1995) smooths each order and lets it back off. Nothing
is learned but from the context itself.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

ORDERS = (1, 2, 3, 4)
WEIGHT = 0.5  # β


def ngrams(inputs: "torch.Tensor", n_symbols: int) -> "dict[int, torch.Tensor]":
    """Predict the next token at every position.

    Args:
        inputs: What was seen, shape (n, length); the first token only says that a string begins and is not
            counted.
        n_symbols: Different symbols; the separator comes after them.

    Returns:
        Probabilities by order, each of shape (n, length, n_symbols + 1); rows sum to 1.
    """
    import torch

    from lab.worlds.core.ngram import followers

    seen = torch.nn.functional.one_hot(inputs, n_symbols + 1).float()
    below = torch.full_like(seen, 1 / (n_symbols + 1))
    found = {}
    for order in ORDERS:
        counts = followers(inputs, order).float() @ seen
        below = (counts + WEIGHT * below) / (counts.sum(2, keepdim=True) + WEIGHT)
        found[order] = below
    return found


def of_symbols(p: "torch.Tensor") -> "torch.Tensor":
    """Leave the separator, which is last, out of probabilities: what comes if the string goes on."""
    return p[..., :-1] / p[..., :-1].sum(-1, keepdim=True).clamp_min(1e-9)


def distance(p: "torch.Tensor", q: "torch.Tensor") -> "torch.Tensor":
    """Return the total variation distance, half the sum of |p - q| over the last axis: 0 to 1."""
    return (p - q).abs().sum(-1) / 2


def ngram_scores(pattern: "torch.Tensor", inputs: "torch.Tensor", order: int) -> "torch.Tensor":
    """Return how much of their attention heads have on what an n-gram counts, in the second half of contexts.

    Args:
        pattern: Attention, shape (n, head, query, key).
        inputs: What was seen, shape (n, length).
        order: 2 asks for what followed the last token when it stood there before, 3 for the last two.

    Returns:
        A mean a head, over queries for which there is any, shape (head,).
    """
    from lab.worlds.core.ngram import followers

    half = inputs.shape[1] // 2
    is_counted = followers(inputs, order)[:, half:]
    on_them = (pattern[:, :, half:] * is_counted[:, None]).sum(3)
    return on_them.transpose(0, 1)[:, is_counted.any(2)].mean(1)
