"""What is written beside every weight: how it was made, on what, for how long, and how the loss fell."""

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from lab.runs.environment import environment
from lab.training.loop import Schedule, Step

_EVERY = 25  # steps a line of the curve
_POINTS = 200  # of the curve that is kept


def curve(steps: Iterator[Step], path: Path) -> Iterator[Step]:
    """Pass steps through, adding mean losses and seconds to a CSV, in which a resumed training goes on."""
    earlier: float | None = None
    losses: list[float] = []
    for step in steps:
        if earlier is None:
            earlier = _go_on(path, step.step)
        losses.append(step.loss)
        if step.step % _EVERY == 0 or step.step == step.n_steps:
            with path.open("a", encoding="utf-8") as file:
                file.write(f"{step.step},{np.mean(losses):.5f},{earlier + step.seconds:.1f}\n")
            losses = []
        yield step


def seconds_spent(path: Path) -> float:
    """Return the seconds that a curve has recorded so far; 0 where there is none."""
    rows = _rows(path)
    return float(rows[-1]["seconds"]) if rows else 0.0


def _go_on(path: Path, step: int) -> float:
    """Drop what a broken-off training told of steps that are made again; return the seconds before them."""
    rows = [row for row in _rows(path) if int(row["step"]) < step]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["step", "loss", "seconds"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return float(rows[-1]["seconds"]) if rows else 0.0


def write_record(
    path: Path, command: str, schedule: Schedule, seed: int, data: str, curve_path: Path, **more: Any
) -> None:
    """Write a part's record as JSON.

    Args:
        path: The file, beside the weights.
        command: What makes it again, from nothing or from the parts before it.
        schedule: The schedule that was followed.
        seed: The seed.
        data: SHA-256 of what it was trained on.
        curve_path: The CSV that `curve` wrote.
        more: Further facts of this part, such as measured errors.
    """
    rows = _rows(curve_path)
    thin = rows[:: max(1, len(rows) // _POINTS)]
    record: Mapping[str, Any] = {
        "command": command,
        "schedule": asdict(schedule),
        "seed": seed,
        "data_sha256": data,
        "steps": int(rows[-1]["step"]) if rows else 0,
        "seconds": float(rows[-1]["seconds"]) if rows else 0.0,
        "environment": environment(),
        **more,
        "loss": [[int(row["step"]), float(row["loss"])] for row in thin],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def device_name(device: str) -> str:
    """Name what a part was trained on, as its maker calls it."""
    import torch

    return torch.cuda.get_device_name(device) if device.startswith("cuda") else device


def sha256_of_array(array: np.ndarray) -> str:
    """Hash an array's shape, type and values."""
    digest = hashlib.sha256(f"{array.shape} {array.dtype}".encode())
    digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
