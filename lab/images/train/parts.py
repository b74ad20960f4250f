"""The parts of the model in the order of their training: where each comes from, and what is written of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lab.images.emoji import Atlas, atlas, draw_all, shared_codes
from lab.images.model import EMBEDDED, load_embedded, save_pipeline
from lab.images.text import SCALE_FILE, new_encoder, scale_of, sentence_network
from lab.images.train import COMMAND
from lab.images.train.autoencoder import SCHEDULE as AUTOENCODER
from lab.images.train.autoencoder import train_autoencoder
from lab.images.train.base import ALONE, LONGER, TOGETHER, LatentTable, Stage, latent_table, train_base
from lab.images.train.fill import COPYING, RESIZING, train_copying, train_fill
from lab.images.train.fill import SCHEDULE as FILL
from lab.images.train.measure import measure
from lab.images.train.probe import save_probe, train_probe
from lab.training.loop import Schedule, Step
from lab.training.record import curve, sha256_of_array, write_record

SEED = 0
_SHARD = "15MB"


def autoencoder(work: Path, device: str = "cpu") -> Iterator[Step]:
    """Train the autoencoder on every emoji that all five packages draw, and set the scale of its latents."""
    drawings = _all_drawings(work)
    vae, steps = train_autoencoder(drawings, work / "autoencoder.pt", SEED, device=device)
    yield from curve(steps, work / "autoencoder.csv")
    vae.cpu()
    _normalise(vae)
    folder = EMBEDDED / "vae"
    vae.save_pretrained(folder)
    write_record(
        folder / "training.json", f"{COMMAND} autoencoder", AUTOENCODER, SEED, sha256_of_array(drawings),
        work / "autoencoder.csv", psnr_db=_psnr(vae),
    )  # fmt: skip


def probe(work: Path, device: str = "cpu") -> Iterator[Step]:
    """Train the probe that reads panels, on drawings and on what the autoencoder makes of them."""
    drawings, vae = atlas(), _vae()
    network, steps = train_probe(drawings, vae, work / "probe.pt", SEED, device=device)
    yield from curve(steps, work / "probe.csv")
    save_probe(network.cpu(), drawings, vae, work / "probe.csv", SEED)


def base(work: Path, device: str = "cpu") -> Iterator[Step]:
    """Train a new transformer on independent panels, mostly alone, and save the pipeline."""
    import torch

    from lab.images.components import new_transformer

    torch.manual_seed(SEED)
    fresh: Any = new_transformer()
    yield from _stage("base", fresh.to(device), ALONE, work)


def canvases(work: Path, device: str = "cpu") -> Iterator[Step]:
    """Go on from the saved transformer with independent panels side by side, and save the pipeline again."""
    yield from _stage("canvases", _saved(device), TOGETHER, work)


def longer(work: Path, device: str = "cpu") -> Iterator[Step]:
    """Go on once more in the same way."""
    yield from _stage("longer", _saved(device), LONGER, work)


def fill(work: Path, device: str = "cpu") -> Iterator[Step]:
    """Train the fill branch from the base's transformer, and save it beside the pipeline."""
    drawings = atlas()
    transformer, steps = train_fill(load_embedded(device=device), drawings, work / "fill.pt", SEED)
    yield from curve(steps, work / "fill.csv")
    _save_fill(transformer, "fill", FILL, drawings, work)


def copying(work: Path, device: str = "cpu") -> Iterator[Step]:
    """Go on with the saved fill branch, so that it copies what another panel shows, and save it again."""
    drawings = atlas()
    transformer, steps = train_copying(load_embedded(device=device), drawings, work / "copying.pt", SEED)
    yield from curve(steps, work / "copying.csv")
    _save_fill(transformer, "copying", COPYING, drawings, work)


def resizing(work: Path, device: str = "cpu") -> Iterator[Step]:
    """Go on once more in the same way, with things of all sizes."""
    drawings, model = atlas(), load_embedded(device=device)
    transformer, steps = train_copying(model, drawings, work / "resizing.pt", SEED + 1, RESIZING, True)
    yield from curve(steps, work / "resizing.csv")
    _save_fill(transformer, "resizing", RESIZING, drawings, work)


def loras(work: Path, device: str = "cpu") -> Iterator[Step]:
    """Tune every LoRA that comes with the lab on the saved base."""
    from lab.images.train.loras import tune_all

    yield from tune_all(load_embedded(device=device), atlas(), work)


def icm(work: Path, device: str = "cpu") -> Iterator[Step]:
    """Tune a collection of LoRAs on the saved base, and train the network that makes LoRAs."""
    from lab.images.train.icm import make_icm

    yield from make_icm(load_embedded(device=device), atlas(), work)


def _save_fill(transformer: Any, part: str, schedule: Schedule, drawings: Atlas, work: Path) -> None:
    import torch

    folder = EMBEDDED / "fill"
    transformer.register_to_config(_name_or_path="")  # no folder of one machine
    transformer.to("cpu", torch.bfloat16).save_pretrained(folder, max_shard_size=_SHARD)
    write_record(
        folder / f"training-{part}.json", f"{COMMAND} {part}", schedule, SEED,
        sha256_of_array(drawings.pixels), work / f"{part}.csv",
    )  # fmt: skip


def _saved(device: str) -> Any:
    from diffusers import FluxTransformer2DModel

    saved: Any = FluxTransformer2DModel.from_pretrained(EMBEDDED / "transformer", local_files_only=True)
    saved.register_to_config(_name_or_path="")
    return saved.float().to(device)


def _stage(part: str, transformer: Any, stage: Stage, work: Path) -> Iterator[Step]:
    import torch
    from safetensors.torch import save_file

    vae = _vae()
    table_path = work / "latents.pt"
    if table_path.is_file():
        table = LatentTable(torch.load(table_path, weights_only=True))
    else:
        table = latent_table(vae, atlas())
        work.mkdir(parents=True, exist_ok=True)
        torch.save(table.latents, table_path)
    network = sentence_network()
    scale = scale_of(network)
    reader = new_encoder(network, **scale)
    yield from curve(
        train_base(transformer, table, reader, stage, work / f"{part}.pt", SEED), work / f"{part}.csv"
    )
    save_pipeline(vae, transformer.to("cpu", torch.bfloat16), EMBEDDED)
    save_file(scale, EMBEDDED / SCALE_FILE)
    data = sha256_of_array(table.latents.numpy())
    write_record(
        EMBEDDED / "transformer" / f"training-{part}.json", f"{COMMAND} {part}", stage.schedule, SEED, data,
        work / f"{part}.csv", p_single=stage.p_single, read=measure(load_embedded()),
    )  # fmt: skip


def _vae():
    from diffusers import AutoencoderKL

    vae = AutoencoderKL.from_pretrained(EMBEDDED / "vae", local_files_only=True)
    vae.register_to_config(_name_or_path="")  # it is saved again with the pipeline; no folder of one machine
    return vae.eval().requires_grad_(False)


def _all_drawings(work: Path) -> np.ndarray:
    path = work / "drawings.npy"
    if not path.is_file():
        work.mkdir(parents=True, exist_ok=True)
        np.save(path, np.concatenate(list(draw_all(shared_codes()))))
    return np.load(path, mmap_mode="r")


def _normalise(vae) -> None:
    """Set shift and scale so that latents of the concepts' drawings have mean 0 and deviation 1."""
    import torch

    with torch.inference_mode():
        latents = torch.cat([vae.encode(batch).latent_dist.mode() for batch in _batches()])
    vae.register_to_config(scaling_factor=1 / latents.std().item(), shift_factor=latents.mean().item())


def _psnr(vae) -> float:
    """Return the peak signal-to-noise ratio of reconstructions of all drawings on white, in dB."""
    import torch

    with torch.inference_mode():
        squared = [
            ((vae.decode(vae.encode(batch).latent_dist.mode()).sample.clamp(-1, 1) - batch) ** 2).mean()
            for batch in _batches()
        ]
    return float(10 * torch.log10(4 / torch.stack(squared).mean()))


def _batches():
    import torch

    from lab.images.concepts import STYLES, concepts
    from lab.images.panels import Panel, draw

    for concept in concepts():
        pixels = np.stack([draw(Panel(concept.word, style), atlas()) for style in STYLES])
        yield torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1
