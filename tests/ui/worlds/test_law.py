"""The law of the urns: what is drawn is the stored study, and what a person's numbers say of its learners."""

import numpy as np
import pytest

from lab.experiments import studies
from lab.ui.worlds import law
from lab.ui.worlds.rooms import ROOMS
from lab.worlds.exact.law import Law

STUDY = studies.stored("rational-strategies")


def test_it_is_for_the_urns_alone():
    assert [room.id for room in ROOMS if law.suits(room)] == ["urns"]


@pytest.mark.parametrize("seed", law.SEEDS)
def test_with_the_fitted_numbers_it_says_what_the_study_says(seed):
    grid = law.grid_of(seed)
    foretold = grid.foretold(law.fitted(seed))
    stored = [row for row in STUDY.tables["law and learner"] if row["seed"] == seed]
    assert len(stored) == foretold.size == 287
    for row in stored:
        place = grid.n_urns.index(row["n_urns"]), grid.steps.index(row["step"])
        assert foretold[place] == pytest.approx(row["law"], abs=1e-5)
        assert grid.relative[place] == row["relative"]
    (kept,) = [each for each in STUDY.tables["laws"] if each["seed"] == seed]
    assert f"r = {kept['correlation']:.3f}" in law.figure_of(seed, law.fitted(seed)).layout.title.text


def test_bits_that_count_nothing_leave_the_evidence_alone_and_other_numbers_fit_worse():
    grid, fit = law.grid_of(0), law.fitted(0)
    assert grid.foretold(Law(1e-9, 0.0, 1e-9)) == pytest.approx(0.5, abs=1e-3)
    gap = np.abs(grid.foretold(fit) - grid.relative).mean()
    for worse in (fit._replace(gamma=4 * fit.gamma), fit._replace(alpha=1.4), fit._replace(beta=0.4)):
        assert np.abs(grid.foretold(worse) - grid.relative).mean() > gap + 0.02


def test_maps_stand_beside_each_other_in_one_scale_and_a_flat_law_has_no_correlation():
    figure = law.figure_of(1, Law(0.05, 1.5, 0.5))
    ours, theirs = figure.data
    assert (ours.zmin, ours.zmax) == (theirs.zmin, theirs.zmax) == (0, 1)
    assert list(ours.y) == list(theirs.y) == ["4", "8", "16", "32", "64", "128", "512"]
    assert law._correlation(np.ones((2, 2)), np.eye(2)) == 0


def test_a_seed_that_there_is_not_is_the_first():
    assert [law._of(each) for each in (2, "2", None, 7, 1.0)] == [2, 0, 0, 0, 1]


def test_without_a_study_there_is_no_such_tab(monkeypatch):
    monkeypatch.setattr(law, "_study", lambda: None)
    assert not any(law.suits(room) for room in ROOMS)
    assert law.fitted(0) == Law(1.0, 0.5, 0.2)
