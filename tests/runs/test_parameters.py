"""Parameters: however they are given, typed, from a form or from a recipe, they name the same run."""

import json
import runpy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pytest

from lab.experiments.registry import Experiment, build_params, parse_params

ADDING: Experiment = runpy.run_path(str(Path(__file__).parent / "adding.py"))["ADDING"]


def test_typed_parameters_get_their_types():
    params = parse_params(
        ADDING, ["n_queries=3", "noise=1", "is_quiet=Yes", "layouts=sum, eum", "task=a=b.csv", "n_queries=4"]
    )
    assert (params.n_queries, params.noise, params.is_quiet) == (4, 1.0, True)
    assert (params.layouts, params.task) == (("sum", "eum"), "a=b.csv")
    assert parse_params(ADDING, ['layouts=["sum,x"]']).layouts == ("sum,x",)
    assert parse_params(ADDING, ["layouts="]).layouts == ()
    assert build_params(ADDING, {"n_queries": 5.0, "noise": 2, "layouts": ["sum"]}) == replace(
        parse_params(ADDING, []), n_queries=5, noise=2.0, layouts=("sum",)
    )
    for values in ({"n_queries": True}, {"noise": False}, {"task": 3}, {"layouts": 3}, {"is_quiet": 2}):
        with pytest.raises(ValueError, match="must be"):
            build_params(ADDING, values)


def test_choices_and_optional_parameters_are_understood():
    @dataclass(frozen=True)
    class Params:
        slot: Literal["sum", "eum"] = "sum"
        seed: int | None = None
        sizes: tuple[int, ...] = ()

    experiment = replace(ADDING, params=Params)
    assert parse_params(experiment, ["slot=eum", "seed=3", "sizes=1,2"]) == Params("eum", 3, (1, 2))
    assert parse_params(experiment, ["seed=none"]) == Params()
    with pytest.raises(ValueError, match="slot must be one of sum, eum, got 'top'"):
        parse_params(experiment, ["slot=top"])


def test_one_recipe_has_one_run_however_its_parameters_were_given():
    typed = parse_params(ADDING, ["noise=1", "layouts=sum,eum"])
    from_json = build_params(ADDING, json.loads(json.dumps({"layouts": ["sum", "eum"], "noise": 1})))
    assert ADDING.recipe(typed).id == ADDING.recipe(from_json).id
