"""How far does a prediction move when weights or data move, and how far above lies the proved bound?

The prediction of softmax regression is f(A, x) = softmax(A x). Its weights x move by a step of gradient
descent, or its data A move through a layer of self-attention; the theorem bounds either change by M times
the shift. Draws can break the bound or not; that they don't says little where it lies decades above.

| here | paper | what |
|---|---|---|
| `radius` | R | the most that the spectral norm of A, and the norm of x, may be |
| weight shift | x_t → x_{t+1} | a gradient step on ½ ‖f(A, x) - b‖² |
| data shift | A_t → A_{t+1} | A + softmax(A Q Aᵀ) A V, with random Q and V |
| `proved` | M | n^1.5 exp(10 R²) |
| `elementary` | | R / 2, because softmax moves at most half as far as what goes into it |

Source: Li et al. 2023 (arXiv:2304.13276), theorem 1.3. Norms of A are spectral; steps and layers that lead
out of the ball of radius R are drawn back to it.
"""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np


class Shifts(NamedTuple):
    """How far weights or data moved in every draw, and how far the prediction: norms, shape (n_draws,)."""

    shift: np.ndarray
    change: np.ndarray

    def n_broken(self, bound: float) -> int:
        """Count the draws in which the change is more than the bound times the shift."""
        return int((self.change > bound * self.shift).sum())

    def decades(self, bound: float) -> np.ndarray:
        """Return log10 of what a bound allows over what was measured, shape (n_draws,)."""
        return np.log10(bound) + np.log10(self.shift) - np.log10(self.change)


def proved(n_rows: int, radius: float) -> float:
    """Return M = n^1.5 exp(10 R²).

    >>> f"{proved(24, 1.0):.1e}"
    '2.6e+06'
    """
    return n_rows**1.5 * math.exp(10 * radius**2)


def elementary(radius: float) -> float:
    """Return R / 2: the Jacobian diag(f) - f fᵀ of softmax has norms of at most ½."""
    return radius / 2


def weight_shifts(n_draws: int, n_rows: int, d: int, radius: float, rng: np.random.Generator) -> Shifts:
    """Take one gradient step from random weights in every draw; its rate is drawn over four decades."""
    a, x = _data(n_draws, n_rows, d, radius, rng), _within(rng.normal(size=(n_draws, d)), radius, rng)
    b = _softmax(rng.normal(size=(n_draws, n_rows)))
    before = _predicted(a, x)
    off = before - b
    pulled = before * (off - (before * off).sum(1, keepdims=True))
    rates = 10 ** rng.uniform(-2, 2, size=(n_draws, 1))
    moved = x - rates * np.einsum("bnd,bn->bd", a, pulled)
    moved *= np.minimum(1, radius / np.linalg.norm(moved, axis=1, keepdims=True))
    return Shifts(np.linalg.norm(moved - x, axis=1), np.linalg.norm(_predicted(a, moved) - before, axis=1))


def data_shifts(n_draws: int, n_rows: int, d: int, radius: float, rng: np.random.Generator) -> Shifts:
    """Pass the data through one random layer of self-attention in every draw."""
    a, x = _data(n_draws, n_rows, d, radius, rng), _within(rng.normal(size=(n_draws, d)), radius, rng)
    q, v = (rng.normal(size=(n_draws, d, d)) / math.sqrt(d) for _ in range(2))
    gains = 10 ** rng.uniform(-2, 0, size=(n_draws, 1, 1))
    moved = a + gains * (_softmax(a @ q @ a.swapaxes(1, 2)) @ a @ v)
    moved *= np.minimum(1, radius / _spectral(moved))[:, None, None]
    change = _predicted(moved, x) - _predicted(a, x)
    return Shifts(_spectral(moved - a), np.linalg.norm(change, axis=1))


SHIFTS: Mapping[str, Callable[[int, int, int, float, np.random.Generator], Shifts]] = {
    "weight": weight_shifts,
    "data": data_shifts,
}
"""What may move, and how it is drawn."""


def _data(n_draws: int, n_rows: int, d: int, radius: float, rng: np.random.Generator) -> np.ndarray:
    """Draw Gaussian matrices, their spectral norms uniform up to the radius, shape (n_draws, n_rows, d)."""
    a = rng.normal(size=(n_draws, n_rows, d))
    return a * (radius * rng.uniform(size=n_draws) / _spectral(a))[:, None, None]


def _within(x: np.ndarray, radius: float, rng: np.random.Generator) -> np.ndarray:
    """Give vectors (n_draws, d) norms that are uniform up to the radius."""
    return x * radius * rng.uniform(size=(len(x), 1)) / np.linalg.norm(x, axis=1, keepdims=True)


def _spectral(a: np.ndarray) -> np.ndarray:
    return np.linalg.norm(a, ord=2, axis=(1, 2))


def _predicted(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    return _softmax(np.einsum("bnd,bd->bn", a, x))


def _softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)
