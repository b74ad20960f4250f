"""What can be read off a learner's vectors by a linear map, and where in it."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lab.worlds.growth import one_thread

if TYPE_CHECKING:
    import torch

    from lab.worlds.core.learner import Learner
    from lab.worlds.world import World

PENALTY = 0.1
N_PROBED = 2000  # half of them fit a probe, the others judge it
_MOST_POSITIONS = 40  # of longer sequences the last are probed, in fewer sequences
_LEAST_A_KIND = 10  # sequences that fit a probe for each answer there is
_DRAWN_BY = 78


class Readable(NamedTuple):
    """How well the right answer can be read at every place of the residual stream.

    Args:
        layers: Names of the places, from what comes in to what goes out.
        positions: Which positions of the sequences, counted from 1.
        shares: Told right by a probe of its own, shape (n_layers, n_positions).
        learner: Told right by the learner itself, the same sequences.
        chance: Share of the commonest answer.
        n: Sequences that judge.
    """

    layers: list[str]
    positions: list[int]
    shares: np.ndarray
    learner: float
    chance: float
    n: int


def readable(world: "World", learner: "Learner") -> Readable:
    """Fit a probe of the right answer at every position of the stream, before and after each block.

    Raises:
        ValueError: There are too many different answers for so few sequences.
    """
    import torch

    generator, question = torch.Generator().manual_seed(_DRAWN_BY), next(iter(world.questions))
    length = len(world.positions(world.sample(1, generator, question), 0))
    n = N_PROBED if length <= _MOST_POSITIONS else N_PROBED // 4
    batch = world.sample(n, generator, question)
    cache: dict[str, torch.Tensor] = {}
    with torch.no_grad():
        replies = world.reply(learner, batch, None, cache)
    words = sorted(set(replies.gold))
    if len(words) * _LEAST_A_KIND > n // 2:
        raise ValueError(
            f"There are {len(words)} different answers: too many for a linear map that is fitted to "
            f"{n // 2:,} sequences. Train a learner that has fewer to choose from."
        )
    kinds = torch.tensor([words.index(word) for word in replies.gold])
    places = _stream(learner.body.hook_names)  # type: ignore[arg-type]
    positions = range(max(0, length - _MOST_POSITIONS), length)
    with one_thread():
        shares = [
            [held_out_accuracy(cache[place][:, position], kinds, PENALTY) for position in positions]
            for place in places.values()
        ]
    half = kinds[n // 2 :]
    right = [said == gold for said, gold in zip(replies.predictions, replies.gold, strict=True)]
    return Readable(
        list(places),
        [position + 1 for position in positions],
        np.array(shares),
        float(np.mean(right[n // 2 :])),
        half.bincount().max().item() / len(half),
        len(half),
    )


def _stream(hook_names: "list[str]") -> dict[str, str]:
    """Name the places between blocks, and between attention and MLP where both are there."""
    found = {"what comes in": "hook_embed"}
    for name in hook_names:
        _, layer, *part = name.split(".") if name.startswith("blocks.") else ("", "", "")
        if part == ["hook_resid_mid"]:
            found[f"block {layer}, after attention"] = name
        elif part == ["hook_resid_post"]:
            found[f"after block {layer}"] = name
    return found


def principal_plane(vectors: "torch.Tensor") -> "tuple[torch.Tensor, float]":
    """Lay vectors onto the plane that keeps most of them, without taking their mean off.

    Args:
        vectors: Shape (n, d), d of 2 or more.

    Returns:
        Places, shape (n, 2), and the share of the sum of squares that the plane keeps, 0 to 1.
    """
    import torch

    left, sizes, _ = torch.linalg.svd(vectors.double(), full_matrices=False)
    squares = sizes.square()
    return (left[:, :2] * sizes[:2]).float(), (squares[:2].sum() / squares.sum().clamp_min(1e-30)).item()


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
