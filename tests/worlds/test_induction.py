import pytest
import torch

from lab.worlds.core.surgery import previous_token
from lab.worlds.growth import Growth
from lab.worlds.induction import CLAMPS, N_NEW, PRESETS, Induction, InductionSettings

ONE_HEAD = Induction(InductionSettings(n_heads=1, n_classes=20))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def learner_of(world):
    torch.manual_seed(0)
    return world.build()


def test_a_sequence_shows_two_items_two_labels_and_one_of_the_items():
    batch = ONE_HEAD.sample(500, seeded())
    assert batch.items.shape == (500, 3, 64)
    rows, asked = torch.arange(500), batch.is_match.long().argmax(1)
    assert (batch.is_match.sum(1) == 1).all()
    assert torch.equal(batch.items[:, 2], batch.items[rows, asked])
    assert not torch.equal(batch.items[:, 0], batch.items[:, 1])
    assert (batch.labels[:, 0] != batch.labels[:, 1]).all()
    assert torch.equal(batch.target, batch.labels[rows, asked])
    assert 0.4 < asked.float().mean() < 0.6


def test_a_fifth_of_the_label_pairs_is_never_trained_on():
    pairs = {split: set(map(tuple, ONE_HEAD.sample(2000, seeded(), split).labels.tolist()))
             for split in ("train", "pairs")}  # fmt: skip
    assert len(pairs["train"]) == 16
    assert len(pairs["pairs"]) == 4
    assert not pairs["train"] & pairs["pairs"]
    assert all((b, a) in pairs["pairs"] for a, b in pairs["pairs"])


def test_with_few_labels_none_are_held_out_and_none_are_measured():
    world = Induction(InductionSettings(n_labels=3, n_heads=1))
    with pytest.raises(ValueError, match="use 4 labels or more"):
        world.sample(1, seeded(), "pairs")
    assert set(world.measure(learner_of(world))) == {curve.name for curve in world.curves}


def test_new_classes_are_none_of_the_known():
    known, new = (ONE_HEAD.sample(3000, seeded(), split).items[:, 0] for split in ("train", "classes"))
    assert len(torch.unique(known, dim=0)) == 20
    assert len(torch.unique(new, dim=0)) == N_NEW
    assert torch.cdist(known, new).min() > 0.1


@pytest.mark.parametrize("clamp", CLAMPS)
def test_clamped_heads_look_where_they_are_told(clamp):
    world = Induction(InductionSettings(n_heads=2, clamp=clamp))
    batch, cache = world.sample(50, seeded()), {}
    world.answer(learner_of(world), batch, world.clamps(batch), cache)
    first, second = (cache[f"blocks.{layer}.attn.hook_pattern"] for layer in (0, 1))
    is_told = torch.allclose(first[:, 0], previous_token(5).expand(50, 5, 5))
    assert is_told == ("previous" in clamp)
    is_right = (second[:, 0, 4, 1:4:2] == batch.is_match.float()).all()
    assert is_right == ("match" in clamp)
    assert not torch.allclose(first[:, 1], previous_token(5).expand(50, 5, 5))


def test_a_given_copy_answers_with_the_label_that_is_looked_at():
    world = Induction(InductionSettings(n_heads=1, clamp="copy"))
    batch, cache = world.sample(50, seeded()), {}
    learner = learner_of(world)
    scores = world._clamped_answer(learner, batch, None, cache)
    looked = cache["blocks.1.attn.hook_pattern"][:, 0, 4, 1:4:2].argmax(1)
    assert torch.equal(scores.argmax(1), batch.labels[torch.arange(50), looked])


def test_gradients_reach_what_is_not_clamped():
    world = Induction(InductionSettings(n_heads=1, clamp="match"))
    batch, learner = world.sample(20, seeded()), learner_of(world)
    world.loss(learner, batch, world.clamps(batch)).backward()
    second = learner.body.blocks[1].attn.qkv.weight.grad.split(64)
    assert second[0][:].abs().max() == 0  # queries of the clamped head
    assert second[2].abs().max() > 0  # its values


def test_given_the_match_it_is_learned_in_fewer_steps():
    def steps_to(clamp: str) -> int:
        settings = InductionSettings(n_heads=1, n_classes=20, rate=1e-3, n_steps=400, clamp=clamp)
        for moment in Growth(Induction(settings), 0).moments():
            if moment.measures.get("accuracy", 0) > 0.9:
                return moment.step
        return 401

    assert steps_to("match") < 0.7 * steps_to("none")


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match="n_heads must be one of 1, 2, 4, 8, got 3"):
        InductionSettings(n_heads=3)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_presets_are_settings(preset):
    InductionSettings(**preset.settings)
