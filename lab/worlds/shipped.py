"""Learners that come with the lab, so that there is one to be seen before any is grown.

A file holds what a learner was at its last step, in half precision, and at some before it, matrices in 8 bits
a number; and what was measured of it. It is named by the run that made it, and
`python -m lab.experiments.worlds.ship` makes them all.
"""

import json
import math
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.worlds.growth import Moment, Snapshots
from lab.worlds.shelf import Kept
from lab.worlds.world import World

if TYPE_CHECKING:
    import torch

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "learners"
MAX_BYTES = 500_000
MAX_BYTES_BESIDE = 280_000  # of those that stand beside the first learner of their world
RUN_ID = "[0-9a-f]" * 12
_ENTRY = 130  # bytes that a file's header spends on a tensor
_SCALE = "|scale"  # ends the names of scales; no parameter has it in its name


def write(
    run_id: str,
    kept: Kept,
    made_by: dict[str, Any],
    folder: Path = FOLDER,
    slug: str = "",
    limit: int | None = None,
) -> Path:
    """Write a learner in the place of the last of its name, with as many snapshots as fit, evenly thinned.

    Args:
        run_id: The run that grew it.
        kept: The learner.
        made_by: Command, seed, machine and code that made it; kept in the file's header.
        folder: Where to write.
        slug: What its file's name begins with; "" takes the world's paper.
        limit: The most bytes, but for the first and the last snapshot; None takes `MAX_BYTES`.
    """
    from safetensors.torch import save_file

    states = kept.snapshots.states
    history = [_row(moment) for moment in kept.history if moment.measures]
    told = {"history": json.dumps(history), "made_by": json.dumps(made_by)}
    *earlier, final = states
    tensors = _named(final, states[final])
    slug, limit = slug or kept.world.id, limit or MAX_BYTES
    left = limit - _n_bytes(tensors) - sum(map(len, told.values()))
    n = min(len(earlier), max(1, left // _n_bytes(_named(0, _packed(states[0])))))
    chosen = {earlier[round(place * len(earlier) / n)] for place in range(n)}  # the first, then evenly
    for step in sorted(chosen):
        tensors |= _named(step, _packed(states[step]))
    folder.mkdir(parents=True, exist_ok=True)
    for last in folder.glob(f"{slug}-{RUN_ID}.safetensors"):
        last.unlink()
    path = folder / f"{slug}-{run_id}.safetensors"
    save_file(tensors, path, told)
    return path


def find(run_id: str, world: World, folder: Path = FOLDER) -> Kept | None:
    """Return the learner that a run grew, of the world that the run names; None where none is shipped."""
    path = next(iter(folder.glob(f"*-{run_id}.safetensors")), None) if run_id.isalnum() else None
    if path is None:
        return None
    import torch

    snapshots, history = _read(path)
    with torch.random.fork_rng():
        learner = world.build()
    snapshots.restore(snapshots.steps[-1], learner)
    return Kept(world, learner.eval(), snapshots, history)


@lru_cache(maxsize=32)
def _read(path: Path) -> tuple[Snapshots, list[Moment]]:
    from safetensors import safe_open

    states: dict[int, dict[str, torch.Tensor]] = {}
    with safe_open(path, framework="pt") as file:
        history = json.loads(file.metadata()["history"])
        for key in file.keys():  # noqa: SIM118 - no dict
            step, name = key.split("/", 1)
            states.setdefault(int(step), {})[name] = file.get_tensor(key)
    return Snapshots.of({step: _unpacked(state) for step, state in states.items()}), [
        _moment(row) for row in history
    ]


def _named(step: int, state: "dict[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
    return {f"{step}/{name}": value.contiguous() for name, value in state.items()}


def _n_bytes(tensors: "dict[str, torch.Tensor]") -> int:
    """Return what tensors take in a file, their lines in its header included."""
    return sum(value.numel() * value.element_size() + _ENTRY for value in tensors.values())


def _packed(state: "dict[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
    """Round matrices to whole numbers of -127 to 127, with a scale a row; vectors stay as they are."""
    import torch

    found = {}
    for name, value in state.items():
        found[name] = value
        if value.dim() > 1:
            most = value.float().abs().amax(tuple(range(1, value.dim())), keepdim=True)
            scale = most.clamp_min(1e-6) / 127
            found[name] = (value.float() / scale).round().to(torch.int8)
            found[name + _SCALE] = scale
    return found


def _unpacked(state: "dict[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
    """Return what `_packed` was given, each number of a matrix within half a 127th of its row's greatest."""
    return {
        name: (value.float() * state[name + _SCALE]).half() if name + _SCALE in state else value
        for name, value in state.items()
        if not name.endswith(_SCALE)
    }


def _row(moment: Moment) -> list[Any]:
    loss = None if math.isnan(moment.loss) else moment.loss
    return [moment.step, moment.n_steps, loss, moment.seconds, moment.measures]


def _moment(row: list[Any]) -> Moment:
    step, n_steps, loss, seconds, measures = row
    return Moment(step, n_steps, float("nan") if loss is None else loss, seconds, measures)
