"""The command that trains parts, one after the other; what was broken off goes on where it stopped."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from lab.place import home
from lab.training.loop import Step

Part = Callable[[Path, str], Iterator[Step]]
"""Trains a part, given the folder for checkpoints and curves and the device, a step a yield."""
_TELL_EVERY_S = 20.0


def run_parts(
    command: str, parts: Mapping[str, Part], description: str, arguments: list[str] | None = None
) -> int:
    """Train the part that is named, or all in their order.

    Args:
        command: How the program is called.
        parts: By name, each after those that it needs.
        description: What is trained, in a sentence.
        arguments: Of the command line; None takes the process's own.
    """
    parser = argparse.ArgumentParser(prog=command, description=description)
    parser.add_argument("part", choices=(*parts, "all"), help="what to train; each needs those before it")
    parser.add_argument("--work", type=Path, default=home() / "training", help="checkpoints and curves")
    parser.add_argument("--threads", type=int, default=0, help="torch threads; 0 leaves torch's choice")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, mps, or auto")
    asked = parser.parse_args(arguments)

    import torch

    from lab.learners.load import choose_device

    try:
        device = choose_device(asked.device)
    except ValueError as error:
        parser.error(str(error))
    if device != "cpu":
        torch.set_float32_matmul_precision("high")
    if asked.threads:
        torch.set_num_threads(asked.threads)
    for name in parts if asked.part == "all" else (asked.part,):
        print(f"{name}: begins", file=sys.stderr)
        _tell(name, parts[name](asked.work, device))
    return 0


def _tell(name: str, steps: Iterator[Step]) -> None:
    told, losses = 0.0, []
    for step in steps:
        losses.append(step.loss)
        if time.monotonic() - told > _TELL_EVERY_S or step.step == step.n_steps:
            told = time.monotonic()
            mean = sum(losses) / len(losses)
            print(
                f"{name}: {step.step}/{step.n_steps} loss {mean:.4f} {step.seconds:.0f} s",
                file=sys.stderr,
                flush=True,
            )
            losses = []
