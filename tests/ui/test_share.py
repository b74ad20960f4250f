"""Links: what is written is read back, and what is damaged becomes one sentence."""

import json
from types import SimpleNamespace
from urllib.parse import parse_qs, quote, unquote, urlparse

import pytest

from lab.experiments import EXPERIMENTS
from lab.experiments.registry import build_params
from lab.runs.recipe import Recipe
from lab.ui.composed import Composed
from lab.ui.opening import door_at
from lab.ui.share import link, read_query


def query_of(address: str) -> dict[str, str]:
    """Read an address as a browser sends it."""
    return {key: values[0] for key, values in parse_qs(urlparse(address).query).items()}


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda e: e.id)
def test_a_link_brings_back_the_setting_it_was_copied_from(experiment):
    address = link(experiment.recipe(build_params(experiment, experiment.example)))
    shared = read_query(query_of(address))
    assert shared.warning == ""
    assert shared.recipe is not None
    assert shared.recipe.experiment == experiment.id
    for key, value in experiment.example.items():
        assert shared.recipe.params[key] == (list(value) if isinstance(value, tuple) else value)


def test_a_composed_prompt_survives_a_link_with_every_character():
    composed = Composed(
        task="sentiment",
        demos=(("<b>&amp; “quotes” 日本\n?recipe=#%", "positive"), ("+ and ; and \\", "negative")),
        query="Ünïcode & <script>alert(1)</script>",
        slot="eum",
        instruction="Say so.",
    )
    shared = read_query(query_of(link(composed.recipe())))
    assert shared.warning == ""
    assert Composed.from_params(shared.recipe.params) == composed


@pytest.mark.parametrize(
    "text",
    [
        "%%%",
        "{",
        "[]",
        "null",
        "AAAA",
        '{"experiment":"position"}',
        '{"experiment":"nothing","params":{},"version":1}',
        '{"experiment":"position","params":{},"version":99}',
        '{"experiment":"position","params":{"n_queries":0},"version":1}',
        '{"experiment":"position","params":{"n_queries":"many"},"version":1}',
        '{"experiment":"position","params":{"layouts":5},"version":1}',
        '{"experiment":"position","params":{"surprise":1},"version":1}',
        '{"experiment":"compose","params":{"slot":"top"},"version":1}',
        '{"experiment":"compose","params":{"demos":[["one"]]},"version":1}',
        '{"experiment":"compose","params":{"demos":[[1,2]]},"version":1}',
        '{"experiment":"compose","params":{"query":7},"version":1}',
        "x" * 70_000,
    ],
)
def test_a_malformed_link_is_one_warning_and_the_defaults(text):
    shared = read_query({"recipe": text})
    assert shared.recipe is None
    assert shared.warning.startswith("The link could not be read: ")
    assert shared.warning.endswith("The page shows its defaults.")
    assert len(shared.warning) < 700


@pytest.mark.parametrize("query", [{}, {"recipe": ""}, {"recipe": "   "}, {"other": "1"}])
def test_an_address_without_a_recipe_is_no_warning(query):
    assert read_query(query) == (None, "")


def test_a_link_is_completed_by_the_page_on_ones_own_machine():
    address = link(Recipe("position", {"seed": 1}), {})
    assert address.startswith("?recipe=")
    assert Recipe.from_link(unquote(address.removeprefix("?recipe="))).params == {"seed": 1}


def test_a_link_on_a_space_leads_to_the_space_and_not_into_its_frame():
    recipe = Recipe("position", {"seed": 1})
    tail = f"?recipe={quote(recipe.to_link(), safe='')}"
    on_space = {"SPACE_ID": "someone/icl-lab", "SPACE_HOST": "someone-icl-lab.example"}
    assert link(recipe, on_space) == f"https://huggingface.co/spaces/someone/icl-lab{tail}"
    assert (
        link(recipe, {"SPACE_HOST": "someone-icl-lab.example"}) == f"https://someone-icl-lab.example/{tail}"
    )


def test_a_composed_recipe_holds_text_alone():
    params = json.loads(Composed(demos=(("a", "b"),)).recipe().to_json())["params"]
    assert params["demos"] == [["a", "b"]]
    assert all(isinstance(value, str) for key, value in params.items() if key != "demos")


def test_a_link_leads_to_the_experiment_whose_button_is_in_sight():
    at = {"one": SimpleNamespace(label="Worlds"), "two": SimpleNamespace(label="Worlds")}
    assert door_at("Worlds\ntwo", at) == "two"
    assert door_at("Worlds\ndraw", at) == door_at("Worlds", at) == "one"
    assert door_at("Runs\ntwo", at) is None and door_at("", at) is None
