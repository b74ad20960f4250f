"""Train Painter's network on pairs of pictures of shapes, by operations that are not held out."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lab.training.ahead import drawing
from lab.training.loop import Schedule, Step, train
from lab.vision.backbone import centred
from lab.vision.operations import Operation, fitting_view, operations, random_palette, telling_view
from lab.vision.painter import PATCH, Pair, new_painter
from lab.vision.shapes import SIDE

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Recipe:
    """How Painter is trained.

    Args:
        schedule: Steps and rates.
        n_shown: Pairs, each with a picture, that a worker is shown at a step.
        n_workers: See `train`.
    """

    schedule: Schedule
    n_shown: int
    n_workers: int = 1


ON_TWO_CORES = Recipe(
    Schedule(n_steps=6_000, rate=1e-3, n_warmup=200, flat=0.4, decay=0.05, ema=0.999), 16, n_workers=2
)
ON_ACCELERATOR = Recipe(
    Schedule(n_steps=8_000, rate=1e-3, n_warmup=400, flat=0.4, decay=0.05, ema=0.999), 128
)
_P_TELLING = 0.8  # of pairs; the others show whatever comes
_P_COMBINED = 0.25  # of operations that segment: a shape and a colour at once
_P_SEGMENT = 0.6
_P_SCATTERED = 0.25  # of batches: patches of both outputs are hidden at random, as in the paper's training
_SHARE_SCATTERED = 0.6


class Shown(NamedTuple):
    """A pair, and a picture with what should become of it."""

    pair: Pair
    query: Pair


class Batch(NamedTuple):
    """What a step shows: pictures, uint8, shape (n, 64, 64, 3) each, and what of both outputs is hidden.

    Args:
        before: Of the pairs.
        after: What became of them.
        picture: What is asked.
        answer: What should become of it.
        hidden: By patch of the pair's output, then of the answer, bool, shape (n, 2 × 64).
    """

    before: np.ndarray
    after: np.ndarray
    picture: np.ndarray
    answer: np.ndarray
    hidden: np.ndarray


def recipe_for(device: str) -> Recipe:
    """Choose a recipe by where it is followed."""
    return ON_TWO_CORES if device == "cpu" else ON_ACCELERATOR


def train_painter(
    checkpoint: Path | None,
    seed: int = 0,
    recipe: Recipe = ON_TWO_CORES,
    network: Any = None,
    device: str = "cpu",
    n_processes: int = 0,
) -> tuple[Any, Iterator[Step]]:
    """Return a network and the steps that train it; read the steps to the end before using it.

    Args:
        checkpoint: Where the state is kept; None keeps nothing.
        seed: Seeds weights and pictures.
        recipe: How it is trained.
        network: None takes a new one.
        device: Where it is trained.
        n_processes: Processes that draw the pictures, with a recipe of one worker; what they draw does not
            depend on it.
    """
    import torch

    torch.manual_seed(seed)
    chosen = (network if network is not None else new_painter()).to(device)

    def steps() -> Iterator[Step]:
        with drawing(partial(draw, recipe.n_shown), seed, n_processes) as ahead:

            def loss_of(step: int, generator: torch.Generator) -> torch.Tensor:
                return painter_loss(chosen, ahead.of(step, generator))

            modules = {"painter": chosen}
            yield from train(modules, loss_of, recipe.schedule, seed, checkpoint, n_workers=recipe.n_workers)

    return chosen, steps()


def draw(n: int, seed: int) -> Batch:
    """Draw what a step shows."""
    random = np.random.default_rng(seed)
    found = [shown(drawn_operation(random), random) for _ in range(n)]
    n_patches = 2 * (SIDE // PATCH) ** 2
    hidden = np.zeros((n, n_patches), bool)
    if random.random() < _P_SCATTERED:
        hidden[:] = random.random(hidden.shape) < _SHARE_SCATTERED
    else:
        hidden[:, n_patches // 2 :] = True
    return Batch(
        before=np.stack([each.pair.before for each in found]),
        after=np.stack([each.pair.after for each in found]),
        picture=np.stack([each.query.before for each in found]),
        answer=np.stack([each.query.after for each in found]),
        hidden=hidden,
    )


def drawn_operation(random: np.random.Generator) -> Operation:
    """Draw an operation that is not held out."""
    seen = [each for each in operations() if not each.is_held_out]
    is_segmenting = random.random() < _P_SEGMENT
    kind = [each for each in seen if (each.kind == "segment") == is_segmenting]
    if is_segmenting:
        is_combined = random.random() < _P_COMBINED
        kind = [each for each in kind if (len(each.wanted) == 2) == is_combined]
    return kind[random.integers(len(kind))]


def shown(operation: Operation, random: np.random.Generator) -> Shown:
    """Draw a pair that shows an operation, and a picture that it is asked of, painted in the same colours."""
    palette = random_palette(random)
    telling = telling_view if random.random() < _P_TELLING else fitting_view
    pair = operation.pair(telling(operation, random), palette, random)
    query = operation.pair(fitting_view(operation, random), palette, random)
    return Shown(Pair(*pair), Pair(*query))


def painter_loss(network: Any, batch: Batch) -> "torch.Tensor":
    """Return the smooth L1 distance over what is hidden: all of what is asked, or patches of both outputs."""
    import torch

    return network(
        pixel_values=centred(batch.picture, network.device),
        prompt_pixel_values=centred(batch.before, network.device),
        prompt_masks=centred(batch.after, network.device),
        labels=centred(batch.answer, network.device),
        bool_masked_pos=torch.from_numpy(batch.hidden).to(network.device),
    ).loss
