import pytest
import torch

from lab.worlds.abrupt import N_LABELS, PRESETS, Abrupt, AbruptSettings
from lab.worlds.growth import Growth

WORLD = Abrupt(AbruptSettings(n_classes=256, burstiness=2))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_in_bursty_sequences_every_class_stands_as_often_as_asked_and_the_query_among_them():
    batch = WORLD.sample(400, seeded())
    counts = batch.is_match.sum(1)
    assert (counts % 2 == 0).all() and (counts >= 2).all()
    rows = torch.arange(400)
    shown = batch.labels[rows, batch.is_match.float().argmax(1)]
    assert torch.equal(shown, batch.target)


def test_labels_are_those_of_the_classes_for_good():
    batch = WORLD.sample(400, seeded())
    assert torch.equal(batch.labels, batch.classes[:, :-1] % N_LABELS)


def test_without_burstiness_the_query_is_met_in_the_context_by_chance_alone():
    world = Abrupt(AbruptSettings(n_classes=2048, p_bursty=0.0))
    assert world.sample(2000, seeded()).is_match.any(1).float().mean() < 0.02


def test_the_bursty_share_is_kept():
    world = Abrupt(AbruptSettings(n_classes=4096, p_bursty=0.75))
    share = world.sample(4000, seeded()).is_match.any(1).float().mean()
    assert abs(share - 0.75) < 0.03


@pytest.mark.parametrize("copies", [1, 2, 4])
def test_new_classes_are_answered_by_the_context_alone(copies):
    world = Abrupt(AbruptSettings(n_classes=64, burstiness=copies))
    batch = world.sample(300, seeded(), "new_classes")
    assert (batch.classes >= 64).all()
    assert (batch.is_match.sum(1) == copies).all()
    right = torch.where(batch.is_match, batch.labels, -1).max(1).values
    assert torch.equal(right, batch.target)
    wrong = torch.where(batch.is_match, -1, batch.labels)
    assert not (wrong == batch.target[:, None]).any()


def test_swapped_labels_contradict_the_weights():
    batch = WORLD.sample(300, seeded(), "swapped")
    assert (batch.target != batch.classes[:, -1] % N_LABELS).all()
    right = torch.where(batch.is_match, batch.labels, -1).max(1).values
    assert torch.equal(right, batch.target)


def test_absent_classes_can_not_be_looked_up():
    batch = WORLD.sample(300, seeded(), "absent")
    assert not (batch.labels == batch.target[:, None]).any()
    assert torch.equal(batch.target, batch.classes[:, -1] % N_LABELS)


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match="split must be train"):
        WORLD.sample(1, seeded(), "test")


def test_measures_are_those_that_are_described_and_start_at_chance():
    torch.manual_seed(0)
    found = WORLD.measure(WORLD.build())
    assert set(found) == {curve.name for curve in WORLD.curves}
    assert max(found[name] for name in ("new_classes", "swapped", "absent")) < 0.15
    assert found["target_right"] <= found["target_label"] <= 1


def test_few_classes_out_of_context_are_learned_by_heart():
    settings = AbruptSettings(n_classes=32, p_bursty=0.0, n_steps=150, rate=3e-3)
    *_, last = Growth(Abrupt(settings), 0).moments()
    assert last.measures["absent"] > 0.9
    assert last.measures["new_classes"] < 0.15


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_presets_are_settings(preset):
    AbruptSettings(**preset.settings)


def test_a_burstiness_that_does_not_divide_the_context_is_refused():
    with pytest.raises(ValueError, match="burstiness must be one of 1, 2, 4, got 3"):
        AbruptSettings(burstiness=3)
