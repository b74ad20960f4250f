import numpy as np
import pytest
import torch

from lab.worlds.growth import Growth
from lab.worlds.points import Points
from lab.worlds.window import PRESETS, Window, WindowSettings, randomised, windows

WORLD = Window()


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def untrained(world: Window = WORLD):
    torch.manual_seed(0)
    return world.build().eval()


def test_a_window_holds_an_x_and_those_before_it_the_last_first():
    x = torch.tensor([[[1.0], [2.0], [3.0], [4.0]]])
    assert windows(x, 3).tolist() == [[[1, 0, 0], [2, 1, 0], [3, 2, 1], [4, 3, 2]]]
    assert torch.equal(windows(x, 1), x)


def test_y_is_a_weighted_sum_of_the_window():
    world = Window(WindowSettings(noise=0.05))
    x, y = world.drawn(200, seeded())
    for row in range(5):
        seen = windows(x, 3)[row].numpy()
        left = y[row].numpy() - seen @ np.linalg.lstsq(seen, y[row].numpy(), rcond=None)[0]
        assert np.abs(left).max() < 0.2
    assert y[:, 5:].var().item() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(("function", "low", "high"), [("relu", -0.3, 9), ("sin", -1.3, 1.3)])
def test_the_functions_bend_the_sum(function, low, high):
    y = Window(WindowSettings(function=function, noise=0.05)).drawn(300, seeded()).y
    assert low < y.min() and y.max() < high


def test_windowed_ridge_is_least_squares_with_the_prior_as_further_points():
    batch = WORLD.drawn(10, seeded())
    ours = WORLD.exact(batch)["windowed"][:, -1]
    prior = 0.1 * np.sqrt(3) * np.eye(3)
    for row in range(10):
        seen, y = windows(batch.x, 3)[row].double().numpy(), batch.y[row].double().numpy()
        weights = np.linalg.lstsq(np.vstack([seen[:-1], prior]), np.append(y[:-1], np.zeros(3)), rcond=None)[
            0
        ]
        assert seen[-1] @ weights == pytest.approx(ours[row].item(), abs=1e-4)


def test_the_mean_is_that_of_the_y_before():
    batch = WORLD.drawn(3, seeded())
    found = WORLD.exact(batch)["mean"]
    assert (found[:, 0] == 0).all()
    assert torch.allclose(found[:, 7], batch.y[:, :7].mean(1), atol=1e-5)


def test_without_the_window_no_ridge_explains_more_than_its_own_x_does():
    errors = WORLD.by_position(untrained(), WORLD.drawn(4000, seeded()))
    assert errors["windowed"][-1] < 0.02
    assert errors["windowless"][-1] == pytest.approx(2 / 3, abs=0.1)
    assert errors["windowless"][-1] < errors["mean"][-1]


@pytest.mark.parametrize("layout", ["reversed", "shuffled", "half"])
def test_layouts_keep_the_query_with_its_window_and_pairs_together(layout):
    batch = WORLD.drawn(4, seeded())
    moved = WORLD.arranged(batch, layout)
    assert torch.equal(moved.x[:, -3:], batch.x[:, -3:]) and torch.equal(moved.y[:, -3:], batch.y[:, -3:])
    pairs = set(zip(batch.x[0, :, 0].tolist(), batch.y[0].tolist(), strict=True))
    assert set(zip(moved.x[0, :, 0].tolist(), moved.y[0].tolist(), strict=True)) <= pairs
    assert moved.y.shape[1] == (11 if layout == "half" else 20)


def test_shuffling_takes_from_windowed_ridge_what_it_knows():
    batch = WORLD.drawn(2000, seeded())
    drawn, shuffled = (
        (WORLD.exact(WORLD.arranged(batch, layout))["windowed"][:, -1] - batch.target).square().mean()
        for layout in ("drawn", "shuffled")
    )
    assert shuffled > 10 * drawn


def test_random_labels_are_as_many_as_asked_and_never_the_query():
    batch = WORLD.drawn(2000, seeded())
    moved = randomised(batch, 0.25, seeded(1))
    assert torch.equal(moved.target, batch.target) and torch.equal(moved.x, batch.x)
    assert (moved.y != batch.y)[:, :-1].float().mean().item() == pytest.approx(0.25, abs=0.02)
    assert torch.equal(randomised(batch, 0.0, seeded(1)).y, batch.y)


def test_the_question_with_random_labels_asks_the_same_sequences():
    drawn, random = (WORLD.sample(50, seeded(), split) for split in ("train", "random"))
    assert torch.equal(drawn.x, random.x) and not torch.equal(drawn.y, random.y)


def test_a_learner_foretells_without_seeing_the_answer_or_what_comes_after():
    learner, batch = untrained(), WORLD.drawn(3, seeded())
    y = batch.y.clone()
    y[:, 5:] += 1
    before, after = WORLD.answer(learner, batch), WORLD.answer(learner, Points(batch.x, y))
    assert torch.equal(before[:, :6], after[:, :6])
    assert (before[:, 6:] != after[:, 6:]).all()


def test_measures_are_those_that_are_described_and_an_untrained_learner_is_no_better_than_0():
    with torch.no_grad():
        found = WORLD.measure(untrained())
    assert set(found) == {curve.name for curve in WORLD.curves}
    assert found["learner"] > 0.9
    assert sum(found[f"lag.{lag}"] for lag in range(4)) < 1


def test_a_profile_and_a_sequence_of_ones_own_are_drawn_beside_ridge():
    learner = untrained()
    with torch.no_grad():
        profile = WORLD.profile(learner)
        told = WORLD.told(learner, WORLD.own.example)
    assert list(profile.lines) == list(told.lines)
    assert len(told.points) == 6 and len(told.x) == len(told.lines["learner"])
    mean = sum(y for _, y in told.points) / 6
    assert told.lines["mean of y"] == pytest.approx([mean] * len(told.x), abs=1e-5)
    rises = np.diff(told.lines["windowed ridge"])
    assert rises == pytest.approx(rises[0], abs=1e-4)


@pytest.mark.parametrize(
    ("text", "said"), [("", "1 to 19 points"), ("1:1 x", "'x' is no point"), ("1,1:2", "1 number here")]
)
def test_sequences_that_can_not_be_read_are_refused(text, said):
    with pytest.raises(ValueError, match=said):
        WORLD.told(untrained(), text)


def test_it_learns():
    moments = list(Growth(Window(WindowSettings(n_steps=150, window=1)), 0, 2).moments())
    assert moments[-1].measures["learner"] < 0.8 * moments[0].measures["learner"]


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_presets_are_settings(preset):
    world = Window(WindowSettings(**preset.settings))
    assert world.loss(untrained(world), world.drawn(4, seeded())).isfinite()


def test_how_far_back_layers_look_is_what_is_measured_of_the_first():
    learner = untrained()
    with torch.no_grad():
        lines, measured = WORLD.lags(learner).lines, WORLD.measure(learner)
    assert list(lines) == ["layer 0", "layer 1", "layer 2"]
    assert lines["layer 0"][:4] == pytest.approx([measured[f"lag.{lag}"] for lag in range(4)])
    assert all(sum(each) < 1 for each in lines.values())
