"""The parts of in-context vision in the order of their training, and what is written of each."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from lab.images.emoji import atlas
from lab.training.loop import Step
from lab.training.record import curve, write_record
from lab.vision import operations, shapes
from lab.vision import painter as painter_model
from lab.vision import segic as segic_model
from lab.vision import stacker as stacker_model
from lab.vision.lite import lite0
from lab.vision.scenes import scenes
from lab.vision.train import COMMAND
from lab.vision.train.painter import SCHEDULE as PAINTER
from lab.vision.train.painter import train_painter
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

    network, steps = train_painter(work / "painter.pt", SEED, device=device)
    yield from curve(steps, work / "painter.csv")
    folder = painter_model.FOLDER
    network.to("cpu", torch.float16).save_pretrained(folder, max_shard_size=_SHARD)
    source = Path(operations.__file__).read_bytes() + Path(shapes.__file__).read_bytes()
    write_record(
        folder / "training.json", f"{COMMAND} painter", PAINTER, SEED, hashlib.sha256(source).hexdigest(),
        work / "painter.csv", n_parameters=sum(tensor.numel() for tensor in network.parameters()),
    )  # fmt: skip


def stacker(work: Path, device: str = "cpu") -> Iterator[Step]:
    """Train ImageStacker on composed scenes; small enough for a CPU, which is where it is trained."""
    yield from _stacker(work, "stacker", stacker_model.FOLDER)


def concatenated(work: Path, device: str = "cpu") -> Iterator[Step]:
    """Train the arm that ImageStacker is compared with: the three pictures are described apart."""
    yield from _stacker(work, "concatenated", stacker_model.LATE, is_late=True)


def _stacker(work: Path, part: str, folder: Path, is_late: bool = False) -> Iterator[Step]:
    from safetensors.torch import save_file

    pictures = scenes(atlas(), N_ORIGINALS, SEED)
    network, steps = train_stacker(pictures, work / f"{part}.pt", SEED, is_late=is_late)
    yield from curve(steps, work / f"{part}.csv")
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.half().contiguous() for name, tensor in network.state_dict().items()}
    save_file(tensors, folder / "model.safetensors")
    data = hashlib.sha256(b"".join(picture.tobytes() for picture in pictures)).hexdigest()
    write_record(
        folder / "training.json", f"{COMMAND} {part}", STACKER, SEED, data, work / f"{part}.csv",
        n_pictures=len(pictures), patterns=[each.id for each in shown_patterns()],
        n_parameters=sum(tensor.numel() for tensor in network.parameters()),
    )  # fmt: skip
