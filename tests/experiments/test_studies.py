"""Stored studies: kept with what they were measured with, shown beside a check, never instead of one."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lab.__main__ import main
from lab.cli import show
from lab.experiments import EXPERIMENTS, studies
from lab.experiments.registry import CheckResult
from lab.runs.environment import environment

CLAIMS = [{"claim": "a", "measured": "b", "verdict": "holds"}]


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.setattr(studies, "FOLDER", tmp_path / "studies")
    result = CheckResult("ic-lora", True, CLAIMS, {"measures": [{"value": np.float64(0.5), "n": 3}]})
    studies.keep(result, {"probe/model.safetensors": "abc"}, environment())
    return tmp_path / "studies" / "ic-lora.json"


def test_a_study_comes_back_as_it_was_kept(kept):
    study = studies.stored("ic-lora")
    assert (
        study.holds is True
        and study.claims == CLAIMS
        and study.tables["measures"] == [{"value": 0.5, "n": 3}]
    )
    assert json.loads(kept.read_text())["environment"]["commit"]
    assert studies.stored("icl-ood") is None


def test_its_provenance_says_whether_the_weights_are_the_same(kept):
    study = studies.stored("ic-lora")
    same = study.provenance({"probe/model.safetensors": "abc", "more": "x"})
    assert "with these weights" in same and "cores of" in same
    other = study.provenance({"probe/model.safetensors": "def"})
    assert "with other weights (probe/model.safetensors)" in other


def test_a_check_shows_the_study_but_judges_by_what_it_measured(kept, monkeypatch, capsys, own_lab_home):
    (entry,) = [each for each in EXPERIMENTS if each.id == "panels"]
    failed = CheckResult("ic-lora", False, [{"claim": "c", "measured": "d", "verdict": "does not hold here"}])
    registry = [replace(entry, check=lambda is_quick, store: failed, weights=dict)]
    assert show.check(lambda: registry, "ic-lora", True, False) == 1
    told = capsys.readouterr().out
    assert "Stored, not measured now: full study of" in told and told.endswith(
        "ic-lora: does not hold here\n"
    )
    assert show.check(lambda: registry, "ic-lora", True, True) == 1
    assert json.loads(capsys.readouterr().out)["study"]["holds"] is True


def test_only_a_full_check_can_be_kept(capsys, own_lab_home):
    assert main(["check", "ic-lora", "--quick", "--keep"]) == 2
    assert "leave --quick away" in capsys.readouterr().err


def test_the_readme_shows_what_holds_in_the_stored_studies():
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert studies.table() in readme, "write into the README what `python -m lab.experiments.studies` prints"


def test_claims_are_counted_by_their_verdicts(kept):
    claims = [{"verdict": verdict} for verdict in ("holds", "holds", "undecided", "told, not judged")]
    study = json.loads(kept.read_text(encoding="utf-8")) | {"claims": claims}
    kept.write_text(json.dumps(study), encoding="utf-8")
    assert studies.table().splitlines()[-1] == "| [ic-lora](docs/papers/ic-lora.md) | 2 |  | 1 |"
