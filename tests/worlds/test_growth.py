import math
from itertools import pairwise

import pytest
import torch

from lab.worlds import growth
from lab.worlds.growth import Growth, Snapshots, one_thread
from lab.worlds.induction import Induction, InductionSettings

SMALL = Induction(InductionSettings(n_classes=10, n_heads=1, n_steps=100))


@pytest.fixture(autouse=True)
def measured_ten_times(monkeypatch):
    monkeypatch.setattr(growth, "N_MEASURED", 10)


def test_a_training_is_determined_by_its_seed():
    once, again, other = (list(Growth(SMALL, seed).moments()) for seed in (3, 3, 4))

    def measured(moments):
        return [(each.step, each.measures) for each in moments if each.measures]

    assert measured(once) == measured(again) != measured(other)


def test_it_is_measured_before_the_first_step_at_fixed_steps_and_at_the_last():
    moments = list(Growth(SMALL, 0).moments())
    assert [each.step for each in moments if each.measures] == list(range(0, 101, 10))
    assert math.isnan(moments[0].loss)
    assert all(math.isfinite(each.loss) for each in moments[1:])
    assert {curve.name for curve in SMALL.curves} == set(moments[-1].measures)


def test_the_loss_falls():
    world = Induction(InductionSettings(n_classes=10, n_heads=1, n_steps=300))
    moments = list(Growth(world, 0).moments())
    assert moments[-1].loss < 0.7 * moments[1].loss


def test_out_of_time_it_ends_measured_and_keeps_what_it_has_learned(monkeypatch):
    clock = iter(range(10_000))
    monkeypatch.setattr(growth.time, "monotonic", lambda: next(clock))  # every look takes a second
    grown = Growth(SMALL, 0)
    first = {name: value.clone() for name, value in grown.learner.state_dict().items()}
    moments = list(grown.moments(budget_s=5))
    assert 0 < moments[-1].step < 100
    assert moments[-1].measures
    assert any(not torch.equal(value, first[name]) for name, value in grown.learner.state_dict().items())


def test_it_can_be_stopped_between_any_two_moments():
    grown = Growth(SMALL, 0)
    moments = grown.moments()
    for moment in moments:
        if moment.step >= 10:
            break
    moments.close()
    assert grown.world.measure(grown.learner)["accuracy"] >= 0


def test_it_tells_at_least_twice_a_second(monkeypatch):
    monkeypatch.setattr(growth, "N_MEASURED", 1)
    now = [0.0]

    def monotonic():
        now[0] += 0.01
        return now[0]

    monkeypatch.setattr(growth.time, "monotonic", monotonic)
    told = [each.seconds for each in Growth(SMALL, 0).moments()]
    assert max(b - a for a, b in pairwise(told)) <= 0.5


def test_snapshots_bring_back_what_the_learner_was():
    grown = Growth(SMALL, 0)
    list(grown.moments())
    now = grown.world.measure(grown.learner)
    assert grown.snapshots.restore(0, grown.learner) == 0
    assert grown.world.measure(grown.learner) != now
    assert grown.snapshots.restore(1000, grown.learner) == 100
    assert grown.world.measure(grown.learner) == pytest.approx(now, abs=0.02)  # half precision


def test_at_most_thirty_snapshots_are_kept_with_the_first_and_the_last():
    snapshots, learner = Snapshots(), SMALL.build()
    for step in range(200):
        snapshots.keep(step, learner)
    assert len(snapshots.steps) <= 30
    assert (snapshots.steps[0], snapshots.steps[-1]) == (0, 199)
    gaps = [b - a for a, b in zip(snapshots.steps[:-1], snapshots.steps[1:], strict=True)]
    assert max(gaps) <= 16


def test_without_a_snapshot_there_is_nothing_to_restore():
    with pytest.raises(ValueError, match="train first"):
        Snapshots().restore(0, SMALL.build())


def test_one_thread_is_given_back():
    before = torch.get_num_threads()
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


def test_a_loss_that_is_no_number_says_what_to_do():
    class Broken(Induction):
        def loss(self, learner, batch, hooks=None):
            return super().loss(learner, batch, hooks) * math.nan

    with pytest.raises(FloatingPointError, match="lower the learning rate"):
        list(Growth(Broken(SMALL.settings), 0).moments())
