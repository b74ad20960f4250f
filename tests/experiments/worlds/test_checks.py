"""The checks of tiny worlds: what they judge, on trainings too short to hold and on made-up histories."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from lab.experiments.worlds import (
    check_abrupt,
    check_automata,
    check_factors,
    check_forgetting,
    check_induction,
    check_linear,
    check_metaopt,
    check_prism,
    check_properties,
    check_softmax,
    check_urns,
    check_window,
)
from lab.experiments.worlds.checking import Trained, claim, train
from lab.worlds.growth import Moment
from lab.worlds.induction import Induction, InductionSettings


@pytest.fixture(autouse=True)
def measured_ten_times(monkeypatch):
    monkeypatch.setattr("lab.worlds.growth.N_MEASURED", 10)


def history(**measures) -> list[Moment]:
    """Make moments at steps 0, 10, 20 and so on, from the values of every measure."""
    rows = zip(*measures.values(), strict=True)
    return [
        Moment(10 * place, 10 * (len(measures) - 1), 1.0, 0.0, dict(zip(measures, row, strict=True)))
        for place, row in enumerate(rows)
    ]


def test_a_claim_is_judged_by_the_median_and_shows_every_seed():
    judged = claim("is large", [0.2, 0.9, 0.95], lambda value: value > 0.8, note="so what")
    assert judged == {
        "claim": "is large",
        "measured": "median 0.90 (0.20, 0.90, 0.95); so what",
        "verdict": "holds",
    }
    assert claim("is large", [0.2], lambda value: value > 0.8)["verdict"] == "does not hold here"
    assert claim("is large", [0.2], lambda value: value > 0.8)["measured"] == "0.20"


def test_the_first_step_over_a_level_is_found_and_never_is_infinite():
    trained = Trained(None, None, history(accuracy=[0.1, 0.4, 0.96, 0.9]))
    assert trained.first_step("accuracy", 0.3) == 10
    assert trained.first_step("accuracy", 0.95) == 20
    assert trained.first_step("accuracy", 0.99) == float("inf")


def test_a_clamp_that_never_learns_does_not_hold():
    steps = {"none": [200.0], "match": [float("inf")]}
    judged = claim("faster", check_induction._ratios(steps, "match"), lambda value: value <= 0.5)
    assert judged["verdict"] == "does not hold here"


def test_what_moves_first_is_told_in_steps():
    trained = Trained(None, None, history(item_label=[0.1, 0.25, 0.5, 0.6], new_classes=[0.0, 0.1, 0.3, 0.9]))
    assert check_abrupt._lead(trained) == 20
    late = Trained(None, None, history(item_label=[0.1, 0.1, 0.1, 0.3], new_classes=[0.0, 0.6, 0.9, 0.9]))
    assert check_abrupt._lead(late) == -20


def test_the_share_of_the_training_in_which_it_rises():
    trained = Trained(None, None, history(new_classes=[0.0, 0.1, 0.3, 0.9, 0.9]))
    assert check_abrupt._rise(trained) == pytest.approx(10 / 40)


def test_what_rises_is_correlated_with_its_place_and_what_stays_is_not():
    assert check_properties._rank_correlation([0.0, 0.2, 0.3, 0.8, 0.9]) == pytest.approx(1)
    assert check_properties._rank_correlation([0.5, 0.4, 0.3]) == pytest.approx(-1)
    assert check_properties._rank_correlation([1.0, 1.0, 1.0]) == 0
    late = Trained(None, None, history(holdout=[0.0, 0.0, 1.0]))
    assert check_properties._on_average(late) == pytest.approx(1 / 3)


def test_the_nearest_ngram_and_the_best_head_are_found_at_the_end():
    likes = {f"like.{order}": [0.9, apart] for order, apart in ((1, 0.4), (2, 0.2), (3, 0.1), (4, 0.3))}
    heads = {f"attention.{head}": [0.3, score] for head, score in (("0.0", 0.2), ("0.1", 0.9))}
    world = SimpleNamespace(heads=tuple(heads))
    trained = Trained(world, None, history(**likes, **heads))
    assert check_automata._nearest(trained) == 3
    assert check_automata._best_head(trained) == 0.9
    assert check_automata._best_head(trained, 0) == 0.3


def test_probes_are_correlated_with_accuracy_and_one_that_never_changes_is_not():
    trained = Trained(
        None, None, history(random=[0.2, 0.4, 0.6], in_context=[0.3, 0.4, 0.5], label=[0.5] * 3)
    )
    assert check_factors._correlation(trained, "in_context") == pytest.approx(1)
    assert check_factors._correlation(trained, "label") == 0


def test_a_training_alone_that_never_gets_there_counts_with_all_its_steps():
    never, late, early = (
        Trained(None, None, history(random=values))
        for values in ([0.2] * 5, [0.2, 0.3, 0.7], [0.2, 0.7, 0.8])
    )
    assert check_factors._ratio(early, late) == 0.5
    assert check_factors._ratio(late, never) == 0.5
    assert check_factors._ratio(never, never) == float("inf")
    assert check_factors._listed([early, never]) == "10, over 40"


def test_the_steepest_fifth_of_a_fall():
    losses = [1.0, 1.0, 1.0, 1.0, 0.2, 0.1, 0.1, 0.1, 0.1, 0.0]
    moments = [Moment(step, 10, loss, 0.0, {}) for step, loss in enumerate([float("nan"), *losses])]
    assert check_induction._steepest(Trained(None, None, moments)) == pytest.approx(0.9)


def test_how_far_counting_gives_way_is_told_from_after_the_first_tenth():
    falling = history(relative=[0.5, 1.0, *[0.8] * 5, *[0.6] * 5])
    assert check_urns.Row(32, falling, []).fall == pytest.approx(0.2)


def test_neighbours_that_stand_the_wrong_way_round_are_counted():
    ends = [(4, 0.1), (8, 0.3), (16, 0.2), (64, 0.9)]
    grid = [check_urns.Row(n_urns, history(relative=[0.5, end]), []) for n_urns, end in ends]
    assert check_urns._inversions(grid) == 1
    assert check_urns._relative(grid, 16) == 0.2


def test_silenced_heads_cost_what_they_carry():
    settings = InductionSettings(n_classes=20, n_steps=350)
    trained = train(Induction(settings, 0), 0)
    nothing, worst = check_induction._ablated(trained)
    assert trained.last["accuracy"] > 0.95
    assert nothing < 0.6 < worst <= 1  # one of the two labels shown is still guessed


@pytest.mark.parametrize(
    ("module", "name", "short"),
    [
        (check_induction, "ALL", {"n_steps": 100}),
        (check_abrupt, "CONTEXT", {"n_steps": 100}),
        (check_linear, "TWO", {"n_steps": 200}),
        (check_properties, "BURSTY", {"n_steps": 100}),
        (check_softmax, "LAYER", {"n_steps": 100}),
        (check_metaopt, "PLAIN", {"n_steps": 100}),
        (check_prism, "FOURIER", {"n_steps": 100}),
        (check_window, "LINEAR", {"n_steps": 100}),
        (check_forgetting, "TEMPORARY", {"n_steps": 100}),
        (check_urns, "PLAIN", {"n_steps": 100}),
        (check_factors, "QUICK", {"n_steps": 100}),
        (check_automata, "SETTINGS", {"n_steps": 100, "n_tokens": 48}),
    ],
)
def test_a_training_that_is_too_short_does_not_hold(module, name, short, monkeypatch):
    monkeypatch.setattr(module, name, replace(getattr(module, name), **short))
    monkeypatch.setattr("lab.worlds.growth.N_MEASURED", 4)
    monkeypatch.setattr(check_properties, "SHARES", (0.0, 1.0))
    for other in ("ONE", "WEIGHTS", "BOTH", "MIXTURE", "NONE", "ACTIVE", "ZIPF"):
        if hasattr(module, other):
            monkeypatch.setattr(module, other, replace(getattr(module, other), n_steps=100))
    result = module.check(True, None)
    assert result.holds is False
    verdicts = [each["verdict"] for each in result.claims]
    assert "does not hold here" in verdicts
    assert all(rows for rows in result.tables.values())
