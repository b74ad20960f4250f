import pytest
import torch

from lab.worlds.exact.strategies import counts
from lab.worlds.growth import Growth
from lab.worlds.urns import PRESETS, Draws, Urns, UrnsSettings, dirichlet

WORLD = Urns(UrnsSettings(n_urns=4, n_outcomes=5, n_balls=24))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def untrained():
    torch.manual_seed(0)
    return WORLD.build().eval()


def test_urns_are_distributions_spread_evenly():
    urns = dirichlet(40_000, 5, seeded())
    assert torch.allclose(urns.sum(1), torch.ones(40_000), atol=1e-5)
    assert urns.mean(0).tolist() == pytest.approx([0.2] * 5, abs=0.005)
    assert urns[:, 0].var().item() == pytest.approx(0.2 * 0.8 / 6, rel=0.05)


def test_fewer_urns_are_the_first_of_more():
    more = Urns(UrnsSettings(n_urns=64, n_outcomes=5))
    assert torch.equal(WORLD.known, more.known[:4])
    assert not torch.equal(WORLD.known, Urns(WORLD.settings, 1).known)


def test_balls_are_drawn_from_the_urn_that_is_told_of():
    batch = WORLD.sample(8000, seeded())
    assert batch.balls.shape == (8000, 24) and batch.urns.shape == (8000, 5)
    of_first = (batch.urns == WORLD.known[0]).all(1)
    shares = counts(batch.balls[of_first], 5)[:, -1].sum(0)
    assert (shares / shares.sum()).tolist() == pytest.approx(WORLD.known[0].tolist(), abs=0.01)
    new = WORLD.sample(100, seeded(), "new").urns
    assert len(new.unique(dim=0)) == 100


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match="split must be train or new"):
        WORLD.sample(1, seeded(), "test")


def test_predictions_see_no_ball_before_it_is_drawn(untrained):
    balls = WORLD.sample(5, seeded()).balls[:, :-1]
    changed = balls.clone()
    changed[:, 10:] = (changed[:, 10:] + 1) % 5
    before, after = (WORLD.predict(untrained, each) for each in (balls, changed))
    assert torch.allclose(before[:, :11], after[:, :11], atol=1e-5)
    assert not torch.allclose(before[:, 11:], after[:, 11:], atol=1e-5)
    assert torch.allclose(before.exp().sum(-1), torch.ones(5, 24), atol=1e-5)


def test_memory_is_best_on_known_urns_and_counting_on_new_ones(untrained):
    found = WORLD.measure(untrained)
    assert set(found) == {curve.name for curve in WORLD.curves}
    assert found["loss_m"] < found["loss_g"] < found["loss"]
    new = WORLD.sample(500, seeded(3), "new")
    references = WORLD.references(new.balls[:, :-1])
    losses = {name: -p.gather(2, new.balls[:, :, None]).log().mean().item() for name, p in references.items()}
    assert losses["g"] < losses["m"]


def test_neither_predictor_minds_the_order():
    batch = WORLD.sample(50, seeded())
    for layout in ("reversed", "sorted"):
        moved = WORLD.arranged(batch, layout)
        assert torch.equal(moved.balls[:, -1], batch.balls[:, -1])
        for name, p in WORLD.references(moved.balls[:, :-1]).items():
            assert torch.allclose(p[:, -1], WORLD.references(batch.balls[:, :-1])[name][:, -1], atol=1e-5)


def test_layouts_keep_what_they_do_not_move():
    batch = Draws(torch.tensor([[3, 0, 2, 1, 4]]), WORLD.known[:1])
    shown = {layout: WORLD.written(WORLD.arranged(batch, layout))[0] for layout in WORLD.layouts}
    assert shown == {
        "drawn": "d a c b ?", "reversed": "b c a d ?", "sorted": "a b c d ?", "half": "d a ?",
    }  # fmt: skip
    with pytest.raises(ValueError, match="layout must be one of drawn, reversed, sorted, half"):
        WORLD.arranged(batch, "odd")


def test_it_answers_in_letters_and_is_right_by_the_urn(untrained):
    batch = WORLD.sample(3, seeded())
    replies = WORLD.reply(untrained, batch)
    assert replies.gold == ["abcde"[kind] for kind in batch.urns.argmax(1)]
    assert all(set(row) == set("abcde") for row in replies.logp)
    cache = {}
    WORLD.reply(untrained, batch, None, cache)
    assert cache["blocks.0.attn.hook_pattern"].shape[-1] == len(WORLD.positions(batch, 0)) == 24


def test_a_profile_shows_what_more_balls_bring(untrained):
    found = WORLD.profile(untrained)
    assert list(found.x) == list(range(24))
    assert found.lines["G: counts"][-1] < found.lines["G: counts"][0]
    assert found.lines["M: knows the urns"][-1] < 0.02
    assert found.points == ()


def test_balls_of_a_persons_own_are_answered_by_all_three(untrained):
    found = WORLD.told(untrained, "a, a b\nA")
    assert found.x == list("abcde")
    assert found.lines["G: counts"] == pytest.approx([4 / 9, 2 / 9, 1 / 9, 1 / 9, 1 / 9])
    assert sum(found.lines["learner"]) == pytest.approx(1, abs=1e-5)
    assert "After 4 balls" in found.title
    assert WORLD.told(untrained, "").lines["G: counts"] == pytest.approx([0.2] * 5)


@pytest.mark.parametrize(
    ("text", "said"),
    [("a z 1", "letters a to e, such as .* got 1, z"), ("a " * 24, "at most 23 balls, got 24")],
)
def test_what_can_not_be_read_is_refused(untrained, text, said):
    with pytest.raises(ValueError, match=said):
        WORLD.told(untrained, text)


def test_few_urns_are_soon_known_by_heart():
    settings = UrnsSettings(n_urns=2, n_outcomes=5, n_balls=24, n_steps=150, rate=3e-3)
    *_, last = Growth(Urns(settings), 0, 2).moments()
    assert last.measures["relative"] < 0.3
    assert last.measures["loss"] < last.measures["loss_g"]


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_presets_are_settings(preset):
    UrnsSettings(**preset.settings)
