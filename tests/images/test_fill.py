"""The fill branch: its channels and drawings against the stock pipeline, its widening and its training."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_flux import tiny_encoder, tiny_model

from lab.images.components import N_FILL
from lab.images.fill import fill_channels
from lab.images.flow import positions
from lab.images.grid import COLUMN, PAIR, SINGLE, SQUARE, STACK
from lab.images.model import ImageModel, load_embedded, save_pipeline
from lab.images.sampler import Given, Settings, draw, sample
from lab.images.train.fill import random_mask, train_fill, widened
from lab.learners.embedder import N_DIMENSIONS
from lab.training.loop import Schedule

PLAIN = Settings(3, 1.0)
CAPTION = "[LEFT] fox, flat style; [RIGHT] owl, 3d style"


@pytest.fixture(scope="module")
def model() -> ImageModel:
    """Return a tiny model whose fill branch heeds its channels."""
    plain = tiny_model()
    fill = widened(plain.transformer)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        weight = fill.x_embedder.weight
        weight[:, 32:] = 0.05 * torch.randn(weight[:, 32:].shape, generator=generator)
    return replace(plain, fill=fill.requires_grad_(False))


def random_canvases(n: int = 1, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 64, 128, 3), dtype=np.uint8)


def some_mask() -> np.ndarray:
    mask = np.zeros((64, 128), bool)
    mask[10:50, 70:101] = True
    return mask


def last(model: ImageModel, given: Given, seeds=(7,), settings=PLAIN) -> torch.Tensor:
    *_, step = sample(model, model.encode_text([CAPTION], PAIR), PAIR, seeds, settings, given)
    return step.packed


def stock_pipeline(model: ImageModel, monkeypatch: pytest.MonkeyPatch):
    from diffusers import FluxFillPipeline
    from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution

    # that pipeline draws from the posterior where ours takes its mode
    monkeypatch.setattr(DiagonalGaussianDistribution, "sample", lambda self, generator=None: self.mode())
    parts = {name: part for name, part in model.pipeline.components.items() if part is not None}
    pipeline = FluxFillPipeline(**{**parts, "transformer": model.fill})
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def test_a_widened_transformer_predicts_what_the_base_does_whatever_the_mask(model):
    base, wide = model.transformer, widened(model.transformer)
    generator = torch.Generator().manual_seed(0)
    noisy, seen = (torch.randn(2, 64, n, generator=generator) for n in (32, N_FILL - 32))
    common = {
        "timestep": torch.tensor([0.3, 0.9]),
        "encoder_hidden_states": torch.randn(2, 16, N_DIMENSIONS, generator=generator),
        "pooled_projections": torch.randn(2, N_DIMENSIONS, generator=generator),
        "img_ids": positions(16, 16),
        "txt_ids": torch.zeros(16, 3),
    }
    with torch.no_grad():
        expected = base(hidden_states=noisy, **common).sample
        found = wide(hidden_states=torch.cat([noisy, seen], dim=2), **common).sample
    assert torch.allclose(found, expected, atol=1e-5)
    assert wide.config.in_channels == N_FILL and wide.config.out_channels == 32


@pytest.mark.parametrize("mask", [None, some_mask()], ids=["panel", "pixels"])
def test_filling_ends_where_the_stock_pipeline_ends(model, monkeypatch, mask):
    from PIL import Image

    canvas = random_canvases()[0]
    given = Given(canvas[None], (True, False), "fill", mask)
    drawn = given.is_drawn(PAIR, 64)
    expected = stock_pipeline(model, monkeypatch)(
        prompt=CAPTION, image=Image.fromarray(canvas),
        mask_image=Image.fromarray(drawn.astype(np.uint8) * 255),
        height=64, width=128, guidance_scale=1.0, num_inference_steps=3,
        generator=torch.Generator().manual_seed(7), max_sequence_length=PAIR.n_tokens, output_type="latent",
    ).images  # fmt: skip
    assert torch.allclose(last(model, given), expected, atol=1e-4)


def test_channels_are_the_masked_canvas_and_the_masks_pixels(model):
    mask = some_mask()
    found = fill_channels(model, random_canvases(), mask[None])
    assert found.shape == (1, 8 * 16, N_FILL - 32)
    # a token's last 64 channels are its 8 × 8 pixels in some order
    assert np.array_equal(
        found[0, :, 32:].sum(dim=1).view(8, 16).numpy(), mask.reshape(8, 8, 16, 8).sum(axis=(1, 3))
    )
    other = random_canvases()
    other[:, mask] = 0
    assert torch.equal(fill_channels(model, other, mask[None]), found)


def test_given_panels_change_what_is_drawn_and_hidden_ones_do_not(model):
    first, second = random_canvases(seed=0), random_canvases(seed=1)
    left_differs, right_differs = first.copy(), first.copy()
    left_differs[:, :, :64] = second[:, :, :64]
    right_differs[:, :, 64:] = second[:, :, 64:]
    drawn = last(model, Given(first, (True, False), "fill"))
    assert torch.equal(last(model, Given(right_differs, (True, False), "fill")), drawn)
    assert not torch.allclose(last(model, Given(left_differs, (True, False), "fill")), drawn, atol=1e-4)


def test_a_mask_of_the_whole_panel_is_the_panel(model):
    whole = np.zeros((64, 128), bool)
    whole[:, 64:] = True
    given = Given(random_canvases(), (True, False), "fill")
    assert torch.equal(last(model, replace(given, mask=whole)), last(model, given))


def test_guidance_fills_both_passes_alike(model):
    given = Given(random_canvases(), (True, False), "fill", some_mask())
    text, nothing = model.encode_text([CAPTION], PAIR), model.encode_text([""], PAIR)
    seen = fill_channels(model, given.canvases, some_mask()[None])
    noise = torch.randn(1, 8, 16, 32, generator=torch.Generator().manual_seed(7))
    noise = noise.view(1, 8, 8, 2, 16, 2).permute(0, 2, 4, 1, 3, 5).reshape(1, 128, 32)
    with torch.no_grad():
        prompted, plain = (
            model.fill(
                hidden_states=torch.cat([noise, seen], dim=2),
                timestep=torch.ones(1),
                encoder_hidden_states=each.states,
                pooled_projections=each.pooled,
                img_ids=positions(16, 32),
                txt_ids=each.positions,
            ).sample
            for each in (text, nothing)
        )
    expected = noise - (plain + 3 * (prompted - plain))  # one step goes from time 1 to 0
    assert torch.allclose(last(model, given, settings=Settings(1, 3.0)), expected, atol=1e-4)


def test_many_canvases_are_filled_in_batches_as_alone(model):
    given = Given(random_canvases(3), (True, False), "fill", some_mask())
    together = draw(model, [CAPTION] * 3, PAIR, [1, 2, 3], Settings(2), given, batch=2)
    alone = draw(model, [CAPTION], PAIR, [3], Settings(2), replace(given, canvases=given.canvases[2:]))
    assert np.abs(together[2].astype(int) - alone[0]).max() <= 1


def test_a_model_without_a_fill_branch_says_what_to_do():
    plain = replace(tiny_model(), fill=None)
    with pytest.raises(ValueError, match=r"no fill branch: choose the mode blend .* lab.images.train fill"):
        last(plain, Given(random_canvases(), (True, False), "fill"))


def test_masks_that_do_not_suit_are_named(model):
    canvas, mask = random_canvases(), some_mask()
    with pytest.raises(ValueError, match="needs the mode fill, got 'blend'"):
        Given(canvas, (True, False), "blend", mask)
    with pytest.raises(ValueError, match="must be bool"):
        Given(canvas, (True, False), "fill", mask.astype(int))
    with pytest.raises(ValueError, match="the mask is empty"):
        Given(canvas, (True, False), "fill", np.zeros((64, 128), bool))
    with pytest.raises(ValueError, match=r"the canvas's shape \(64, 128\), got \(64, 64\)"):
        last(model, Given(canvas, (True, False), "fill", mask[:, 64:]))
    with pytest.raises(ValueError, match="pixels of a given panel"):
        last(model, Given(canvas, (True, False), "fill", np.ones((64, 128), bool)))


def test_the_branch_is_loaded_from_beside_the_pipeline(model, tmp_path):
    save_pipeline(model.pipeline.vae, model.transformer, tmp_path)
    assert load_embedded(tmp_path, encoder=tiny_encoder()).fill is None
    model.fill.save_pretrained(tmp_path / "fill", max_shard_size="15MB")
    loaded = load_embedded(tmp_path, encoder=tiny_encoder())
    given = Given(random_canvases(), (True, False), "fill", some_mask())
    assert torch.allclose(last(loaded, given), last(model, given), atol=1e-5)
    assert not any(parameter.requires_grad for parameter in loaded.fill.parameters())


@pytest.mark.parametrize("grid", [SINGLE, STACK, COLUMN, SQUARE])
def test_random_masks_mark_panels_boxes_and_ellipses(grid):
    random = np.random.default_rng(0)
    shares = []
    for _ in range(60):
        mask = random_mask(grid, 64, random)
        assert mask.shape == grid.size(64) and mask.dtype == bool and mask.any()
        shares += [part.mean() for part in grid.split(mask[..., None]) if part.any()]
    whole = np.mean([share == 1 for share in shares])
    assert 0.2 < whole < 0.65  # two in five masks
    assert min(shares) < 0.2


def test_masks_mostly_leave_a_panel_to_look_at():
    random = np.random.default_rng(0)
    masks = [STACK.split(random_mask(STACK, 64, random)[..., None]) for _ in range(300)]
    n_both = sum(all(part.any() for part in parts) for parts in masks)
    assert 20 < n_both < 80  # 45 on average


def test_training_changes_the_branch_only_and_is_reproducible(drawings):
    runs = []
    for _ in range(2):
        base = tiny_model()
        before = {name: tensor.clone() for name, tensor in base.pipeline.vae.state_dict().items()}
        fill, steps = train_fill(base, drawings, None, seed=3, schedule=Schedule(1, 1e-3, 1))
        losses = [step.loss for step in steps]
        runs.append((losses, fill.x_embedder.weight.detach().clone()))
        assert all(np.isfinite(losses))
        after = base.pipeline.vae.state_dict()
        assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
        assert torch.equal(base.transformer.x_embedder.weight, tiny_model().transformer.x_embedder.weight)
    assert runs[0][0] == pytest.approx(runs[1][0], abs=1e-5)
    assert (runs[0][1][:, 32:] != 0).any()
