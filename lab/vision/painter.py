"""Painter: given a picture and what became of it, do the same to another picture.

The network is `SegGptForImageSegmentation` of transformers in a small configuration, trained by this project
on `lab.vision.operations`. A pair stands above, the picture that is asked about below; what comes out of it
is hidden in the input, and painted.

Source: Wang et al. 2023, Painter (arXiv:2212.02499); Wang et al. 2023, SegGPT (arXiv:2304.03284) for the
class, and for how several pairs are read at once (feature ensemble).
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image

from lab.vision.backbone import centred
from lab.vision.shapes import SIDE
from lab.weights import WeightsError

if TYPE_CHECKING:
    import torch

FOLDER = Path(__file__).parents[2] / "assets" / "vision" / "painter"
MAX_PAIRS = 4
PATCH = 8


class Pair(NamedTuple):
    """A picture and what became of it, RGB, uint8, shape (height, width, 3) each, of any size."""

    before: np.ndarray
    after: np.ndarray


def new_painter(width: int = 192, n_layers: int = 6, n_heads: int = 6) -> Any:
    """Return an untrained network of 4 M parameters.

    Args:
        width: Of its tokens.
        n_layers: Blocks, 3 or more; the two streams are joined after the second.
        n_heads: Heads of attention.
    """
    from transformers import SegGptConfig, SegGptForImageSegmentation

    config = SegGptConfig(
        hidden_size=width,
        num_hidden_layers=n_layers,
        num_attention_heads=n_heads,
        image_size=(2 * SIDE, SIDE),
        pretrain_image_size=SIDE,
        patch_size=PATCH,
        decoder_hidden_size=32,
        drop_path_rate=0.0,
        merge_index=1,
        intermediate_hidden_state_indices=list(range(max(2, n_layers - 4), n_layers)),
    )
    return SegGptForImageSegmentation(config)


def paint(pairs: Sequence[Pair], picture: np.ndarray, network: Any = None) -> np.ndarray:
    """Do to a picture what the pairs show.

    Args:
        pairs: 1 to 4; of several, the features of the picture's tokens are averaged in every block.
        picture: RGB, uint8, shape (height, width, 3); read and painted at 64 × 64 pixels.
        network: From `new_painter`; None takes the one that comes with the lab.

    Returns:
        RGB, uint8, shape (64, 64, 3).

    Raises:
        ValueError: No pair, or too many.
        WeightsError: The network is not there.
    """
    import torch

    if not 1 <= len(pairs) <= MAX_PAIRS:
        raise ValueError(f"show 1 to {MAX_PAIRS} pairs, got {len(pairs)}")
    network = network if network is not None else load_painter()
    with torch.inference_mode():
        output = network(
            pixel_values=values([picture] * len(pairs)),
            prompt_pixel_values=values([pair.before for pair in pairs]),
            prompt_masks=values([pair.after for pair in pairs]),
            feature_ensemble=len(pairs) > 1,
        )
    # each pair has an output of its own, which differ in the row beside the pair: their mean has no order
    return pixels(output.pred_masks[:, :, SIDE:].mean(dim=0, keepdim=True))[0]


def values(pictures: Sequence[np.ndarray]) -> "torch.Tensor":
    """Scale pictures to 64 × 64 and to -1..1, shape (n, 3, 64, 64)."""
    small = [
        picture
        if picture.shape[:2] == (SIDE, SIDE)
        else np.asarray(Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.LANCZOS))
        for picture in pictures
    ]
    return centred(np.stack(small))


def pixels(found: "torch.Tensor") -> np.ndarray:
    """Undo `values`, uint8, shape (n, 64, 64, 3)."""
    return ((found.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()


@cache
def load_painter(folder: Path = FOLDER) -> Any:
    """Load the network that comes with the lab.

    Raises:
        WeightsError: It is not there; the message names the remedy.
    """
    from transformers import SegGptForImageSegmentation

    if not (folder / "config.json").is_file():
        raise WeightsError(
            "Painter's network is missing: no config.json in assets/vision/painter. Restore it from the "
            "repository, or train it: python -m lab.vision.train painter"
        )
    network = SegGptForImageSegmentation.from_pretrained(folder, local_files_only=True, use_safetensors=True)
    return network.float().eval().requires_grad_(False)
