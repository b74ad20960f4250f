"""Measures of stored canvases on small random weights, against naive versions."""

import numpy as np
import pytest
from tiny_images import ship_tiny

from lab.experiments import set_measures, sets
from lab.experiments.image_run import queries_of
from lab.experiments.panels import PanelsParams
from lab.experiments.set_measures import SHUFFLED, TRUE, binding, measured_sets
from lab.experiments.sets import SetsParams
from lab.images import emoji
from lab.images.pictures import from_png
from lab.images.tasks import find_task, task_sets
from lab.runs.recipe import Recipe
from lab.runs.store import Store

PARAMS = SetsParams(arms=("base", "lora", "lora+blend"), n_queries=4, n_steps=1)


@pytest.fixture(scope="module", autouse=True)
def shipped(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        ship_tiny(tmp_path_factory.mktemp("shipped"), patch)
        yield


@pytest.fixture(scope="module")
def made(shipped, tmp_path_factory):
    """Run a small study; return its table and its canvases."""
    with Store(tmp_path_factory.mktemp("store") / "lab.sqlite3") as store:
        *_, result = sets.run(PARAMS, store)
        table = measured_sets(result.run_id, PARAMS, store)
        answers = store.answers(result.run_id).set_index(["query_id", "layout"])["answer"]
    return table.set_index(["layout", "measure"]), answers


def test_every_arm_and_both_bounds_are_measured(made):
    table, _ = made
    assert set(table.index.get_level_values("layout")) == {*PARAMS.arms, TRUE, SHUFFLED}
    shares = table.drop(index=["psnr", "copy_distance", "cohesion"], level="measure")
    assert (shares["low"] <= shares["value"] + 1e-9).all() and (
        shares["value"] <= shares["high"] + 1e-9
    ).all()
    assert shares["value"].between(0, 1).all()


def test_given_panels_are_not_counted_and_their_rest_is_compared_with_the_truth(made):
    table, answers = made
    assert table.loc[("base", "concept"), "n"] == 8 and table.loc[("lora+blend", "concept"), "n"] == 4
    assert ("base", "psnr") not in table.index
    queries = queries_of(find_task("coloured"), 4, 0, are_seen=True)
    naive = []
    for query in queries:
        drawn = query.image_set.grid.split(from_png(answers[query.id, "lora+blend"]))[1].astype(float)
        error = ((drawn - query.image_set.pixels[1]) ** 2).mean()
        naive.append(10 * np.log10(255**2 / error))
    assert table.loc[("lora+blend", "psnr"), "value"] == pytest.approx(np.mean(naive))


def test_the_nearest_training_canvas_is_looked_for_among_those_that_a_lora_has_seen(made):
    table, answers = made
    seen = [
        each.canvas.astype(float) for each in task_sets(find_task("coloured"), 100, "train", 0, emoji.atlas())
    ]
    naive = [
        min(np.sqrt(((from_png(answers[query.id, "base"]) - canvas) ** 2).mean()) for canvas in seen)
        for query in queries_of(find_task("coloured"), 4, 0, are_seen=True)
    ]
    assert table.loc[("base", "copy_distance"), "value"] == pytest.approx(np.mean(naive), rel=1e-4)


def test_a_run_without_canvases_is_refused(tmp_path):
    recipe = Recipe("sets", {"task": "coloured"})
    with Store(tmp_path / "lab.sqlite3") as store:
        store.begin(recipe, {})
        with pytest.raises(ValueError, match="no canvases"):
            measured_sets(recipe.id, PARAMS, store)


@pytest.mark.parametrize(("follows", "share"), [(True, 1.0), (False, 0.0)])
def test_binding_is_the_share_of_sets_whose_readings_move_along(monkeypatch, tmp_path, follows, share):
    params = PanelsParams(n_queries=3, layouts=("1-2", "2-1"))
    queries = queries_of(find_task("coloured"), 3, 0, are_seen=False)
    blank = np.zeros((64, 128, 3), np.uint8)
    canvases = {(query.id, layout): blank for query in queries for layout in params.layouts}
    monkeypatch.setattr(set_measures, "_canvases", lambda run_id, store: canvases)
    before = np.array([["fox", "owl"]] * 3)
    told = iter([before, before[:, ::-1] if follows else before])
    monkeypatch.setattr(set_measures, "_labels", lambda drawn, asked, probe: next(told))
    with Store(tmp_path / "lab.sqlite3") as store:
        found = binding("a run", params, store, "2-1")
        assert found.value == share and found.low <= share <= found.high
        with pytest.raises(ValueError, match="has no layout '2-1\\+alone'"):
            binding("a run", params, store, "2-1+alone")
