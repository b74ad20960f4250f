"""Backbones of the real classes with small random weights, through a hub on the loopback."""

import numpy as np
import pytest
import torch
from hub_stand_in import HubStandIn
from tiny_vision import example, noisy, squares

from lab.vision import backbones
from lab.vision.engines import find_engine
from lab.vision.hub_backbones import KINDS, backbone_of, hub_backbone
from lab.vision.question import Question
from lab.weights import WeightsError

PICTURE = noisy(squares(("red", 16, 32), ("blue", 40, 0)))
SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}


def small_network(model_type: str):
    """Return an untrained network of the class that a type names."""
    import transformers

    configs = {
        "dinov2": transformers.Dinov2Config(**SMALL, patch_size=14, image_size=56),
        "dinov2_with_registers": transformers.Dinov2WithRegistersConfig(
            **SMALL, patch_size=14, image_size=56
        ),
        "dinov3_vit": transformers.DINOv3ViTConfig(**SMALL, patch_size=16, image_size=64),
        "siglip_vision_model": transformers.SiglipVisionConfig(**SMALL, patch_size=16, image_size=64),
    }
    torch.manual_seed(0)
    return getattr(transformers, KINDS[model_type].class_name)(configs[model_type])


@pytest.mark.parametrize(
    ("model_type", "side", "n_side"),
    [
        ("dinov2", 448, 32),
        ("dinov2_with_registers", 448, 32),
        ("dinov3_vit", 448, 28),
        ("siglip_vision_model", 448, 28),
    ],
)
def test_places_lie_as_the_patches_do(model_type, side, n_side):
    backbone = backbone_of(small_network(model_type), "tiny", KINDS[model_type])
    found = backbone.features(PICTURE)
    assert backbone.side == side and found.shape == (n_side, n_side, 32)
    np.testing.assert_allclose(np.linalg.norm(found, axis=-1), 1, atol=1e-5)
    assert backbone.is_self_supervised == model_type.startswith("dino")


def test_tokens_before_the_places_are_left_out():
    network = small_network("dinov3_vit")
    backbone = backbone_of(network, "tiny", KINDS["dinov3_vit"])
    picture = np.random.default_rng(0).integers(0, 256, (448, 448, 3), np.uint8)
    values = (picture.astype(np.float32) / 255 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
    with torch.inference_mode():
        inputs = torch.from_numpy(values).permute(2, 0, 1)[None].float()
        tokens = network(pixel_values=inputs).last_hidden_state[0]
    n_before = 1 + network.config.num_register_tokens
    assert len(tokens) == n_before + 28 * 28
    want = tokens[n_before + 28 * 3 + 5]
    np.testing.assert_allclose(backbone.features(picture)[3, 5], want / want.norm(), atol=1e-4)


def test_a_backbone_of_the_hub_answers_a_question(hub: HubStandIn):
    small_network("dinov2").save_pretrained(hub.root / "org" / "tiny-dino")
    backbone = hub_backbone("org/tiny-dino", device="cpu")
    shares = find_engine("neighbours").answer(Question((example("one", ("red", 8, 8)),), PICTURE, backbone))
    assert shares.shape == (32, 32, 2)
    np.testing.assert_allclose(shares.sum(axis=-1), 1, atol=1e-5)


def test_of_siglip_the_half_that_sees_is_loaded(hub: HubStandIn):
    import transformers

    torch.manual_seed(0)
    vision = {**SMALL, "patch_size": 16, "image_size": 64}
    whole = transformers.SiglipModel(transformers.SiglipConfig(text_config=SMALL, vision_config=vision))
    whole.save_pretrained(hub.root / "org" / "tiny-siglip")
    found = hub_backbone("org/tiny-siglip", device="cpu").features(PICTURE)
    assert found.shape == (28, 28, 32)
    alone = backbone_of(whole.vision_model, "tiny", KINDS["siglip_vision_model"])
    np.testing.assert_allclose(found, alone.features(PICTURE), atol=1e-4)


def test_a_model_of_another_kind_is_named(hub: HubStandIn):
    folder = hub.root / "org" / "words"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "llama"}', encoding="utf-8")
    (folder / "model.safetensors").write_bytes(b"x" * 64)
    with pytest.raises(WeightsError, match="org/words is a llama"):
        hub_backbone("org/words")


def test_strangers_load_the_default_and_what_is_listed(monkeypatch):
    monkeypatch.setenv("LAB_SHARED", "1")
    monkeypatch.setenv("LAB_ALLOWED_MODELS", "org/tiny-dino")
    backbones.check_may_load("org/tiny-dino")
    with pytest.raises(ValueError, match="facebook/dinov2-small is not loaded on this shared deployment"):
        backbones.load_backbone("facebook/dinov2-small")
    assert backbones.names()[0] == backbones.DEFAULT
