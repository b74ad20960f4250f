"""What the repository promises of itself: complete entries, no paths of a machine, one version of gradio."""

import re
from pathlib import Path

import pytest

from lab.experiments import EXPERIMENTS
from lab.experiments.registry import build_params

ROOT = Path(__file__).parents[1]
TEXT = {
    ".py",
    ".md",
    ".toml",
    ".txt",
    ".json",
    ".jsonl",
    ".csv",
    ".yml",
    ".yaml",
    ".cfg",
    ".html",
    ".css",
    ".js",
    "",
}
SKIPPED = {".git", ".venv", "shared", "__pycache__", "node_modules"}
# a home folder of someone, or a folder at the root that only one machine has
MACHINE_PATH = re.compile(
    r"(?<![\w.~<*\"'])/(?:home|Users)/[a-z]\w+|(?<![\w.])/(?:root|work)/\w+|[A-Z]:\\\\?Users"
)

by_id = pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.id)


def tracked() -> list[Path]:
    """List the text files that belong to the repository: what is ignored is left out by its folder."""
    ignored = {line.strip().strip("/") for line in _lines(ROOT / ".gitignore")}
    found = []
    for path in sorted(ROOT.rglob("*")):
        parts = set(path.relative_to(ROOT).parts)
        hidden_cache = any(part.endswith("_cache") or part == ".hypothesis" for part in parts)
        if path.is_file() and path.suffix in TEXT and not parts & (SKIPPED | ignored) and not hidden_cache:
            found.append(path)
    return found


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


@by_id
def test_an_experiment_asks_a_question_and_names_its_source(experiment):
    assert experiment.question.endswith("?")
    assert experiment.title and len(experiment.source) > 10


@by_id
def test_its_example_builds_a_recipe(experiment):
    params = build_params(experiment, experiment.example)
    assert experiment.recipe(params).experiment == experiment.id


@by_id
def test_it_has_a_check(experiment):
    assert callable(experiment.check)


@by_id
def test_its_page_exists(experiment):
    page = ROOT / experiment.docs
    assert page.is_file() and page.read_text(encoding="utf-8").startswith("# ")


@by_id
def test_a_test_file_is_named_after_it(experiment):
    assert any((ROOT / "tests").rglob(f"test_{experiment.id}.py"))


def test_no_text_names_a_folder_of_one_machine():
    named = []
    for path in tracked():
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if path.name != "test_repository.py" and MACHINE_PATH.search(line):
                named.append(f"{path.relative_to(ROOT)}:{number}")
    assert named == []


def test_the_space_runs_the_gradio_that_is_pinned():
    front_matter = re.match(r"---\n(.*?)\n---\n", "\n".join(_lines(ROOT / "README.md")) + "\n", re.DOTALL)
    pinned = [line for line in _lines(ROOT / "requirements.txt") if line.startswith("gradio==")]
    if not front_matter or not pinned:
        pytest.skip("README.md with its front matter or requirements.txt is not there yet")
    version = re.search(r"^sdk_version:\s*\"?([\d.]+)\"?\s*$", front_matter[1], re.MULTILINE)
    assert version and pinned[0].strip() == f"gradio=={version[1]}"
