"""Segmenters of the hub: SegGPT, which answers from examples by itself, and SAM 2, which sharpens a mask.

Both are classes of transformers; pictures are prepared here in numpy, since the processor of SAM 2 asks for
torchvision.

Sources: Wang et al. 2023, SegGPT (arXiv:2304.03284); Ravi et al. 2024, SAM 2 (arXiv:2408.00714); Kirillov et
al. 2023 (arXiv:2304.02643) for boxes and masks as prompts.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

from lab.learners.load import choose_device
from lab.vision.decide import regions
from lab.vision.example import n_classes
from lab.vision.overlay import COLOURS
from lab.vision.question import Question
from lab.weights import HubModel, Progress, fetch

SEGGPT, SAM2 = "BAAI/seggpt-vit-large", "facebook/sam2.1-hiera-tiny"
FILES = ("config.json", "*.safetensors")
_MEAN, _DEVIATION = np.array((0.485, 0.456, 0.406), np.float32), np.array((0.229, 0.224, 0.225), np.float32)
_SHARPNESS = 0.15  # of the softmax over distances to the classes' colours, in standardised units squared
_MAX_REGIONS = 8
_LEAST_SHARED = 0.5
_SURE = 8.0  # the logit of a mask given as a prompt


@lru_cache(maxsize=1)
def seggpt(model_id: str = SEGGPT, device: str = "auto", progress: Progress | None = None) -> Any:
    """Load SegGPT (370 M parameters, Apache-2.0).

    Raises:
        WeightsError: It can't be had.
    """
    from transformers import SegGptForImageSegmentation

    folder = fetch(HubModel(model_id, files=FILES), progress)
    known: Any = SegGptForImageSegmentation
    network = known.from_pretrained(folder, local_files_only=True, use_safetensors=True)
    return network.to(choose_device(device)).eval().requires_grad_(False)


def seggpt_answer(question: Question, network: Any = None) -> np.ndarray:
    """Answer with SegGPT: every class has a colour, and examples are read together (feature ensemble).

    Args:
        question: Its backbone is not used.
        network: None takes the one of the hub.

    Returns:
        Shares, float32, shape (side, side, n_classes + 1).
    """
    import torch

    network = network if network is not None else seggpt()
    n, side = n_classes(question.examples), network.config.image_size[1]
    shown = question.examples
    inputs = {
        "pixel_values": _values([question.picture] * len(shown), side),
        "prompt_pixel_values": _values([each.picture for each in shown], side),
        "prompt_masks": _values([_painted(each.marks) for each in shown], side, Image.Resampling.NEAREST),
    }
    placed = {name: values.to(network.device, network.dtype) for name, values in inputs.items()}
    with torch.inference_mode():
        output = network(**placed, feature_ensemble=len(shown) > 1).pred_masks
    found = output[:, :, -side:].float().mean(dim=0).permute(1, 2, 0).cpu().numpy()
    colours = (np.array([(0, 0, 0), *COLOURS[:n]], np.float32) / 255 - _MEAN) / _DEVIATION
    distances = ((found[:, :, None] - colours) ** 2).mean(axis=-1)
    weights = np.exp(-(distances - distances.min(axis=-1, keepdims=True)) / _SHARPNESS)
    return (weights / weights.sum(axis=-1, keepdims=True)).astype(np.float32)


@lru_cache(maxsize=1)
def sam2(model_id: str = SAM2, device: str = "auto", progress: Progress | None = None) -> Any:
    """Load SAM 2 (39 M parameters, Apache-2.0).

    Raises:
        WeightsError: It can't be had.
    """
    from transformers import Sam2Model

    folder = fetch(HubModel(model_id, files=FILES), progress)
    known: Any = Sam2Model
    network = known.from_pretrained(folder, local_files_only=True, use_safetensors=True)
    return network.to(choose_device(device)).eval().requires_grad_(False)


def sam2_refined(picture: np.ndarray, mask: np.ndarray, network: Any = None) -> np.ndarray:
    """Sharpen a mask, region by region, each given to SAM 2 as a box and a coarse mask.

    Args:
        picture: RGB, uint8, shape (height, width, 3).
        mask: Labels, uint8, shape (height, width).
        network: None takes the one of the hub.

    Returns:
        Labels, same shape. A region that shares less than half with SAM 2's answer stays as it was; so do all
        beyond the eight largest.
    """
    import torch

    network = network if network is not None else sam2()
    side = int(network.config.vision_config.backbone_config.image_size[0])
    coarse = int(network.prompt_encoder.mask_input_size[0])
    refined = mask.copy()
    with torch.inference_mode():
        values = _values([picture], side).to(network.device, network.dtype)
        embeddings = network.get_image_embeddings(values)
        for region in regions(mask)[:_MAX_REGIONS]:
            left, top, right, bottom = region.box
            inside = np.zeros(mask.shape, bool)
            inside[top:bottom, left:right] = mask[top:bottom, left:right] == region.label
            boxes, masks = _prompts(inside, region.box, side, coarse)
            output = network(
                image_embeddings=embeddings,
                input_boxes=boxes.to(network.device, network.dtype),
                input_masks=masks.to(network.device, network.dtype),
                multimask_output=False,
            )
            found = _enlarged(output.pred_masks[0, 0, 0].float().cpu().numpy(), mask.shape) > 0
            if (found & inside).sum() >= _LEAST_SHARED * (found | inside).sum():
                refined[inside] = 0
                refined[found & (refined == 0)] = region.label
    return refined


def _prompts(inside: np.ndarray, box: tuple[int, int, int, int], side: int, coarse: int) -> tuple[Any, Any]:
    """Return a box in pixels of the network's picture, (1, 1, 4), and a mask as logits, (1, 1, n, n)."""
    import torch

    height, width = inside.shape
    scale = np.array([side / width, side / height] * 2, np.float32)
    small = np.asarray(Image.fromarray(inside.astype(np.float32)).resize((coarse, coarse)))
    logits = torch.from_numpy((2 * small - 1) * _SURE)[None, None].float()
    return torch.from_numpy(np.array(box, np.float32) * scale)[None, None], logits


def _enlarged(logits: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return np.asarray(Image.fromarray(logits).resize((shape[1], shape[0]), Image.Resampling.BILINEAR))


def _painted(marks: np.ndarray) -> np.ndarray:
    """Paint labels in the classes' colours on black, uint8, shape (height, width, 3)."""
    return np.array([(0, 0, 0), *COLOURS], np.uint8)[marks]


def _values(pictures: list[np.ndarray], side: int, way: Image.Resampling = Image.Resampling.BICUBIC) -> Any:
    """Scale pictures and standardise them as ImageNet networks want it, shape (n, 3, side, side)."""
    import torch

    small = [np.asarray(Image.fromarray(each).resize((side, side), way), np.float32) for each in pictures]
    values = (np.stack(small) / 255 - _MEAN) / _DEVIATION
    return torch.from_numpy(values).permute(0, 3, 1, 2)
