"""Train ImageStacker on composed scenes and patterns that are not held out, all drawn anew each step.

A copy with its prompt is to lie nearer to its own original than to the others of the batch; a second head
tells the pattern of a picture that is stacked with itself, which is how prompts are retrieved later.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lab.training.ahead import drawing
from lab.training.loop import Schedule, Step, train
from lab.vision.backbone import centred
from lab.vision.stacker import Prompt, new_stacker, stacked
from lab.vision.tampers.listed import Pattern, find_pattern, patterns

if TYPE_CHECKING:
    import torch

SCHEDULE = Schedule(n_steps=3_000, rate=2e-3, n_warmup=150, flat=0.3, decay=0.02, ema=0.998)
BATCH = 128
N_ORIGINALS = 4_000
_TEMPERATURE = 0.07
_P_NO_PROMPT = 0.25
_PATTERN = 0.5  # weight of the loss of patterns, as in the paper


class Batch(NamedTuple):
    """What a step shows: stacks, uint8, shape (n, 64, 64, 9) each, and the pattern of each copy.

    Args:
        prompted: Copies, most of them with a prompt of their pattern.
        alone: The same copies, stacked with themselves.
        originals: What they are copies of, then as many other pictures, stacked with themselves.
        patterns: Places among the known patterns, int, shape (n,).
    """

    prompted: np.ndarray
    alone: np.ndarray
    originals: np.ndarray
    patterns: np.ndarray


def shown_patterns() -> tuple[Pattern, ...]:
    """List the patterns that training shows, in the order of the second head."""
    return tuple(each for each in patterns() if not each.is_held_out)


def train_stacker(
    pictures: Sequence[np.ndarray],
    checkpoint: Path | None,
    seed: int = 0,
    schedule: Schedule = SCHEDULE,
    known: Sequence[Pattern] | None = None,
    is_late: bool = False,
    device: str = "cpu",
    n_processes: int = 0,
) -> "tuple[torch.nn.Module, Iterator[Step]]":
    """Return a network and the steps that train it; read the steps to the end before using it.

    Args:
        pictures: Originals.
        checkpoint: Where the state is kept; None keeps nothing.
        seed: Seeds weights and batches.
        schedule: Steps and rates.
        known: Patterns; None takes `shown_patterns`.
        is_late: See `new_stacker`.
        device: Where it is trained.
        n_processes: Processes that draw and disguise; what they draw does not depend on it.
    """
    import torch

    chosen = tuple(known) if known is not None else shown_patterns()
    torch.manual_seed(seed)
    network = new_stacker(len(chosen), is_late).to(device)

    def steps() -> Iterator[Step]:
        names = tuple(each.id for each in chosen)
        with drawing(partial(draw, tuple(pictures), names), seed, n_processes) as ahead:

            def loss_of(step: int, generator: torch.Generator) -> torch.Tensor:
                return stacker_loss(network, ahead.of(step, generator), len(chosen))

            yield from train({"stacker": network}, loss_of, schedule, seed, checkpoint)

    return network, steps()


def draw(pictures: Sequence[np.ndarray], known: Sequence[str], seed: int) -> Batch:
    """Draw what a step shows: half of the pictures are copied, the others make the prompts."""
    random = np.random.default_rng(seed)
    places = random.permutation(len(pictures))[: 2 * BATCH]
    half = len(places) // 2
    copies, prompts, which = [], [], []
    for original, other in zip(places[:half], places[half:], strict=False):
        pattern = int(random.integers(len(known)))
        tamper = find_pattern(known[pattern]).tamper
        copies.append(tamper(pictures[original], random))
        prompt = Prompt(tamper(pictures[other], random), pictures[other])
        prompts.append(None if random.random() < _P_NO_PROMPT else prompt)
        which.append(pattern)
    nothing = [None] * half
    return Batch(
        stacked(copies, prompts),
        stacked(copies, nothing),
        stacked([pictures[place] for place in places], [None] * len(places)),
        np.array(which),
    )


def stacker_loss(network: "torch.nn.Module", batch: Batch, n_patterns: int) -> "torch.Tensor":
    """Return the loss of telling copies apart within a batch, and of telling patterns."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, one_hot

    device = next(network.parameters()).device

    def seen(stacks: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        return network(centred(stacks, device))

    copies, _ = seen(batch.prompted)
    found, _ = seen(batch.originals)
    _, told = seen(batch.alone)
    truth = one_hot(torch.from_numpy(batch.patterns).to(device), n_patterns).float()
    apart = cross_entropy(copies @ found.T / _TEMPERATURE, torch.arange(len(copies), device=device))
    return apart + _PATTERN * binary_cross_entropy_with_logits(told, truth)
