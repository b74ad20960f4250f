"""Train ImageStacker on composed scenes and patterns that are not held out, all drawn anew each step.

A copy with its prompt is to lie nearer to its own original than to the others of the batch; a second head
tells the pattern of a picture that is stacked with itself, which is how prompts are retrieved later.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lab.training.loop import Schedule, Step, train
from lab.vision.stacker import Prompt, new_stacker, stacks
from lab.vision.tampers.listed import Pattern, patterns

if TYPE_CHECKING:
    import torch

SCHEDULE = Schedule(n_steps=4_000, rate=2e-3, n_warmup=100, flat=0.3, decay=0.02, ema=0.998)
BATCH = 48
N_ORIGINALS = 3_000
_TEMPERATURE = 0.07
_P_NO_PROMPT = 0.25
_PATTERN = 0.5  # weight of the loss of patterns, as in the paper


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
) -> "tuple[torch.nn.Module, Iterator[Step]]":
    """Return a network and the steps that train it; read the steps to the end before using it.

    Args:
        pictures: Originals.
        checkpoint: Where the state is kept; None keeps nothing.
        seed: Seeds weights and batches.
        schedule: Steps and rates.
        known: Patterns; None takes `shown_patterns`.
        is_late: See `new_stacker`.
    """
    import torch

    chosen = tuple(known) if known is not None else shown_patterns()
    torch.manual_seed(seed)
    network = new_stacker(len(chosen), is_late)

    def loss_of(step: int, generator: "torch.Generator") -> "torch.Tensor":
        return stacker_loss(network, pictures, chosen, np.random.default_rng(generator.initial_seed()))

    return network, train({"stacker": network}, loss_of, schedule, seed, checkpoint)


def stacker_loss(
    network: "torch.nn.Module",
    pictures: Sequence[np.ndarray],
    known: Sequence[Pattern],
    random: np.random.Generator,
) -> "torch.Tensor":
    """Return the loss of telling copies apart within a batch, and of telling patterns."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

    places = random.permutation(len(pictures))[: 2 * BATCH]
    half = len(places) // 2
    queries, prompts, which = [], [], []
    for original, other in zip(places[:half], places[half:], strict=False):
        pattern = int(random.integers(len(known)))
        tamper = known[pattern].tamper
        queries.append(tamper(pictures[original], random))
        prompt = Prompt(tamper(pictures[other], random), pictures[other])
        prompts.append(None if random.random() < _P_NO_PROMPT else prompt)
        which.append(pattern)
    nothing = [None] * half
    copies, _ = network(stacks(queries, prompts))
    found, _ = network(stacks([pictures[place] for place in places[:half]], nothing))
    _, told = network(stacks(queries, nothing))
    truth = torch.nn.functional.one_hot(torch.tensor(which), len(known)).float()
    apart = cross_entropy(copies @ found.T / _TEMPERATURE, torch.arange(half))
    return apart + _PATTERN * binary_cross_entropy_with_logits(told, truth)
