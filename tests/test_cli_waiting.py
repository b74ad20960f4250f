"""The terminal where a model of the project's own is not trained yet: nothing pretends."""

import json

import pytest

from lab import papers
from lab.__main__ import main


@pytest.fixture
def untrained(tmp_path, monkeypatch):
    from lab.images import model, shelf

    monkeypatch.setattr(papers, "_ASSETS", tmp_path)
    monkeypatch.setattr(model, "EMBEDDED", tmp_path)
    monkeypatch.setattr(shelf, "embedded", lambda: model.load_embedded(tmp_path))


def test_its_experiments_are_planned(untrained, capsys):
    assert main(["list", "--json"]) == 0
    state = {row["id"]: row["state"] for row in json.loads(capsys.readouterr().out)}
    assert state["panels"] == state["sets"] == "planned" and state["position"] == "ready"


def test_its_check_could_not_be_run_and_names_the_remedy(untrained, capsys):
    assert main(["check", "ic-lora", "--quick"]) == 2
    assert "python -m lab.images.train all" in capsys.readouterr().err
