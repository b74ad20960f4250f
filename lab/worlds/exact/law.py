"""The law that says which strategy a learner follows: evidence against simplicity, with three parameters.

A strategy s that predicts with a mean loss L_s and is K_s bits long is followed after n steps with the weight
softmax over s of -γ n^(1-α) L_s - ln 2 · K_s^β. The learner is taken to predict w M + (1 - w) G.

| here | paper's code | what |
|---|---|---|
| `gamma` γ | gamma | how much a nat of loss counts |
| `alpha` α | alpha | how fast further steps count less |
| `beta` β | beta | how much a bit of length counts |
| `bits` K | complexity | the code of a predictor and its table of urns, compressed |

Source: Wurgaft et al. 2025 (arXiv:2506.17859) and its code. Differences: the better of two compressors for
five; Nelder-Mead over the table of a grid for gradients through all predictions.
"""

import ast
import bz2
import inspect
import lzma
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lab.worlds.exact.strategies import divergence

if TYPE_CHECKING:
    import torch

SHARES = np.linspace(0, 1, 41)
"""Weights of M at which a learner is compared with w M + (1 - w) G; between them it is interpolated."""
_STARTS = [(0.0, 0.3, -1.0), (2.0, 0.5, -0.7), (4.0, 0.3, -0.3)]  # log γ, α, log β


class Point(NamedTuple):
    """What the law is told of a learner at a step of its training.

    Args:
        step: Of its training.
        advantage: By how many nats the loss of G is above that of M.
        bits: Lengths of M and of G.
    """

    step: int
    advantage: float
    bits: tuple[float, float]


class Cell(NamedTuple):
    """A learner at a step of its training.

    Args:
        n_urns: It learns from.
        step: Of its training.
        relative: Its relative distance on known urns, 0 at M, 1 at G.
        divergences: KL(T ‖ w M + (1 - w) G) in nats at `SHARES`.
        variations: The total variation between the two at `SHARES`.
        advantage: By how many nats the loss of G is above that of M.
        bits: Lengths of M and of G.
    """

    n_urns: int
    step: int
    relative: float
    divergences: np.ndarray
    variations: np.ndarray
    advantage: float
    bits: tuple[float, float]


class Law(NamedTuple):
    """The law's parameters."""

    gamma: float
    alpha: float
    beta: float

    def weight(self, cell: Cell | Point) -> float:
        """Return the weight of M, 0 to 1."""
        if min(self.gamma, self.beta) <= 0:
            raise ValueError(f"gamma and beta must be above 0, got {self.gamma} and {self.beta}")
        evidence = self.gamma * cell.step ** (1 - self.alpha) * cell.advantage
        simplicity = math.log(2) * (cell.bits[0] ** self.beta - cell.bits[1] ** self.beta)
        return 1 / (1 + math.exp(-max(-500.0, min(500.0, evidence - simplicity))))


class Fit(NamedTuple):
    """How well a law describes a grid.

    Args:
        law: The law.
        correlation: Pearson's r of the weight of G and the relative distance.
        divergence: Mean KL from the learners to what the law has them predict, nats.
        variation: Mean total variation between the two.
    """

    law: Law
    correlation: float
    divergence: float
    variation: float


def fit(cells: Sequence[Cell]) -> Fit:
    """Find the law under which the learners of a grid diverge least from what they are to predict.

    Args:
        cells: At least four, of learners after their first step.

    Raises:
        ValueError: There are too few cells, or one of an untrained learner.
    """
    from scipy.optimize import minimize

    if len(cells) < 4 or any(cell.step < 1 for cell in cells):
        raise ValueError(f"a law of three parameters needs 4 cells of trained learners, got {len(cells)}")

    def loss(values: np.ndarray) -> float:
        return float(np.mean(_at([cell.divergences for cell in cells], _weights(_law(values), cells))))

    best = min(
        (minimize(loss, start, method="Nelder-Mead", options={"maxiter": 600}) for start in _STARTS),
        key=lambda found: found.fun,
    )
    return judged(_law(best.x), cells)


def judged(law: Law, cells: Sequence[Cell]) -> Fit:
    """Tell how well a law describes a grid, be it fitted to this one or to another."""
    weights = _weights(law, cells)
    relative = np.array([cell.relative for cell in cells])
    return Fit(
        law,
        float(np.corrcoef(1 - weights, relative)[0, 1]),
        float(np.mean(_at([cell.divergences for cell in cells], weights))),
        float(np.mean(_at([cell.variations for cell in cells], weights))),
    )


def compared(
    p: "torch.Tensor", memorising: "torch.Tensor", generalising: "torch.Tensor"
) -> tuple[np.ndarray, np.ndarray]:
    """Compare predictions with every mixture of M and G: divergences and variations of a `Cell`."""
    mixed = [float(w) * memorising + (1 - float(w)) * generalising for w in SHARES]
    divergences = [divergence(p, each).mean().item() for each in mixed]
    variations = [(p - each).abs().sum(-1).mean().item() / 2 for each in mixed]
    return np.array(divergences), np.array(variations)


def bits(predictor: Callable, table: np.ndarray | None = None) -> float:
    """Return the length of a predictor: its code without docstring, and what it must know, compressed.

    Args:
        predictor: A function.
        table: What it must know; None is nothing.
    """
    (function,) = ast.parse(inspect.getsource(predictor)).body
    assert isinstance(function, ast.FunctionDef)
    function.body = function.body[1:]  # the docstring
    return _compressed(ast.unparse(function).encode()) + (
        0 if table is None else _compressed(table.tobytes())
    )


def _compressed(data: bytes) -> float:
    packed = (data, bz2.compress(data), lzma.compress(data, preset=9 | lzma.PRESET_EXTREME))
    return 8.0 * min(map(len, packed))


def _law(values: Sequence[float] | np.ndarray) -> Law:
    log_gamma, alpha, log_beta = values
    return Law(math.exp(min(log_gamma, 50)), float(alpha), math.exp(min(log_beta, 1)))


def _weights(law: Law, cells: Sequence[Cell]) -> np.ndarray:
    return np.array([law.weight(cell) for cell in cells])


def _at(tables: Sequence[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """Look up, or interpolate, a value a cell at the weight of M."""
    return np.array([np.interp(w, SHARES, table) for w, table in zip(weights, tables, strict=True)])
