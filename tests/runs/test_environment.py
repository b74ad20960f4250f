"""The record of where a run was made."""

import json
import subprocess
import sys
from datetime import datetime, timezone

import pytest

from lab import __version__
from lab.runs.environment import _commit, environment


def test_environment_names_the_machine_the_versions_and_now():
    found = environment()
    assert found["lab"] == __version__
    assert found["python"] == sys.version.split()[0]
    assert found["cores"] >= 1 and found["ram_bytes"] > 2**28
    assert {"platform", "cpu", "torch", "transformers", "commit"} <= found.keys()
    assert abs((datetime.now(timezone.utc) - datetime.fromisoformat(found["time"])).total_seconds()) < 60
    assert json.loads(json.dumps(found)) == found


def test_environment_imports_no_framework():
    code = (
        "import sys; from lab.runs.environment import environment; import lab.runs.store; environment(); "
        "print([n for n in ('torch', 'transformers', 'pandas', 'numpy', 'plotly') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def checkout(tmp_path):
    """Make a repository with a file of code and one of results."""
    for name in ("lab/code.py", "assets/studies/one.json"):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text("1")
    who = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]
    for command in (["init", "-q"], ["add", "."], [*who, "commit", "-qm", "first"]):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True)
    return tmp_path


def test_changed_code_is_told_of_and_new_results_are_not(checkout):
    clean = _commit(checkout)
    assert len(clean) == 40
    (checkout / "assets/studies/one.json").write_text("2")
    (checkout / "untracked").write_text("3")
    assert _commit(checkout) == clean
    (checkout / "lab/code.py").write_text("2")
    assert _commit(checkout) == f"{clean}-dirty"


def test_outside_a_checkout_there_is_no_commit(tmp_path):
    assert _commit(tmp_path) is None
