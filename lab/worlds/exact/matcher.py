"""What one can say who knows every factor: keep those that agree with the context, look the label up.

This is Bayes' rule for a hidden factor and a random map, both drawn evenly. A factor agrees when equal values
have equal labels and different ones different labels; it is the likelier, the fewer values it has shown.
"""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def matched(values: "torch.Tensor", labels: "torch.Tensor", n_values: int) -> "torch.Tensor":
    """Predict each label from the pairs before it and its own picture's values.

    Args:
        values: Of all factors, shape (n, n_pairs, n_factors).
        labels: Shape (n, n_pairs), as many different ones as values.
        n_values: Values of each factor.

    Returns:
        Probabilities, shape (n, n_pairs, n_values); rows sum to 1.
    """
    import torch
    from torch.nn.functional import one_hot

    shown, said = one_hot(values, n_values), one_hot(labels, n_values)
    pairs = shown[..., :, None] * said[:, :, None, None]  # (n, pair, factor, value, label)
    is_seen = pairs.cumsum(1) - pairs > 0
    agrees = ((is_seen.sum(3) <= 1) & (is_seen.sum(4) <= 1)).all(3)
    n_seen = is_seen.any(4).sum(3)
    ways = torch.tensor([math.factorial(n_values - each) for each in range(n_values + 1)]).float()
    weight = agrees * ways[n_seen]  # in proportion to the probability of the labels under a random map
    weight = weight / weight.sum(2, keepdim=True)
    own = (is_seen & shown[..., None].bool()).any(3)
    free = ~is_seen.any(3)
    likely = torch.where(own.any(3, keepdim=True), own, free).float()
    likely = likely / likely.sum(3, keepdim=True).clamp_min(1)
    return (weight[..., None] * likely).sum(2)
