from pathlib import Path

import pytest

from lab.weights import Folder, WeightsError, fetch, manifest_of


@pytest.fixture
def mine(tmp_path: Path, own_weights: Path) -> Folder:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    return Folder(folder)


def test_a_folder_is_used_in_place_and_its_revision_is_its_content(mine):
    assert fetch(mine) == mine.path
    first = manifest_of(mine).revision
    assert first.startswith("local ")
    (mine.path / "model.safetensors").write_bytes(b"trained on")
    assert fetch(mine) == mine.path
    assert manifest_of(mine).revision != first


def test_nothing_is_written_into_the_users_folder(mine):
    fetch(mine)
    assert {path.name for path in mine.path.iterdir()} == {"config.json", "model.safetensors"}


def test_a_folder_of_pickles_is_refused(mine):
    (mine.path / "model.safetensors").rename(mine.path / "pytorch_model.bin")
    with pytest.raises(WeightsError, match="never unpickles"):
        fetch(mine)


def test_a_folder_without_a_config_is_refused(mine):
    (mine.path / "config.json").unlink()
    with pytest.raises(WeightsError, match="save_pretrained"):
        fetch(mine)
