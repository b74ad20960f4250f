"""Backbones of the hub: DINOv2, DINOv3 and SigLIP, whose tokens describe the places of a picture.

Pictures are prepared here in numpy, as each network was trained: several processors of transformers ask for
torchvision, which has no build for every torch that the lab runs with.

Sources: Oquab et al. 2023, DINOv2 (arXiv:2304.07193); Siméoni et al. 2025, DINOv3 (arXiv:2508.10104);
Zhai et al. 2023, SigLIP (arXiv:2303.15343).
"""

import json
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from lab.learners.load import choose_device
from lab.vision.backbone import Backbone
from lab.weights import HubModel, Progress, WeightsError, fetch

FILES = ("config.json", "*.safetensors")
KNOWN = {
    "facebook/dinov2-small": "Apache-2.0",
    "facebook/dinov3-vits16-pretrain-lvd1689m": "DINOv3 licence, gated",
    "google/siglip-base-patch16-224": "Apache-2.0",
}
"""Backbones that the lab names, with their licences; any other of the same classes works as well."""
_SIDE = 448  # as close to it as the network's patches allow
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


class Kind(NamedTuple):
    """What differs between the classes.

    Args:
        class_name: The class of transformers.
        scale: Mean and deviation that values in 0..1 are standardised with.
        is_self_supervised: See `Backbone`.
    """

    class_name: str
    scale: tuple[tuple[float, ...], tuple[float, ...]]
    is_self_supervised: bool


KINDS = {
    "dinov2": Kind("Dinov2Model", _IMAGENET, True),
    "dinov2_with_registers": Kind("Dinov2WithRegistersModel", _IMAGENET, True),
    "dinov3_vit": Kind("DINOv3ViTModel", _IMAGENET, True),
    "siglip": Kind("SiglipVisionModel", _HALF, False),
    "siglip_vision_model": Kind("SiglipVisionModel", _HALF, False),
}


@lru_cache(maxsize=2)
def hub_backbone(model_id: str, device: str = "auto", progress: Progress | None = None) -> Backbone:
    """Load a backbone of the hub.

    Args:
        model_id: owner/name.
        device: auto takes cuda, else mps, else cpu.
        progress: Told bytes done, bytes in all and what is happening.

    Raises:
        WeightsError: It can't be had, or is of a class that the lab has no reading for.
    """
    import transformers

    folder = fetch(HubModel(model_id, files=FILES), progress)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    kind = KINDS.get(config.get("model_type", ""))
    if kind is None:
        raise WeightsError(
            f"{model_id} is a {config.get('model_type', 'model without a type')}, and backbones are of "
            f"{', '.join(KINDS)}: choose one such as {next(iter(KNOWN))}"
        )
    network = getattr(transformers, kind.class_name).from_pretrained(
        folder, local_files_only=True, use_safetensors=True
    )
    return backbone_of(network.to(choose_device(device)), model_id, kind)


def backbone_of(network: Any, model_id: str, kind: Kind) -> Backbone:
    """Read a network's tokens as places.

    Args:
        network: An instance of the class that `kind` names.
        model_id: The backbone's id.
        kind: Of the network.
    """
    import torch

    network.eval().requires_grad_(False)
    patch = int(network.config.patch_size)
    n_side = round(_SIDE / patch)
    mean, deviation = (np.array(each, np.float32) for each in kind.scale)
    more = {"interpolate_pos_encoding": True} if kind.class_name == "SiglipVisionModel" else {}

    def extract(pictures: np.ndarray) -> np.ndarray:
        values = (pictures.astype(np.float32) / 255 - mean) / deviation
        inputs = torch.from_numpy(values).permute(0, 3, 1, 2).to(network.device, network.dtype)
        with torch.inference_mode():
            tokens = network(pixel_values=inputs, **more).last_hidden_state.float().cpu().numpy()
        # what stands before the places is no place: the class token, and registers
        return tokens[:, -n_side * n_side :].reshape(len(pictures), n_side, n_side, -1)

    licence = KNOWN.get(model_id, "its own")
    return Backbone(model_id, n_side * patch, extract, kind.is_self_supervised, licence)
