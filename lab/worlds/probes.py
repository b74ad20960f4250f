"""What can be read off a learner's vectors by a linear map."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def left_out_accuracy(first: "torch.Tensor", second: "torch.Tensor", penalty: float) -> float:
    """Tell two kinds of vectors apart by ridge regression, each vector judged by a fit to all others.

    The fits are not made one by one: what a vector's left-out answer is follows from the fit to all, by
    (fitted - H_ii y) / (1 - H_ii) with the hat matrix H.

    Args:
        first: Vectors of one kind, shape (n, d).
        second: Vectors of the other, shape (m, d).
        penalty: Of ridge regression, above 0; a column of ones stands for the intercept.

    Returns:
        The share that is told right, 0 to 1.
    """
    import torch

    x = torch.cat([first, second])
    x = torch.cat([x, torch.ones(len(x), 1)], 1).double()
    y = torch.cat([torch.ones(len(first)), -torch.ones(len(second))]).double()
    hat = x @ torch.linalg.solve(x.T @ x + penalty * torch.eye(x.shape[1], dtype=x.dtype), x.T)
    own = hat.diagonal()
    left_out = (hat @ y - own * y) / (1 - own)
    return (left_out * y > 0).double().mean().item()


def held_out_accuracy(vectors: "torch.Tensor", kinds: "torch.Tensor", penalty: float) -> float:
    """Tell kinds of vectors apart by ridge regression, fitted on the first half and judged on the second.

    Args:
        vectors: Shape (n, d).
        kinds: Counted from 0, shape (n,).
        penalty: Of ridge regression, above 0; a column of ones stands for the intercept.

    Returns:
        The share of the second half that is told right, 0 to 1.
    """
    import torch

    x = torch.cat([vectors, torch.ones(len(vectors), 1)], 1).double()
    wanted = torch.nn.functional.one_hot(kinds).double()
    half = len(x) // 2
    seen = x[:half]
    inner = seen.T @ seen + penalty * torch.eye(x.shape[1], dtype=x.dtype)
    weights = torch.linalg.solve(inner, seen.T @ wanted[:half])
    return ((x[half:] @ weights).argmax(1) == kinds[half:]).double().mean().item()
