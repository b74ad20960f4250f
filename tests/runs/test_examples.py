"""Shipped examples: made by the shipped code, readable without a model, and at home in a store."""

import json
from dataclasses import replace

import pytest
from pandas.testing import assert_frame_equal

from lab.runs.examples import FOLDER, adopt, list_examples, machine_of, read_example
from lab.runs.export import write_run
from lab.runs.recipe import Recipe
from lab.runs.store import Row, Store

SHIPPED = [example.slug for example in list_examples()]
RECIPE = Recipe("position", {"task": "topic", "seed": 0})
MADE = {
    "cpu": "A processor",
    "cores": 2,
    "time": "2026-11-25T01:00:00+00:00",
    "model": {"device": "cpu", "dtype": "float32"},
}


def row(query: int, layout: str) -> Row:
    logp = {"a": -0.25 - query, "b": -1 / 3}
    said = max(logp, key=logp.get)
    return Row(
        f"q{query}", layout, said, "a", float(said == "a"), 0.5, logp, 9, 0.1, f"p{query}\u2028", (" a", " b")
    )


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "lab.sqlite3") as opened:
        yield opened


@pytest.fixture
def folder(tmp_path):
    """Export a run as the terminal does, and list it as an example."""
    with Store(tmp_path / "origin.sqlite3") as origin:
        run_id = origin.begin(RECIPE, MADE)
        rows = [row(query, layout) for layout in ("sum", "eum") for query in range(3)]
        rows[0] = replace(rows[0], logp={}, margin=float("nan"), answer="it is a", candidates=())
        origin.add_batch(run_id, 0, rows)
        origin.finish(run_id, {"verdict": "No difference."})
        write_run(origin, run_id, tmp_path / "examples" / "first")
        origin.predictions(run_id).to_pickle(tmp_path / "predictions.pickle")
    (tmp_path / "examples" / "examples.json").write_text(
        json.dumps([{"slug": "first", "title": "A first run"}]), encoding="utf-8"
    )
    return tmp_path / "examples"


def test_an_example_names_its_recipe_machine_and_day(folder):
    (example,) = list_examples(folder)
    assert (example.slug, example.title, example.recipe) == ("first", "A first run", RECIPE)
    assert (example.machine, example.date) == ("A processor, 2 cores, float32 on cpu", "2026-11-25")


def test_no_examples_are_listed_where_none_are_shipped(tmp_path):
    assert list_examples(tmp_path) == []


def test_an_unknown_example_is_refused_with_those_there_are(folder):
    for slug in ("../first", "none", ""):
        with pytest.raises(ValueError, match="example must be one of first, got"):
            read_example(slug, folder)


def test_an_adopted_example_equals_the_run_it_was_exported_from(folder, store, tmp_path):
    import pandas as pd

    run_id = adopt(store, "first", folder)
    assert run_id == RECIPE.id and store.status(run_id) == ("finished", "")
    expected = pd.read_pickle(tmp_path / "predictions.pickle")
    assert_frame_equal(store.predictions(run_id), expected, check_exact=True)
    assert_frame_equal(read_example("first", folder).predictions, expected, check_exact=True)
    prompts = store.prompts(run_id)
    assert prompts["prompt"][1] == "p1\u2028" and prompts["candidates"][1] == [" a", " b"]
    assert "it is a" in set(store.answers(run_id)["answer"])
    assert store.summary(run_id) == {"verdict": "No difference."}
    assert store.environment(run_id)["example"] == "first"


def test_adopting_twice_changes_nothing(folder, store):
    run_id = adopt(store, "first", folder)
    before = store.runs()["updated"][0]
    assert adopt(store, "first", folder) == run_id
    assert store.runs()["updated"][0] == before and len(store.predictions(run_id)) == 6


def test_an_adoption_that_was_interrupted_is_ended_by_the_next(folder, store):
    store.begin(RECIPE, MADE)
    assert store.status(adopt(store, "first", folder))[0] == "finished"


def test_ones_own_unfinished_run_of_the_same_recipe_is_left_alone(folder, store):
    run_id = store.begin(RECIPE, MADE)
    store.add_batch(run_id, 0, [row(0, "sum")])
    store.set_status(run_id, "stopped")
    assert adopt(store, "first", folder) == run_id
    assert store.status(run_id)[0] == "stopped" and len(store.predictions(run_id)) == 1


def test_a_machine_that_was_not_recorded_is_unknown():
    assert machine_of({}) == "unknown"


@pytest.mark.parametrize("slug", SHIPPED)
def test_a_shipped_example_was_made_by_the_shipped_code(slug):
    from lab.experiments import EXPERIMENTS
    from lab.experiments.registry import build_params, find_experiment
    from lab.runs.plain import plain

    example = read_example(slug)
    experiment = find_experiment(EXPERIMENTS, example.recipe.experiment)
    params = build_params(experiment, example.recipe.params)
    assert experiment.recipe(params) == example.recipe
    assert set(example.predictions["run_id"]) == {example.recipe.id}
    # what is not in the predictions table: prices, and what answers were measured by
    priced = {"n_tokens", "n_tokens_saved", "notes"}
    measured = {"pixel_change", "pixel_sentence", "quality", "micro_ap"}
    kept = (priced | measured) & example.summary.keys()
    result = experiment.summarise(example.predictions, params, example.recipe.id)
    recomputed = json.loads(json.dumps(plain(result.summary)))
    stored = {key: value for key, value in example.summary.items() if key not in kept}
    assert close(recomputed, stored) == ""


@pytest.mark.parametrize("slug", SHIPPED)
def test_a_shipped_examples_predictions_follow_from_its_scores(slug):
    predictions = read_example(slug).predictions
    columns = [name for name in predictions if name.startswith("logp_")]
    scored = predictions.dropna(subset=columns, how="all") if columns else predictions.iloc[:0]
    best = scored[columns].idxmax(axis=1).str.removeprefix("logp_")
    assert (best == scored["prediction"]).all()
    asked = scored[~scored["query_id"].str.startswith("content-free:")]
    assert ((asked["prediction"] == asked["gold"]).astype(float) == asked["correct"]).all()


@pytest.mark.parametrize("slug", SHIPPED)
def test_a_shipped_example_has_a_prompt_for_every_prediction(slug):
    example = read_example(slug)
    keys = [set(zip(t["query_id"], t["layout"], strict=True)) for t in (example.predictions, example.prompts)]
    assert keys[0] == keys[1] and example.prompts["prompt"].str.len().min() > 0


def test_every_folder_of_examples_is_listed():
    folders = {path.name for path in FOLDER.iterdir() if path.is_dir()} if FOLDER.exists() else set()
    assert folders == set(SHIPPED)


def close(found, stored, where: str = "summary") -> str:
    """Compare nested plain values, numbers to nine digits; say where they first differ, "" if nowhere."""
    if isinstance(found, dict) and isinstance(stored, dict):
        if found.keys() != stored.keys():
            return f"{where} has keys {sorted(found.keys() ^ stored.keys())} on one side only"
        return next(filter(None, (close(found[key], stored[key], f"{where}.{key}") for key in found)), "")
    if isinstance(found, list) and isinstance(stored, list) and len(found) == len(stored):
        pairs = enumerate(zip(found, stored, strict=True))
        return next(filter(None, (close(a, b, f"{where}[{at}]") for at, (a, b) in pairs)), "")
    is_number = isinstance(found, float | int) and isinstance(stored, float | int)
    same = found == pytest.approx(stored, rel=1e-9, abs=1e-12) if is_number else found == stored
    return "" if same else f"{where}: recomputed {found!r}, stored {stored!r}"
