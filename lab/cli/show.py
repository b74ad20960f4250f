"""`list`, `papers` and `check`: what there is to run, what was measured of each paper, and measuring it."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from lab import __version__
from lab.papers import PAPERS, Paper, declared_experiments, is_waiting, with_experiments
from lab.runs.plain import json_line
from lab.runs.store import Store, StoreError

if TYPE_CHECKING:
    from lab.experiments.registry import Experiment

Registry = Callable[[], "Sequence[Experiment]"]

HOLDS, DOES_NOT_HOLD, COULD_NOT_RUN = 0, 1, 2
VERDICTS = {True: "holds", False: "does not hold here", None: "could not be run"}
EXIT_CODES = {True: HOLDS, False: DOES_NOT_HOLD, None: COULD_NOT_RUN}


def list_experiments(registry: Registry, as_json: bool) -> int:
    """List the experiments with their paper and its state."""
    checks = _last_checks()
    rows = [
        {
            "id": experiment.id,
            "title": experiment.title,
            "question": experiment.question,
            "paper": experiment.paper,
            "source": experiment.source,
            "state": "planned"
            if is_waiting(experiment.paper)
            else _state("ready", checks.get(experiment.paper)),
            "params": {field.name: field.default for field in fields(experiment.params)},
            "example": experiment.example,
            "docs": experiment.docs,
        }
        for experiment in registry()
    ]
    if as_json:
        print(json_line(rows))
        return 0
    for row in rows:
        print(
            f"{row['id']}  [{row['state']}]\n    {row['question']}\n    paper {row['paper']}; {row['source']}"
        )
    return 0


def list_papers(as_json: bool, declared: Callable[[], dict[str, str]] = declared_experiments) -> int:
    """List the 35 papers with their experiment, state and the last check's figures."""
    checks = _last_checks()
    papers = with_experiments(declared())
    if as_json:
        rows = [
            {**asdict(paper), "state": paper.state, "last_check": checks.get(paper.id)} for paper in papers
        ]
        print(json_line(rows))
        return 0
    width = max(len(paper.id) for paper in papers)
    for paper in papers:
        last = checks.get(paper.id)
        print(f"{paper.id:<{width}}  {_state(paper.state, last):<26}  {paper.title}")
        if last is not None:
            print(" " * width + f"  {_provenance(last)}")
            for claim in last["claims"]:
                print(" " * width + f"    {claim.get('verdict')}: {claim.get('measured')}")
    n_ready = sum(paper.state == "ready" for paper in papers)
    print(f"{len(papers)} papers: {n_ready} ready, {len(papers) - n_ready} planned")
    return 0


def check(registry: Registry, paper_id: str, is_quick: bool, as_json: bool, is_kept: bool = False) -> int:
    """Measure a paper's claims and remember the outcome; the exit code is that of what was measured now.

    Args:
        registry: Gives the experiments.
        paper_id: Which paper.
        is_quick: Whether a coarser measurement will do; a stored full study is then shown beside it.
        as_json: Whether to print JSON.
        is_kept: Whether to keep a full check as the study that comes with the lab.
    """
    from lab.experiments import studies
    from lab.experiments.registry import known_names
    from lab.runs.environment import environment

    if is_kept and is_quick:
        raise ValueError("--keep keeps a full study: leave --quick away")

    paper = next((paper for paper in PAPERS if paper.id == paper_id), None)
    if paper is None:
        raise ValueError(f"unknown paper {paper_id!r}; {known_names(paper_id, [each.id for each in PAPERS])}")
    experiment = next((each for each in registry() if each.paper == paper_id), None)
    if experiment is None:
        raise ValueError(
            f"paper {paper_id!r} is planned and has no check yet; `papers` shows which are ready"
        )
    made_with = environment()  # the code that measures, whatever is written meanwhile
    with Store() as store:
        result = experiment.check(is_quick, store)
        outcome = {"holds": result.holds, "is_quick": is_quick, "claims": result.claims}
        store.add_check(paper_id, __version__, outcome)
    weights = experiment.weights()
    study = studies.stored(paper_id)
    shown: dict[str, Any] = {"paper": paper_id, "title": paper.title, **outcome, "lab_version": __version__}
    if study is not None:
        shown["study"] = {
            "provenance": study.provenance(weights),
            "holds": study.holds,
            "claims": study.claims,
        }
    print(json_line(shown) if as_json else _report(paper, outcome, shown.get("study")))
    if is_kept:
        print(f"kept as {studies.keep(result, weights, made_with)}", file=sys.stderr)
    return EXIT_CODES[result.holds]


def _report(paper: Paper, outcome: dict[str, Any], study: dict[str, Any] | None) -> str:
    lines = [f"{paper.title} (arXiv:{paper.arxiv})", *_claims(outcome["claims"])]
    if study is not None:
        lines += [f"Stored, not measured now: {study['provenance']}", *_claims(study["claims"])]
    return "\n".join([*lines, f"{paper.id}: {VERDICTS[outcome['holds']]}"])


def _claims(claims: Sequence[dict[str, str]]) -> list[str]:
    lines = []
    for claim in claims:
        lines += [
            f"  claimed:  {claim.get('claim')}",
            f"  measured: {claim.get('measured')}",
            f"  verdict:  {claim.get('verdict')}",
            "",
        ]
    return lines


def _last_checks() -> dict[str, dict[str, Any]]:
    """Read the last checks; a list is worth showing without them when the store can't be read."""
    try:
        with Store() as store:
            return store.last_checks()
    except StoreError as error:
        print(f"lab: last checks are not shown: {error}", file=sys.stderr)
        return {}


def _state(state: str, last: dict[str, Any] | None) -> str:
    return state if last is None else f"{state}, {VERDICTS[last['holds']]}"


def _provenance(last: dict[str, Any]) -> str:
    moment = datetime.fromtimestamp(last["time"], timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    return f"{'quick ' if last['is_quick'] else ''}check of {moment}, lab {last['lab_version']}"
