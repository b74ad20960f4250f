"""Tune a collection of LoRAs, and train the network that makes LoRAs on it.

Every task is tuned, and late states of its tuning are kept: what the network learns is a cloud of good LoRAs
of a task, not one point. With more than one seed each tuning sees sets of its own. Tasks of `HELD_OUT` are
tuned too, to compare with, but the network sees nothing of them.

Source: Shao et al. 2025, In-Context Meta LoRA Generation (arXiv:2501.17635).
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lab.images import adapters, icm
from lab.images.emoji import Atlas
from lab.images.icm import HELD_OUT, Cvae, Trained
from lab.images.lora_vector import RANK, fingerprint, layout, tune_shared
from lab.images.model import ImageModel
from lab.images.task_vector import N_EXAMPLES, task_vector
from lab.images.tasks import TASKS, SetTask, task_sets
from lab.images.train import COMMAND
from lab.images.tune import TuneSettings
from lab.training.loop import Schedule, Step, train
from lab.training.record import curve, seconds_spent, sha256_of_array, write_record

if TYPE_CHECKING:
    import torch

TUNING = TuneSettings(RANK, n_steps=400, rate=2e-3, batch=12)
SCHEDULE = Schedule(n_steps=4000, rate=1e-3, n_warmup=100, flat=0.4, ema=0.995)
BATCH = 64
_NAME = "icm_collected"


@dataclass(frozen=True)
class Plan:
    """What is collected, and how the network is trained on it.

    Args:
        tuning: How each LoRA is tuned; the seed is that of the tuning.
        tasks: Tasks.
        seeds: Seeds of tunings; the first seed's LoRAs are those that generated ones are compared with.
        n_sets: Sets that a LoRA is tuned on.
        n_states: Late states that are kept of each tuning.
        n_task_vectors: Task vectors a tuning, each of other examples, so that the network learns what they
            have in common.
        schedule: Of the network's training.
    """

    tuning: TuneSettings = TUNING
    tasks: tuple[SetTask, ...] = TASKS
    seeds: tuple[int, ...] = (0,)
    n_sets: int = 100
    n_states: int = 12
    n_task_vectors: int = 8
    schedule: Schedule = SCHEDULE

    def about(self, model: ImageModel) -> dict[str, str]:
        """Tell what a tuning depends on beside its task and seed, for the header of its file."""
        how = {**asdict(self.tuning), "n_sets": self.n_sets, "n_states": self.n_states}
        return {"base": fingerprint(model), "how": repr({**how, "n_task_vectors": self.n_task_vectors})}


class Collected(NamedTuple):
    """A tuning: late states (n_states, n_numbers), the last the best; task vectors (n_task_vectors, n)."""

    task: str
    seed: int
    vectors: "torch.Tensor"
    task_vectors: "torch.Tensor"


def make_icm(
    model: ImageModel, drawings: Atlas, work: Path, folder: Path = icm.FOLDER, plan: Plan | None = None
) -> Iterator[Step]:
    """Collect what is not collected yet, train the network, and write it with its record, a step a yield."""
    plan = plan or Plan()
    yield from collect(model, drawings, work, plan)
    collected = [read_one(work, task, seed) for task in plan.tasks for seed in plan.seeds]
    sizes = [slot.n_numbers for slot in layout(model)]
    cvae, steps = train_icm(collected, sizes, fingerprint(model), plan.schedule)
    (work / "icm.csv").unlink(missing_ok=True)  # this part takes a minute and begins anew
    yield from curve(steps, work / "icm.csv")
    write(cvae, collected, folder, work, plan)


def collect(model: ImageModel, drawings: Atlas, work: Path, plan: Plan) -> Iterator[Step]:
    """Tune a LoRA a task and seed, a step a yield; one broken off begins anew, a finished one is kept.

    A finished one is made anew only if the base or the plan has changed.
    """
    about = plan.about(model)
    for seed in plan.seeds:  # every task has one before any has two
        for task in plan.tasks:
            path = path_of(work, task, seed)
            if not (path.is_file() and about.items() <= adapters.about(path).items()):
                yield from _collect_one(model, task, seed, drawings, path, plan)


def path_of(work: Path, task: SetTask, seed: int) -> Path:
    """Return where a tuning of the collection is kept."""
    return work / "icm" / f"{task.id}-{seed}{adapters.SUFFIX}"


def read_one(work: Path, task: SetTask, seed: int) -> Collected:
    """Read a tuning of the collection."""
    from safetensors.torch import load_file

    found = load_file(path_of(work, task, seed))
    return Collected(task.id, seed, found["vectors"], found["task_vectors"])


def train_icm(
    collected: Sequence[Collected], tensor_sizes: Sequence[int], base: str, schedule: Schedule, seed: int = 0
) -> tuple[Cvae, Iterator[Step]]:
    """Return a generator and the steps that train it; read the steps to the end before using it.

    Args:
        collected: Tunings; those of tasks held out are passed over. All have as many states and task vectors.
        tensor_sizes: How many numbers of a vector belong to each tensor.
        base: The fingerprint of their base.
        schedule: Steps and rates.
        seed: Seeds weights and batches.
    """
    import torch

    seen = [each for each in collected if each.task not in HELD_OUT]
    vectors = torch.stack([each.vectors for each in seen])  # (n_tunings, n_states, n_numbers)
    task_vectors = torch.stack([each.task_vectors for each in seen])  # (n_tunings, n_task_vectors, n)
    torch.manual_seed(seed)
    cvae = icm.new_cvae(vectors.flatten(0, 1), task_vectors.flatten(0, 1), tensor_sizes, base)
    coefficients, conditions = cvae.basis.coefficients(vectors), cvae.condition(task_vectors)

    def loss_of(step: int, generator: torch.Generator) -> torch.Tensor:
        tuning, state, examples = (
            torch.randint(n, (BATCH,), generator=generator)
            for n in (len(seen), vectors.shape[1], conditions.shape[1])
        )
        noise = torch.randn(BATCH, icm.N_LATENTS, generator=generator)
        return icm.loss(cvae.net, coefficients[tuning, state], conditions[tuning, examples], noise)

    return cvae, train({"icm": cvae.net}, loss_of, schedule, seed)


def write(cvae: Cvae, collected: Sequence[Collected], folder: Path, work: Path, plan: Plan) -> None:
    """Write the generator, the first tuning of every task to compare with, and the record of it all."""
    import torch

    trained = {
        each.task: Trained(each.vectors[-1], each.task_vectors.mean(0))
        for each in collected
        if each.seed == plan.seeds[0]
    }
    icm.save(cvae, trained, folder)
    seen = torch.cat([each.vectors for each in collected if each.task not in HELD_OUT])
    write_record(
        folder / "training.json", f"{COMMAND} icm", plan.schedule, 0, sha256_of_array(seen.numpy()),
        work / "icm.csv", n_vectors=len(seen), n_numbers=seen.shape[1], n_components=cvae.basis.n_components,
        explained_variance=cvae.basis.explained(seen), relative_error=_errors(cvae, collected),
        held_out=list(HELD_OUT), base=cvae.base, tuning=asdict(plan.tuning), tuning_sets=plan.n_sets,
        tuning_seeds=list(plan.seeds),
        tuning_seconds=sum(seconds_spent(path) for path in sorted((work / "icm").glob("*.csv"))),
    )  # fmt: skip


def _collect_one(
    model: ImageModel, task: SetTask, seed: int, drawings: Atlas, path: Path, plan: Plan
) -> Iterator[Step]:
    import torch

    curve_path = path.with_suffix(".csv")
    curve_path.unlink(missing_ok=True)
    adapters.forget(model, _NAME)
    examples = [
        task_sets(task, N_EXAMPLES, "train", 100 * (seed + 1) + place, drawings)
        for place in range(plan.n_task_vectors)
    ]
    task_vectors = torch.stack([task_vector(model, each) for each in examples])
    sets = task_sets(task, plan.n_sets, "train", seed, drawings)
    vectors: list[torch.Tensor] = []

    def steps() -> Iterator[Step]:
        for tuned in tune_shared(model, sets, replace(plan.tuning, seed=seed), _NAME, plan.n_states):
            if tuned.vector is not None:
                vectors.append(tuned.vector)
            yield tuned.step

    yield from curve(steps(), curve_path)
    adapters.forget(model, _NAME)
    _save(path, {"vectors": torch.stack(vectors), "task_vectors": task_vectors}, plan.about(model))


def _save(path: Path, tensors: "dict[str, torch.Tensor]", about: dict[str, str]) -> None:
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        save_file(tensors, fresh, metadata=about)
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


def _errors(cvae: Cvae, collected: Sequence[Collected]) -> dict[str, float]:
    """Return by task how far the LoRA made for it (z = 0) lies from its tuned ones' mean.

    The distance is one of normalised vectors, relative to that of the collection's mean: 0 is there, 1 no
    nearer than what all tasks have in common.
    """
    import torch

    errors = {}
    for task in dict.fromkeys(each.task for each in collected):
        mine = [each for each in collected if each.task == task]
        target = torch.stack([each.vectors[-1] for each in mine]).mean(0)
        made = icm.generate(cvae, torch.cat([each.task_vectors for each in mine]).mean(0))
        off, away = (made - target) / cvae.basis.std, (cvae.basis.mean - target) / cvae.basis.std
        errors[task] = float(off.norm() / away.norm())
    return errors
