"""The study of generated LoRAs on small random weights: its arms, its shares of the gain, its check."""

import json
import math

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_images import SEEN_HERE, ship_tiny, ship_tiny_generator

from lab.experiments import check_icm_lora, generated
from lab.experiments.check_icm_lora import CHECKED, SEEN
from lab.experiments.events import Result
from lab.experiments.generated import ARMS, BASE, GeneratedParams, gain_table, vector_of, wrong_task
from lab.images import icm, shelf
from lab.images.icm import HELD_OUT
from lab.images.tasks import TASKS, find_task
from lab.runs.store import Store
from lab.weights import WeightsError

FEW = {"n_queries": 2, "n_steps": 1, "n_examples": 2}


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """Ship a generator of noise for the tiny base."""
    folder = tmp_path_factory.mktemp("shipped")
    with pytest.MonkeyPatch.context() as patch:
        ship_tiny(folder, patch)
        ship_tiny_generator(folder, patch)
        yield


def vectors_of(params: GeneratedParams) -> dict[str, torch.Tensor]:
    model = shelf.embedded()
    loaded = icm.load(icm.FOLDER)
    return {arm: vector_of(arm, params, model, *loaded) for arm in params.arms if arm != BASE}


def table(right: dict[str, list[int]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"query_id": f"q{place}", "layout": arm, "prediction": "gold" if is_right else arm,
             "gold": "gold", "correct": float(is_right), "margin": math.nan, "n_tokens": 32, "seconds": 1.0,
             "run_id": "r"}
            for arm, marks in right.items()
            for place, is_right in enumerate(marks)
        ]
    )  # fmt: skip


def test_every_arm_draws_the_same_sets_with_a_lora_of_its_own(shipped, tmp_path):
    params = GeneratedParams(**FEW)
    with Store(tmp_path / "lab.sqlite3") as store:
        *_, result = generated.run(params, store)
        made = store.environment(result.run_id)
        (again,) = generated.run(params, store)
        summary, drawn = store.summary(result.run_id), store.answers(result.run_id)
    assert isinstance(result, Result) and again.verdict == result.verdict
    assert (result.predictions.groupby("layout").size() == 2).all()
    assert set(result.predictions["layout"]) == {*ARMS, "base+again"}
    digests = made["model"]["loras"]
    assert set(digests) == {params.lora_of(arm) for arm in ARMS[1:]}
    assert len(set(digests.values())) == len(digests)
    assert set(summary["gain_ratio"]) == set(ARMS[2:])
    json.dumps(summary, allow_nan=False)
    assert (
        drawn[drawn["layout"].isin(ARMS)].groupby("query_id")["answer"].nunique().eq(len(ARMS)).all()
    )  # no two arms draw alike


def test_the_arms_are_made_as_they_are_named(shipped):
    params = GeneratedParams(**FEW)
    _, trained = icm.load(icm.FOLDER)
    found = vectors_of(params)
    assert torch.equal(found["trained"], trained["coloured"].vector)
    mean = torch.stack([trained[task].vector for task in SEEN_HERE]).mean(0)
    torch.testing.assert_close(found["mean"], mean)
    assert any(
        torch.equal(found["nearest"], trained[task].vector) for task in SEEN_HERE if task != "coloured"
    )
    wrong = GeneratedParams("couple", ("base", "trained", "generated"), **FEW)
    assert torch.equal(found["wrong-vector"], vectors_of(wrong)["generated"])
    assert found["steps-20"].abs().max() > 0


def test_a_task_held_out_has_a_trained_lora_but_is_no_neighbour(shipped):
    params = GeneratedParams("rendered", ("base", "trained", "generated", "nearest"), **FEW)
    _, trained = icm.load(icm.FOLDER)
    found = vectors_of(params)
    assert torch.equal(found["trained"], trained["rendered"].vector)
    assert any(torch.equal(found["nearest"], trained[task].vector) for task in SEEN_HERE)


def test_a_generator_for_another_base_is_refused(shipped, monkeypatch):
    monkeypatch.setattr("lab.images.lora_vector.fingerprint", lambda model: "a new base")
    with pytest.raises(WeightsError, match="another base"):
        generated.prepare(GeneratedParams(**FEW))


@pytest.mark.parametrize("task", [task.id for task in TASKS])
def test_the_wrong_task_is_a_seen_one_of_the_same_grid_where_there_is_one(task):
    wrong = wrong_task(find_task(task))
    assert wrong.id != task and wrong.id not in HELD_OUT
    assert wrong.grid == find_task(task).grid or task == "sparklers"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"arms": ("base", "trained")}, "one more"),
        ({"arms": ("base", "generated")}, "base, trained and one more"),
        ({"arms": ("base", "trained", "mean", "mean")}, "different"),
        ({"arms": ("base", "trained", "lora")}, "an arm is one of"),
        ({"n_queries": 0}, "n_queries"),
        ({"n_examples": 21}, "n_examples"),
        ({"task": "colored"}, "nearest is 'coloured'"),
        ({"n_steps": 0}, "n_steps"),
    ],
)
def test_parameters_out_of_range_are_named(values, message):
    with pytest.raises(ValueError, match=message):
        GeneratedParams(**values)


def test_the_share_of_the_gain_is_counted_from_the_base():
    right = {"base": [0] * 40, "trained": [1] * 40, "generated": [1] * 30 + [0] * 10, "mean": [0] * 40}
    gains = gain_table(table(right)).set_index("layout")
    assert gains.loc["generated", ["gain", "ratio"]].tolist() == [0.75, 0.75]
    assert gains.loc["mean", ["gain", "ratio", "low", "high"]].tolist() == [0, 0, 0, 0]


def test_no_share_is_told_of_a_gain_that_is_not_clear():
    params = GeneratedParams(arms=("base", "trained", "generated"))
    right = {"base": [0, 1] * 10, "trained": [1, 0] * 10, "generated": [1] * 20}
    result = generated.summarise(table(right), params, "r")
    assert "no share is told" in result.verdict
    assert result.summary["gain_ratio"]["generated"]["ratio"] is None


def checked(monkeypatch, right: dict[str, list[int]], is_quick: bool = True):
    asked = []

    def run(params, store):
        asked.append(params.task)
        yield Result("r", table(right), {}, {}, "", {})

    monkeypatch.setattr(generated, "run", run)
    return check_icm_lora.check(is_quick, None), asked  # type: ignore[arg-type]


def test_the_check_holds_where_the_gain_is_reached_and_lost_with_the_wrong_examples(monkeypatch):
    marks = ([0] * 40, [1] * 36 + [0] * 4, [1] * 36 + [0] * 4, [1] * 4 + [0] * 36)
    found, asked = checked(monkeypatch, dict(zip(CHECKED, marks, strict=True)))
    assert found.holds and [claim["verdict"] for claim in found.claims] == ["holds", "holds"]
    assert asked == ["coloured"]


def test_the_check_fails_where_the_wrong_examples_do_as_well(monkeypatch):
    marks = ([0] * 40, [1] * 40, [1] * 20 + [0] * 20, [1] * 40)
    found, _ = checked(monkeypatch, dict(zip(CHECKED, marks, strict=True)))
    assert not found.holds
    assert [claim["verdict"] for claim in found.claims] == ["does not hold here", "does not hold here"]


def test_nothing_is_decided_where_the_trained_lora_gains_nothing(monkeypatch):
    found, _ = checked(monkeypatch, {arm: [0, 1] * 20 for arm in CHECKED})
    assert not found.holds
    assert [claim["verdict"] for claim in found.claims] == ["undecided", "undecided"]


def test_the_full_check_reports_every_task_and_judges_the_seen_ones_together(monkeypatch):
    marks = ([0] * 10, [1] * 10, [1] * 10, [0] * 10)
    found, asked = checked(monkeypatch, dict(zip(CHECKED, marks, strict=True)), is_quick=False)
    assert found.holds and set(asked) == {task.id for task in TASKS}
    verdicts = [claim["verdict"] for claim in found.claims]
    assert verdicts == ["holds", "holds", *["reported"] * (len(SEEN) + len(HELD_OUT))]
    assert f"of {10 * 2 * len(SEEN)} sets" in found.claims[0]["measured"]
    assert np.array_equal(np.array(SEEN), [task.id for task in TASKS if task.id not in HELD_OUT])
