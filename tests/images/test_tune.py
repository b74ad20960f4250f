"""Tuning on a small random model: it learns, leaves the base alone, is saved, loaded, weighed and mixed."""

import numpy as np
import pytest
import torch
from tiny_flux import tiny_model

from lab.images import adapters, shelf
from lab.images.adapters import AdapterError
from lab.images.grid import PAIR
from lab.images.model import ImageModel
from lab.images.sampler import Settings, draw
from lab.images.sets import ImageSet
from lab.images.tune import TuneSettings, add_adapter, prepare, tune
from lab.images.tuning import tuning

FEW = TuneSettings(rank=4, n_steps=6, batch=2, rate=5e-3)
CAPTION = "[LEFT] fox, flat style; [RIGHT] owl, 3d style"


def some_sets(n: int = 5) -> list[ImageSet]:
    random = np.random.default_rng(0)
    return [
        ImageSet(
            grid=PAIR,
            pixels=random.integers(0, 256, (2, 64, 64, 3), dtype=np.uint8),
            texts=("fox, flat style", "owl, 3d style"),
            summary="[COLOURED] a drawing coloured",
            markers=None,
            panels=(None, None),
            name=f"set {place}",
        )
        for place in range(n)
    ]


def drawn(model: ImageModel) -> np.ndarray:
    return draw(model, [CAPTION], PAIR, [3], Settings(2))


@pytest.fixture
def model() -> ImageModel:
    return tiny_model()


def test_tuning_changes_the_adapter_and_never_the_base(model):
    before = {name: tensor.clone() for name, tensor in model.transformer.named_parameters()}
    for _ in tune(model, some_sets(), FEW, "iclora_new"):
        pass
    after = dict(model.transformer.named_parameters())
    for name, tensor in before.items():
        kept = after.get(
            name,
            after.get(name.replace(".weight", ".base_layer.weight").replace(".bias", ".base_layer.bias")),
        )
        assert torch.equal(tensor, kept)
    lora_b = [tensor for name, tensor in after.items() if "lora_B" in name]
    assert lora_b and all(tensor.abs().sum() > 0 for tensor in lora_b)


def test_a_base_in_bfloat16_has_adapters_in_float32(model):
    for part in (model.transformer, model.pipeline.vae):
        part.to(torch.bfloat16)
    losses = [step.loss for step in tune(model, some_sets(), FEW, "iclora_half")]
    assert np.isfinite(losses).all()
    kinds = {
        "lora" in name: tensor.dtype
        for name, tensor in model.transformer.named_parameters()
        if "norm" not in name
    }
    assert kinds == {True: torch.float32, False: torch.bfloat16}
    assert drawn(model).dtype == np.uint8


def test_the_loss_on_a_single_set_falls():
    model = tiny_model()
    settings = TuneSettings(rank=8, n_steps=60, batch=4, rate=1e-2, p_dropout=0.0, p_clean=0.0)
    losses = [step.loss for step in tune(model, some_sets(1), settings, "iclora_fall")]
    assert np.mean(losses[-10:]) < 0.9 * np.mean(losses[:10])


def test_the_same_seed_tunes_the_same_adapter():
    found = []
    for _ in range(2):
        model = tiny_model()
        found.append([step.loss for step in tune(model, some_sets(), FEW, "iclora_same")])
    assert found[0] == found[1]


def test_a_fresh_adapter_changes_nothing(model):
    plain = drawn(model)
    add_adapter(model, "iclora_fresh", 4)
    assert np.array_equal(drawn(model), plain)


def test_saved_and_loaded_it_draws_the_same(model, tmp_path):
    for _ in tune(model, some_sets(), FEW, "iclora_kept"):
        pass
    expected = drawn(model)
    adapters.save(model, "iclora_kept", tmp_path / "kept.safetensors", {"task": "coloured"})
    other = tiny_model()
    plain = drawn(other)
    adapters.load(other, tmp_path / "kept.safetensors", "iclora_loaded")
    adapters.weigh(other, {"iclora_loaded": 1.0})
    assert np.abs(drawn(other).astype(int) - expected).max() <= 2  # kept in half precision
    adapters.weigh(other, {})
    assert np.array_equal(drawn(other), plain)
    adapters.weigh(other, {"iclora_loaded": 0.0})
    assert np.array_equal(drawn(other), plain)
    assert adapters.about(tmp_path / "kept.safetensors")["task"] == "coloured"


def test_two_adapters_add_up(model):
    add_adapter(model, "iclora_one", 2, seed=1)
    add_adapter(model, "iclora_two", 2, seed=2)
    layer = model.transformer.transformer_blocks[0].attn.to_q
    with torch.no_grad():
        for name in ("iclora_one", "iclora_two"):
            layer.lora_B[name].weight.normal_()
    x = torch.randn(1, 3, layer.in_features)

    def out(weights):
        adapters.weigh(model, weights)
        return layer(x)

    base = out({})
    one, two = out({"iclora_one": 1.0}) - base, out({"iclora_two": 1.0}) - base
    mixed = out({"iclora_one": 0.7, "iclora_two": 0.3}) - base
    assert torch.allclose(mixed, 0.7 * one + 0.3 * two, atol=1e-5)


def test_the_last_projection_of_the_transformer_is_left_alone(model):
    add_adapter(model, "iclora_any", 2)
    assert not hasattr(model.transformer.proj_out, "lora_A")
    assert hasattr(model.transformer.single_transformer_blocks[0].proj_out, "lora_A")


def test_a_taken_name_is_refused(model):
    add_adapter(model, "iclora_twice", 2)
    with pytest.raises(ValueError, match="already an adapter"):
        add_adapter(model, "iclora_twice", 2)


def test_sets_that_do_not_fit_are_refused(model):
    with pytest.raises(ValueError, match="no set to tune on"):
        prepare(model, [])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rank": 0}, "rank"),
        ({"n_steps": 9999}, "n_steps"),
        ({"rate": 0}, "rate"),
        ({"p_clean": 2}, "p_clean"),
    ],
)
def test_settings_out_of_range_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        TuneSettings(**settings)


def test_a_live_tuning_tells_samples_and_leaves_a_file(model, own_lab_home, monkeypatch):
    monkeypatch.setattr("lab.images.tuning.SAMPLE_EVERY_S", 0.0)
    seen = list(tuning(model, some_sets(), some_sets(1)[0], FEW, "mine", "coloured"))
    assert seen[-1].path == shelf.own_path("mine") and seen[-1].path.is_file()
    assert len(seen[-1].losses) == 6
    assert any(each.sample is not None for each in seen[:-1])
    assert "own/mine" in shelf.names()


def test_stopping_keeps_what_is_learnt(model, own_lab_home):
    going = tuning(model, some_sets(), some_sets(1)[0], FEW, "stopped")
    next(going)
    going.close()
    assert int(adapters.about(shelf.own_path("stopped"))["steps"]) >= 1


def test_too_few_sets_are_refused(model):
    with pytest.raises(ValueError, match="5 to 100 sets"):
        next(tuning(model, some_sets(3), some_sets(1)[0], FEW, "few"))


def test_files_that_are_no_lora_for_this_model_are_refused(model, tmp_path):
    from safetensors.torch import save_file

    def file(name, tensors):
        save_file(tensors, tmp_path / name)
        return tmp_path / name

    layer = "transformer.transformer_blocks.0.attn.to_q"
    wide = {f"{layer}.lora_A.weight": torch.zeros(4, 3072), f"{layer}.lora_B.weight": torch.zeros(3072, 4)}
    other = {"transformer.blocks.9.to_q.lora_A.weight": torch.zeros(4, 8)}
    with pytest.raises(AdapterError, match="3072 wide"):
        adapters.load(model, file("wide.safetensors", wide), "iclora_wide")
    with pytest.raises(AdapterError, match="another model"):
        adapters.load(model, file("other.safetensors", other), "iclora_other")
    with pytest.raises(AdapterError, match="holds no LoRA"):
        adapters.load(model, file("none.safetensors", {"x": torch.zeros(1)}), "iclora_none")
    (tmp_path / "pickle.pt").write_bytes(b"\x80\x04.")
    with pytest.raises(AdapterError, match="never unpickles"):
        adapters.load(model, tmp_path / "pickle.pt", "iclora_pickle")
    (tmp_path / "cut.safetensors").write_bytes(b"\x00" * 20)
    with pytest.raises(AdapterError, match="damaged"):
        adapters.load(model, tmp_path / "cut.safetensors", "iclora_cut")
    with pytest.raises(AdapterError, match="no LoRA"):
        adapters.weigh(model, {"iclora_absent": 1.0})


@pytest.mark.parametrize("name", ["", "../up", "Über", "a/b", "-x"])
def test_a_name_that_is_no_file_name_is_refused(name):
    with pytest.raises(AdapterError, match="a LoRA's name"):
        shelf.own_path(name)


def test_nobody_tunes_on_a_lab_that_strangers_share(monkeypatch):
    monkeypatch.setenv("LAB_SHARED", "1")
    with pytest.raises(AdapterError, match="shared by strangers"):
        shelf.own_path("mine")
