import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab.weights.manifest import Manifest, mark, sha256_of
from lab.weights.source import weights_home


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.safetensors").write_bytes(b"weights")
    return tmp_path


def manifest_for(folder: Path) -> Manifest:
    return Manifest("somewhere", "MIT", "1", {"a.safetensors": mark(folder / "a.safetensors")})


def test_hash_is_that_of_hashlib(folder):
    assert sha256_of(folder / "a.safetensors") == hashlib.sha256(b"weights").hexdigest()


def test_an_untouched_file_is_not_changed(folder):
    assert manifest_for(folder).changed(folder) == []
    assert manifest_for(folder).changed(folder, verify=True) == []


@pytest.mark.parametrize("content", [b"weight", b"wEights"], ids=["truncated", "edited"])
def test_a_truncated_or_edited_file_is_changed(folder, content):
    manifest = manifest_for(folder)
    (folder / "a.safetensors").write_bytes(content)
    os.utime(folder / "a.safetensors", ns=(1, 1))
    assert manifest.changed(folder) == ["a.safetensors"]


def test_a_missing_file_is_changed(folder):
    manifest = manifest_for(folder)
    (folder / "a.safetensors").unlink()
    assert manifest.changed(folder) == ["a.safetensors"]


def test_a_touched_file_with_the_same_bytes_is_not_changed(folder):
    manifest = manifest_for(folder)
    os.utime(folder / "a.safetensors", ns=(1, 1))
    assert manifest.changed(folder) == []


def test_decay_behind_an_intact_time_stamp_is_only_seen_by_verify(folder):
    manifest = manifest_for(folder)
    stamp = manifest.files["a.safetensors"].mtime_ns
    (folder / "a.safetensors").write_bytes(b"wEights")
    os.utime(folder / "a.safetensors", ns=(stamp, stamp))
    assert manifest.changed(folder) == []
    assert manifest.changed(folder, verify=True) == ["a.safetensors"]


def test_what_is_saved_is_read_back(folder):
    manifest = manifest_for(folder)
    manifest.save(folder / "deep" / "manifest.json")
    assert Manifest.read(folder / "deep" / "manifest.json") == manifest
    assert [path.name for path in (folder / "deep").iterdir()] == ["manifest.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"files": 3}', '{"files": {"a": {}}}', '{"files": {}}'])
def test_an_unreadable_manifest_counts_as_none(folder, text):
    (folder / "manifest.json").write_text(text)
    assert Manifest.read(folder / "manifest.json") is None


def test_weights_live_under_lab_home_unless_lab_weights_says_otherwise(tmp_path, monkeypatch):
    monkeypatch.delenv("LAB_WEIGHTS")
    monkeypatch.setenv("LAB_HOME", str(tmp_path))
    assert weights_home() == tmp_path / "weights"
    monkeypatch.setenv("LAB_WEIGHTS", str(tmp_path / "shared"))
    assert weights_home() == tmp_path / "shared"
    monkeypatch.delenv("LAB_WEIGHTS")
    monkeypatch.delenv("LAB_HOME")
    assert "in-context-lab" in str(weights_home())


def test_importing_the_weights_and_learners_loads_no_heavy_library():
    program = (
        "import sys, lab.weights, lab.learners.load, lab.learners.catalogue, lab.learners.embedder;"
        "heavy = {'torch', 'transformers', 'huggingface_hub', 'gradio'};"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
