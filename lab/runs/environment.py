"""Where a run was made: interpreter, machine, versions, commit and time."""

import os
import platform
import subprocess
from datetime import datetime, timezone
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from lab import __version__

PACKAGES = ("torch", "transformers")
RESULTS = ("assets/examples", "assets/learners", "assets/studies", "assets/sweeps")
"""What is made by the code and read by nothing that measures: several may be made one after the other."""
_EXCEPT = tuple(f":(exclude){folder}" for folder in RESULTS)


def environment() -> dict[str, Any]:
    """Describe the machine and the code, importing neither torch nor transformers.

    Returns:
        python, platform, cpu, cores (usable by this process), ram_bytes, torch, transformers, lab, commit
        (ends in "-dirty" when tracked files other than `RESULTS` were changed) and time (UTC, ISO 8601);
        None for the unknown.
    """
    return {**_machine(), "time": datetime.now(timezone.utc).isoformat(timespec="seconds")}


@lru_cache(maxsize=1)
def _machine() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": _cpu_model(),
        "cores": _n_cores(),
        "ram_bytes": _ram_bytes(),
        **{name: _version(name) for name in PACKAGES},
        "lab": __version__,
        "commit": _commit(Path(__file__).resolve().parents[2]),
    }


def _cpu_model() -> str | None:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or None


def _n_cores() -> int | None:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _ram_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # no such question on this platform
        return None


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _commit(root: Path) -> str | None:
    if not (root / ".git").exists():  # installed, perhaps inside someone else's checkout
        return None
    commit = _git(root, "rev-parse", "HEAD")
    changed = _git(root, "status", "--porcelain", "--untracked-files=no", "--", ".", *_EXCEPT)
    return f"{commit}-dirty" if commit and changed else commit


def _git(root: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(root), *arguments]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() or None if found.returncode == 0 else None
