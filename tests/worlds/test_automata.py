import pytest
import torch

from lab.worlds.automata import (
    GRU,
    LEARNERS,
    N_LARGER,
    PRESETS,
    TRANSFORMER,
    WITH_NGRAMS,
    Automata,
    AutomataSettings,
)
from lab.worlds.exact.ngrams import distance, of_symbols
from lab.worlds.growth import Growth

WORLD = Automata(AutomataSettings(n_tokens=48))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def untrained(learner: str):
    torch.manual_seed(0)
    world = Automata(AutomataSettings(learner=learner, n_tokens=48))
    return world, world.build()


@pytest.mark.parametrize("split", ["forced", "larger"])
def test_where_one_symbol_alone_may_come_it_is_the_answer(split):
    batch = WORLD.sample(100, seeded(), split)
    assert batch.tokens.shape == (100, 48)
    assert (batch.truth[:, -1].amax(1) == 1).all()
    assert torch.equal(batch.truth[:, -1].argmax(1), batch.target)


def test_larger_automata_have_more_states_than_were_met():
    plain = WORLD._drawn(300, seeded())
    larger = WORLD._drawn(300, seeded(), is_larger=True)
    assert N_LARGER == 3

    def kinds(batch):  # rows of the truth that differ are states that differ
        return sum(len(rows.unique(dim=0)) for rows in batch.truth) / len(batch.truth)

    assert kinds(larger) > kinds(plain) + 1


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match="split must be one of forced, larger, train, got 'test'"):
        WORLD.sample(1, seeded(), "test")


def test_learners_are_of_equal_size():
    sizes = [untrained(learner)[1].n_parameters for learner in LEARNERS]
    assert max(sizes) < 1.02 * min(sizes)
    assert max(sizes) <= 110_000


@pytest.mark.parametrize("learner", LEARNERS)
def test_measures_are_those_that_are_described_and_start_at_chance(learner):
    world, made = untrained(learner)
    with torch.no_grad():
        found = world.measure(made)
    assert set(found) == {curve.name for curve in world.curves}
    assert found["truth.learner"] > 0.6 and found["legal.learner"] < 0.5
    assert found["truth.3"] < found["truth.2"] < found["truth.1"]
    for head in world.heads:
        assert found[head] == pytest.approx(found["attention.even"], abs=0.05)


@pytest.mark.parametrize("learner", LEARNERS)
def test_nothing_is_known_of_what_comes_later(learner):
    world, made = untrained(learner)
    inputs = world.sample(4, seeded()).inputs
    other = inputs.clone()
    other[:, 30:] = 0
    with torch.no_grad():
        assert torch.allclose(
            world.scores(made, inputs)[:, :30], world.scores(made, other)[:, :30], atol=1e-5
        )


def test_a_shorter_context_is_answered_as_if_nothing_came_after_it():
    world, made = untrained(LEARNERS[0])
    batch = world.arranged(world.sample(5, seeded(), "forced"), "half")
    with torch.no_grad():
        replies = world.reply(made, batch)
        for row, length in enumerate(batch.length.tolist()):
            alone = world.scores(made, batch.inputs[row : row + 1, :length])[0, -1].log_softmax(0)
            assert list(replies.logp[row].values()) == pytest.approx(alone.tolist(), abs=1e-4)
    assert replies.gold == ["abcdefgh"[token] for token in batch.target.tolist()]


def test_a_profile_has_the_truth_nearer_the_longer_the_context():
    world, made = untrained(GRU)
    with torch.no_grad():
        found = world.profile(made)
    assert list(found.lines) == ["learner", "1-gram", "2-gram", "3-gram", "4-gram"]
    assert len(found.x) == 6 and found.lines["2-gram"][-1] < found.lines["2-gram"][0] - 0.2


def test_a_persons_own_strings_are_continued_beside_ngrams():
    world, made = untrained(GRU + WITH_NGRAMS)
    with torch.no_grad():
        found = world.told(made, "ab|ab|ab|a")
    assert found.x == ["a", "b", "c", "d", "e", "f", "g", "h", "|"]
    assert list(found.lines) == ["learner", "2-gram", "3-gram"]
    assert all(sum(line) == pytest.approx(1, abs=1e-5) for line in found.lines.values())
    assert found.lines["2-gram"][1] > 0.8
    with pytest.raises(ValueError, match="1 to 47 letters"):
        world.told(made, "a" * 48)


def test_the_example_of_a_persons_own_can_be_read_under_every_preset():
    for preset in PRESETS:
        world = Automata(AutomataSettings(**preset.settings))
        world.told(world.build(), world.own.example)


def test_what_a_head_reads_begins_with_a_separator():
    batch = WORLD.sample(2, seeded())
    names = WORLD.positions(batch, 1)
    assert names[0] == "|"
    assert "".join(names[1:]) + "?" == WORLD.written(batch)[1]


def test_with_ngram_heads_it_is_soon_nearer_to_the_truth_than_counting_symbols_is():
    settings = AutomataSettings(learner=TRANSFORMER + WITH_NGRAMS, n_tokens=48, n_steps=100)
    growth = Growth(Automata(settings), 0, n_measured=4)
    early = next(moment for moment in growth.moments() if moment.step == 25)
    assert early.measures["truth.learner"] < early.measures["truth.1"] - 0.05


def test_measures_are_of_the_second_half_of_contexts():
    world, made = untrained(GRU)
    batch = world._measured
    with torch.no_grad():
        said = of_symbols(world.scores(made, batch.inputs).softmax(2))
        found = world.measure(made)
    apart = distance(said, batch.truth)[:, 24:]
    assert found["truth.learner"] == pytest.approx(apart[batch.is_symbol[:, 24:]].mean().item(), abs=1e-5)


def test_what_it_is_like_is_drawn_with_the_truth_first():
    world, made = untrained(GRU)
    with torch.no_grad():
        found, measured = world.like(made), world.measure(made)
    assert list(found.x) == ["the truth", "1-gram", "2-gram", "3-gram", "4-gram"]
    ours, theirs = found.lines.values()
    assert ours[0] == measured["truth.learner"] and ours[2] == measured["like.2"]
    assert theirs == [0.0, *(measured[f"truth.{order}"] for order in (1, 2, 3, 4))]
