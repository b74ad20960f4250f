"""Tune a LoRA while someone watches: losses, samples every few seconds, a file at the end or a stop."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lab.images import adapters
from lab.images.sampler import Settings, draw
from lab.images.sets import ImageSet
from lab.images.shelf import adapter_name, own_path
from lab.images.tune import TuneSettings, tune

if TYPE_CHECKING:
    from pathlib import Path

    from lab.images.model import ImageModel

SAMPLE_EVERY_S = 15.0
TELL_EVERY_S = 0.5
SAMPLE = Settings(n_steps=8)


@dataclass(frozen=True)
class Tuning:
    """How a tuning stands.

    Args:
        step: Steps done.
        n_steps: Steps in all.
        losses: The loss of every step so far.
        seconds: Since it began.
        sample: The probe set as it is drawn now, uint8, shape (n_panels, side, side, 3); None between
            samples.
        path: The LoRA's file, once it is written.
    """

    step: int
    n_steps: int
    losses: tuple[float, ...]
    seconds: float
    sample: np.ndarray | None = None
    path: "Path | None" = None


def tuning(
    model: "ImageModel",
    sets: Sequence[ImageSet],
    probe_set: ImageSet,
    settings: TuneSettings,
    name: str,
    task: str = "",
) -> Iterator[Tuning]:
    """Tune, and write the LoRA under `name` on the shelf; closing the generator early writes what is learnt.

    Args:
        model: The model; the new adapter stays in it, weighing nothing afterwards.
        sets: 5 to 100 sets of one grid.
        probe_set: The set that is drawn while it learns; its pixels do not count.
        settings: How to tune.
        name: A person's name for it.
        task: Which task it was tuned for, kept in the file.

    Raises:
        ValueError: Too few or many sets, or a bad name.
        FloatingPointError: The learning rate was too high; nothing is written.
    """
    from lab.images.tune import MAX_SETS, MIN_SETS

    if not MIN_SETS <= len(sets) <= MAX_SETS:
        raise ValueError(f"tune on {MIN_SETS} to {MAX_SETS} sets, got {len(sets)}")
    path, adapter = own_path(name), adapter_name(f"own/{name}")
    adapters.forget(model, adapter)
    began, told, sampled = time.monotonic(), 0.0, time.monotonic()
    losses: list[float] = []
    steps = tune(model, sets, settings, adapter)
    has_failed = False
    try:
        for step in steps:
            losses.append(step.loss)
            now = time.monotonic()
            is_last = step.step == step.n_steps
            if now - sampled > SAMPLE_EVERY_S and not is_last:
                sample = _sample(model, probe_set)
                sampled = time.monotonic()
                yield Tuning(step.step, step.n_steps, tuple(losses), now - began, sample)
            elif now - told > TELL_EVERY_S or is_last:
                told = now
                yield Tuning(step.step, step.n_steps, tuple(losses), now - began)
    except FloatingPointError:
        has_failed = True
        raise
    finally:
        steps.close()  # type: ignore[attr-defined]  # leaves the moving average in the adapter
        if losses and not has_failed:
            about = {
                "task": task, "steps": str(len(losses)), "sets": str(len(sets)), "rank": str(settings.rank),
                "rate": str(settings.rate), "seed": str(settings.seed),
            }  # fmt: skip
            adapters.save(model, adapter, path, about)
        model.transformer.requires_grad_(False)
    seconds = time.monotonic() - began
    yield Tuning(len(losses), settings.n_steps, tuple(losses), seconds, _sample(model, probe_set), path)


def _sample(model: "ImageModel", probe_set: ImageSet) -> np.ndarray:
    was_training = model.transformer.training
    model.transformer.eval()
    drawn = draw(model, [probe_set.caption], probe_set.grid, [1], SAMPLE)[0]
    model.transformer.train(was_training)
    return drawn
