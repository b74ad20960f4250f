"""Learners that come with the lab: written as they were, found by their run, those that answered it."""

import math

import pytest
import torch
from safetensors import safe_open

from lab.experiments import EXPERIMENTS
from lab.experiments.registry import build_params, find_experiment
from lab.experiments.worlds import grown
from lab.experiments.worlds.ship import SHIPPED, Shipment, ship
from lab.runs.examples import list_examples, read_example
from lab.ui.opened import Opened
from lab.ui.worlds.rooms import ROOMS, world_of
from lab.worlds import shipped
from lab.worlds.growth import Growth
from lab.worlds.linear import Linear, LinearSettings
from lab.worlds.shelf import Kept

WORLD = Linear(LinearSettings(n_steps=200), 3)
WORLDS = {each.experiment for each in SHIPPED.values()}
EXAMPLES = {each.slug: each for each in list_examples() if each.recipe.experiment in WORLDS}


def slug_of(name: str) -> str:
    """Return where a learner's run is: its paper, and what it is beside the first learner there."""
    experiment, _, contrast = SHIPPED[name]
    return "-".join(filter(None, (find_experiment(EXPERIMENTS, experiment).paper, contrast)))


@pytest.fixture(scope="module")
def kept() -> Kept:
    growth = Growth(WORLD, 3, 20)
    history = list(growth.moments())
    return Kept(WORLD, growth.learner.eval(), growth.snapshots, history)


def test_a_learner_is_read_as_it_was_but_for_half_precision(kept, tmp_path):
    path = shipped.write("a1a1a1a1a1a1", kept, {"command": "none"}, tmp_path)
    assert path.name == "linear-regression-a1a1a1a1a1a1.safetensors"
    found = shipped.find("a1a1a1a1a1a1", WORLD, tmp_path)
    for name, value in found.learner.state_dict().items():
        assert torch.equal(value, kept.learner.state_dict()[name].half().float())
    assert found.snapshots.steps[0] == 0 and found.snapshots.steps[-1] == 200
    measured = [each for each in kept.history if each.measures]
    assert [each.measures for each in found.history] == [each.measures for each in measured]
    assert math.isnan(found.history[0].loss) and found.history[-1].loss == measured[-1].loss


def test_earlier_snapshots_are_within_half_a_step_of_eight_bits_rounded_to_half_precision(kept, tmp_path):
    shipped.write("a1a1a1a1a1a1", kept, {}, tmp_path)
    found = shipped.find("a1a1a1a1a1a1", WORLD, tmp_path)
    for step in found.snapshots.steps[:-1]:
        for name, value in found.snapshots.states[step].items():
            there = kept.snapshots.states[step][name].float()
            most = (
                there.abs().amax(tuple(range(1, there.dim())), keepdim=True) if there.dim() > 1 else 0 * there
            )
            assert ((value.float() - there).abs() <= most * (1 / 254 + 1 / 2048) + 1e-6).all()


def test_as_many_snapshots_ship_as_fit(kept, tmp_path, monkeypatch):
    whole = shipped.write("a1a1a1a1a1a1", kept, {}, tmp_path).stat().st_size
    n_all = len(shipped.find("a1a1a1a1a1a1", WORLD, tmp_path).snapshots.steps)
    assert n_all == len(kept.snapshots.steps)
    one = shipped._n_bytes(shipped._packed(kept.snapshots.states[0]))
    monkeypatch.setattr(shipped, "MAX_BYTES", whole - 4 * one)
    assert shipped.write("b2b2b2b2b2b2", kept, {}, tmp_path).stat().st_size <= whole - 4 * one
    steps = shipped.find("b2b2b2b2b2b2", WORLD, tmp_path).snapshots.steps
    assert n_all // 3 < len(steps) < n_all
    assert (steps[0], steps[-1]) == (0, 200)


def test_a_new_learner_takes_the_place_of_its_worlds_last(kept, tmp_path):
    shipped.write("a1a1a1a1a1a1", kept, {}, tmp_path)
    assert shipped.write("b2b2b2b2b2b2", kept, {}, tmp_path) == next(iter(tmp_path.iterdir()))
    assert len(list(tmp_path.iterdir())) == 1


def test_what_does_not_ship_is_refused_with_what_does():
    with pytest.raises(ValueError, match="induction, abrupt, properties"):
        ship("position")


def test_a_large_learner_keeps_its_first_and_last_snapshot(kept, tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "MAX_BYTES", 1)
    shipped.write("a1a1a1a1a1a1", kept, {}, tmp_path)
    assert shipped.find("a1a1a1a1a1a1", WORLD, tmp_path).snapshots.steps == [0, 200]


@pytest.mark.parametrize("run_id", ["b2b2b2b2b2b2", "", "../a1a1a1a1a1a1", "*"])
def test_a_run_without_a_learner_finds_none(kept, tmp_path, run_id):
    shipped.write("a1a1a1a1a1a1", kept, {}, tmp_path)
    assert shipped.find(run_id, WORLD, tmp_path) is None


def test_every_world_of_the_page_ships_a_finished_run():
    assert set(EXAMPLES) == {slug_of(name) for name in SHIPPED}
    assert {room.id for room in ROOMS} == WORLDS
    assert all(not SHIPPED[room.id].contrast for room in ROOMS)
    assert len(list(shipped.FOLDER.glob("*.safetensors"))) == len(SHIPPED)


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.id)
def test_what_a_world_shows_first_is_its_first_preset(room):
    first, *others = Opened.all_shipped(room.id)
    assert first.params == build_params(find_experiment(EXPERIMENTS, room.id), {})
    assert first == Opened.first_shipped(room.id)
    assert all(other.params != first.params for other in others)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_learner_is_the_one_that_answered_the_shipped_run(name):
    example, shipment = EXAMPLES[slug_of(name)], SHIPPED[name]
    opened = Opened.shipped(example.slug)
    world, params = world_of(opened), opened.params
    assert params == build_params(find_experiment(EXPERIMENTS, shipment.experiment), shipment.values)
    kept = shipped.find(example.recipe.id, world)
    drawn = params.layouts[0]
    first = read_example(example.slug).predictions.query("layout == @drawn")
    sweep = grown._Sweep(world, kept.learner, params)
    rows = [row for batch in sweep.batches if batch.layout == drawn for row in sweep.evaluate(batch)]
    said = {row.query_id: row.prediction for row in rows if row.layout == drawn}
    agree = [said[row.query_id] == row.prediction for row in first.itertuples()]
    assert sum(agree) >= 0.97 * len(agree)  # weights are in half precision


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_file_is_small_and_says_what_made_it(name):
    (path,) = shipped.FOLDER.glob(f"{slug_of(name)}-{EXAMPLES[slug_of(name)].recipe.id}.safetensors")
    assert path.stat().st_size < (300_000 if SHIPPED[name].contrast else 520_000)
    with safe_open(path, framework="pt") as file:
        made_by = file.metadata()["made_by"]
    assert f'python -m lab.experiments.worlds.ship {name}"' in made_by and "commit" in made_by


def test_what_ships_is_made_by_one_call(tmp_path, monkeypatch):
    tiny = {"n_steps": 200, "n_queries": 10}
    monkeypatch.setitem(SHIPPED, "linear", Shipment("linear", tiny))
    monkeypatch.setitem(SHIPPED, "linear-one-head", Shipment("linear", tiny | {"n_heads": 1}, "one-head"))
    for name in ("linear-one-head", "linear", "linear"):  # neither takes the other's place
        assert ship(name, tmp_path / "learners", tmp_path / "runs").is_file()
    assert len(list((tmp_path / "learners").iterdir())) == 2
    for slug in ("linear-regression", "linear-regression-one-head"):
        assert (tmp_path / "runs" / slug / "predictions.csv").is_file()
