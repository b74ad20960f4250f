"""The parts of in-context vision in the order of their training, and what is written of each."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lab.images.emoji import atlas
from lab.training.loop import Step
from lab.training.record import curve, device_name, write_record
from lab.vision import operations, shapes
from lab.vision import painter as painter_model
from lab.vision import segic as segic_model
from lab.vision import stacker as stacker_model
from lab.vision.lite import lite0
from lab.vision.scenes import scenes
from lab.vision.train import COMMAND
from lab.vision.train.painter import EMPHASISED, LAST, LONGER, PLAIN, Stage, on_two_cores, train_painter
from lab.vision.train.ready import write_ready
from lab.vision.train.segic import SCHEDULE as SEGIC
from lab.vision.train.segic import Kept, compose, train_segic
from lab.vision.train.stacker import N_ORIGINALS, shown_patterns, train_stacker
from lab.vision.train.stacker import SCHEDULE as STACKER

SEED = 0
_SHARD = "15MB"


def ready(work: Path, device: str = "cpu") -> Iterator[Step]:
    """Compose the sets that the page offers; nothing is trained."""
    for _ in write_ready(atlas(), seed=SEED):
        yield from ()


def segic(work: Path, device: str = "cpu") -> Iterator[Step]:
    """Train SEGIC's decoder on composed scenes; small enough for a CPU, which is where it is trained."""
    from safetensors.torch import save_file

    scenes = compose(atlas(), SEED)
    every = [each for styles in scenes.values() for found in styles.values() for each in found]
    decoder, steps = train_segic(scenes, Kept(lite0(), every), work / "segic.pt", SEED)
    yield from curve(steps, work / "segic.csv")
    folder = segic_model.FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.half().contiguous() for name, tensor in decoder.state_dict().items()}
    save_file(tensors, folder / "model.safetensors")
    data = hashlib.sha256()
    for each in every:
        data.update(each.picture.tobytes())
    write_record(
        folder / "training.json", f"{COMMAND} segic", SEGIC, SEED, data.hexdigest(), work / "segic.csv",
        n_scenes=len(every), n_parameters=sum(tensor.numel() for tensor in decoder.parameters()),
    )  # fmt: skip


def painter(work: Path, device: str = "cpu") -> Iterator[Step]:
    """Train Painter's network on pictures that are drawn as they are needed."""
    import torch

    torch.manual_seed(SEED)
    yield from _painter(work, "painter", painter_model.new_painter(), PLAIN, SEED, device)


def emphasised(work: Path, device: str = "cpu") -> Iterator[Step]:
    """Train Painter's network further, with what stands out from the ground counting more."""
    yield from _painter(work, "emphasised", _trained_painter(), EMPHASISED, SEED + 1, device)


def longer(work: Path, device: str = "cpu") -> Iterator[Step]:
    """Go on in the same way for six times as long."""
    yield from _painter(work, "longer", _trained_painter(), LONGER, SEED + 2, device)


def last(work: Path, device: str = "cpu") -> Iterator[Step]:
    """Go on once more, at a lower rate."""
    yield from _painter(work, "last", _trained_painter(), LAST, SEED + 3, device)


def _trained_painter() -> Any:
    """Load the weights that the stage before has written, not the network that it has left in memory."""
    painter_model.load_painter.cache_clear()
    return painter_model.load_painter().requires_grad_(True)


def _painter(work: Path, part: str, network: Any, stage: Stage, seed: int, device: str) -> Iterator[Step]:
    import torch

    chosen = on_two_cores(stage) if device == "cpu" else stage
    network, steps = train_painter(
        work / f"{part}.pt", seed, chosen, network, device, n_processes=_processes(device)
    )
    yield from curve(steps, work / f"{part}.csv")
    folder = painter_model.FOLDER
    network.to("cpu", torch.float16).save_pretrained(folder, max_shard_size=_SHARD)
    source = Path(operations.__file__).read_bytes() + Path(shapes.__file__).read_bytes()
    told = {name: value for name, value in asdict(chosen).items() if name != "schedule"}
    write_record(
        folder / f"training-{part}.json", f"{COMMAND} {part}{_on(device)}", chosen.schedule, seed,
        hashlib.sha256(source).hexdigest(), work / f"{part}.csv", device=device_name(device), **told,
        n_parameters=sum(tensor.numel() for tensor in network.parameters()),
    )  # fmt: skip


def stacker(work: Path, device: str = "cpu") -> Iterator[Step]:
    """Train ImageStacker on composed scenes."""
    yield from _stacker(work, "stacker", stacker_model.FOLDER, device)


def concatenated(work: Path, device: str = "cpu") -> Iterator[Step]:
    """Train the arm that ImageStacker is compared with: the three pictures are described apart."""
    yield from _stacker(work, "concatenated", stacker_model.LATE, device, is_late=True)


def _stacker(work: Path, part: str, folder: Path, device: str, is_late: bool = False) -> Iterator[Step]:
    from safetensors.torch import save_file

    pictures = scenes(atlas(), N_ORIGINALS, SEED)
    network, steps = train_stacker(
        pictures, work / f"{part}.pt", SEED, is_late=is_late, device=device, n_processes=_processes(device)
    )
    yield from curve(steps, work / f"{part}.csv")
    folder.mkdir(parents=True, exist_ok=True)
    network.to("cpu")
    tensors = {name: tensor.half().contiguous() for name, tensor in network.state_dict().items()}
    save_file(tensors, folder / "model.safetensors")
    data = hashlib.sha256(b"".join(picture.tobytes() for picture in pictures)).hexdigest()
    write_record(
        folder / "training.json", f"{COMMAND} {part}{_on(device)}", STACKER, SEED, data, work / f"{part}.csv",
        device=device_name(device), n_pictures=len(pictures),
        patterns=[each.id for each in shown_patterns()],
        n_parameters=sum(tensor.numel() for tensor in network.parameters()),
    )  # fmt: skip


def _processes(device: str) -> int:
    """Choose how many processes draw: on an accelerator the processor's cores would otherwise wait."""
    return 0 if device == "cpu" else max(1, (os.cpu_count() or 1) - 2)


def _on(device: str) -> str:
    return "" if device == "cpu" else f" --device {device}"
