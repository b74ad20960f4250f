"""Recipes: one canonical form, one id, links that survive, and nothing malformed gets through."""

import base64
import hashlib
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.runs.recipe import LIMIT_BYTES, Recipe

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def packed(text: str) -> str:
    return base64.urlsafe_b64encode(zlib.compress(text.encode())).decode().rstrip("=")


def test_id_is_the_hash_of_the_sorted_json_whatever_the_order_of_params():
    canonical = '{"experiment":"demo","params":{"a":1,"b":[2,3]},"version":1}'
    recipe = Recipe("demo", {"b": (2, 3), "a": 1})
    assert recipe.to_json() == canonical
    assert recipe.id == hashlib.sha256(canonical.encode()).hexdigest()[:12]
    assert Recipe("demo", {"a": 1, "b": [2, 3]}).id == recipe.id
    assert Recipe("demo", {"a": 2, "b": [2, 3]}).id != recipe.id


@given(st.dictionaries(st.text(), JSON_VALUES, max_size=4))
def test_json_and_links_read_back_the_same_recipe(params):
    recipe = Recipe("demo", params)
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert Recipe.from_link(recipe.to_link()) == recipe


def test_a_later_change_of_the_given_params_does_not_reach_the_recipe():
    given_params = {"slots": ["sum"]}
    recipe = Recipe("demo", given_params)
    given_params["slots"].append("eum")
    assert recipe.params == {"slots": ["sum"]}


def test_a_short_recipe_links_as_json_and_a_long_one_is_packed():
    assert Recipe("d", {}).to_link().startswith("{")
    long = Recipe("demo", {"layouts": ["sum", "eum", "ssp", "esp"] * 30, "task": "sentiment"})
    assert set(long.to_link()) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert len(long.to_link()) < len(long.to_json()) / 2
    assert Recipe.from_link("%7B%22experiment%22:%22d%22,%22params%22:%7B%7D,%22version%22:1%7D").id


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be JSON"),
        ("{", "must be JSON"),
        ("[1]", "must be a JSON object, got list"),
        ('{"experiment":"d","params":{}}', "missing: version"),
        ('{"experiment":"d","params":{},"version":1,"seed":0}', "unknown: seed"),
        ('{"experiment":"d","params":{},"version":2}', "version must be 1, got 2"),
        ('{"experiment":"d","params":{},"version":true}', "version must be 1"),
        ('{"experiment":"d","params":{},"version":"1"}', "version must be 1"),
        ('{"experiment":"../d","params":{},"version":1}', "lower-case letters"),
        ('{"experiment":7,"params":{},"version":1}', "lower-case letters"),
        ('{"experiment":"d","params":[],"version":1}', "must be an object"),
        ('{"experiment":"d","params":{"x":NaN},"version":1}', "finite"),
        ('{"experiment":"d","params":{"x":1e999},"version":1}', "finite"),
        ("[" * 60000, "nested too deeply"),
        ('{"experiment":"d","params":{"x":' + "9" * 5000 + '},"version":1}', "must be JSON"),
        ('"' + "x" * LIMIT_BYTES + '"', f"at most {LIMIT_BYTES} bytes"),
    ],
)
def test_a_malformed_recipe_is_refused_with_its_reason(text, message):
    with pytest.raises(ValueError, match=message):
        Recipe.from_json(text)


@pytest.mark.parametrize("params", [{"x": float("nan")}, {"x": object()}, {1: 2}, {"x": "y" * LIMIT_BYTES}])
def test_params_that_json_cannot_hold_are_refused(params):
    with pytest.raises(ValueError, match="recipe"):
        Recipe("demo", params)


def test_a_malformed_link_is_refused_with_a_remedy():
    whole = packed(Recipe("demo", {"layouts": list(range(200))}).to_json())
    for link in ("!!!", "AAAA", "é", whole[:-8], whole[:40], whole + "AAAA", packed("[1]"), packed("\x00")):
        with pytest.raises(ValueError, match=r"copy the whole link|recipe must be"):
            Recipe.from_link(link)


def test_a_link_that_unpacks_to_gigabytes_is_refused_without_unpacking():
    bomb = packed(json.dumps({"x": "0" * 20_000_000}))
    assert len(bomb) < LIMIT_BYTES
    with pytest.raises(ValueError, match="at most 65536 bytes"):
        Recipe.from_link(bomb)
