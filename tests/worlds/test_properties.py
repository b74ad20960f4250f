import pytest
import torch

from lab.worlds.growth import Growth
from lab.worlds.properties import PRESETS, Properties, PropertiesSettings

WORLD = Properties(PropertiesSettings(n_classes=512))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_bursty_context_shows_the_query_three_times_another_class_three_times_and_two_once():
    world = Properties(PropertiesSettings(n_classes=512, p_bursty=1.0))
    batch = world.sample(200, seeded())
    for row, matches in zip(batch.classes[:, :-1], batch.is_match, strict=True):
        counts = sorted(row.unique(return_counts=True)[1].tolist())
        assert counts == [1, 1, 3, 3]
        assert matches.sum() == 3


def test_the_bursty_share_is_kept():
    world = Properties(PropertiesSettings(n_classes=4096, p_bursty=0.25))
    share = (world.sample(4000, seeded()).is_match.sum(1) == 3).float().mean()
    assert abs(share - 0.25) < 0.03


def test_common_classes_are_met_in_proportion_to_their_rank():
    world = Properties(PropertiesSettings(n_classes=64, p_bursty=0.0, zipf=1.0))
    met = world.sample(5000, seeded()).classes[:, -1].bincount(minlength=64)
    assert met[0] / met[1] == pytest.approx(2, rel=0.2)
    assert met[0] / met[3] == pytest.approx(4, rel=0.3)


@pytest.mark.parametrize("n_senses", [1, 2, 4])
def test_a_sequence_keeps_to_one_sense_of_a_class_and_sequences_differ(n_senses):
    world = Properties(PropertiesSettings(n_classes=64, n_senses=n_senses, p_bursty=1.0))
    batch = world.sample(500, seeded())
    labels = torch.cat([batch.labels, batch.target[:, None]], 1)
    same = batch.classes[:, :, None] == batch.classes[:, None, :]
    assert (labels[:, :, None] == labels[:, None, :])[same].all()
    assert (world.senses[batch.classes] == labels[:, :, None]).any(2).all()
    first = batch.classes[:, -1] == 0
    if n_senses > 1:
        assert batch.target[first].unique().numel() > 1
    assert all(row.unique().numel() == n_senses for row in world.senses)


def test_new_classes_are_two_four_times_each_under_two_labels():
    batch = WORLD.sample(300, seeded(), "holdout")
    assert (batch.classes >= 512).all()
    assert (batch.is_match.sum(1) == 4).all()
    right = torch.where(batch.is_match, batch.labels, -1)
    assert torch.equal(right.max(1).values, batch.target)
    assert not (torch.where(batch.is_match, -1, batch.labels) == batch.target[:, None]).any()


@pytest.mark.parametrize("split", ["absent", "common"])
@pytest.mark.parametrize("n_senses", [1, 4])
def test_absent_classes_can_not_be_looked_up(split, n_senses):
    world = Properties(PropertiesSettings(n_classes=100, n_senses=n_senses))
    batch = world.sample(300, seeded(), split)
    known = world.senses[batch.classes[:, -1]]
    assert not (batch.labels[:, :, None] == known[:, None, :]).any()
    assert split == "absent" or (batch.classes[:, -1] < 64).all()


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match="split must be train, holdout, absent or common, got 'test'"):
        WORLD.sample(1, seeded(), "test")


@pytest.mark.parametrize("architecture", ["transformer", "GRU"])
def test_both_learners_are_of_a_size_and_start_at_chance(architecture):
    torch.manual_seed(0)
    world = Properties(PropertiesSettings(n_classes=512, architecture=architecture))
    learner = world.build()
    found = world.measure(learner)
    assert set(found) == {curve.name for curve in world.curves}
    assert max(found[name] for name in ("holdout", "absent", "common")) < 0.15
    of_other = Properties(PropertiesSettings(n_classes=512)).build().n_parameters
    assert learner.n_parameters == pytest.approx(of_other, rel=0.05)


def test_a_profile_counts_how_often_the_class_is_shown():
    found = WORLD.profile(WORLD.build())
    assert list(found.x) == [1, 2, 3, 4, 5, 6, 7]
    assert found.lines["the commoner of the two labels"] == [0, 0, 0, 0.5, 1, 1, 1]
    batch = WORLD.holdout(100, 2, seeded())
    assert (batch.is_match.sum(1) == 2).all()


def test_without_bursts_few_classes_are_learned_by_heart():
    settings = PropertiesSettings(n_classes=32, p_bursty=0.0, n_steps=150, rate=3e-3)
    *_, last = Growth(Properties(settings), 0).moments()
    assert last.measures["absent"] > 0.9
    assert last.measures["holdout"] < 0.15


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_presets_are_settings(preset):
    PropertiesSettings(**preset.settings)
