import math

import numpy as np
import pytest
import torch

from lab.worlds.exact import softmax_descent as descent
from lab.worlds.growth import Growth
from lab.worlds.softmax import PRESETS, WORDS, Prompts, Softmax, SoftmaxSettings, numbers

WORLD = Softmax()


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def untrained(world: Softmax = WORLD):
    torch.manual_seed(0)
    return world.build()


def learner_with(kq: list[float], ov: list[float]):
    """Return the layer whose heads look along multiples of the query, and read the shares alone."""
    learner = untrained(Softmax(SoftmaxSettings(n_heads=len(kq))))
    with torch.no_grad():
        learner.body.kq.zero_()
        learner.body.ov.zero_()
        for head, (scale, gain) in enumerate(zip(kq, ov, strict=True)):
            learner.body.kq[head, :-1, :-1] = scale * torch.eye(4)
            learner.body.ov[head, -1] = gain
    return learner


def test_shares_are_a_softmax_of_one_hidden_vector():
    batch = WORLD.sample(50, seeded())
    assert batch.rows.shape == (50, 24, 4) and batch.queries.shape == (50, 12, 4)
    for shares in (batch.shares, batch.target):
        assert torch.allclose(shares.sum(1), torch.ones(50), atol=1e-5)
    logs, rows = batch.shares.log(), torch.cat([batch.rows, torch.ones(50, 24, 1)], -1)
    x = torch.linalg.lstsq(rows.double(), logs.double()[..., None]).solution[:, :4, 0]
    assert torch.allclose(
        (batch.queries.double() @ x[..., None])[..., 0].softmax(1), batch.target.double(), atol=1e-4
    )


@pytest.mark.parametrize("loss", ["square", "cross-entropy"])
def test_the_first_step_is_the_same_on_either_loss_but_for_its_rate(loss):
    batch = WORLD.sample(20, seeded())
    x = torch.zeros(20, 4, requires_grad=True)
    logits = descent.logits(batch.rows, x)
    if loss == "square":
        total = 12 * (logits.softmax(1) - batch.shares).square().sum()  # n / 2 of it
    else:
        total = -(batch.shares * logits.log_softmax(1)).sum()
    total.backward()
    assert torch.allclose(-x.grad, descent.one_step(batch.rows, batch.shares), atol=1e-5)


def test_many_steps_find_the_hidden_vector():
    x = 0.5 * torch.randn(50, 4, generator=seeded())
    batch = WORLD.of(x, 48, seeded(1))
    assert (descent.many_steps(batch.rows, batch.shares) - x).norm(dim=1).median() < 0.01


def test_no_other_rate_of_the_step_is_better():
    batch = WORLD.sample(300, seeded())
    direction = descent.logits(batch.queries, descent.one_step(batch.rows, batch.shares))
    best = descent.best_rate(direction, batch.target)
    losses = [
        descent.cross_entropy(rate * direction, batch.target).item() for rate in np.linspace(0.2, 3, 57)
    ]
    assert descent.cross_entropy(best * direction, batch.target).item() <= min(losses) + 1e-6


def test_nothing_is_below_the_entropy_and_equal_shares_cost_the_log_of_their_number():
    found = WORLD.measure(untrained())
    assert found["entropy"] < found["many"] < found["one"] < found["learner"]
    assert found["uniform"] == pytest.approx(math.log(12))


def test_two_faint_opposite_heads_are_one_gradient_step():
    batch = WORLD.sample(200, seeded())
    step = descent.logits(batch.queries, descent.one_step(batch.rows, batch.shares))
    answered = WORLD.answer(learner_with([0.01, -0.01], [1.0, -1.0]), batch)
    assert torch.allclose(answered / 0.02, step, atol=0.02)
    assert descent.cosine(answered, step) > 0.9999


def test_total_variation_is_half_the_sum_of_differences():
    one, other = torch.tensor([[0.5, 0.5, 0.0]]), torch.tensor([[0.25, 0.25, 0.5]])
    assert descent.total_variation(one, other) == 0.5


def test_measures_are_those_that_are_described_and_start_at_chance():
    found = WORLD.measure(untrained())
    assert set(found) == {curve.name for curve in WORLD.curves}
    assert abs(found["cosine_one"]) < 0.2 and found["learner"] > found["uniform"]


def test_the_order_of_rows_does_not_matter_to_it_but_their_shares_do():
    batch, learner = WORLD.sample(50, seeded()), learner_with([0.3], [2.0])
    drawn = WORLD.answer(learner, batch)
    assert torch.allclose(drawn, WORLD.answer(learner, WORLD.arranged(batch, "reversed")), atol=1e-5)
    assert (drawn - WORLD.answer(learner, WORLD.arranged(batch, "mispaired"))).abs().mean() > 0.1


def test_shares_of_a_half_are_shares_of_that_half():
    batch = WORLD.sample(5, seeded())
    half = WORLD.arranged(batch, "half")
    assert half.rows.shape == (5, 12, 4)
    assert torch.allclose(half.shares.sum(1), torch.ones(5), atol=1e-5)
    ratio = half.shares[:, 0] / half.shares[:, 1]
    assert torch.allclose(ratio, batch.shares[:, 0] / batch.shares[:, 1], rtol=1e-4)
    with pytest.raises(ValueError, match="layout must be one of drawn, reversed, half, mispaired"):
        WORLD.arranged(batch, "sorted")


def test_it_answers_which_row_has_the_largest_share():
    batch = WORLD.sample(6, seeded())
    replies = WORLD.reply(untrained(), batch)
    assert replies.gold == [WORDS[place] for place in batch.target.argmax(1)]
    assert all(
        max(logp, key=logp.get) == said for logp, said in zip(replies.logp, replies.predictions, strict=True)
    )


def test_prompts_are_written_with_what_is_asked_for():
    rows, queries = torch.tensor([[[0.25, -1.0]]]), torch.tensor([[[2.0, 0.0]]])
    batch = Prompts(rows, torch.tensor([[1.0]]), queries, torch.tensor([[1.0]]))
    assert WORLD.written(batch) == ["(0.2, -1.0)→1.00 (2.0, 0.0)→?"]
    assert WORLD.positions(batch, 0) == ["b=1.00"]


def test_an_x_of_ones_own_is_answered_beside_gradient_descent():
    found = WORLD.told(learner_with([0.3, -0.3], [1.0, -1.0]), WORLD.own.example)
    assert list(found.lines) == ["learner", "one step", "40 steps", "right"]
    assert all(sum(line) == pytest.approx(1, abs=1e-5) for line in found.lines.values())
    assert np.abs(np.subtract(found.lines["40 steps"], found.lines["right"])).max() < 0.02


@pytest.mark.parametrize("text", ["", "1 2 3", "a b c d", "1 2 3 11", "nan 0 0 0", "1 2 3 4 5"])
def test_an_x_that_can_not_be_read_is_refused_with_how_it_is_written(text):
    with pytest.raises(ValueError, match="write 4 numbers"):
        numbers(text, 4)
    assert numbers("1, -2.5 0 .5", 4) == [1, -2.5, 0, 0.5]


def test_a_profile_goes_over_the_rows_that_are_shown():
    found = WORLD.profile(learner_with([0.3, -0.3], [1.2, -1.2]))
    assert list(found.x) == [6, 12, 24, 48, 96]
    assert next(iter(found.lines)) == "learner"
    assert all(
        low <= high for low, high in zip(found.lines["40 steps"], found.lines["one step"], strict=True)
    )


def test_it_learns_the_direction_of_a_step():
    *_, last = Growth(Softmax(SoftmaxSettings(n_steps=400)), 0, 2).moments()
    assert last.measures["cosine_one"] > 0.9
    assert last.measures["learner"] < last.measures["one"] + 0.1


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_presets_are_settings(preset):
    SoftmaxSettings(**preset.settings)


def test_every_draw_lies_below_both_bounds():
    found = WORLD.bounds(learner_with([0.3, -0.3], [1.2, -1.2]))
    for line in found.lines.values():
        (x, y), (_, end) = line
        assert end - y == pytest.approx(line[1][0] - x)  # in proportion
        assert all(change < shift + y - x for dots in found.dots.values() for shift, change in dots)
