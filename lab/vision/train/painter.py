"""Train Painter's network on pairs of pictures of shapes, by operations that are not held out."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lab.training.loop import Schedule, Step, train
from lab.vision.operations import Operation, fitting_view, operations, random_palette, telling_view
from lab.vision.painter import PATCH, Pair, new_painter, values
from lab.vision.shapes import SIDE

if TYPE_CHECKING:
    import torch

SCHEDULE = Schedule(n_steps=6_000, rate=1e-3, n_warmup=200, flat=0.4, decay=0.05, ema=0.999)
BATCH = 16  # pairs and pictures, for each of two workers
N_WORKERS = 2
_P_TELLING = 0.8  # of pairs; the others show whatever comes
_P_COMBINED = 0.25  # of operations that segment: a shape and a colour at once
_P_SEGMENT = 0.6
_P_SCATTERED = 0.25  # of batches: patches of both outputs are hidden at random, as in the paper's training
_SHARE_SCATTERED = 0.6


class Shown(NamedTuple):
    """A pair, and a picture with what should become of it."""

    pair: Pair
    query: Pair


def train_painter(
    checkpoint: Path | None,
    seed: int = 0,
    schedule: Schedule = SCHEDULE,
    network: Any = None,
    device: str = "cpu",
) -> tuple[Any, Iterator[Step]]:
    """Return a network and the steps that train it; read the steps to the end before using it.

    Args:
        checkpoint: Where the state is kept; None keeps nothing.
        seed: Seeds weights and pictures.
        schedule: Steps and rates.
        network: None takes a new one.
        device: Where it is trained.
    """
    import torch

    torch.manual_seed(seed)
    chosen = (network if network is not None else new_painter()).to(device)

    def loss_of(step: int, generator: "torch.Generator") -> "torch.Tensor":
        random = np.random.default_rng(generator.initial_seed())
        return painter_loss(chosen, [shown(drawn_operation(random), random) for _ in range(BATCH)], random)

    modules = {"painter": chosen}
    return chosen, train(modules, loss_of, schedule, seed, checkpoint, n_workers=N_WORKERS)


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


def painter_loss(network: Any, batch: Sequence[Shown], random: np.random.Generator) -> "torch.Tensor":
    """Return the smooth L1 distance over what is hidden: all of what is asked, or patches of both outputs."""
    import torch

    n_patches = 2 * (SIDE // PATCH) ** 2
    hidden = np.zeros((len(batch), n_patches), bool)
    if random.random() < _P_SCATTERED:
        hidden[:] = random.random(hidden.shape) < _SHARE_SCATTERED
    else:
        hidden[:, n_patches // 2 :] = True
    inputs = {
        "pixel_values": values([each.query.before for each in batch]),
        "prompt_pixel_values": values([each.pair.before for each in batch]),
        "prompt_masks": values([each.pair.after for each in batch]),
        "labels": values([each.query.after for each in batch]),
        "bool_masked_pos": torch.from_numpy(hidden),
    }
    return network(**{name: each.to(network.device) for name, each in inputs.items()}).loss
