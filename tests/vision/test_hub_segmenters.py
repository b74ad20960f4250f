"""SegGPT and SAM 2 as the real classes with small random weights, through a hub on the loopback."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hub_stand_in import HubStandIn
from tiny_vision import example, noisy, squares

from lab.vision import hub_segmenters
from lab.vision.decide import enlarged, mask_of
from lab.vision.hub_segmenters import COLOURS, sam2, sam2_refined, seggpt, seggpt_answer
from lab.vision.painter import new_painter
from lab.vision.question import Question

CLEAN = squares(("red", 32, 16), ("blue", 0, 48))
PICTURE = noisy(CLEAN)
TWO = (example("one", ("red", 8, 8)), example("two", ("red", 40, 0), ("blue", 0, 0), meant=("red", "blue")))


def asked(*examples):
    return Question(examples, PICTURE, backbone=None)


def small_sam():
    import transformers

    hiera = transformers.Sam2HieraDetConfig(
        hidden_size=16, num_attention_heads=1, image_size=[256, 256], blocks_per_stage=[1, 2, 2, 1],
        embed_dim_per_stage=[16, 32, 64, 128], num_attention_heads_per_stage=[1, 2, 4, 8],
        window_size_per_stage=[8, 4, 8, 4], global_attention_blocks=[4],
    )  # fmt: skip
    vision = transformers.Sam2VisionConfig(
        backbone_config=hiera, backbone_channel_list=[128, 64, 32, 16], fpn_hidden_size=32,
        backbone_feature_sizes=[[64, 64], [32, 32], [16, 16]],
    )  # fmt: skip
    prompts = {"hidden_size": 32, "image_size": 256, "patch_size": 16, "mask_input_channels": 8}
    decoder = {"hidden_size": 32, "mlp_dim": 64, "num_attention_heads": 2, "iou_head_hidden_dim": 32}
    torch.manual_seed(0)
    config = transformers.Sam2Config(
        vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=decoder
    )
    return transformers.Sam2Model(config).eval()


def test_seggpt_of_the_hub_answers_a_question(hub: HubStandIn):
    torch.manual_seed(0)
    new_painter(width=32, n_layers=3, n_heads=2).save_pretrained(hub.root / "org" / "tiny-seggpt")
    network = seggpt("org/tiny-seggpt", device="cpu")
    for examples, n in (((TWO[0],), 2), (TWO, 3)):
        shares = seggpt_answer(asked(*examples), network)
        assert shares.shape == (64, 64, n)
        np.testing.assert_allclose(shares.sum(axis=-1), 1, atol=1e-5)
    assert mask_of(enlarged(shares, 64, 64)).shape == (64, 64)


def test_what_seggpt_paints_in_a_classs_colour_is_that_class():
    side = 64
    truth = np.zeros((side, side), np.uint8)
    truth[16:32, 32:48], truth[48:, :16] = 1, 2
    painted = hub_segmenters._values([np.array([(0, 0, 0), *COLOURS], np.uint8)[truth]], side)

    class Painted:
        config, device, dtype = SimpleNamespace(image_size=(2 * side, side)), "cpu", torch.float32

        def __call__(self, pixel_values, prompt_pixel_values, prompt_masks, feature_ensemble):
            assert pixel_values.shape == prompt_masks.shape == (2, 3, side, side) and feature_ensemble
            whole = torch.cat([torch.zeros_like(painted), painted], dim=2)
            return SimpleNamespace(pred_masks=whole.expand(2, -1, -1, -1))

    shares = seggpt_answer(asked(*TWO), Painted())
    np.testing.assert_array_equal(shares.argmax(axis=-1), truth)


def test_masks_are_shown_to_seggpt_in_the_colours_that_are_read_back():
    marks = np.array([[0, 1], [2, 6]], np.uint8)
    painted = hub_segmenters._painted(marks)
    assert painted[0, 0].tolist() == [0, 0, 0] and tuple(painted[1, 1]) == COLOURS[5]


def test_sam_2_of_the_hub_sharpens_a_mask(hub: HubStandIn):
    small_sam().save_pretrained(hub.root / "org" / "tiny-sam")
    network = sam2("org/tiny-sam", device="cpu")
    mask = np.zeros((64, 64), np.uint8)
    mask[16:32, 32:48], mask[48:, :16] = 1, 2
    found = sam2_refined(PICTURE, mask, network)
    assert found.shape == mask.shape and set(np.unique(found)) <= {0, 1, 2}
    assert not sam2_refined(PICTURE, mask * 0, network).any()


@pytest.mark.parametrize("is_better", [True, False])
def test_a_region_takes_what_sam_2_says_if_it_shares_enough(is_better):
    network = small_sam()
    mask = np.zeros((256, 256), np.uint8)
    mask[60:120, 60:120] = 1
    answer = np.full((256, 256), -5.0, np.float32)
    answer[slice(64, 124) if is_better else slice(180, 240), 60:120] = 5
    seen = {}

    class Answering:
        config, prompt_encoder, device, dtype = network.config, network.prompt_encoder, "cpu", torch.float32
        get_image_embeddings = network.get_image_embeddings

        def __call__(self, image_embeddings, input_boxes, input_masks, multimask_output):
            seen.update(boxes=input_boxes, masks=input_masks)
            return SimpleNamespace(pred_masks=torch.from_numpy(answer)[None, None, None])

    picture = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
    found = sam2_refined(picture, mask, Answering())
    np.testing.assert_array_equal(found > 0, answer > 0 if is_better else mask > 0)
    assert seen["boxes"][0, 0].tolist() == [60, 60, 120, 120]  # in pixels of the network's own picture
    coarse = seen["masks"][0, 0]
    assert coarse.shape == (64, 64) and coarse[20, 20] > 0 > coarse[5, 5]
