"""A plateau and a fall with hardly any parameters: what is left of two learners when all else is taken away.

| here | paper | what |
|---|---|---|
| `fit_tensor` | Singh et al. 2024 (arXiv:2404.07129), its toy model | three factors that only help together |
| `three_numbers` | Reddy 2023 (arXiv:2312.03002), its minimal model | where two layers look, what follows |

Both descend the gradient in closed form, without torch.
"""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np

N_DIMENSIONS = 20
PARTS = ("a", "b", "c")


def fit_tensor(
    given: Collection[str] = (), n_steps: int = 300, rate: float = 0.1, seed: int = 0
) -> np.ndarray:
    """Fit a ⊗ b ⊗ c to another product of three unit vectors by gradient descent.

    Args:
        given: Which of the parts are right from the start and stay so.
        n_steps: Steps.
        rate: Of descent.
        seed: Determines the target and the small vectors that it starts from.

    Returns:
        Half the squared error before every step and after the last, shape (n_steps + 1,); it begins near ½.
    """
    rng = np.random.default_rng(seed)
    right = {name: _unit(rng) for name in PARTS}
    # each part starts small, a tenth along its target
    now = {name: right[name] if name in given else 0.1 * (right[name] + _unit(rng)) for name in PARTS}
    losses = []
    for _ in range(n_steps + 1):
        sizes = {name: float(now[name] @ now[name]) for name in PARTS}
        along = {name: float(now[name] @ right[name]) for name in PARTS}
        losses.append(0.5 * (np.prod(list(sizes.values())) - 2 * np.prod(list(along.values())) + 1))
        step = {}
        for name in PARTS:
            one, other = (each for each in PARTS if each != name)
            pulled = right[name] * along[one] * along[other]
            step[name] = now[name] * sizes[one] * sizes[other] - pulled
        now = {name: now[name] if name in given else now[name] - rate * step[name] for name in PARTS}
    return np.array(losses)


class Descent(NamedTuple):
    """The path of `three_numbers`: each of shape (n_steps + 1,).

    Args:
        before: β1, how strongly a label looks at the item before it.
        match: β2, how strongly the query looks at labels that stand by its like.
        follow: ξ, how far the answer follows what is looked at.
        loss: Cross-entropy in nats.
    """

    before: np.ndarray
    match: np.ndarray
    follow: np.ndarray
    loss: np.ndarray


def three_numbers(
    n_pairs: int = 8,
    burstiness: int = 1,
    n_labels: int = 32,
    n_steps: int = 4000,
    rate: float = 0.05,
    start: float = 0.01,
) -> Descent:
    """Train the induction circuit as three numbers, β1, β2 and ξ.

    With N pairs and B copies the first layer puts m = e^β1 / (e^β1 + 2N - 1) of its attention on the item
    before a label, the second w = B e^(β2 m) / (B e^(β2 m) + 2N + 1 - B) on the right labels, and on each
    other label of the context u = B / (the same). Logits are ξ w, ξ u, and 0 for labels that are not shown.

    Args:
        n_pairs: N.
        burstiness: B, a divisor of N.
        n_labels: L, labels in all.
        n_steps: Steps of gradient descent.
        rate: Their rate.
        start: What all three begin with.
    """
    n_shown = n_pairs // burstiness
    rest, n_other, n_absent = 2 * n_pairs + 1 - burstiness, n_shown - 1, n_labels - n_shown
    b1 = b2 = xi = start
    path = np.empty((n_steps + 1, 4))
    for step in range(n_steps + 1):
        m = np.exp(b1) / (np.exp(b1) + 2 * n_pairs - 1)
        raised = burstiness * np.exp(b2 * m)
        w, u = raised / (raised + rest), burstiness / (raised + rest)
        right, other = np.exp(xi * w), n_other * np.exp(xi * u)
        total = right + other + n_absent
        path[step] = b1, b2, xi, np.log(total) - xi * w
        by_right, by_other = right / total - 1, other / total  # of the loss, by ξ w and by ξ u
        by_match = xi * (by_right * w * (1 - w) - by_other * u * w)  # by β2 m
        b1, b2, xi = (
            b1 - rate * by_match * b2 * m * (1 - m),
            b2 - rate * by_match * m,
            xi - rate * (by_right * w + by_other * u),
        )
    return Descent(*path.T)


def _unit(rng: np.random.Generator) -> np.ndarray:
    drawn = rng.standard_normal(N_DIMENSIONS)
    return drawn / np.linalg.norm(drawn)
