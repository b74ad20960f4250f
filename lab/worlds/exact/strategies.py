"""Two ways to predict balls from an urn, both exact, and how near a learner is to either.

The memorising predictor M knows the urns of the training and weighs them by what was drawn; the generalising
predictor G holds every urn for possible and counts. M is the best there is on known urns, G on new ones.

| here | what |
|---|---|
| `memorising` M | Σ_i w_i p_i, the weights w_i in proportion to the likelihood of the balls under urn i |
| `generalising` G | (count + 1) / (n + n_outcomes): the posterior mean under Dirichlet(1) |
| `distance` d | symmetrised KL divergence, mean over sequences and positions |
| `relative_distance` | (1 + clip((d(T, M) - d(T, G)) / d(M, G), -1, 1)) / 2: 0 at M, 1 at G |

Source: Wurgaft et al. 2025 (arXiv:2506.17859) and its code, github.com/DanielWurgaft/rational-icl.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_LEAST = 1e-9  # an outcome is never impossible, so that logarithms stay finite


def counts(balls: "torch.Tensor", n_outcomes: int) -> "torch.Tensor":
    """Count what was drawn before each ball.

    Args:
        balls: Outcomes, whole numbers, shape (n, n_balls).
        n_outcomes: How many outcomes there are.

    Returns:
        Shape (n, n_balls + 1, n_outcomes); the first row of a sequence is 0, the last counts all of it.
    """
    from torch.nn.functional import one_hot, pad

    return pad(one_hot(balls, n_outcomes).float().cumsum(1), (0, 0, 1, 0))


def memorising(seen: "torch.Tensor", urns: "torch.Tensor") -> "torch.Tensor":
    """Predict the next ball by the posterior over known urns.

    Args:
        seen: Counts so far, shape (..., n_outcomes).
        urns: Probabilities of each urn, shape (n_urns, n_outcomes).

    Returns:
        Probabilities, the shape of `seen`.
    """
    weights = (seen @ urns.clamp_min(_LEAST).log().T).softmax(-1)
    return (weights @ urns).clamp_min(_LEAST)


def generalising(seen: "torch.Tensor") -> "torch.Tensor":
    """Predict the next ball by counting, every urn being as likely before: Laplace's rule.

    Args:
        seen: Counts so far, shape (..., n_outcomes).
    """
    return (seen + 1) / (seen.sum(-1, keepdim=True) + seen.shape[-1])


def divergence(p: "torch.Tensor", q: "torch.Tensor") -> "torch.Tensor":
    """Return KL(p ‖ q) in nats of each distribution along the last axis."""
    return (p * (p.clamp_min(_LEAST).log() - q.clamp_min(_LEAST).log())).sum(-1)


def distance(p: "torch.Tensor", q: "torch.Tensor") -> float:
    """Return the mean of KL(p ‖ q) and KL(q ‖ p), in nats, over everything but the last axis."""
    return (divergence(p, q).mean() + divergence(q, p).mean()).item() / 2


def relative_distance(to_memorising: float, to_generalising: float, apart: float) -> float:
    """Place a learner between M and G by three distances; 0 at M, 1 at G.

    >>> relative_distance(0.0, 0.3, 0.3), relative_distance(0.1, 0.1, 0.3), relative_distance(0.5, 0.1, 0.3)
    (0.0, 0.5, 1.0)
    """
    return (1 + max(-1.0, min(1.0, (to_memorising - to_generalising) / apart))) / 2
