"""The base's training: what its stages show, where latents lie on a canvas, and that nothing stays behind."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tiny_flux import tiny_encoder, tiny_model

from lab.images.components import new_transformer
from lab.images.concepts import concepts
from lab.images.flow import times, unpack
from lab.images.grid import PAIR, SINGLE, SQUARE, STACK
from lab.images.panels import BACKGROUNDS, SIZES, Panel
from lab.images.train.autoencoder import train_autoencoder
from lab.images.train.base import ALONE, TOGETHER, LatentTable, Stage, flow_loss, train_base
from lab.images.train.contents import Canvas, grid_of, independent_canvas, repeating_canvas
from lab.images.train.fill import _tokens_of, copying_batch, fill_loss, random_batch, widened
from lab.training.loop import Schedule

FOX, OWL = Panel("fox", "flat"), Panel("owl", "3d", "blue", "small")


@pytest.fixture(scope="module")
def table() -> LatentTable:
    """Latents that tell the panel by their number, and rows and columns apart."""
    shape = (len(concepts()), 5, len(BACKGROUNDS), len(SIZES))
    numbers = torch.arange(float(np.prod(shape))).reshape(shape) / np.prod(shape)
    slope = torch.linspace(0, 1, 16)
    ramp = slope[:, None] + 2 * slope[None]
    return LatentTable((numbers[..., None, None, None] + ramp).expand(*shape, 8, 16, 16).half())


def test_the_first_stage_begins_with_single_panels_and_the_second_has_few():
    assert ALONE.p_single_at(0) == 0.85 and ALONE.p_single_at(ALONE.schedule.n_steps) == pytest.approx(0.4)
    assert ALONE.p_single_at(ALONE.schedule.n_steps // 2) == pytest.approx(0.625)
    assert TOGETHER.p_single_at(100) == 0.25
    random = np.random.default_rng(0)
    assert {grid_of(random, 1.0) for _ in range(50)} == {SINGLE}
    drawn = [grid_of(random, 0.25) for _ in range(2000)]
    assert np.mean([grid == SINGLE for grid in drawn]) == pytest.approx(0.25, abs=0.04)
    assert len(set(drawn)) == 6


def test_panels_lie_on_a_canvas_in_reading_order(table):
    fox, owl = table.of(FOX), table.of(OWL)
    assert not torch.equal(fox, owl)
    assert torch.equal(table.canvas(PAIR, (FOX, OWL)), torch.cat([fox, owl], dim=2))
    assert torch.equal(table.canvas(STACK, (FOX, OWL)), torch.cat([fox, owl], dim=1))


def test_the_loss_is_that_of_the_line_from_noise_to_the_canvas(table):
    seen = {}

    class Still:
        """Answers that nothing moves."""

        device = torch.device("cpu")

        def __call__(self, **inputs):
            seen.update(inputs)
            return SimpleNamespace(sample=torch.zeros_like(inputs["hidden_states"]))

    canvas = Canvas(PAIR, (FOX, OWL), "[LEFT] fox; [RIGHT] owl")
    loss = flow_loss(Still(), tiny_encoder(), table, [canvas], torch.Generator().manual_seed(5))
    again = torch.Generator().manual_seed(5)
    noise = unpack(torch.randn(1, 128, 32, generator=again), 16, 32)
    time = times(1, again)
    clean = table.canvas(PAIR, (FOX, OWL))
    assert loss.item() == pytest.approx(((noise[0] - clean) ** 2).mean().item(), rel=1e-5)
    mixed = (1 - time) * clean + time * noise[0]
    assert torch.allclose(unpack(seen["hidden_states"], 16, 32)[0], mixed, atol=1e-5)
    assert torch.equal(seen["timestep"], time)
    assert seen["encoder_hidden_states"].shape == (1, PAIR.n_tokens, 384)


def test_what_comes_again_is_one_thing_that_is_not_held_out_in_styles_that_are_not():
    random = np.random.default_rng(0)
    known = {concept.word: concept for concept in concepts()}
    canvases = [repeating_canvas(SQUARE, random) for _ in range(300)]
    for canvas in canvases:
        (word,) = {panel.word for panel in canvas.panels}
        assert not known[word].is_held_out
        assert known[word].unseen_style not in {panel.style for panel in canvas.panels}
    same = np.mean([len({panel.style for panel in canvas.panels}) == 1 for canvas in canvases])
    assert 0.45 < same < 0.75  # three more panels, each in the first one's style 21 times in 25
    alike = [canvas.panels[0].size == canvas.panels[1].size for canvas in canvases]
    assert 0.7 < np.mean(alike) < 0.95


def test_captions_do_not_give_away_that_something_comes_again():
    shares = []
    for drawn in (independent_canvas, repeating_canvas):
        random = np.random.default_rng(1)
        captions = [drawn(PAIR, random, p_same=0.3).caption for _ in range(600)]
        shares.append(
            [np.mean([words in each for each in captions]) for words in ("the same thing", "[LEFT]")]
        )
    assert shares[0] == pytest.approx(shares[1], abs=0.07) and 0.35 < shares[0][0] < 0.6


def test_a_stage_goes_on_where_it_was_broken_off(table, tmp_path):
    def trained(n_stop: int, path) -> torch.Tensor:
        torch.manual_seed(0)
        transformer = new_transformer(width=64)
        stage = Stage(Schedule(3, 1e-3, 1, ema=0.9), (1.0, 0.0))
        steps = train_base(transformer, table, tiny_encoder(), stage, path, seed=2)
        for step in steps:
            if step.step == n_stop:
                steps.close()
        return transformer.x_embedder.weight.detach().clone()

    whole = trained(3, tmp_path / "whole.pt")
    trained(1, tmp_path / "broken.pt")
    assert torch.allclose(trained(3, tmp_path / "broken.pt"), whole, atol=1e-6)


def test_what_is_trained_on_another_device_gets_everything_there(table, drawings, tmp_path):
    # torch's device without numbers: whatever stays behind on the CPU can't be computed with
    random, generator = np.random.default_rng(0), torch.Generator().manual_seed(0)
    model = tiny_model()
    canvases = [independent_canvas(PAIR, random)]
    base = model.transformer.to("meta")
    assert flow_loss(base, tiny_encoder(), table, canvases, generator).device.type == "meta"
    here = tiny_model()
    there = widened(here.transformer).to("meta")
    batch = random_batch(drawings, random)
    assert fill_loss(there, here, batch, generator).device.type == "meta"
    painted = np.full((2, 128, 128, 4), 200, np.uint8)
    vae, steps = train_autoencoder(painted, tmp_path / "vae.pt", n_steps=1, device="meta")
    assert next(vae.parameters()).device.type == "meta"
    with pytest.raises(RuntimeError, match="meta"):  # all went well up to the number of the loss
        next(steps)


def test_copying_shows_what_belongs_in_the_hole_and_does_not_name_it(drawings, monkeypatch):
    shown = []

    def keep(canvas: Canvas) -> Canvas:
        shown.append(canvas)
        return canvas

    monkeypatch.setattr(
        "lab.images.train.fill.repeating_canvas", lambda *a, **k: keep(repeating_canvas(*a, **k))
    )
    random = np.random.default_rng(0)
    batches = [copying_batch(drawings, random) for _ in range(8)]
    share = len(shown) / sum(len(batch.captions) for batch in batches)
    assert 0.55 < share < 0.85
    for canvas in shown:
        first, second = canvas.panels
        assert (first.word, first.style) == (second.word, second.style)
        assert first.word not in canvas.caption
    for batch in batches:
        assert batch.grid == STACK
        upper, lower = batch.is_drawn[:, :64].any((1, 2)), batch.is_drawn[:, 64:].any((1, 2))
        assert (upper != lower).all()


def test_the_hole_counts_twice_where_it_is_stressed(drawings):
    model = tiny_model()
    wide = widened(model.transformer)
    batch = random_batch(drawings, np.random.default_rng(0))
    whole = batch._replace(is_drawn=np.ones_like(batch.is_drawn))
    plain, stressed = (
        fill_loss(wide, model, whole, torch.Generator().manual_seed(0), is_stressed).item()
        for is_stressed in (False, True)
    )
    assert stressed == pytest.approx(2 * plain, rel=1e-5)
    partly = fill_loss(wide, model, batch, torch.Generator().manual_seed(0), True).item()
    assert partly != pytest.approx(stressed, rel=1e-5)
    assert _tokens_of(whole.is_drawn, model).all()


def test_tokens_are_those_that_hold_a_pixel_of_the_hole():
    model = tiny_model()
    side = 2 * model.pipeline.vae_scale_factor
    is_drawn = np.zeros((1, 4 * side, 2 * side), bool)
    is_drawn[0, 3 * side, 2 * side - 1] = True
    assert _tokens_of(is_drawn, model).nonzero().tolist() == [[0, 7]]
