"""Attention shifting against a loop over heads, its undoing, and the pairs that it is studied on."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_flux import tiny_model

from lab.images.brush import BrushStrength, Insertion, Places, brushed, brushed_heads, paint, tokens_in
from lab.images.brush_study import MASK, at, crop, insertion_of, pairs_of
from lab.images.concepts import concept_of
from lab.images.cutout import mask_of
from lab.images.flow import positions
from lab.images.grid import STACK
from lab.images.model import ImageModel
from lab.images.panels import draw
from lab.images.sampler import Given, Settings, tokens_of
from lab.images.sampler import draw as draw_canvases
from lab.images.train.fill import widened

NOTHING = BrushStrength(0, 0, 0)
FAST = Settings(2)


@pytest.fixture(scope="module")
def model() -> ImageModel:
    plain = tiny_model()
    fill = widened(plain.transformer).requires_grad_(False)
    generator = torch.Generator().manual_seed(1)
    fill.x_embedder.weight[:, 32:] = 0.05 * torch.randn(64, 96, generator=generator)
    return replace(plain, fill=fill)


@pytest.fixture(scope="module")
def insertion(drawings) -> Insertion:
    return insertion_of(pairs_of(1)[0], drawings, is_named=True)


def softmax(scores: np.ndarray) -> np.ndarray:
    raised = np.exp(scores - scores.max())
    return raised / raised.sum()


def naive(query, key, value, places: Places, strength: BrushStrength, is_double: bool) -> np.ndarray:
    """Follow the definition a head, a token at a time, in double precision."""
    query, key, value = (tensor.double().numpy() for tensor in (query, key, value))
    n, n_tokens, n_heads, width = query.shape
    subject, target = places.subject.tolist(), places.target.tolist()
    out = np.zeros_like(query)
    for row in range(n):
        to_text = np.zeros(n_heads)
        for head in range(n_heads):
            for token in range(n_tokens):
                attention = softmax(key[row, :, head] @ query[row, token, head] / np.sqrt(width))
                out[row, token, head] = attention @ value[row, :, head]
                if token not in target:
                    continue
                to_text[head] += attention[: places.n_text].sum()
                if is_double:
                    for place in subject:
                        out[row, token, head] += strength.image * attention[place] * value[row, place, head]
                    for place in range(places.n_text):
                        out[row, token, head] += strength.text * attention[place] * value[row, place, head]
        relative = (to_text - to_text.min()) / (to_text.max() - to_text.min())
        out[row] *= 1 + strength.heads * relative[None, :, None]
    return out


@pytest.mark.parametrize("is_double", [True, False])
def test_heads_are_shifted_and_weighed_as_a_loop_over_them_says(is_double):
    generator = torch.Generator().manual_seed(0)
    query, key, value = (torch.randn(2, 11, 3, 4, generator=generator) for _ in range(3))
    attended = torch.nn.functional.scaled_dot_product_attention(
        *(tensor.transpose(1, 2) for tensor in (query, key, value))
    ).transpose(1, 2)
    places = Places(3, torch.tensor([3, 4, 6]), torch.tensor([7, 9]))
    strength = BrushStrength(0.4, 0.7, 0.5)
    before = attended.clone()
    found = brushed_heads(attended, query, key, value, places, strength, is_double)
    assert np.allclose(found.numpy(), naive(query, key, value, places, strength, is_double), atol=1e-5)
    assert torch.equal(attended, before)


def test_heads_that_attend_alike_are_left_alone():
    same = torch.ones(1, 6, 2, 4)
    places = Places(2, torch.tensor([2]), torch.tensor([4]))
    found = brushed_heads(same, same, same, same, places, BrushStrength(0, 0, 1), True)
    assert torch.equal(found, same)


def velocity(model: ImageModel, batch: int = 1) -> torch.Tensor:
    """One call of the fill transformer on a stacked canvas."""
    generator = torch.Generator().manual_seed(2)
    text = model.encode_text(["[TOP] fox; [BOTTOM] fox"], STACK)
    with torch.no_grad():
        return model.fill(
            hidden_states=torch.randn(1, 128, 128, generator=generator).expand(batch, -1, -1),
            timestep=torch.full([batch], 0.5),
            encoder_hidden_states=text.states.expand(batch, -1, -1),
            pooled_projections=text.pooled.expand(batch, -1),
            img_ids=positions(32, 16),
            txt_ids=text.positions,
        ).sample


def halves() -> tuple[torch.Tensor, torch.Tensor]:
    return tokens_of(STACK, 32, 16, (True, False)), tokens_of(STACK, 32, 16, (False, True))


def test_strength_nothing_is_the_stock_transformer(model):
    stock = velocity(model)
    with brushed(model, *halves(), 32, NOTHING):
        assert torch.allclose(velocity(model), stock, atol=1e-6)


@pytest.mark.parametrize(
    "strength", [BrushStrength(0.3, 0, 0), BrushStrength(0, 0.3, 0), BrushStrength(0, 0, 0.2)]
)
def test_each_strength_changes_the_answer(model, strength):
    stock = velocity(model)
    with brushed(model, *halves(), 32, strength):
        assert not torch.allclose(velocity(model), stock, atol=1e-4)


def test_only_targets_shift_and_only_in_double_stream_blocks(model):
    generator = torch.Generator().manual_seed(3)
    canvas, text = (torch.randn(1, n, 64, generator=generator) for n in (128, 32))
    target = torch.zeros(128, dtype=torch.bool)
    target[[70, 100, 127]] = True
    double, single = model.fill.transformer_blocks[0].attn, model.fill.single_transformer_blocks[0].attn
    whole = torch.cat([text, canvas], dim=1)
    with torch.no_grad():
        of_canvas, of_text = double(canvas, text)
        of_whole = single(whole)
        with brushed(model, halves()[0], target, 32, BrushStrength(1, 0, 0)):
            brushed_canvas, brushed_text = double(canvas, text)
            assert torch.equal(single(whole), of_whole)
    has_moved = (brushed_canvas - of_canvas).abs().amax(dim=2)[0] > 1e-6
    assert torch.equal(has_moved, target) and torch.equal(brushed_text, of_text)


def test_the_stock_attention_is_back_afterwards_even_after_an_error(model):
    stock, before = velocity(model), model.fill.attn_processors
    with pytest.raises(RuntimeError, match="stopped"), brushed(model, *halves(), 32):
        raise RuntimeError("stopped")
    assert model.fill.attn_processors == before
    assert torch.equal(velocity(model), stock)


def test_a_canvas_is_brushed_alike_alone_and_in_a_batch(model):
    with brushed(model, *halves(), 32):
        alone, together = velocity(model), velocity(model, batch=3)
    assert torch.allclose(together, alone.expand(3, -1, -1), atol=1e-5)


def test_tokens_that_do_not_suit_are_named(model):
    above, below = halves()
    with pytest.raises(ValueError, match="share tokens"), brushed(model, above, above, 32):
        pass
    with pytest.raises(ValueError, match="one token or more"), brushed(model, above, ~(above | below), 32):
        pass
    with pytest.raises(ValueError, match="on the same tokens"), brushed(model, above, below[1:], 32):
        pass
    with (
        pytest.raises(ValueError, match="made for 144 tokens of text and canvas, got 160"),
        brushed(model, above, below, 16),
    ):
        velocity(model)
    with (
        pytest.raises(ValueError, match="no fill branch"),
        brushed(replace(model, fill=None), above, below, 32),
    ):
        pass


@pytest.mark.parametrize("name", ["image", "text", "heads"])
@pytest.mark.parametrize("value", [-0.1, 1.5, float("nan")])
def test_strengths_out_of_range_are_named(name, value):
    with pytest.raises(ValueError, match=f"{name} must be 0 to 1"):
        BrushStrength(**{name: value})


def test_a_token_is_a_target_if_any_of_its_pixels_is():
    mask = np.zeros((128, 64), bool)
    mask[64, 8:17] = True  # one row of pixels over two tokens, the second by one pixel
    assert tokens_in(mask, 8).nonzero()[:, 0].tolist() == [8 * 8 + 1, 8 * 8 + 2]
    mask[:] = True
    assert tokens_in(mask, 8).all()


def test_painting_keeps_what_lies_outside_the_mask(model, insertion):
    painted = paint(model, insertion, seed=1, settings=FAST)
    assert painted.shape == (64, 64, 3) and painted.dtype == np.uint8
    assert np.array_equal(painted[~MASK], insertion.target[~MASK])
    assert not np.array_equal(painted[MASK], insertion.target[MASK])


def test_painting_with_strength_nothing_is_plain_filling(model, insertion):
    canvas = STACK.join(np.stack([insertion.subject, insertion.target]))
    mask = np.concatenate([np.zeros_like(MASK), MASK])
    given = Given(canvas[None], (True, False), "fill", mask)
    plain = draw_canvases(model, [insertion.caption], STACK, [5], FAST, given)[0, 1]
    painted = paint(model, insertion, 5, FAST, NOTHING)
    assert np.array_equal(painted[MASK], plain[MASK])
    assert not np.array_equal(paint(model, insertion, 5, FAST, BrushStrength(1, 1, 1)), painted)


def test_a_mask_of_the_whole_panel_paints_all_of_it(model, insertion):
    painted = paint(model, replace(insertion, mask=np.ones((64, 64), bool)), settings=FAST)
    assert (painted != insertion.target).mean() > 0.5


def test_the_subject_is_described_as_the_target_unless_said_otherwise(insertion):
    assert replace(insertion, text="fox", subject_text=None).caption == "[TOP] fox; [BOTTOM] fox"
    assert replace(insertion, text="fox", subject_text="owl").caption == "[TOP] owl; [BOTTOM] fox"


def test_insertions_that_do_not_fit_are_named_with_a_remedy(model, insertion):
    odd = np.zeros((63, 50, 3), np.uint8)
    with pytest.raises(ValueError, match="fit the picture into a panel first"):
        replace(insertion, subject=odd)
    with pytest.raises(ValueError, match="of one size"):
        replace(insertion, subject=np.zeros((32, 32, 3), np.uint8))
    with pytest.raises(ValueError, match="mask must be bool"):
        replace(insertion, mask=MASK.astype(np.uint8))
    with pytest.raises(ValueError, match="the mask is empty"):
        replace(insertion, mask=np.zeros_like(MASK))
    small = np.zeros((63, 63, 3), np.uint8)
    with pytest.raises(ValueError, match="64 × 64 pixels, got 63 × 63"):
        paint(model, Insertion(small, small, np.ones((63, 63), bool), "fox"))
    with pytest.raises(ValueError, match="shorten it"):
        paint(model, replace(insertion, text="fox " * 40))


def test_pairs_are_held_out_different_and_stable():
    pairs = pairs_of(30, seed=4)
    assert pairs[:5] == pairs_of(5, seed=4) and pairs != pairs_of(30, seed=5)
    for pair in pairs:
        known = [concept_of(panel.word) for panel in (pair.subject, pair.target)]
        assert known[0] != known[1] and all(concept.is_held_out for concept in known)
        assert pair.subject.style not in {concept.unseen_style for concept in known}
        assert pair.truth.word == pair.subject.word and pair.truth.background == pair.target.background


def test_the_mask_covers_what_a_target_shows(drawings):
    for pair in pairs_of(6):
        shown = draw(pair.target, drawings)
        assert (shown[~MASK] == shown[0, 0]).all() and (shown[MASK] != shown[0, 0]).any()


def test_captions_name_the_subject_only_if_asked_to(drawings):
    pair = pairs_of(1)[0]
    assert pair.subject.word not in insertion_of(pair, drawings, is_named=False).caption
    assert insertion_of(pair, drawings, is_named=True).caption.count(pair.subject.word) == 2


def test_a_crop_is_the_square_around_the_mask():
    panel = np.zeros((64, 64, 3), np.uint8)
    panel[MASK] = 200
    assert (crop(panel, MASK) == 200).all()
    flat = mask_of("rectangle", 0, 75, 100, 25)
    assert crop(panel, flat).shape == (64, 64, 3) and np.array_equal(crop(panel, flat), panel)


def test_a_strength_keeps_the_published_proportions():
    assert at(0.3) == BrushStrength() and at(0) == NOTHING
    with pytest.raises(ValueError, match="image must be 0 to 1, got 2"):
        at(2)


def test_a_fitted_subject_has_the_size_of_the_place_that_it_goes_to(drawings):
    pair = pairs_of(1)[0]
    plain, whole = (insertion_of(pair, drawings, False, is_fitted) for is_fitted in (True, False))
    assert (plain.subject == draw(replace(pair.subject, size="medium"), drawings)).all()
    assert (whole.subject == draw(pair.subject, drawings)).all()
    assert (plain.subject[~MASK] == 255).all() and (plain.subject != whole.subject).any()
