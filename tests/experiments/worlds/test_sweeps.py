"""Sweeps: every cell trained once, gone on with after a stop, and those stored told with what made them."""

import json
from dataclasses import replace

import pytest

from lab.experiments.worlds import sweeps
from lab.experiments.worlds.sweeps import PLANS, SEEDS, stored, sweep, train_cell

TINY = replace(
    PLANS["abrupt"], x=("n_classes", (32, 64)), y=("p_bursty", (0.0, 1.0)), settings={"n_steps": 100}
)


@pytest.fixture
def tiny(monkeypatch):
    """Make the plan small, and train in this process."""
    monkeypatch.setitem(PLANS, "abrupt", TINY)
    monkeypatch.setattr(sweeps, "SEEDS", (0,))

    class Here:
        def __init__(self, *_):
            self.submitted = []

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def submit(self, function, *arguments):
            from concurrent.futures import Future

            future = Future()
            future.set_result(function(*arguments))
            return future

    monkeypatch.setattr(sweeps, "ProcessPoolExecutor", Here)


def test_a_broken_off_sweep_trains_only_the_cells_that_are_missing(tiny, tmp_path, monkeypatch):
    list(sweep("abrupt", tmp_path / "work", folder=tmp_path))
    whole = stored("abrupt", tmp_path)
    assert [(row["p_bursty"], row["n_classes"]) for row in whole.rows] == [
        (0.0, 32), (0.0, 64), (1.0, 32), (1.0, 64),
    ]  # fmt: skip
    (done,) = (tmp_path / "work").iterdir()
    done.write_text("".join(line + "\n" for line in done.read_text().splitlines()[:3]))
    trained = []

    def counted(experiment, cell):
        trained.append(cell)
        return train_cell(experiment, cell)

    monkeypatch.setattr(sweeps, "train_cell", counted)
    list(sweep("abrupt", tmp_path / "work", folder=tmp_path))
    assert len(trained) == 1
    again = stored("abrupt", tmp_path)
    assert [_measured(row) for row in again.rows] == [_measured(row) for row in whole.rows]


def test_cells_of_another_commit_are_trained_again(tiny, tmp_path, monkeypatch):
    list(sweep("abrupt", tmp_path / "work", folder=tmp_path))
    monkeypatch.setattr(sweeps, "environment", lambda: {"commit": "f" * 40, "cpu": "another"})
    told = list(sweep("abrupt", tmp_path / "work", folder=tmp_path))
    assert len([line for line in told if line.startswith(("1 of 4", "4 of 4"))]) == 2
    assert len(list((tmp_path / "work").iterdir())) == 2
    assert {row["cpu"] for row in stored("abrupt", tmp_path).rows} == {"another"}


def test_a_cell_is_what_a_training_with_its_settings_ends_at(monkeypatch):
    from lab.worlds.abrupt import Abrupt, AbruptSettings
    from lab.worlds.growth import Growth

    monkeypatch.setitem(PLANS, "abrupt", TINY)
    found = train_cell("abrupt", {"n_classes": 64, "p_bursty": 0.0, "seed": 1})
    world = Abrupt(AbruptSettings(n_classes=64, p_bursty=0.0, n_steps=100), 1)
    *_, last = Growth(world, 1, n_measured=1).moments()
    assert found["absent"] == last.measures["absent"]


def test_an_experiment_without_a_plan_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"there are plans for abrupt, .*, got 'linear'"):
        next(sweep("linear", tmp_path))


@pytest.mark.parametrize("experiment", PLANS)
def test_the_stored_sweep_is_of_every_cell_of_its_plan_with_every_seed(experiment):
    plan, found = PLANS[experiment], stored(experiment)
    wanted = {(cell[plan.x[0]], cell[plan.y[0]], seed) for cell in plan.cells() for seed in SEEDS}
    assert {(row[found.x], row[found.y], row["seed"]) for row in found.rows} == wanted
    assert len(found.rows) == len(wanted)
    assert found.settings == json.loads(json.dumps(dict(plan.settings)))
    assert found.command == f"{sweeps.COMMAND} {experiment}"
    assert found.environment["commit"] and not found.environment["commit"].endswith("-dirty")


def _measured(row):
    return {name: value for name, value in row.items() if name != "seconds"}
