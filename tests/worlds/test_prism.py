import math

import pytest
import torch

from lab.worlds.growth import Growth
from lab.worlds.points import Points
from lab.worlds.prism import PRESETS, Prism, PrismSettings, first

FOURIER = Prism()
MIXTURE = Prism(PrismSettings(family="mixture"))
families = pytest.mark.parametrize("world", [FOURIER, MIXTURE], ids=["fourier", "mixture"])


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def untrained(world: Prism):
    torch.manual_seed(0)
    return world.build().eval()


@families
def test_y_has_the_variance_that_is_told(world):
    x, y = world.sample(8000, seeded())
    assert x.shape == (8000, world.family.n_points, world.family.d) and y.shape == x.shape[:2]
    assert y.var().item() == pytest.approx(world.variance, rel=0.04)


@families
def test_a_learner_foretells_without_seeing_the_answer_or_what_comes_after(world):
    learner, batch = untrained(world), world.sample(3, seeded())
    before = world.answer(learner, batch)
    y = batch.y.clone()
    y[:, 5:] += 1
    after = world.answer(learner, Points(batch.x, y))
    assert torch.equal(before[:, :6], after[:, :6])
    assert (before[:, 6:] != after[:, 6:]).all()


@families
def test_a_function_at_a_place_is_the_answer_to_a_query_there(world):
    learner, batch = untrained(world), world.sample(2, seeded())
    given = first(batch, 2, 4)
    drawn = world.functions(learner, given, batch.x[0, 4:6])
    assert drawn[0, 0].item() == pytest.approx(
        world.answer(learner, first(batch, 2, 5))[0, 4].item(), abs=1e-5
    )
    assert drawn.shape == (2, 2)


@families
def test_measures_are_those_that_are_described_and_an_untrained_learner_is_no_better_than_0(world):
    with torch.no_grad():
        found = world.measure(untrained(world))
    assert set(found) == {curve.name for curve in world.curves}
    assert found["learner"] > 0.9 * world.variance > found["bayes"]
    assert found["gap"] > 0.5
    assert all(found["bayes"] < value for name, value in found.items() if name.startswith("component"))


@families
def test_a_profile_starts_at_the_prior_and_ends_near_the_noise(world):
    with torch.no_grad():
        found = world.profile(untrained(world))
    assert list(found.x) == list(range(world.family.n_points))
    best = found.lines["posterior mean"]
    assert best[0] == pytest.approx(world.variance, rel=0.15)
    assert best[-1] < 3 * world.settings.noise**2


def test_points_of_a_person_are_drawn_with_what_each_component_says_of_them():
    with torch.no_grad():
        found = FOURIER.told(untrained(FOURIER), "-2:0.5 0:1.0 3:-0.7")
    assert list(found.points) == [(-2, 0.5), (0, 1), (3, pytest.approx(-0.7))]
    assert list(found.lines)[:2] == ["learner", "posterior mean"] and len(found.lines) == 5
    assert sum(float(name.split("p = ")[1]) for name in list(found.lines)[2:]) == pytest.approx(1, abs=0.02)
    place = min(range(101), key=lambda each: abs(found.x[each]))
    assert found.lines["posterior mean"][place] == pytest.approx(1, abs=0.35)


def test_one_clear_point_tells_the_centre():
    with torch.no_grad():
        found = MIXTURE.told(untrained(MIXTURE), "2:6")
    assert "centre +, p = 1.00" in found.lines and "centre +, p = 1.00" in found.title
    assert found.lines["posterior mean"][-1] == pytest.approx(3 * 2.5, abs=0.3)


@pytest.mark.parametrize(
    ("world", "text", "said"),
    [
        (FOURIER, "", "1 to 19 points are needed, got 0"),
        (FOURIER, "1:1 " * 20, "1 to 19 points are needed, got 20"),
        (FOURIER, "1:1 2", "'2' is no point: write x:y"),
        (FOURIER, "1:one", "'1:one' is no point"),
        (FOURIER, "1:nan", "must be finite"),
        (FOURIER, "7:1", "x must be -5 to 5"),
        (FOURIER, "1,2:1", "an x is of 1 number here, got 2"),
        (MIXTURE, "1,2,3,4,5:1", "an x is of 4 numbers here, got 5"),
    ],
)
def test_points_that_can_not_be_read_are_refused_with_how_they_are_written(world, text, said):
    with pytest.raises(ValueError, match=said):
        world.told(untrained(world), text)


@families
@pytest.mark.parametrize("layout", ["reversed", "nearest-last", "half"])
def test_layouts_move_points_and_keep_the_query(world, layout):
    batch = world.sample(4, seeded())
    moved = world.arranged(batch, layout)
    assert torch.equal(moved.target, batch.target) and torch.equal(moved.x[:, -1], batch.x[:, -1])
    if layout == "half":
        assert torch.equal(moved.y[:, :-1], batch.y[:, : batch.y.shape[1] // 2])
    else:
        assert torch.equal(moved.y.sort(1).values, batch.y.sort(1).values)


def test_an_order_changes_nothing_for_bayes():
    batch = FOURIER.sample(50, seeded())
    there, back = (FOURIER.exact(FOURIER.arranged(batch, each))["bayes"] for each in ("drawn", "reversed"))
    assert torch.allclose(there[:, -1], back[:, -1], atol=1e-4)


@families
def test_a_token_is_named_for_each_position(world):
    batch = world.sample(2, seeded())
    names = world.positions(batch, 1)
    assert len(names) == world.family.n_points and all(name.endswith("?") for name in names)
    assert world.written(batch)[0].endswith("→?")


def test_replies_say_the_side_of_0():
    batch = FOURIER.sample(20, seeded())
    replies = FOURIER.reply(untrained(FOURIER), batch)
    assert replies.gold == ["above 0" if value > 0 else "below 0" for value in batch.target]


def test_it_learns():
    moments = list(Growth(Prism(PrismSettings(family="mixture", n_steps=150)), 0, 2).moments())
    assert moments[-1].measures["gap"] < 0.5 * moments[0].measures["gap"]


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_presets_are_settings(preset):
    world = Prism(PrismSettings(**preset.settings))
    assert math.isfinite(world.loss(untrained(world), world.sample(4, seeded())).item())


def test_what_is_believed_is_read_off_answers_as_off_the_posterior_mean():
    world = MIXTURE
    with torch.no_grad():
        drawn = world.believed(untrained(world)).lines
    unread = drawn["read off the learner"]  # it says about 0 to all, which is nearer to half of each
    assert math.isnan(unread[-1]) and all(math.isnan(value) or value < 0.9 for value in unread)
    exact, read = drawn["Bayes"], drawn["read off the posterior mean"]
    assert exact[0] == pytest.approx(0.5) and read[0] == pytest.approx(0.5, abs=1e-4)
    assert exact[-1] > 0.99 and read[-1] > 0.99


def test_the_spectrum_of_the_posterior_mean_ends_at_its_highest_frequency():
    with torch.no_grad():
        found = FOURIER.spectrum(untrained(FOURIER))
    assert list(found.x) == ["1 wave", "2 waves", "3 waves", "4 waves", "5 waves"]
    exact = found.lines["posterior mean"]
    assert sum(exact[:3]) == pytest.approx(1, abs=1e-4) and exact[0] > exact[1] > exact[2]
    with pytest.raises(ValueError, match="lines have no frequencies"):
        MIXTURE.spectrum(untrained(MIXTURE))


def test_with_one_family_alone_there_is_nothing_to_believe_and_with_two_alike_nothing_is_read():
    world = Prism(PrismSettings(n_frequencies=1))
    with pytest.raises(ValueError, match="all functions are of 1 frequency: train with 2"):
        world.believed(untrained(world))
    alike = Prism(PrismSettings(family="mixture", distance=0.0))
    with torch.no_grad():
        lines = alike.believed(untrained(alike)).lines
    assert all(math.isnan(value) for name in lines if name != "Bayes" for value in lines[name])
    assert lines["Bayes"] == pytest.approx([0.5] * alike.family.n_points, abs=1e-5)
