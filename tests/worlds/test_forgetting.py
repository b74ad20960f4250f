import pytest
import torch

from lab.worlds.forgetting import PRESETS, SPLITS, PartsOfSpeech, PartsOfSpeechSettings
from lab.worlds.growth import Growth

WORLD = PartsOfSpeech()
NOUNS, ADJECTIVES = range(40), range(40, 80)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def roles(batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what stands where adjectives and where nouns do."""
    is_first = batch.words[:, 0] == WORLD.words.copula
    return (
        torch.where(is_first, batch.words[:, 1], batch.words[:, 2]),
        torch.where(is_first, batch.words[:, 2], batch.words[:, 0]),
    )


@pytest.fixture(scope="module")
def untrained():
    torch.manual_seed(0)
    return WORLD.build().eval()


@pytest.mark.parametrize(
    ("split", "adjectives", "nouns"),
    [
        ("train", ADJECTIVES, NOUNS),
        ("head", range(40, 50), range(10)),
        ("head_switch", range(10), range(40, 50)),
        ("tail", range(70, 80), range(30, 40)),
        ("tail_switch", range(30, 40), range(70, 80)),
        ("unseen", range(82, 102), range(82, 102)),
    ],
)
def test_words_of_a_split_stand_where_they_are_to(split, adjectives, nouns):
    batch = WORLD.sample(600, seeded(), split)
    found = roles(batch)
    assert set(found[0].tolist()) == set(adjectives) and set(found[1].tolist()) == set(nouns)
    assert torch.equal(batch.target[:, 0], found[0])
    asked = batch.words[:, 3]
    assert torch.equal(batch.target[:, 1:], asked[:, None].expand(-1, 2))
    assert 0.4 < (asked == found[0]).float().mean() < 0.6
    assert not (found[0] == found[1]).any()


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match="split must be one of head, head_switch"):
        WORLD.sample(1, seeded(), "test")


def test_frequent_words_are_met_by_zipfs_law():
    world = PartsOfSpeech(PartsOfSpeechSettings(zipf=1.0))
    _, nouns = roles(world.sample(20_000, seeded()))
    counts = nouns.bincount(minlength=40).float()
    assert (counts[0] / counts[9]).item() == pytest.approx(10, rel=0.2)


def test_ambiguous_words_are_met_as_both_and_measured_as_neither():
    world = PartsOfSpeech(PartsOfSpeechSettings(ambiguous=0.1))
    adjectives, nouns = roles(world.sample(4000, seeded()))
    both = set(adjectives.tolist()) & set(nouns.tolist())
    assert both == {9, 19, 29, 39, 49, 59, 69, 79}
    as_noun, as_adjective = ((each == 9).float().mean().item() for each in (nouns, adjectives))
    assert as_noun == pytest.approx(1 / 80, abs=0.007) and as_adjective == pytest.approx(1 / 80, abs=0.007)
    assert not both & set(world.sample(500, seeded(), "tail").words.flatten().tolist())


@pytest.mark.parametrize(
    ("forgetting", "steps"),
    [("none", []), ("active", [10, 20, 100, 110]), ("temporary", [10, 20, 100])],
)
def test_embeddings_are_drawn_anew_when_it_is_time(forgetting, steps):
    world = PartsOfSpeech(PartsOfSpeechSettings(forgetting=forgetting, every=10, until=100))
    learner, forgotten = world.build(), []
    for step in [0, 5, 10, 15, 20, 100, 110]:
        before = {name: value.clone() for name, value in learner.state_dict().items()}
        world.renew(learner, step, seeded(step))
        changed = [name for name, value in learner.state_dict().items() if not value.equal(before[name])]
        assert changed in ([], ["parts.word.weight"])
        forgotten += [step] * len(changed)
    assert forgotten == steps


def test_forgotten_embeddings_are_such_as_they_were_at_first():
    learner = WORLD.build()
    first = learner.parts["word"].weight.std().item()
    learner.parts["word"].weight.data.fill_(9.0)
    WORLD.renew(learner, 10, seeded())
    weights = learner.parts["word"].weight
    assert weights.mean().item() == pytest.approx(0, abs=0.05 * first)
    assert weights.std().item() == pytest.approx(first, rel=0.05)


def test_measures_are_those_that_are_described_and_start_at_chance(untrained):
    found = WORLD.measure(untrained)
    assert set(found) == {curve.name for curve in WORLD.curves}
    assert max(found[split] for split in SPLITS) < 0.05
    assert 0.2 < found["probe"] < 0.8


def test_layouts_say_the_same_or_the_opposite():
    words = WORLD.words
    batch = words.say(*(torch.tensor(each) for each in ([40, 41], [0, 1], [True, False], [0, 41])))
    shown = {layout: WORLD.written(WORLD.arranged(batch, layout)) for layout in WORLD.layouts}
    assert shown == {
        "drawn": ["is a1 n1, n1: ?", "n2 is a2, a2: ?"],
        "other-form": ["n1 is a1, n1: ?", "is a2 n2, a2: ?"],
        "swapped": ["is n1 a1, n1: ?", "a2 is n2, a2: ?"],
        "reversed": ["n1 a1 is, n1: ?", "a2 is n2, a2: ?"],
    }
    right = {layout: WORLD.arranged(batch, layout).target[:, 0].tolist() for layout in WORLD.layouts}
    assert right == {"drawn": [40, 41], "other-form": [40, 41], "swapped": [0, 1], "reversed": [40, 1]}
    with pytest.raises(ValueError, match="layout must be one of drawn, other-form"):
        WORLD.arranged(batch, "odd")


def test_it_names_the_adjective(untrained):
    batch = WORLD.sample(3, seeded())
    replies = WORLD.reply(untrained, batch)
    assert replies.gold == [WORLD.words.names[word] for word in batch.target[:, 0]]
    assert all(len(row) == 3 and gold in row for row, gold in zip(replies.logp, replies.gold, strict=True))
    assert WORLD.positions(batch, 0)[4:] == ["?", "?", "?"]


def test_a_sentence_of_a_persons_own_is_answered_beside_both_strategies(untrained):
    found = WORLD.told(untrained, "is n1 a1 n1")
    assert found.x == ["n1", "a1"]
    assert found.lines["by the context"] == [1.0, 0.0] and found.lines["by heart"] == [0.0, 1.0]
    assert WORLD.told(untrained, "x1 is x2 x1").lines["by heart"] == [0.5, 0.5]
    with pytest.raises(ValueError, match="write “is adjective noun”"):
        WORLD.told(untrained, "n1 n2")


def test_a_profile_has_bars_of_every_split(untrained):
    found = WORLD.profile(untrained)
    assert list(found.x) == list(SPLITS.values())
    assert {len(values) for values in found.lines.values()} == {5}


def test_without_forgetting_words_are_soon_known_by_heart():
    settings = PartsOfSpeechSettings(forgetting="none", n_words=40, n_steps=100)
    *_, last = Growth(PartsOfSpeech(settings), 0, 2).moments()
    assert last.measures["head"] > 0.9
    assert last.measures["head_switch"] < 0.3


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_presets_are_settings(preset):
    PartsOfSpeechSettings(**preset.settings)


def test_embeddings_of_two_kinds_of_words_lie_apart_in_the_plane(untrained):
    with torch.no_grad():
        weight = untrained.parts["word"].weight
        before = weight.clone()
        weight[: WORLD.words.n_nouns, 0] += 3
    found = WORLD.embeddings(untrained)
    with torch.no_grad():
        weight.copy_(before)
    nouns, adjectives = found.dots["noun"], found.dots["adjective"]
    assert len(nouns) == len(adjectives) == 40 and found.names["noun"][0] == "n1"
    assert min(abs(x - other) for x, _ in nouns for other, _ in adjectives) > 1
    assert "nouns from adjectives in 9" in found.title
    ambiguous = PartsOfSpeech(PartsOfSpeechSettings(ambiguous=0.25)).embeddings(untrained)
    assert len(ambiguous.dots["met as either"]) == 20
