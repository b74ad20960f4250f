"""The sampler against the pipelines of diffusers, and what conditioning may and may not change."""

import numpy as np
import pytest
import torch
from tiny_flux import tiny_model

from lab.images.grid import PAIR, SINGLE, SQUARE, STACK, Grid
from lab.images.model import ImageModel
from lab.images.sampler import Given, Settings, draw, sample, token_positions, tokens_of

FOUR_STEPS = Settings(4, 3.0)
CAPTION = "[LEFT] fox, flat style; [RIGHT] owl, 3d style"


@pytest.fixture(scope="module")
def model() -> ImageModel:
    return tiny_model()


def last(model, caption, grid, seeds, settings=FOUR_STEPS, given=None) -> torch.Tensor:
    *_, step = sample(model, model.encode_text([caption], grid), grid, seeds, settings, given)
    return step.packed


def random_canvases(n: int = 1, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 64, 128, 3), dtype=np.uint8)


@pytest.mark.parametrize("guidance", [1.0, 3.0])
@pytest.mark.parametrize("grid", [SINGLE, PAIR, SQUARE])
def test_it_ends_where_the_stock_pipeline_ends(model, grid: Grid, guidance: float):
    height, width = grid.size(64)
    expected = model.pipeline(
        CAPTION, negative_prompt="", true_cfg_scale=guidance, height=height, width=width,
        num_inference_steps=4, generator=torch.Generator().manual_seed(7), max_sequence_length=grid.n_tokens,
        output_type="latent",
    ).images  # fmt: skip
    found = last(model, CAPTION, grid, [7], Settings(4, guidance))
    assert torch.allclose(found, expected, atol=2e-4)


def test_blending_ends_where_the_inpainting_pipeline_ends(model, monkeypatch):
    from diffusers import FluxInpaintPipeline
    from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
    from PIL import Image

    # that pipeline draws from the posterior where ours takes its mode
    monkeypatch.setattr(DiagonalGaussianDistribution, "sample", lambda self, generator=None: self.mode())
    canvas = random_canvases()[0]
    mask = Image.new("L", (128, 64), 0)
    mask.paste(255, (64, 0, 128, 64))
    inpaint = FluxInpaintPipeline.from_pipe(model.pipeline)
    inpaint.set_progress_bar_config(disable=True)
    expected = inpaint(
        prompt=CAPTION, image=Image.fromarray(canvas), mask_image=mask, height=64, width=128, strength=1.0,
        guidance_scale=1.0, num_inference_steps=4, generator=torch.Generator().manual_seed(7),
        max_sequence_length=PAIR.n_tokens, output_type="latent",
    ).images  # fmt: skip
    found = last(model, CAPTION, PAIR, [7], Settings(4, 1.0), Given(canvas[None], (True, False), "blend"))
    assert torch.allclose(found, expected, atol=1e-3)


def test_a_canvas_does_not_depend_on_its_batch(model):
    alone = last(model, CAPTION, PAIR, [3])
    together = last(model, CAPTION, PAIR, [1, 3, 5])
    assert torch.allclose(alone[0], together[1], atol=1e-4)


def test_the_same_seed_draws_the_same_picture(model):
    first, second = (draw(model, [CAPTION], PAIR, [4], Settings(2)) for _ in range(2))
    assert np.array_equal(first, second)
    assert first.shape == (1, 2, 64, 64, 3)


@pytest.mark.parametrize("mode", ["blend", "context"])
def test_given_panels_are_kept_and_the_others_follow_them(model, mode):
    first, second = random_canvases(seed=0), random_canvases(seed=1)
    given = tokens_of(PAIR, 16, 32, (True, False))
    drawn = [last(model, CAPTION, PAIR, [1], given=Given(c, (True, False), mode)) for c in (first, second)]
    clean = model.to_latents(first)
    assert torch.allclose(drawn[0][:, given], clean[:, given], atol=1e-5)
    assert not torch.allclose(drawn[0][:, ~given], drawn[1][:, ~given], atol=1e-4)


def test_positions_are_those_of_the_pipeline_or_count_within_panels():
    whole = token_positions(STACK, 32, 16)
    assert whole[-1].tolist() == [0, 15, 7]
    within = token_positions(STACK, 32, 16, "panel")
    assert within[-1].tolist() == [1, 7, 7] and within[0].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"n_steps": 0}, "n_steps"), ({"guidance": -1}, "guidance"), ({"ids": "grid"}, "canvas or panel")],
)
def test_settings_out_of_range_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        Settings(**settings)


def test_numbers_that_do_not_fit_are_named(model):
    with pytest.raises(ValueError, match="every panel is given"):
        Given(random_canvases(), (True, True))
    with pytest.raises(ValueError, match="2 panels need as many marks"):
        last(model, CAPTION, PAIR, [1], given=Given(random_canvases(), (True, False, False)))
    with pytest.raises(ValueError, match="3 canvases need as many captions"):
        next(sample(model, model.encode_text(["a", "b"], PAIR), PAIR, [1, 2, 3]))
