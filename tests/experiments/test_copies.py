"""Copy detection as a run: pairs, nearest references, micro average precision, and the check."""

import json

import numpy as np
import pytest
import torch
from polygons import polygon_atlas

from lab.experiments import check_copies, copies
from lab.experiments.copies import NONE, ORACLE, RANDOM, RETRIEVED, CopiesParams, looked_for
from lab.experiments.copy_precision import pattern_of, precision_table
from lab.experiments.events import Cost, Result
from lab.runs.store import Store
from lab.vision.stacker import load_stacker, new_stacker
from lab.vision.tampers.listed import patterns

SMALL = {"n_queries": 20, "n_references": 24}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    torch.manual_seed(0)
    network = new_stacker(38).eval()
    monkeypatch.setattr("lab.images.emoji.atlas", polygon_atlas)
    monkeypatch.setattr(copies, "load_stacker", lambda *_: network)
    copies.references_of.cache_clear()
    yield
    copies.references_of.cache_clear()


def ran(params):
    with Store() as store:
        return list(copies.run(params, store))


def test_a_run_looks_for_every_query_in_every_arm():
    cost, *_, result = ran(CopiesParams(**SMALL))
    assert isinstance(cost, Cost) and isinstance(result, Result)
    assert dict(result.predictions.groupby("layout").size()) == dict.fromkeys(copies.ARMS, 20)
    assert set(result.summary["micro_ap"]) == set(copies.ARMS)
    for arm, row in result.summary["micro_ap"].items():
        assert 0 <= row["low"] <= row["micro_ap"] <= row["high"] <= 1, arm
    assert result.summary["micro_ap"][NONE]["lead"] == 0
    (again,) = ran(CopiesParams(**SMALL))
    assert again.verdict == result.verdict


def test_what_is_stored_is_what_the_network_says():
    params = CopiesParams(**SMALL)
    result = ran(params)[-1]
    sweep = copies.CopiesSweep(params)
    looked = looked_for(params, 3, sweep.references)
    found = copies.described([looked.query], [looked.oracle], sweep.network).descriptor @ sweep.known.T
    row = result.predictions.set_index(["query_id", "layout"]).loc[f"{looked.pattern.id} 4", ORACLE]
    assert row["prediction"] == str(found[0].argmax()) and row["gold"] == str(looked.original)
    assert np.isnan(row["margin"])  # a margin is in nats, and these are cosines


def test_pairs_are_of_other_pictures_and_the_oracle_of_the_same_pattern():
    params = CopiesParams(**SMALL)
    references = copies.references_of(24, 0)
    for place in range(12):
        looked = looked_for(params, place, references)
        assert looked.pattern.is_held_out
        assert not np.array_equal(looked.oracle.original, references[looked.original])
        assert not np.array_equal(looked.anything.original, references[looked.original])
        again = looked_for(params, place, references)
        assert np.array_equal(again.query, looked.query)
    assert len(copies.pool_of(params)) == copies.N_POOL * sum(each.is_held_out for each in patterns())


def test_micro_precision_is_that_of_the_ranking_with_what_is_never_found():
    answers = {
        ("swirl 1", "a"): json.dumps([[7, 0.9], [1, 0.2]]),
        ("heat 2", "a"): json.dumps([[3, 0.8], [5, 0.7]]),
        ("heat 3", "a"): json.dumps([[3, 0.6], [5, 0.5]]),
    }
    gold = {"swirl 1": "7", "heat 2": "5", "heat 3": "9"}
    (row,) = precision_table(answers, gold, ["a"]).to_dict("records")
    # .9 right, .8 wrong, .7 right: precision 1 and 2/3; the third original is never found
    assert row["micro_ap"] == pytest.approx((1 + 2 / 3) / 3)
    assert pattern_of("upside-down 12") == "upside-down"


def test_the_check_tells_gains_from_none(monkeypatch, tmp_path):
    monkeypatch.setattr(check_copies, "N_QUICK", 20)
    monkeypatch.setattr(check_copies, "LATE", tmp_path)  # the arm that concatenates is not trained here
    monkeypatch.setattr(check_copies, "CopiesParams", lambda **kw: CopiesParams(**{**kw, "n_references": 24}))
    with Store() as store:
        found = check_copies.check(True, store)
    assert found.holds is False  # random weights gain nothing from a pair
    assert [claim["verdict"] for claim in found.claims][-1] == check_copies.TOLD
    assert (
        len(found.claims) == 3
        and RANDOM in found.claims[2]["claim"]
        and RETRIEVED in found.claims[1]["claim"]
    )


def test_weights_of_the_arm_that_concatenates_are_told_by_their_shapes(tmp_path):
    from safetensors.torch import save_file

    for is_late in (False, True):
        folder = tmp_path / str(is_late)
        folder.mkdir()
        network = new_stacker(5, is_late)
        save_file(network.state_dict(), folder / "model.safetensors")
        loaded = load_stacker(folder)
        x = torch.randn(2, 9, 64, 64)
        torch.testing.assert_close(loaded(x)[0], network.eval()(x)[0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"patterns": "magic"}, "no pattern is called"),
        ({"arms": ("none", "none")}, "arms must be"),
        ({"arms": ("best",)}, "arms must be"),
        ({"arms": ()}, "arms must be"),
        ({"n_queries": 30, "n_references": 20}, "n_queries must be"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_cannot_be_asked_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        CopiesParams(**changes)
