import re

import pytest

from lab.learners.catalogue import DEFAULT, PRESETS, memory_needed, resolve
from lab.weights import Folder, HubModel, Package


def test_every_preset_resolves_to_itself_and_says_its_licence_and_size():
    assert len({card.id for card in PRESETS}) == len(PRESETS) == 9
    for card in PRESETS:
        assert resolve(card.id) is card
        assert card.licence
        assert card.note
        assert 1e8 < card.n_parameters < 1e10


def test_every_hub_preset_is_pinned_to_a_commit():
    for card in PRESETS:
        if isinstance(card.source, HubModel):
            assert card.source == HubModel(card.id, card.revision)
            assert re.fullmatch("[0-9a-f]{40}", card.revision)


def test_the_default_comes_from_a_package():
    assert isinstance(resolve(DEFAULT).source, Package)
    assert resolve(f" {DEFAULT} ").licence == "Apache-2.0"


def test_any_hub_id_is_allowed_on_ones_own_machine():
    card = resolve("someone/their-model_2.5")
    assert card.source == HubModel("someone/their-model_2.5")
    assert card.n_parameters is None


def test_a_folder_is_allowed_on_ones_own_machine(tmp_path, monkeypatch):
    assert resolve(str(tmp_path)).source == Folder(tmp_path)
    monkeypatch.chdir(tmp_path.parent)
    assert resolve(f"./{tmp_path.name}").source == Folder(tmp_path)


@pytest.mark.parametrize(
    "name", ["", "gpt-5", "a/b/c", "../etc", "/no/such/folder", "org/", "org/na me", "a/.."]
)
def test_what_is_no_model_is_refused_with_the_choices(name):
    with pytest.raises(
        ValueError, match=re.escape(f"a hub id (owner/name) or a folder, got {name.strip()!r}")
    ):
        resolve(name)


@pytest.mark.parametrize("variable", ["LAB_SHARED", "SPACE_ID"])
def test_a_shared_deployment_allows_only_what_it_lists(variable, monkeypatch, tmp_path):
    monkeypatch.setenv(variable, "1")
    monkeypatch.setenv("LAB_ALLOWED_MODELS", "Qwen/Qwen2.5-0.5B-Instruct, org/tiny")
    assert resolve(DEFAULT).id == DEFAULT
    assert resolve("org/tiny").source == HubModel("org/tiny")
    for refused in ("Qwen/Qwen2.5-1.5B-Instruct", "org/other", str(tmp_path)):
        with pytest.raises(
            ValueError, match=r"smollm2-135m, Qwen/Qwen2\.5-0\.5B-Instruct, org/tiny on this shared"
        ):
            resolve(refused)


def test_a_folder_named_like_an_allowed_model_is_not_read_on_a_shared_deployment(monkeypatch, tmp_path):
    (tmp_path / "org" / "tiny").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAB_SHARED", "1")
    monkeypatch.setenv("LAB_ALLOWED_MODELS", f"org/tiny,{tmp_path}")
    assert resolve("org/tiny").source == HubModel("org/tiny")
    with pytest.raises(ValueError):
        resolve(str(tmp_path))


def test_lab_shared_zero_means_not_shared(monkeypatch):
    monkeypatch.setenv("LAB_SHARED", "0")
    assert resolve("org/tiny").id == "org/tiny"


def test_memory_is_a_fifth_above_the_weights():
    card = resolve("Qwen/Qwen2.5-7B-Instruct")
    assert memory_needed(card, "bfloat16") == pytest.approx(7_615_616_512 * 2 * 1.2, rel=1e-9)
    assert memory_needed(card, "float32") == pytest.approx(2 * memory_needed(card, "bfloat16"), rel=1e-9)
    assert memory_needed(resolve("org/unknown"), "float32") is None
    with pytest.raises(ValueError, match=r"dtype must be one of float32, bfloat16, float16, got 'int8'"):
        memory_needed(card, "int8")
