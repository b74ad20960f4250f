"""A FluxPipeline and an In-Context LoRA from a hub on the loopback, through the real loaders."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hub_stand_in import HubStandIn
from tiny_flux import save_tiny_hub_pipeline

from lab.images import adapters
from lab.images import hub as hub_models
from lab.images.grid import PAIR
from lab.images.hub import PUBLISHED, load_hub, load_weighed_hub, published_lora
from lab.images.model import ImageModel
from lab.images.sampler import Settings, draw, sample
from lab.images.studio import Order, drawing
from lab.images.tune import add_adapter
from lab.weights import WeightsError

CAPTION = "[LEFT] fox, flat style; [RIGHT] owl, 3d style"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Save a tiny pipeline and a LoRA for it, named like one of upstream's."""
    from diffusers import FluxPipeline
    from peft import get_peft_model_state_dict

    folder = tmp_path_factory.mktemp("hub")
    save_tiny_hub_pipeline(folder / "flux")
    model = ImageModel("tiny", FluxPipeline.from_pretrained(folder / "flux"), n_tokens_per_panel=None)
    add_adapter(model, "iclora_upstream", 4)
    with torch.no_grad():
        for name, tensor in model.transformer.named_parameters():
            if "lora_B" in name:
                tensor.normal_(std=0.3)
    layers = get_peft_model_state_dict(model.transformer, adapter_name="iclora_upstream")
    FluxPipeline.save_lora_weights(
        folder / "lora", transformer_lora_layers=layers, weight_name="couple-profile.safetensors"
    )
    return folder


@pytest.fixture
def served(hub: HubStandIn, folder: Path) -> HubStandIn:
    shutil.copytree(folder / "flux", hub.root / "org" / "tiny-flux")
    shutil.copytree(folder / "lora", hub.root / PUBLISHED)
    (hub.root / "org" / "tiny-flux" / "flux1-dev.safetensors").write_bytes(b"a copy in one file")
    (hub.root / "org" / "tiny-flux" / "transformer" / "pytorch_model.bin").write_bytes(b"pickle")
    return hub


def test_a_pipeline_of_the_hub_draws_as_the_stock_one_with_its_published_lora(served, folder):
    from diffusers import FluxPipeline

    model = load_hub("org/tiny-flux", device="cpu")
    model = type(model)(model.id, model.pipeline, side=64, n_tokens_per_panel=None)
    adapters.load(model, published_lora("couple-profile"), "iclora_couple")
    adapters.weigh(model, {"iclora_couple": 1.0})

    stock = FluxPipeline.from_pretrained(folder / "flux")
    stock.set_progress_bar_config(disable=True)
    stock.load_lora_weights(
        folder / "lora", weight_name="couple-profile.safetensors", adapter_name="upstream"
    )
    expected = stock(
        CAPTION, negative_prompt="", true_cfg_scale=3.0, height=64, width=128, num_inference_steps=2,
        generator=torch.Generator().manual_seed(1), max_sequence_length=512, output_type="latent",
    ).images  # fmt: skip
    *_, last = sample(model, model.encode_text([CAPTION], PAIR), PAIR, [1], Settings(2))
    assert torch.allclose(last.packed, expected, atol=2e-4)
    with_lora = draw(model, [CAPTION], PAIR, [1], Settings(2))
    adapters.weigh(model, {})
    assert not np.array_equal(with_lora, draw(model, [CAPTION], PAIR, [1], Settings(2)))


def test_neither_pickles_nor_single_file_copies_are_fetched(served):
    load_hub("org/tiny-flux", device="cpu")
    assert served.downloads(".bin") == served.downloads("flux1-dev.safetensors") == 0
    assert served.downloads("diffusion_pytorch_model.safetensors") == 2  # transformer and autoencoder


def test_a_repository_that_is_no_flux_pipeline_is_refused(served):
    with pytest.raises(WeightsError, match="not a FluxPipeline"):
        index = served.root / "org" / "tiny-flux" / "model_index.json"
        index.write_text(index.read_text().replace('"FluxPipeline"', '"OtherPipeline"'))
        load_hub("org/tiny-flux")


def test_an_unknown_published_lora_is_named():
    with pytest.raises(ValueError, match="couple-profile"):
        published_lora("nothing")


def test_drawing_with_a_model_of_the_hub_loads_it_once_and_weighs_its_loras(served):
    hub_models._kept.cache_clear()
    model = load_weighed_hub("org/tiny-flux", {"couple-profile": 1.0})
    order = Order(PAIR, ("a fox that rides a zeppelin", "an owl"), settings=Settings(1), is_embedded=False)
    with_lora = [step for step in drawing(replace(model, side=64), order)][-1]
    assert load_weighed_hub("org/tiny-flux", {}) is model
    without = [step for step in drawing(replace(model, side=64), order)][-1]
    assert with_lora.is_done and not np.array_equal(with_lora.panels, without.panels)
    with pytest.raises(ValueError, match="no published LoRA"):
        load_weighed_hub("org/tiny-flux", {"coloured": 1.0})
    hub_models._kept.cache_clear()
