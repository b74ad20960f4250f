"""Every test has a LAB_HOME of its own; only downloaded weights are shared, so that they are fetched once."""

import os

if "PYTEST_XDIST_WORKER" in os.environ:  # a process for each core: before torch is imported
    os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_stand_in import HubStandIn

from lab.weights import weights_home

SHARED_WEIGHTS = Path(os.environ.get("LAB_TEST_WEIGHTS") or weights_home())


@pytest.fixture(autouse=True)
def own_lab_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point LAB_HOME at an empty folder and LAB_WEIGHTS at the shared cache."""
    home = tmp_path / "lab-home"
    monkeypatch.setenv("LAB_HOME", str(home))
    monkeypatch.setenv("LAB_WEIGHTS", str(SHARED_WEIGHTS))
    for name in ("LAB_SHARED", "SPACE_ID", "LAB_ALLOWED_MODELS"):
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.fixture
def own_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a test an empty weights folder and an empty hub cache."""
    from huggingface_hub import constants

    weights, hub_cache = tmp_path / "weights", tmp_path / "hub-cache"
    monkeypatch.setenv("LAB_WEIGHTS", str(weights))
    monkeypatch.setenv("HF_HUB_CACHE", str(hub_cache))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(hub_cache))
    return weights


@pytest.fixture(scope="session")
def default_model():
    """Load the lab's default model once a session (93 MB to download the first time)."""
    from lab.learners.load import load

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAB_WEIGHTS", str(SHARED_WEIGHTS))
        return load("smollm2-135m", device="cpu", dtype="float32")


@pytest.fixture
def hub(tmp_path: Path, own_weights: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubStandIn]:
    """Serve tmp_path/hub/<owner>/<name> as the hub that the real client talks to."""
    from huggingface_hub import constants

    with HubStandIn(tmp_path / "hub") as stand_in:
        monkeypatch.setattr(constants, "ENDPOINT", stand_in.url)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(
            constants,
            "HUGGINGFACE_CO_URL_TEMPLATE",
            stand_in.url + "/{repo_id}/resolve/{revision}/{filename}",
        )
        yield stand_in
