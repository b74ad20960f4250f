import numpy as np
import pytest
import torch

from lab.worlds.growth import Growth
from lab.worlds.linear import PRESETS, Linear, LinearSettings, Points

WORLD = Linear()


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def learner_with(world: Linear, kq: list[float], ov: list[float]):
    """Return the learner that the paper says training ends at: multiples of the identity for x."""
    torch.manual_seed(0)
    learner = world.build()
    with torch.no_grad():
        learner.body.kq.zero_()
        learner.body.ov.zero_()
        for head, (scale, gain) in enumerate(zip(kq, ov, strict=True)):
            learner.body.kq[head, :-1, :-1] = scale * torch.eye(world.settings.d)
            learner.body.ov[head, -1] = gain
    return learner


def test_y_is_a_line_of_x_with_noise():
    x, y = WORLD.sample(4000, seeded())
    assert x.shape == (4000, 21, 5) and y.shape == (4000, 21)
    assert y.var().item() == pytest.approx(1 + 0.3**2, abs=0.05)
    assert Linear(LinearSettings(noise=0.0)).references(WORLD.sample(50, seeded()))["ridge"].isfinite().all()


def test_ridge_is_least_squares_with_the_prior_as_further_points():
    batch = WORLD.sample(20, seeded())
    ours = WORLD.references(batch)["ridge"]
    prior = 0.3 * np.sqrt(5) * np.eye(5)
    for row in range(20):
        x, y = batch.x[row].double().numpy(), batch.y[row].double().numpy()
        slopes = np.linalg.lstsq(np.vstack([x[:-1], prior]), np.append(y[:-1], np.zeros(5)), rcond=None)[0]
        assert x[-1] @ slopes == pytest.approx(ours[row].item(), abs=1e-4)


def test_the_gradient_step_is_that_of_squared_error_from_zero():
    batch = WORLD.sample(200, seeded())
    slopes = torch.zeros(200, 5, requires_grad=True)
    fitted = torch.einsum("bnd,bd->bn", batch.x[:, :-1], slopes)
    (0.5 * (fitted - batch.y[:, :-1]).square().mean(1).sum()).backward()
    stepped = -(slopes.grad * batch.x[:, -1]).sum(1)
    ours = WORLD.references(batch)["gradient"]
    assert np.corrcoef(stepped, ours)[0, 1] == pytest.approx(1, abs=1e-6)
    best = (stepped * batch.target).mean() / stepped.square().mean()
    assert torch.allclose(best * stepped, ours, atol=1e-5)


def test_no_reference_beats_bayes():
    found = WORLD.measure(learner_with(WORLD, [0.3, -0.3], [1.3, -1.3]))
    assert found["ridge"] < min(found[name] for name in ("learner", "gradient", "debiased"))


def test_two_opposite_heads_are_a_debiased_step():
    world = Linear(LinearSettings(n_points=60))
    found = world.measure(learner_with(world, [0.05, -0.05], [1.0, -1.0]))
    assert found["likeness"] > 0.999  # the smaller the scale, the nearer to its first order
    assert found["off_diagonal"] == found["sum"] == found["rest"] == 0


def test_the_structure_of_other_matrices_is_seen():
    learner = learner_with(WORLD, [0.3, -0.3], [1.0, -0.5])
    with torch.no_grad():
        learner.body.kq[0, 0, 1] = 0.3
        learner.body.ov[1, 2] = -0.25
    found = WORLD.structure(learner)
    assert found["sum"] == pytest.approx(0.5)
    assert found["rest"] == pytest.approx(0.25)
    assert found["off_diagonal"] == pytest.approx((0.3 / 4) / (10 * 0.3))


def test_the_order_of_points_does_not_matter_to_it():
    batch = WORLD.sample(50, seeded())
    torch.manual_seed(0)
    learner = WORLD.build()
    places = torch.cat([torch.randperm(20, generator=seeded()), torch.tensor([20])])
    moved = Points(batch.x[:, places], batch.y[:, places])
    assert torch.allclose(WORLD.answer(learner, batch), WORLD.answer(learner, moved), atol=1e-5)


def test_spread_has_the_condition_number_and_keeps_the_mean():
    world = Linear(LinearSettings(condition=10.0))
    variances = world._spread.square()
    assert (variances.max() / variances.min()).item() == pytest.approx(10, rel=1e-4)
    assert variances.mean().item() == pytest.approx(1, rel=1e-4)


def test_errors_are_given_by_length():
    rows = WORLD.by_length(learner_with(WORLD, [0.3, -0.3], [1.3, -1.3]), [10, 40])
    assert [row["n_points"] for row in rows] == [10, 40]
    assert rows[1]["ridge"] < rows[0]["ridge"]
    assert rows[1]["learner"] < rows[0]["learner"]


def test_measures_are_those_that_are_described():
    torch.manual_seed(0)
    assert set(WORLD.measure(WORLD.build())) == {curve.name for curve in WORLD.curves}


def test_it_learns():
    moments = list(Growth(Linear(LinearSettings(n_steps=400, rate=1e-2)), 0).moments())
    assert moments[-1].measures["learner"] < 0.6 * moments[0].measures["learner"]


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_presets_are_settings(preset):
    LinearSettings(**preset.settings)


def test_the_learner_that_the_paper_ends_at_lies_on_the_line_of_same_answers():
    gain = 1.0
    with torch.no_grad():
        found = WORLD.beside_step(learner_with(WORLD, [0.05, -0.05], [gain, -gain]))
    (dots,) = found.dots.values()
    assert len(dots) == 300 and "correlation of 1.000" in found.title
    x, y = np.array(dots).T
    assert np.corrcoef(x, y)[0, 1] > 0.99
    (ends,) = found.lines.values()
    assert ends[0][0] == ends[0][1] and ends[1][0] == ends[1][1] == np.abs(x).max()


def test_points_of_ones_own_are_answered_beside_the_steps_and_ridge():
    learner = learner_with(WORLD, [0.05, -0.05], [1.0, -1.0])
    with torch.no_grad():
        found = WORLD.told(learner, WORLD.own.example)
    assert list(found.lines) == ["learner", "gradient step", "debiased step", "ridge (Bayes)"]
    assert len(found.points) == 5 and found.points[0] == pytest.approx((-1, -0.8))
    x, y = np.array([-1, 0.5, 1, 2, -2]), np.array([-0.8, 0.3, 1.2, 1.5, -1.7])
    slope = (x @ y) / (x @ x + WORLD.settings.noise**2 * WORLD.settings.d)
    assert found.lines["ridge (Bayes)"] == pytest.approx([slope * each for each in found.x], abs=1e-4)
    rises = np.diff(found.lines["debiased step"])
    assert rises == pytest.approx(rises[0], abs=1e-5)
    ratio = (x @ (y - y.mean())) / (x @ y)
    one, other = found.lines["debiased step"][-1], found.lines["gradient step"][-1]
    assert 0.8 * ratio < one / other < 1.25 * ratio  # but for their rates, which are nearly the same


@pytest.mark.parametrize("text", ["", "1", "1:a", "1:2 " * 61, "nan:1", "1,2,3,4,5,6:1"])
def test_points_that_can_not_be_read_are_refused(text):
    with pytest.raises(ValueError, match=r"x:y|numbers"):
        WORLD.told(learner_with(WORLD, [0.05, -0.05], [1.0, -1.0]), text)
