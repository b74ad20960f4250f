"""Tune the LoRAs that come with the lab: one a task, and those that the study compares with."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.images import adapters
from lab.images.emoji import Atlas
from lab.images.model import ImageModel
from lab.images.sets import ImageSet, single_panels
from lab.images.shelf import SHIPPED, adapter_name
from lab.images.tasks import TASKS, find_task, task_sets
from lab.images.train import COMMAND
from lab.images.tune import TuneSettings, tune
from lab.training.loop import Step
from lab.training.record import curve, sha256_of_array, write_record

N_SETS = 100
SETTINGS = TuneSettings(rank=16, n_steps=400, rate=2e-3, batch=12)
STUDIED = ("coloured", "rendered", "growth")
"""Tasks that also get an ordinary LoRA; the first also LoRAs of fewer sets."""


@dataclass(frozen=True)
class Recipe:
    """How a shipped LoRA is made.

    Args:
        name: Its file's name.
        task: Its task.
        n_sets: Sets that it sees.
        is_ordinary: Whether it sees their panels one at a time, as an ordinary LoRA does: the same pixels,
            texts that name what each shows, and as many panels a step.
    """

    name: str
    task: str
    n_sets: int = N_SETS
    is_ordinary: bool = False


RECIPES = (
    *(Recipe(task.id, task.id) for task in TASKS),
    *(Recipe(f"{task}-ordinary", task, is_ordinary=True) for task in STUDIED),
    *(Recipe(f"{STUDIED[0]}-{n}", STUDIED[0], n) for n in (5, 20)),
)


def tune_all(model: ImageModel, drawings: Atlas, work: Path) -> Iterator[Step]:
    """Tune what is not there yet, a step a yield; each LoRA goes on where it was broken off."""
    for recipe in RECIPES:
        if not (SHIPPED / f"{recipe.name}{adapters.SUFFIX}").is_file():
            yield from tune_one(model, recipe, drawings, work)


def tune_one(
    model: ImageModel, recipe: Recipe, drawings: Atlas, work: Path, settings: TuneSettings = SETTINGS
) -> Iterator[Step]:
    """Tune one LoRA, and write it with its record."""
    sets = task_sets(find_task(recipe.task), recipe.n_sets, "train", settings.seed, drawings)
    seen = [single for each in sets for single in single_panels(each)] if recipe.is_ordinary else sets
    if recipe.is_ordinary:
        settings = TuneSettings(
            rank=settings.rank,
            n_steps=settings.n_steps,
            rate=settings.rate,
            batch=settings.batch * sets[0].grid.n_panels,
            seed=settings.seed,
        )
    name, curve_path = adapter_name(recipe.name), work / f"lora-{recipe.name}.csv"
    adapters.forget(model, name)
    yield from curve(tune(model, seen, settings, name, work / f"lora-{recipe.name}.pt"), curve_path)
    about = {"task": recipe.task, "sets": str(recipe.n_sets), "steps": str(settings.n_steps)}
    adapters.save(model, name, SHIPPED / f"{recipe.name}{adapters.SUFFIX}", about)
    adapters.forget(model, name)
    write_record(
        SHIPPED / f"{recipe.name}.json",
        f"{COMMAND} loras",
        settings.schedule,
        settings.seed,
        _hash(sets),
        curve_path,
        n_sets=recipe.n_sets,
        rank=settings.rank,
        batch=settings.batch,
        is_ordinary=recipe.is_ordinary,
    )


def _hash(sets: list[ImageSet]) -> str:
    import numpy as np

    return sha256_of_array(np.stack([each.canvas for each in sets]))
