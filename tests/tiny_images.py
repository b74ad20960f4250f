"""What the lab ships for image sets, with small random weights: pipeline, probe, LoRAs, and polygons."""

from functools import cache
from pathlib import Path

import pytest
from polygons import polygon_atlas
from tiny_flux import tiny_model

from lab.images import adapters, emoji, model, probe, shelf
from lab.images.tune import add_adapter

LORAS = ("coloured", "coloured-ordinary", "rendered")


def ship_tiny(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Write a tiny pipeline, probe and LoRAs to a folder, and make the lab ship these."""
    import torch
    from safetensors.torch import save_file

    small = tiny_model()
    small.pipeline.save_pretrained(folder / "flux")
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
    patch.setattr(shelf, "embedded", cache(lambda: model.load_embedded(folder / "flux")))
    patch.setattr(shelf, "_loaded", {})
    patch.setattr(probe, "load_probe", lambda: network.eval())
    patch.setattr(emoji, "atlas", lambda progress=None: drawings)
