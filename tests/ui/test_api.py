"""The API: which endpoints are public, and that a program gets the numbers that the core gives."""

import math

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from running_app import running_app

from lab.ui.api import ENDPOINTS

DEMOS = [
    {"input": "A warm and funny film.", "output": "positive"},
    {"input": "Two hours I want back.", "output": "negative"},
]
ASKED = {"query": "I would see it again tomorrow.", "labels": ["positive", "negative"], "demos": DEMOS}


@pytest.fixture(scope="session")
def app_url() -> str:
    """Launch the app once for all tests."""
    return running_app()


@pytest.fixture(scope="module")
def client(app_url: str) -> Client:
    """Connect as a program does."""
    return Client(app_url, verbose=False)


def test_exactly_the_documented_endpoints_are_public(client):
    api = client.view_api(return_format="dict")
    assert sorted(api["named_endpoints"]) == [f"/{name}" for name in ENDPOINTS]
    assert api["unnamed_endpoints"] == {}


def test_every_public_parameter_has_a_name_and_all_but_the_question_a_default(client):
    api = client.view_api(return_format="dict")["named_endpoints"]
    without = {
        name: [p["parameter_name"] for p in endpoint["parameters"] if not p["parameter_has_default"]]
        for name, endpoint in api.items()
    }
    assert without == {"/score": ["query", "labels", "demos"], "/position_sweep": [], "/order_sweep": []}


def test_score_gives_what_the_core_gives(client, default_model):
    from lab.experiments.one_query import ask
    from lab.experiments.setting import PromptSetting
    from lab.tasks.task import Query, Task

    answer = client.predict(**ASKED, slot="sum", instruction="Judge.", api_name="/score")
    task = Task(
        "x", "x", "classification", "label", "Judge.", "Input", "Output", ("positive", "negative"), (), ()
    )
    demos = tuple(f'{{"input": "{d["input"]}", "output": "{d["output"]}"}}' for d in DEMOS)
    setting = PromptSetting(task="x", selection="by hand", demos=demos)
    *_, asked = ask(default_model, task, setting, Query("q", ASKED["query"], ""), ["sum"])
    row = asked.rows[0]
    assert answer["prediction"] == row.prediction
    assert answer["logp"] == pytest.approx(row.logp, abs=1e-5)
    assert answer["margin"] == pytest.approx(row.margin, abs=1e-5)
    assert answer["prompt"] == row.prompt
    assert sum(answer["probability"].values()) == pytest.approx(1)


def test_zero_shot_needs_no_demonstrations(client):
    answer = client.predict(**{**ASKED, "demos": []}, slot="none", api_name="/score")
    assert "warm and funny" not in answer["prompt"]
    assert math.isfinite(answer["margin"])


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"labels": ["one"]}, "labels must be 2..64"),
        ({"slot": "top"}, "slot must be one of"),
        ({"demos": []}, "slot must be none without demonstrations"),
        ({"query": "  "}, "query must not be empty"),
        ({"model": "../etc"}, "model must be one of"),
        ({"demos": [{"input": "x", "output": "neutral"}]}, "choose one of positive, negative"),
        ({"query": "a " * 9900}, "too long: the longest needs"),
    ],
)
def test_a_bad_argument_is_one_sentence(client, changed, sentence):
    with pytest.raises(AppError, match=sentence):
        client.predict(**{**ASKED, **changed}, api_name="/score")


def test_position_sweep_returns_a_whole_run(client):
    run = client.predict(
        task="topic",
        layouts=["none", "sum", "eum"],
        n_queries=4,
        n_demos=2,
        seed=1,
        api_name="/position_sweep",
    )
    asked = [row for row in run["predictions"] if "+again" not in row["layout"]]
    assert len(asked) == 3 * 4
    assert {row["layout"] for row in asked} == {"none", "sum", "eum"}
    assert run["summary"]["n_queries"] == 4
    assert run["verdict"] == run["summary"]["verdict"]
    assert run["recipe"]["params"]["seed"] == 1


def test_order_sweep_returns_a_whole_run(client):
    run = client.predict(
        task="sentiment", n_orders=2, n_queries=3, n_demos=2, n_held_out=0, api_name="/order_sweep"
    )
    assert len({row["layout"] for row in run["predictions"]}) == 3
    assert run["summary"]["n_orders"] == 2


@pytest.mark.parametrize(
    ("endpoint", "values", "sentence"),
    [
        ("/position_sweep", {"n_queries": 10**9}, "n_queries must be 1..10000"),
        ("/position_sweep", {"task": "../../secret"}, "no task"),
        ("/order_sweep", {"n_orders": 10**6}, "n_orders must be 2..120"),
        ("/order_sweep", {"n_demos": 65}, "n_demos must be 1..64"),
    ],
)
def test_caps_hold_for_programs_too(client, endpoint, values, sentence):
    if endpoint == "/position_sweep" and "task" in values:
        sentence = "secret"
    with pytest.raises(AppError, match=sentence):
        client.predict(**values, api_name=endpoint)
