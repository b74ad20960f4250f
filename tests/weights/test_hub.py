"""The real hub client against a hub on the loopback interface."""

from pathlib import Path

import pytest
from hub_stand_in import COMMIT, HubStandIn, write_tiny_model

from lab.weights import HubModel, WeightsError, fetch, manifest_of

TINY = HubModel("org/tiny")


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    write_tiny_model(folder)
    return folder


@pytest.fixture
def tiny(hub: HubStandIn, tiny_folder: Path) -> HubStandIn:
    repo = hub.root / "org" / "tiny"
    repo.mkdir(parents=True)
    for path in tiny_folder.iterdir():
        (repo / path.name).write_bytes(path.read_bytes())
    for unwanted in ("pytorch_model.bin", "modeling_tiny.py", "consolidated.safetensors", "README.md"):
        (repo / unwanted).write_bytes(b"unwanted")
    (repo / "onnx").mkdir()
    (repo / "onnx" / "config.json").write_text("{}")
    return hub


def go_offline(hub: HubStandIn) -> None:
    hub.stop()


def test_a_model_arrives_with_its_commit_licence_and_hashes(tiny):
    folder = fetch(TINY)
    assert folder.name == COMMIT
    manifest = manifest_of(TINY)
    assert (manifest.revision, manifest.licence, manifest.source) == (COMMIT, "mit", "org/tiny")
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= set(manifest.files)


def test_neither_pickles_nor_code_nor_copies_are_downloaded(tiny):
    names = {path.name for path in fetch(TINY).iterdir()}
    assert not names & {
        "pytorch_model.bin",
        "modeling_tiny.py",
        "consolidated.safetensors",
        "onnx",
        "README.md",
    }
    assert tiny.downloads(".bin") == tiny.downloads(".py") == tiny.downloads("consolidated.safetensors") == 0


def test_once_cached_no_request_is_made(tiny):
    fetch(TINY)
    n_requests = len(tiny.requests)
    go_offline(tiny)
    assert fetch(TINY).is_dir()
    assert len(tiny.requests) == n_requests


def test_progress_is_told_in_bytes_of_the_wanted_files(tiny):
    calls = []
    folder = fetch(TINY, lambda *call: calls.append(call))
    assert {total for _, total, _ in calls} == {sum(path.stat().st_size for path in folder.iterdir())}
    assert all(0 <= done <= total for done, total, _ in calls)
    assert calls[0][2] == "Downloading org/tiny"


def test_a_download_that_breaks_off_goes_on_where_it_stopped(tiny):
    tiny.breaks_off_once.add("model.safetensors")
    file = fetch(TINY) / "model.safetensors"
    assert file.read_bytes() == (tiny.root / "org" / "tiny" / "model.safetensors").read_bytes()
    assert tiny.downloads("model.safetensors") == 2


def test_a_download_that_always_breaks_off_is_explained(tiny):
    tiny.breaks_off.add("model.safetensors")
    with pytest.raises(WeightsError, match=r"broke off.*Try again"):
        fetch(TINY)
    tiny.breaks_off.clear()
    assert fetch(TINY).is_dir()


def test_bytes_that_do_not_match_the_published_hash_are_refused_and_not_kept(tiny):
    tiny.garbles.add("model.safetensors")
    with pytest.raises(WeightsError, match=r"model\.safetensors of org/tiny arrived damaged"):
        fetch(TINY)
    assert manifest_of(TINY) is None
    tiny.garbles.clear()
    fetch(TINY)


def test_a_damaged_cache_is_fetched_again_at_the_same_commit(tiny):
    file = fetch(TINY) / "model.safetensors"
    good = file.read_bytes()
    file.resolve().write_bytes(b"short")
    tiny.requests.clear()
    messages = []
    assert (fetch(TINY, lambda _d, _t, message: messages.append(message)) / file.name).read_bytes() == good
    assert "model.safetensors in the cache is missing or damaged" in messages[0]
    assert tiny.downloads("model.safetensors") == 1
    assert any(f"/revision/{COMMIT}" in line for line in tiny.requests)


def test_an_unknown_model_is_explained(hub):
    with pytest.raises(WeightsError, match=r"org/absent is not on the hub, or is private.*spelling"):
        fetch(HubModel("org/absent"))


def test_an_unknown_revision_is_explained(tiny):
    with pytest.raises(WeightsError, match=r"org/tiny has no revision v9"):
        fetch(HubModel("org/tiny", "v9"))


@pytest.mark.parametrize("token", [None, "hf_not_a_real_token"], ids=["401", "403"])
def test_a_gated_model_is_explained(tiny, monkeypatch, token):
    tiny.gated.add("org/tiny")
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(WeightsError, match=r"org/tiny is gated.*hf auth login"):
        fetch(TINY)


def test_without_a_network_the_remedy_is_named(tiny):
    go_offline(tiny)
    with pytest.raises(WeightsError, match=r"could not be fetched.*Check the network"):
        fetch(TINY)


def test_offline_mode_is_named(tiny, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsError, match=r"HF_HUB_OFFLINE is set"):
        fetch(TINY)


def test_what_another_tool_downloaded_is_used_without_a_network(tiny):
    from huggingface_hub import snapshot_download

    snapshot_download("org/tiny", endpoint=tiny.url)
    go_offline(tiny)
    assert fetch(TINY).name == COMMIT
    assert manifest_of(TINY).revision == COMMIT


def test_a_model_without_safetensors_is_refused_before_the_download(tiny):
    (tiny.root / "org" / "tiny" / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"holds no \.safetensors file.*never unpickles"):
        fetch(TINY)
    assert tiny.downloads(".json") == 0


def test_a_pinned_revision_and_main_are_kept_apart(tiny):
    fetch(TINY)
    assert manifest_of(HubModel("org/tiny", COMMIT)) is None
    assert fetch(HubModel("org/tiny", COMMIT)) == fetch(TINY)
