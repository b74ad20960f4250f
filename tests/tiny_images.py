"""What the lab ships for image sets, with small random weights: pipeline, probe, LoRAs, and polygons."""

from functools import cache
from pathlib import Path

import pytest
from made_loras import noise_vector
from polygons import polygon_atlas
from tiny_flux import tiny_encoder, tiny_model

from lab.experiments import generated
from lab.images import adapters, emoji, icm, model, probe, shelf
from lab.images.lora_vector import fingerprint, layout
from lab.images.task_vector import task_vector
from lab.images.tasks import find_task, task_sets
from lab.images.train.fill import widened
from lab.images.tune import add_adapter

SEEN_HERE = ("style-sheet", "coloured", "couple", "identity")
"""The tasks whose LoRAs the tiny generator has seen."""
LORAS = ("coloured", "coloured-ordinary", "rendered")


def ship_tiny(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Write a tiny pipeline, probe and LoRAs to a folder, and make the lab ship these."""
    import torch
    from safetensors.torch import save_file

    small = tiny_model()
    model.save_pipeline(small.pipeline.vae, small.transformer, folder / "flux")
    widened(small.transformer).save_pretrained(folder / "flux" / "fill")
    torch.manual_seed(0)
    network = probe.new_probe()
    (folder / "probe").mkdir()
    save_file(network.state_dict(), folder / "probe" / "model.safetensors")
    for seed, name in enumerate(LORAS):
        add_adapter(small, f"iclora_tiny_{seed}", 2, seed)
        with torch.no_grad():
            for key, tensor in small.transformer.named_parameters():
                if f"lora_B.iclora_tiny_{seed}" in key:
                    tensor.normal_(std=0.3)
        adapters.save(small, f"iclora_tiny_{seed}", folder / "loras" / f"{name}.safetensors")
    drawings = polygon_atlas()
    patch.setattr(model, "EMBEDDED", folder / "flux")
    patch.setattr(shelf, "SHIPPED", folder / "loras")
    patch.setattr(
        shelf, "embedded", cache(lambda: model.load_embedded(folder / "flux", encoder=tiny_encoder()))
    )
    patch.setattr(shelf, "_loaded", {})
    patch.setattr(probe, "load_probe", lambda: network.eval())
    patch.setattr(emoji, "atlas", lambda progress=None: drawings)


def ship_tiny_generator(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """After `ship_tiny`: write a generator of LoRAs of noise, and make the lab ship it."""
    import torch

    patch.setattr(shelf, "_lent", {})
    patch.setattr(generated, "N_FEW_STEPS", 2)
    small = shelf.embedded()
    trained = {}
    for seed, task in enumerate((*SEEN_HERE, *icm.HELD_OUT)):
        examples = task_sets(find_task(task), 2, "train", 7, emoji.atlas())
        trained[task] = icm.Trained(noise_vector(small, seed), task_vector(small, examples))
    torch.manual_seed(0)
    seen = [trained[task] for task in SEEN_HERE]
    vectors, task_vectors = (torch.stack(part) for part in zip(*seen, strict=True))
    sizes = [slot.n_numbers for slot in layout(small)]
    cvae = icm.new_cvae(vectors, task_vectors, sizes, fingerprint(small))
    icm.save(cvae, trained, folder / "icm")
    patch.setattr(icm, "FOLDER", folder / "icm")
