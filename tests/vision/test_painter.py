"""Painter on a small random network of the real class: shapes of in- and output, several pairs, training."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lab.training.loop import Schedule
from lab.vision.operations import find_operation, operations
from lab.vision.painter import MAX_PAIRS, Pair, load_painter, new_painter, paint, pixels, values
from lab.vision.train import painter as training
from lab.vision.train.painter import (
    EMPHASISED,
    MOVES,
    PLAIN,
    Stage,
    draw,
    drawn_operation,
    painter_loss,
    shown,
    train_painter,
)
from lab.weights import WeightsError


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return new_painter(width=32, n_layers=3, n_heads=2).eval()


def pairs_of(operation_id: str, n: int) -> list[Pair]:
    random = np.random.default_rng(4)
    return [shown(find_operation(operation_id), random).pair for _ in range(n)]


def test_a_picture_of_any_size_is_painted_at_64_pixels(network):
    picture = np.random.default_rng(0).integers(0, 256, (90, 40, 3), np.uint8)
    found = paint(pairs_of("mirror", 1), picture, network)
    assert found.shape == (64, 64, 3) and found.dtype == np.uint8


def test_what_is_painted_depends_on_the_pair_and_the_order_of_several_does_not_matter(network):
    query = pairs_of("largest", 1)[0].before
    first, second, third = pairs_of("shape-star", 1) + pairs_of("invert", 1) + pairs_of("edges", 1)
    assert not np.array_equal(paint([first], query, network), paint([second], query, network))
    orders = [[first, second, third], [third, first, second]]
    found = [paint(order, query, network).astype(int) for order in orders]
    assert np.abs(found[0] - found[1]).max() <= 1
    alone = paint([first, first], query, network).astype(int) - paint([first], query, network)
    assert np.abs(alone).max() <= 1


def test_pixels_and_values_undo_each_other():
    picture = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    assert np.array_equal(pixels(values([picture]))[0], picture)


def test_too_few_or_many_pairs_are_refused(network):
    (pair,) = pairs_of("flip", 1)
    for pairs in ([], [pair] * (MAX_PAIRS + 1)):
        with pytest.raises(ValueError, match="show 1 to 4 pairs"):
            paint(pairs, pair.before, network)


def test_operations_that_are_held_out_are_never_drawn_for_training():
    random = np.random.default_rng(0)
    drawn = [drawn_operation(random) for _ in range(600)]
    assert not any(each.is_held_out for each in drawn)
    assert {each.id for each in drawn} == {each.id for each in operations() if not each.is_held_out}
    assert np.mean([each.kind == "segment" for each in drawn]) == pytest.approx(0.6, abs=0.07)


def test_a_pair_and_its_query_are_painted_in_the_same_two_colours():
    found = shown(find_operation("colour-blue"), np.random.default_rng(3))
    colours = [
        {tuple(int(value) for value in pixel) for pixel in np.unique(each.after.reshape(-1, 3), axis=0)}
        for each in found
    ]
    assert len(colours[0]) == 2 and colours[0] == colours[1]


def test_the_loss_is_that_of_what_is_hidden(network):
    batch = draw(replace(PLAIN, n_shown=1, p_scattered=0.0), seed=5)
    with torch.no_grad():
        loss = painter_loss(network, batch).item()
        found = network(
            pixel_values=values(batch.picture),
            prompt_pixel_values=values(batch.before),
            prompt_masks=values(batch.after),
        ).pred_masks[:, :, 64:]
    want = torch.nn.functional.smooth_l1_loss(found, values(batch.answer), beta=0.01).item()
    assert loss == pytest.approx(want, rel=1e-4)


def test_what_stands_out_from_the_ground_counts_more(network):
    batch = draw(replace(PLAIN, n_shown=2, p_scattered=0.0), seed=5)
    with torch.no_grad():
        loss = painter_loss(network, batch, emphasis=6.0).item()
        found = network(
            pixel_values=values(batch.picture),
            prompt_pixel_values=values(batch.before),
            prompt_masks=values(batch.after),
        ).pred_masks[:, :, 64:]
    distance = torch.nn.functional.smooth_l1_loss(
        found, values(batch.answer), reduction="none", beta=0.01
    ).mean(1)
    weights = np.ones((2, 64, 64))
    for place, row, column in np.ndindex(weights.shape):
        for pictures, more in ((batch.answer, 6), (batch.picture, 3)):
            is_other = (pictures[place, row, column] != pictures[place, 0, 0]).any()
            weights[place, row, column] += more * is_other
    assert loss == pytest.approx((distance.numpy() * weights).sum() / weights.sum(), rel=1e-4)


def test_both_ways_ask_the_pair_of_what_was_asked():
    batch = draw(replace(EMPHASISED, n_shown=2), seed=1)
    assert batch.hidden.shape == (4, 128)
    for given, asked in ((batch.before, batch.picture), (batch.after, batch.answer)):
        assert np.array_equal(given[:2], asked[2:]) and np.array_equal(given[2:], asked[:2])


def test_operations_that_move_what_is_shown_are_drawn_more_often_when_asked():
    random = np.random.default_rng(0)
    stage = replace(PLAIN, p_segment=0.0, moves=4)
    drawn = [drawn_operation(random, stage).id in MOVES for _ in range(400)]
    assert np.mean(drawn) == pytest.approx(12 / (12 + 8), abs=0.08)


def test_it_learns(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "drawn_operation", lambda random, stage: find_operation("invert"))
    torch.manual_seed(0)
    small = new_painter(width=32, n_layers=3, n_heads=2)
    stage = Stage(Schedule(40, 3e-3, 4), n_shown=4)
    _, steps = train_painter(tmp_path / "painter.pt", stage=stage, network=small)
    losses = [step.loss for step in steps]
    assert np.mean(losses[-8:]) < 0.6 * np.mean(losses[:4])


def test_processes_draw_for_one_worker_alone():
    with pytest.raises(ValueError, match="set n_workers to 1"):
        train_painter(None, stage=replace(PLAIN, n_workers=2), network=None, n_processes=2)


def test_a_missing_network_names_the_remedy(tmp_path):
    with pytest.raises(WeightsError, match=r"python -m lab\.vision\.train painter"):
        load_painter(tmp_path)


def test_nothing_of_the_loss_stays_on_another_device():
    """Torch's device "meta" holds no values: anything left on the CPU meets it and fails."""
    elsewhere = new_painter(width=32, n_layers=3, n_heads=2).to("meta")
    assert painter_loss(elsewhere, draw(replace(PLAIN, n_shown=1), seed=0)).device.type == "meta"
