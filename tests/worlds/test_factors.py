import pytest
import torch

from lab.worlds.factors import PRESETS, Factors, FactorsSettings
from lab.worlds.growth import Growth
from lab.worlds.probes import held_out_accuracy

WORLD = Factors()


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def untrained(world: Factors = WORLD):
    torch.manual_seed(0)
    return world.build().eval()


def test_under_the_fixed_map_a_label_is_the_value_of_the_hidden_factor():
    batch = WORLD.sample(50, seeded(), "fixed")
    assert torch.equal(batch.labels, batch.value)
    for row in range(3):
        assert torch.equal(batch.value[row], batch.values[row, :, batch.factor[row]])


def test_under_a_random_map_equal_values_have_equal_labels_and_others_do_not():
    batch = WORLD.sample(200, seeded(), "random")
    same_value = batch.value[:, :, None] == batch.value[:, None]
    same_label = batch.labels[:, :, None] == batch.labels[:, None]
    assert torch.equal(same_value, same_label)
    assert (batch.labels == batch.value).float().mean().item() == pytest.approx(0.25, abs=0.06)


@pytest.mark.parametrize("p_fixed", [0.0, 0.5, 1.0])
def test_training_has_its_share_of_fixed_maps(p_fixed):
    batch = Factors(FactorsSettings(p_fixed=p_fixed)).sample(2000, seeded())
    share = (batch.labels == batch.value).all(1).float().mean().item()
    dealt_as_known = 1 / 24
    assert share == pytest.approx(p_fixed + (1 - p_fixed) * dealt_as_known, abs=0.04)


def test_from_the_switch_on_all_maps_are_random():
    world = Factors(FactorsSettings(p_fixed=1.0, switch=300))
    assert [world.met(step) for step in (0, 299, 300, 1999)] == ["train", "train", "random", "random"]
    assert {Factors(FactorsSettings(p_fixed=1.0)).met(step) for step in (0, 5000)} == {"train"}


def test_a_training_learns_from_what_its_steps_are_to_meet(monkeypatch):
    met = []
    sample = Factors.sample

    def watched(world, n, generator, split="train"):
        if n == world.n_batch:
            met.append(split)
        return sample(world, n, generator, split)

    monkeypatch.setattr(Factors, "sample", watched)
    list(Growth(Factors(FactorsSettings(switch=100, n_steps=102)), 0, 1).moments())
    assert met == ["train"] * 100 + ["random"] * 2


def test_a_head_that_looks_at_the_label_of_the_first_equal_picture_is_found():
    batch = WORLD.sample(40, seeded(), "random")
    n_keys = 2 * batch.labels.shape[1] - 1
    even = torch.full((40, 2, n_keys, n_keys), 1 / n_keys)
    looking = even.clone()
    is_same = batch.value[:, :-1] == batch.value[:, -1:]
    has_one = is_same.any(1)
    looking[has_one, 1, -1] = torch.nn.functional.one_hot(
        2 * is_same.float().argmax(1)[has_one] + 1, n_keys
    ).float()
    cache = {f"blocks.{layer}.attn.hook_pattern": even for layer in range(3)}
    found = WORLD._looked_at(cache, batch)
    assert found["same_value"] == pytest.approx(found["even"])
    found = WORLD._looked_at(cache | {"blocks.1.attn.hook_pattern": looking}, batch)
    assert found["same_value"] == pytest.approx(has_one.float().mean().item())


def test_pixels_are_the_picture_of_the_values_in_one_of_its_places():
    world = Factors(FactorsSettings(noise=0.0))
    batch = world.sample(5, seeded())
    places = world._pictures[(*batch.values.unbind(2),)]
    assert (places == batch.pixels[:, :, None]).all(-1).any(-1).all()


@pytest.mark.parametrize("layout", ["reversed", "match-first", "match-last"])
def test_layouts_keep_the_query_and_pictures_with_their_labels(layout):
    batch = WORLD.sample(20, seeded(), "fixed")
    moved = WORLD.arranged(batch, layout)
    assert torch.equal(moved.pixels[:, -1], batch.pixels[:, -1])
    assert torch.equal(moved.labels[:, -1], batch.labels[:, -1])
    assert torch.equal(moved.labels, moved.value)
    assert torch.equal(moved.pixels.sum(1).sort(1).values.round(decimals=2),
                       batch.pixels.sum(1).sort(1).values.round(decimals=2))  # fmt: skip
    is_match = (moved.labels[:, :-1] == moved.labels[:, -1:]).int().diff(dim=1)
    if layout != "reversed":
        assert (is_match <= 0).all() if layout == "match-first" else (is_match >= 0).all()


def test_layouts_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match="layout must be one of"):
        WORLD.arranged(WORLD.sample(2, seeded()), "shuffled")


def test_a_learner_answers_without_seeing_the_answer_or_what_comes_after():
    learner, batch = untrained(), WORLD.sample(3, seeded())
    labels = batch.labels.clone()
    labels[:, 5:] = (labels[:, 5:] + 1) % 4
    before, after = WORLD.scores(learner, batch), WORLD.scores(learner, batch._replace(labels=labels))
    assert torch.equal(before[:, :6], after[:, :6])
    assert (before[:, 6:] != after[:, 6:]).any(2).all()


def test_an_untrained_learner_is_at_chance_and_the_matcher_is_not():
    with torch.no_grad():
        found = WORLD.measure(untrained())
    assert set(found) == {curve.name for curve in WORLD.curves}
    assert found["random"] == pytest.approx(0.25, abs=0.07)
    assert found["label"] == pytest.approx(0.25, abs=0.07)
    assert found["matcher"] > 0.95


def test_the_profile_begins_at_chance():
    with torch.no_grad():
        lines = WORLD.profile(untrained()).lines
    assert lines["matcher"][0] == pytest.approx(0.25, abs=0.07)
    assert lines["matcher"][3] < lines["matcher"][6] < lines["matcher"][-1]


def test_pictures_of_ones_own_are_answered_beside_the_matcher():
    with torch.no_grad():
        told = WORLD.told(untrained(), "red tiny disc=b, blue huge cross=a, red large square")
    assert list(told.x) == ["a", "b", "c", "d"]
    assert sum(told.lines["learner"]) == pytest.approx(1)
    # by hue it is b; by shape or size it is neither a nor b: evenly c or d
    assert told.lines["matcher"] == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3])
    with pytest.raises(ValueError, match="1 to 15 pictures"):
        WORLD.told(untrained(), "red tiny disc")


def test_sequences_are_written_with_the_query_open():
    batch = WORLD.sample(1, seeded())
    (written,) = WORLD.written(batch)
    assert written.endswith("=?") and written.count("=") == 16
    names = WORLD.positions(batch, 0)
    assert len(names) == 31
    assert written.startswith(f"{names[0]}={names[1]}, ")


def test_it_learns_the_fixed_map():
    moments = list(Growth(Factors(FactorsSettings(p_fixed=1.0, n_steps=120)), 0, 1).moments())
    assert moments[-1].measures["fixed"] > 0.45 > moments[0].measures["fixed"]


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_presets_are_settings(preset):
    world = Factors(FactorsSettings(**preset.settings))
    assert world.loss(untrained(world), world.sample(4, seeded())).isfinite()


def test_who_knows_the_values_but_not_the_factor_reads_nine_of_sixteen():
    # all three differ 3/8, right 1/3 of the time; two alike 9/16, right 2/3; all alike 1/16
    batch = WORLD.sample(20000, seeded(), "random")
    known = torch.nn.functional.one_hot(batch.values[:, -1]).flatten(1).float()
    assert held_out_accuracy(known, batch.value[:, -1], 0.1) == pytest.approx(9 / 16, abs=0.015)
