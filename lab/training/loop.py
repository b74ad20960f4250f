"""The one training loop: any step of it can be the last, and the next process goes on from there.

Every step draws from a generator seeded by (seed, step): a resumed training sees the very batches and noises
that an undisturbed one sees.
"""

import math
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to learn: warm-up, a plateau, then a linear fall.

    Args:
        n_steps: Optimiser steps.
        rate: Learning rate on the plateau.
        n_warmup: Steps of linear warm-up.
        flat: Fraction of the steps after which the rate falls.
        floor: The last rate, as a fraction of `rate`.
        decay: Weight decay of AdamW.
        clip: Largest norm of a gradient.
        ema: Decay of the moving average of the weights at its end; 0 keeps the last weights instead.
    """

    n_steps: int
    rate: float
    n_warmup: int = 100
    flat: float = 0.6
    floor: float = 0.02
    decay: float = 0.01
    clip: float = 1.0
    ema: float = 0.0

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0.

        >>> Schedule(n_steps=100, rate=1.0, n_warmup=10, flat=0.5, floor=0.1).rate_at(49)
        1.0
        """
        warm = min(1.0, (step + 1) / max(1, self.n_warmup))
        gone = (step + 1) / self.n_steps
        fall = 1.0 if gone <= self.flat else max(self.floor, (1 - gone) / (1 - self.flat))
        return self.rate * warm * fall


@dataclass(frozen=True)
class Step:
    """What a step tells.

    Args:
        step: Steps done, from 1.
        n_steps: Steps in all.
        loss: The step's loss.
        seconds: Since this process began.
    """

    step: int
    n_steps: int
    loss: float
    seconds: float


def train(
    modules: "dict[str, torch.nn.Module]",
    loss_of: "Callable[[int, torch.Generator], torch.Tensor]",
    schedule: Schedule,
    seed: int,
    checkpoint: Path | None = None,
    save_every_s: float = 120.0,
    n_workers: int = 1,
) -> Iterator[Step]:
    """Train the parameters that ask for gradients, a step a yield; at the end the modules hold the average.

    Args:
        modules: What learns, by name; names are the checkpoint's.
        loss_of: The loss of a step, given its number and a CPU generator of its own.
        schedule: Steps and rates.
        seed: Seeds the steps' generators.
        checkpoint: Where to keep the state; a file there is gone on from. None keeps nothing.
        save_every_s: Seconds between saves; the state is also saved when the caller stops early.
        n_workers: Threads that each take a loss of their own, whose mean is followed. On small models this
            uses two cores better than threads inside every operation. Like the batches, it belongs to the
            recipe.

    Raises:
        FloatingPointError: The loss is no longer finite; the last checkpoint is kept.
        OSError: The checkpoint can't be written; the former one is kept.
    """
    import torch

    named = {
        f"{part}.{name}": tensor
        for part, module in modules.items()
        for name, tensor in module.named_parameters()
        if tensor.requires_grad
    }
    optimiser = torch.optim.AdamW(
        named.values(), schedule.rate, betas=(0.9, 0.99), weight_decay=schedule.decay, fused=True
    )
    average = {name: tensor.detach().clone() for name, tensor in named.items()} if schedule.ema else {}
    done = _resume(checkpoint, named, average, optimiser)
    pool = ThreadPoolExecutor(n_workers) if n_workers > 1 else None
    began = saved = time.monotonic()
    for module in modules.values():
        module.train()
    try:
        while done < schedule.n_steps:
            for group in optimiser.param_groups:
                group["lr"] = schedule.rate_at(done)
            value = _take_gradients(named, loss_of, done, seed, pool, n_workers)
            if not math.isfinite(value):
                raise FloatingPointError(
                    f"the loss became {value} at step {done + 1}; lower the learning rate"
                )
            torch.nn.utils.clip_grad_norm_(named.values(), schedule.clip)
            optimiser.step()
            done += 1
            weight = 1 - min(schedule.ema, (1 + done) / (10 + done))  # short memory while young
            for name, kept in average.items():
                kept.lerp_(named[name].detach(), weight)
            yield Step(done, schedule.n_steps, value, time.monotonic() - began)
            if time.monotonic() - saved > save_every_s:
                _save(checkpoint, done, named, average, optimiser)
                saved = time.monotonic()
    finally:
        if pool is not None:
            pool.shutdown()
        _save(checkpoint, done, named, average, optimiser)
        with torch.no_grad():
            for name, kept in average.items():
                named[name].copy_(kept)
        for module in modules.values():
            module.eval()


def seed_of(seed: int, step: int, worker: int = 0) -> int:
    """Return the seed of a step's generator, given the training's."""
    return (seed * 1_000_003 + step + worker * 2**40) % 2**63


def _take_gradients(named: dict, loss_of, step: int, seed: int, pool, n_workers: int) -> float:
    """Set the gradients of a step, and return its loss."""
    import torch

    parameters = list(named.values())

    def share(worker: int):
        generator = torch.Generator().manual_seed(seed_of(seed, step, worker))
        if worker == 0:
            _seed_the_rest(parameters[0].device, generator.initial_seed())
        loss = loss_of(step, generator)
        return loss.item(), torch.autograd.grad(loss, parameters, allow_unused=True)

    if pool is None:
        loss, gradients = share(0)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = _laid_like(parameter, gradient)
        return loss
    shares = list(pool.map(share, range(n_workers)))
    for place, parameter in enumerate(parameters):
        found = [gradients[place] for _, gradients in shares if gradients[place] is not None]
        mean = torch.stack(found).sum(0) / n_workers if found else None
        parameter.grad = _laid_like(parameter, mean)
    return sum(loss for loss, _ in shares) / n_workers


def _laid_like(parameter: "torch.Tensor", gradient: "torch.Tensor | None") -> "torch.Tensor | None":
    """Return a gradient with its parameter's strides: fused AdamW reads both in the order they lie in."""
    import torch

    if gradient is None or gradient.stride() == parameter.stride():
        return gradient
    return torch.empty_like(parameter).copy_(gradient)


def _seed_the_rest(device: "torch.device", seed: int) -> None:
    """Seed what draws without a generator, such as dropout."""
    import torch

    if device.type == "cpu":
        torch.default_generator.manual_seed(seed)  # manual_seed notes a traceback for CUDA, at every step
    else:
        torch.manual_seed(seed)


def _save(path: Path | None, done: int, named: dict, average: dict, optimiser) -> None:
    import torch

    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    state = {
        "done": done,
        "weights": {name: tensor.detach() for name, tensor in named.items()},
        "average": average,
        "optimiser": optimiser.state_dict(),
    }
    try:
        torch.save(state, fresh)
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


def _resume(path: Path | None, named: dict, average: dict, optimiser) -> int:
    import torch

    if path is None or not path.is_file():
        return 0
    state = torch.load(path, weights_only=True, map_location="cpu")
    shapes = {name: tensor.shape for name, tensor in state["weights"].items()}
    if shapes != {name: tensor.shape for name, tensor in named.items()}:
        raise ValueError(
            f"{path} is the checkpoint of another model. Move it away, or train in another folder."
        )
    with torch.no_grad():
        for name, tensor in named.items():
            tensor.copy_(state["weights"][name])
        for name, tensor in average.items():
            tensor.copy_(state["average"][name])
    optimiser.load_state_dict(state["optimiser"])
    return state["done"]
