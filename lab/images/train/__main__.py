"""Train the weights under assets/images from nothing; what was broken off goes on where it stopped.

python -m lab.images.train all [--work DIR] [--threads N] [--device cuda]
python -m lab.images.train autoencoder | probe | base | canvases | fill | loras | icm
"""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from lab.images.train.loop import Step
from lab.place import home

PARTS = ("autoencoder", "probe", "base", "canvases", "fill", "loras", "icm")


def main(arguments: list[str] | None = None) -> int:
    """Train the parts that are named, in their order."""
    parser = argparse.ArgumentParser(prog="python -m lab.images.train", description=__doc__.split("\n")[0])
    parser.add_argument("part", choices=(*PARTS, "all"), help="what to train; each needs those before it")
    parser.add_argument("--work", type=Path, default=home() / "training", help="checkpoints and curves")
    parser.add_argument("--threads", type=int, default=0, help="torch threads; 0 leaves torch's choice")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, mps, or auto")
    asked = parser.parse_args(arguments)

    import torch

    from lab.images.train import parts
    from lab.learners.load import choose_device

    try:
        device = choose_device(asked.device)
    except ValueError as error:
        parser.error(str(error))
    if asked.threads:
        torch.set_num_threads(asked.threads)
    for part in PARTS if asked.part == "all" else (asked.part,):
        print(f"{part}: begins", file=sys.stderr)
        _tell(part, getattr(parts, part)(asked.work, device))
    return 0


def _tell(part: str, steps: Iterator[Step]) -> None:
    told, losses = 0.0, []
    for step in steps:
        losses.append(step.loss)
        if time.monotonic() - told > 20 or step.step == step.n_steps:
            told = time.monotonic()
            mean = sum(losses) / len(losses)
            print(
                f"{part}: {step.step}/{step.n_steps} loss {mean:.4f} {step.seconds:.0f} s",
                file=sys.stderr,
                flush=True,
            )
            losses = []


if __name__ == "__main__":
    sys.exit(main())
