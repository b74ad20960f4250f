"""The record of where a run was made."""

import json
import subprocess
import sys
from datetime import datetime, timezone

from lab import __version__
from lab.runs.environment import environment


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
