"""A LoRA as one vector of numbers, so that a network can make it.

A layer's change is B A. In every LoRA made here A is the same random matrix, fixed by the layer's name and
never trained, so that B alone holds what was learnt: LoRAs of several tasks and seeds stand in one coordinate
system and can be averaged, compared and generated. Every linear layer of the blocks is changed.

| here | paper | what |
|---|---|---|
| `RANK` | r | rank of every change |
| vector | W | every B, flattened row by row, layer after layer in the order of their names |

Source: Shao et al. 2025, In-Context Meta LoRA Generation (arXiv:2501.17635), which flattens A and B; the
frozen A is that of Zhang et al. 2023, LoRA-FA (arXiv:2308.03303).
"""

import hashlib
import re
import zlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lab.images.adapters import forget
from lab.images.model import ImageModel
from lab.images.sets import ImageSet
from lab.images.tune import TARGETS, TuneSettings, add_adapter, tune
from lab.training.loop import Step

if TYPE_CHECKING:
    import torch

RANK = 8
_SEED = 2501_17635  # of every A


class Slot(NamedTuple):
    """Where one layer's B lies in the vector: `n_out` rows of `RANK` numbers from `start` on."""

    layer: str
    n_out: int
    start: int

    @property
    def n_numbers(self) -> int:
        """Count its numbers."""
        return self.n_out * RANK


class Tuned(NamedTuple):
    """A step of a tuning, and at some steps the LoRA as it is then."""

    step: Step
    vector: "torch.Tensor | None"


def layout(model: ImageModel) -> tuple[Slot, ...]:
    """List the layers in the order in which their B lie in the vector; adapters do not change it."""
    slots: list[Slot] = []
    start = 0
    for layer, module in sorted(model.transformer.named_modules()):
        if re.fullmatch(TARGETS, layer):
            slots.append(Slot(layer, module.out_features, start))
            start += slots[-1].n_numbers
    return tuple(slots)


def fingerprint(model: ImageModel) -> str:
    """Name the base that a vector is for, 12 hex digits; adapters do not change it."""
    weight = model.transformer.proj_out.weight.detach().float().cpu().numpy()
    return hashlib.sha256(weight.tobytes()).hexdigest()[:12]


def add_shared(model: ImageModel, name: str, rank: int = RANK, seed: int = 0) -> None:
    """Add an adapter whose A are the shared ones and whose B are 0, and let its B alone be trained.

    Args:
        model: The model.
        name: The adapter's name, not one that the model already has.
        rank: `RANK`; a parameter because every `AddAdapter` has it.
        seed: Changes nothing, because A is the same in every LoRA.

    Raises:
        ValueError: The rank is another, or the name is taken.
    """
    import torch

    if rank != RANK:
        raise ValueError(f"a LoRA with the shared A has rank {RANK}, got {rank}")
    add_adapter(model, name, rank, seed)
    modules = dict(model.transformer.named_modules())
    for slot in layout(model):
        weight = modules[slot.layer].lora_A[name].weight
        with torch.no_grad():
            weight.copy_(torch.from_numpy(shared_a(slot.layer, weight.shape[1])))
        weight.requires_grad_(False)


def shared_a(layer: str, n_in: int) -> np.ndarray:
    """Draw a layer's A, shape (RANK, n_in), the same in every LoRA; deviation 1 / RANK, as peft's."""
    random = np.random.default_rng([_SEED, zlib.crc32(layer.encode())])
    return random.standard_normal((RANK, n_in)).astype(np.float32) / RANK


def to_vector(model: ImageModel, name: str) -> "torch.Tensor":
    """Read an adapter that `add_shared` added, float32 on the CPU, shape (n_numbers,).

    Raises:
        ValueError: The model has no such adapter.
    """
    import torch

    if name not in getattr(model.transformer, "peft_config", {}):
        raise ValueError(f"no adapter is called {name!r}, so it has no vector")
    modules = dict(model.transformer.named_modules())
    found = [modules[slot.layer].lora_B[name].weight.detach().flatten() for slot in layout(model)]
    return torch.cat(found).float().cpu()


def from_vector(model: ImageModel, vector: "torch.Tensor", name: str) -> None:
    """Add the adapter that a vector describes; `lab.images.adapters.weigh` makes it count.

    Args:
        model: The model that the vector is for.
        vector: Shape (n_numbers,).
        name: The adapter's name; one that the model already has is replaced.

    Raises:
        ValueError: The vector has another length than the model's.
    """
    import torch

    slots = layout(model)
    n_numbers = sum(slot.n_numbers for slot in slots)
    if vector.shape != (n_numbers,):
        raise ValueError(f"{model.id} takes LoRAs of {n_numbers} numbers, got shape {tuple(vector.shape)}")
    forget(model, name)
    add_shared(model, name)
    modules = dict(model.transformer.named_modules())
    with torch.no_grad():
        for slot in slots:
            weight = modules[slot.layer].lora_B[name].weight
            weight.copy_(vector[slot.start : slot.start + slot.n_numbers].view_as(weight))
    model.transformer.requires_grad_(False)
    model.transformer.eval()


def tune_shared(
    model: ImageModel,
    sets: Sequence[ImageSet],
    settings: TuneSettings,
    name: str,
    n_snapshots: int = 12,
) -> Iterator[Tuned]:
    """Tune a LoRA with the shared A, a step a yield, and read it at regular steps of the second half.

    Args:
        model: A model; its own weights stay as they are.
        sets: Sets of one grid.
        settings: How to tune; its rank is `RANK`.
        name: The adapter's name, not one that the model already has.
        n_snapshots: How many steps carry a vector, 1 to half of all; the last one, which is the tuned LoRA,
            is the moving average, the others are the weights of their step.

    Raises:
        ValueError: As `tune` does, or too many snapshots.
    """
    if not 1 <= n_snapshots <= max(1, settings.n_steps // 2):
        raise ValueError(f"n_snapshots must be 1 to half of {settings.n_steps} steps, got {n_snapshots}")
    every = max(1, settings.n_steps // 2 // n_snapshots)
    wanted = {settings.n_steps - every * place for place in range(n_snapshots)}
    steps = tune(model, sets, settings, name, add=add_shared)
    for step in steps:
        if step.step == settings.n_steps:
            next(steps, None)  # the end of the training puts the average in place
        yield Tuned(step, to_vector(model, name) if step.step in wanted else None)
