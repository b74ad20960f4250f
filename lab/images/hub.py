"""FLUX models of the hub and the published In-Context LoRAs: other ids, the same code.

FLUX.1-dev in bfloat16 takes 24 GB for the transformer alone; on a smaller card its parts take turns on it
(`enable_model_cpu_offload`), which needs 40 GB of main memory. It is gated: its licence is accepted on its
page.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from lab.images.adapters import load, weigh
from lab.images.model import ImageModel, quiet_loading
from lab.images.shelf import adapter_name
from lab.weights import HubModel, Progress, WeightsError, fetch

PIPELINE_FILES = (
    "model_index.json",
    *(f"{part}/*.json" for part in ("scheduler", "transformer", "vae", "text_encoder", "text_encoder_2")),
    *(f"{part}/*.safetensors" for part in ("transformer", "vae", "text_encoder", "text_encoder_2")),
    *(f"{part}/*" for part in ("tokenizer", "tokenizer_2")),
)
"""What a pipeline consists of: neither pickles nor the single-file copies at the root."""
FLUX_DEV = "black-forest-labs/FLUX.1-dev"
PUBLISHED = "ali-vilab/In-Context-LoRA"
PUBLISHED_LORAS = (
    "couple-profile",
    "film-storyboard",
    "font-design",
    "home-decoration",
    "portrait-illustration",
    "portrait-photography",
    "ppt-templates",
    "sandstorm-visual-effect",
    "sparklers-visual-effect",
    "visual-identity-design",
)
HUB_SIDE = 512
"""Pixels of a panel's side on models of the hub."""


def load_hub(model_id: str, device: str = "auto", progress: Progress | None = None) -> ImageModel:
    """Load a FluxPipeline of the hub.

    Args:
        model_id: owner/name.
        device: auto takes cuda, else mps, else cpu.
        progress: Told bytes done, bytes in all and what is happening.

    Raises:
        WeightsError: Unknown, gated, no network, or no FluxPipeline.
    """
    import json

    import torch

    quiet_loading()
    from diffusers import FluxPipeline

    folder = fetch(HubModel(model_id, files=PIPELINE_FILES), progress)
    index = folder / "model_index.json"
    kind = json.loads(index.read_text(encoding="utf-8")).get("_class_name") if index.is_file() else None
    if kind != "FluxPipeline":
        raise WeightsError(
            f"{model_id} holds {kind or 'no pipeline'}, not a FluxPipeline; choose one that does."
        )
    device = _device(device)
    dtype = torch.float32 if device == "cpu" else torch.bfloat16
    pipeline = FluxPipeline.from_pretrained(folder, torch_dtype=dtype, local_files_only=True)
    if device == "cuda" and torch.cuda.get_device_properties(0).total_memory < 36 << 30:
        pipeline.enable_model_cpu_offload()
    else:
        pipeline.to(device)
    pipeline.set_progress_bar_config(disable=True)
    return ImageModel(model_id, pipeline, side=HUB_SIDE, n_tokens_per_panel=None)


def published_lora(name: str, progress: Progress | None = None) -> Path:
    """Fetch one of the ten published LoRAs.

    Raises:
        ValueError: There is none of this name.
        WeightsError: It can't be had.
    """
    if name not in PUBLISHED_LORAS:
        raise ValueError(f"no published LoRA is called {name!r}; there are: {', '.join(PUBLISHED_LORAS)}")
    file = f"{name}.safetensors"
    return fetch(HubModel(PUBLISHED, files=(file,)), progress) / file


def load_weighed_hub(model_id: str, weights: Mapping[str, float]) -> ImageModel:
    """Return a model of the hub with these published LoRAs, each times its weight; the last one is kept.

    Raises:
        ValueError: No such LoRA is published.
        WeightsError: As `load_hub` and `published_lora`.
    """
    paths = {name: published_lora(name) for name in weights}
    model = _kept(model_id)
    for name, path in paths.items():
        if adapter_name(name) not in getattr(model.transformer, "peft_config", {}):
            load(model, path, adapter_name(name))
    weigh(model, {adapter_name(name): weight for name, weight in weights.items()})
    return model


@lru_cache(maxsize=1)
def _kept(model_id: str) -> ImageModel:
    return load_hub(model_id)


def _device(asked: str) -> str:
    import torch

    if asked != "auto":
        return asked
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
