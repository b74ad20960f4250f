"""The table of papers: 35 rows, one id each, and a state that follows the experiments."""

import re

from lab.papers import PAPERS, declared_experiments, with_experiments


def test_there_are_35_papers_with_distinct_ids_and_titles():
    assert len(PAPERS) == 35
    assert len({paper.id for paper in PAPERS}) == len({paper.title for paper in PAPERS}) == 35
    assert len({paper.arxiv for paper in PAPERS}) == 35
    for paper in PAPERS:
        assert re.fullmatch(r"[a-z0-9-]+", paper.id)
        assert re.fullmatch(r"\d{4}\.\d{5}", paper.arxiv)
        assert paper.title and paper.what and paper.claim and paper.area


def test_a_paper_is_planned_until_an_experiment_names_it():
    before, after = with_experiments({}), with_experiments({"udr": "retrieval"})
    assert {paper.state for paper in before} == {"planned"}
    ready = [paper for paper in after if paper.state == "ready"]
    assert [(paper.id, paper.experiment) for paper in ready] == [("udr", "retrieval")]


def test_experiments_are_read_from_their_sources(tmp_path):
    (tmp_path / "one.py").write_text('X = 1\nONE = Experiment(\n    id="first", paper="udr", title="T")\n')
    (tmp_path / "two.py").write_text('TWO = registry.Experiment(id="second", paper="icv")\n')
    (tmp_path / "other.py").write_text('class Experiment:\n    pass\nNAME = "Experiment(id=1)"\n')
    assert declared_experiments(tmp_path) == {"udr": "first", "icv": "second"}


def test_what_the_sources_declare_is_what_the_registry_holds():
    from lab.experiments import EXPERIMENTS

    named: dict[str, str] = {}
    for experiment in EXPERIMENTS:
        named.setdefault(experiment.paper, experiment.id)
    declared = declared_experiments()
    assert declared.keys() == named.keys()
    assert all(declared[paper] in {each.id for each in EXPERIMENTS} for paper in named)


def test_a_paper_that_waits_for_weights_stays_planned(tmp_path, monkeypatch):
    from lab import papers

    monkeypatch.setattr(papers, "_ASSETS", tmp_path)
    found = {
        paper.id: paper.state for paper in with_experiments({"ic-lora": "sets", "demo-position": "position"})
    }
    assert (found["ic-lora"], found["demo-position"]) == ("planned", "ready")
    (tmp_path / papers.WAITING["ic-lora"]).parent.mkdir(parents=True)
    (tmp_path / papers.WAITING["ic-lora"]).touch()
    assert (
        next(paper for paper in with_experiments({"ic-lora": "sets"}) if paper.id == "ic-lora").state
        == "ready"
    )
