"""Gradient descent on a softmax regression, and how near other answers are to it.

With residuals r = softmax(A x) - b the gradient of the cross-entropy is Aᵀ r, that of the square loss
Aᵀ (diag f - f fᵀ) r. At x = 0 both point along Σ (a_j - ā)(b_j - 1/n): the first step is the same but for
its rate. What is answered for queries are logits, known but for a constant.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

MANY = 40
_RATE = 0.5  # of the many steps: with larger ones a few prompts never settle


def logits(rows: "torch.Tensor", x: "torch.Tensor") -> "torch.Tensor":
    """Return A x for rows (n, n_rows, d) and weights (n, d), shape (n, n_rows)."""
    return (rows @ x[:, :, None])[..., 0]


def one_step(rows: "torch.Tensor", shares: "torch.Tensor") -> "torch.Tensor":
    """Return the weights after one step from 0 at rate 1, (1/n) Σ (n b_j - 1)(a_j - ā), shape (n, d)."""
    excess = shares.shape[1] * shares - 1
    return ((rows - rows.mean(1, keepdim=True)) * excess[..., None]).mean(1)


def many_steps(rows: "torch.Tensor", shares: "torch.Tensor") -> "torch.Tensor":
    """Return the weights after 40 steps on the cross-entropy from 0, shape (n, d)."""
    x = rows.new_zeros(len(rows), rows.shape[2])
    for _ in range(MANY):
        residual = logits(rows, x).softmax(1) - shares
        x = x - _RATE * (rows * residual[..., None]).sum(1)
    return x


def best_rate(direction: "torch.Tensor", target: "torch.Tensor") -> float:
    """Return the one number, for all prompts, that makes logits times it best; by Newton's method.

    Args:
        direction: Logits at rate 1, shape (n, n_queries).
        target: The right shares, same shape.
    """
    rate = 0.0
    for _ in range(20):
        p = (rate * direction).softmax(1)
        mean = (p * direction).sum(1)
        slope = (mean - (target * direction).sum(1)).mean()
        curvature = ((p * direction.square()).sum(1) - mean.square()).mean()
        rate -= (slope / curvature).item()
    return rate


def cross_entropy(answered: "torch.Tensor", target: "torch.Tensor") -> "torch.Tensor":
    """Return the mean cross-entropy of logits with the right shares, in nats; both (n, n_queries)."""
    return -(target * answered.log_softmax(1)).sum(1).mean()


def cosine(one: "torch.Tensor", other: "torch.Tensor") -> float:
    """Return the mean cosine of logits (n, n_queries), less their mean, over prompts."""
    from torch.nn.functional import cosine_similarity

    one, other = (each - each.mean(1, keepdim=True) for each in (one, other))
    return cosine_similarity(one, other).mean().item()


def total_variation(one: "torch.Tensor", other: "torch.Tensor") -> float:
    """Return half the sum of the differences of shares (n, n_queries), the mean over prompts."""
    return 0.5 * (one - other).abs().sum(1).mean().item()


def compared(
    answered: "torch.Tensor", target: "torch.Tensor", known: "Mapping[str, torch.Tensor]"
) -> dict[str, float]:
    """Compare an answer with the right shares and with gradient descent.

    Args:
        answered: Logits, shape (n, n_queries).
        target: The right shares, same shape.
        known: Logits of "one" step and of "many".

    Returns:
        Cross-entropies in nats, cosines, and total variations, by the names of the world's curves.
    """
    answers = {"learner": answered, **known, "entropy": target.log(), "uniform": 0 * target}
    shares, one = answered.softmax(1), known["one"].softmax(1)
    return {
        **{name: cross_entropy(each, target).item() for name, each in answers.items()},
        "cosine_one": cosine(answered, known["one"]),
        "cosine_many": cosine(answered, known["many"]),
        "tv_one": total_variation(shares, one),
        "tv_right": total_variation(shares, target),
        "tv_step": total_variation(one, target),
    }
