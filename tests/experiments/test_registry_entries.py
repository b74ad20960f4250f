"""Every experiment of the registry can be found, read, built, checked and run from its entry alone."""

import pytest
from polygons import polygon_atlas
from tiny_images import ship_tiny, ship_tiny_generator
from tiny_vision import colour_backbone

from lab.experiments import EXPERIMENTS
from lab.experiments.events import Cost, Result
from lab.experiments.registry import build_params
from lab.papers import PAPERS, declared_experiments
from lab.runs.recipe import Recipe
from lab.runs.store import Store
from lab.vision.painter import new_painter
from lab.vision.stacker import new_stacker

by_id = pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.id)
SMALL = {"n_queries": 4, "n_demos": 2, "device": "cpu", "dtype": "float32"}
MORE = {
    "order": {"n_orders": 2, "n_held_out": 2},
    "factorial": {"n_orders": 2, "n_sets": 2, "slots": "sum,eum"},
}
# drawn by small random weights that are shipped for the test
DRAWN = {
    "panels": {"n_queries": 2, "n_steps": 1},
    "sets": {"n_queries": 2, "n_steps": 1, "arms": "base,lora"},
    "brush": {"n_queries": 2, "n_steps": 1, "strengths": "0,0.3"},
    "generated": {"n_queries": 2, "n_steps": 1, "arms": "base,trained,generated"},
}
SEEN = {
    "segmentation": {"examples": "parrot", "n_examples": 2},
    "painting": {"n_queries": 2},
    "copies": {"n_queries": 4, "n_references": 8},
}
TRAINED = {
    "induction": {"n_queries": 4, "n_steps": 100, "n_heads": 1},
    "abrupt": {"n_queries": 4, "n_steps": 100, "n_classes": 32},
    "linear": {"n_queries": 4, "n_steps": 200},
    "prism": {"n_queries": 4, "n_steps": 200},
    "window": {"n_queries": 4, "n_steps": 200},
    "urns": {"n_queries": 4, "n_steps": 100, "n_urns": 4},
    "forgetting": {"n_queries": 4, "n_steps": 100},
    "automata": {"n_queries": 4, "n_steps": 100, "n_tokens": 48},
    "factors": {"n_queries": 4, "n_steps": 100},
    "properties": {"n_queries": 4, "n_steps": 100, "n_classes": 32},
    "softmax": {"n_queries": 4, "n_steps": 100},
    "metaopt": {"n_queries": 4, "n_steps": 100, "n_pairs": 2},
}


def see_with_tiny_networks(monkeypatch):
    painter, stacker = new_painter(width=32, n_layers=3, n_heads=2).eval(), new_stacker(38).eval()
    monkeypatch.setattr("lab.vision.lite.lite0", colour_backbone)
    monkeypatch.setattr("lab.experiments.painting.load_painter", lambda: painter)
    monkeypatch.setattr("lab.experiments.copies.load_stacker", lambda *_: stacker)
    monkeypatch.setattr("lab.images.emoji.atlas", polygon_atlas)


def test_ids_are_distinct_and_named_to_the_papers():
    ids = [experiment.id for experiment in EXPERIMENTS]
    assert len(set(ids)) == len(ids)
    first = {experiment.paper: experiment.id for experiment in reversed(EXPERIMENTS)}
    assert declared_experiments() == first


@by_id
def test_its_paper_is_one_of_the_list(experiment):
    assert experiment.paper in {paper.id for paper in PAPERS}


@by_id
def test_its_recipe_survives_json(experiment):
    params = build_params(experiment, experiment.example)
    recipe = Recipe.from_json(experiment.recipe(params).to_json())
    assert recipe.id == experiment.recipe(params).id
    assert build_params(experiment, recipe.params) == params


@by_id
def test_its_parameters_have_defaults_that_are_valid(experiment):
    assert experiment.params() == build_params(experiment, {})


@by_id
def test_it_runs_on_a_tiny_model_and_is_found_finished(experiment, model, label_task, tmp_path, monkeypatch):
    values = {**SMALL, **MORE.get(experiment.id, {}), "model": model, "task": label_task}
    if experiment.id in DRAWN:
        ship_tiny(tmp_path, monkeypatch)
        ship_tiny_generator(tmp_path, monkeypatch)
        values = DRAWN[experiment.id]
    if experiment.id in SEEN:
        see_with_tiny_networks(monkeypatch)
        values = SEEN[experiment.id]
    if experiment.id in TRAINED:
        monkeypatch.setattr("lab.worlds.growth.N_MEASURED", 1)
        values = TRAINED[experiment.id]
    if experiment.id == "protocol":
        values["tasks"] = label_task
    params = build_params(experiment, values)
    with Store() as store:
        cost, *_, result = experiment.run(params, store)
        assert isinstance(cost, Cost) and isinstance(result, Result)
        assert result.run_id == experiment.recipe(params).id
        assert store.status(result.run_id)[0] == "finished"
        assert store.summary(result.run_id)["experiment"] == experiment.id
        (again,) = experiment.run(params, store)
    assert again.verdict == result.verdict
