"""LoRAs as vectors on a small random model: the layout, the shared A, the round trip, tuning B alone."""

import numpy as np
import pytest
import torch
from made_loras import noise_sets, noise_vector
from tiny_flux import tiny_model

from lab.images import adapters, shelf
from lab.images.grid import PAIR
from lab.images.lora_vector import (
    RANK,
    add_shared,
    fingerprint,
    from_vector,
    layout,
    shared_a,
    to_vector,
    tune_shared,
)
from lab.images.sampler import Settings, draw
from lab.images.tune import TuneSettings, add_adapter, tune

FEW = TuneSettings(RANK, n_steps=6, batch=2, rate=5e-3)
CAPTION = "[LEFT] fox, flat style; [RIGHT] owl, 3d style"
N_LAYERS = 2 * (8 + 4) + 4 * (3 + 2)  # two double blocks, four single ones: attention, and what follows it


@pytest.fixture
def model():
    return tiny_model()


def drawn(model) -> np.ndarray:
    return draw(model, [CAPTION], PAIR, [3], Settings(2))


def test_the_layout_names_every_linear_layer_of_the_blocks_without_gaps(model):
    slots = layout(model)
    assert len(slots) == N_LAYERS
    assert [slot.start for slot in slots] == np.cumsum([0, *(slot.n_numbers for slot in slots[:-1])]).tolist()
    modules = dict(model.transformer.named_modules())
    linear = {name for name, module in modules.items() if isinstance(module, torch.nn.Linear)}
    kept = {slot.layer for slot in slots}
    assert kept <= linear and {modules[slot.layer].out_features == slot.n_out for slot in slots} == {True}
    assert all("norm" in name or "blocks" not in name for name in linear - kept)


def test_adapters_change_neither_layout_nor_fingerprint(model):
    before = layout(model), fingerprint(model)
    add_adapter(model, "iclora_other", 2)
    add_shared(model, "iclora_shared")
    assert (layout(model), fingerprint(model)) == before
    assert fingerprint(tiny_model(1)) != before[1]


def test_a_vector_put_in_and_read_again_is_bit_identical(model):
    vector = noise_vector(model)
    from_vector(model, vector, "iclora_one")
    from_vector(model, noise_vector(model, 1), "iclora_two")
    assert torch.equal(to_vector(model, "iclora_one"), vector)
    from_vector(model, -vector, "iclora_one")
    assert torch.equal(to_vector(model, "iclora_one"), -vector)


def test_a_layer_changes_by_b_times_the_shared_a(model):
    vector = noise_vector(model)
    from_vector(model, vector, "iclora_one")
    adapters.weigh(model, {"iclora_one": 1.0})
    slot = layout(model)[5]
    layer = dict(model.transformer.named_modules())[slot.layer]
    x = torch.randn(3, layer.in_features)
    b = vector[slot.start : slot.start + slot.n_numbers].reshape(slot.n_out, RANK)
    change = x @ torch.from_numpy(shared_a(slot.layer, layer.in_features)).T @ b.T
    torch.testing.assert_close(layer(x), layer.base_layer(x) + change)


def test_the_zero_vector_and_strength_zero_change_nothing(model):
    plain = drawn(model)
    vector = noise_vector(model)
    from_vector(model, torch.zeros_like(vector), "iclora_zero")
    adapters.weigh(model, {"iclora_zero": 1.0})
    assert np.array_equal(drawn(model), plain)
    from_vector(model, vector, "iclora_some")
    adapters.weigh(model, {"iclora_some": 0.0})
    assert np.array_equal(drawn(model), plain)
    adapters.weigh(model, {"iclora_some": 1.0})
    assert not np.array_equal(drawn(model), plain)


def test_a_is_the_same_in_every_lora_and_differs_between_layers(model):
    add_shared(model, "iclora_one", seed=1)
    add_shared(model, "iclora_two", seed=2)
    modules = dict(model.transformer.named_modules())
    drawn_a = []
    for slot in layout(model):
        one, two = (modules[slot.layer].lora_A[name].weight for name in ("iclora_one", "iclora_two"))
        assert torch.equal(one, two)
        drawn_a.append(one.detach().flatten())
    assert torch.cat(drawn_a).std() == pytest.approx(1 / RANK, rel=0.05)
    assert not torch.equal(drawn_a[0][:100], drawn_a[1][:100])


def test_tuning_leaves_a_and_the_base_alone_and_tells_late_states(model):
    before = fingerprint(model)
    told = list(tune_shared(model, noise_sets(), FEW, "iclora_new", n_snapshots=3))
    assert [each.step.step for each in told if each.vector is not None] == [4, 5, 6]
    vectors = [each.vector for each in told if each.vector is not None]
    assert torch.equal(vectors[-1], to_vector(model, "iclora_new"))
    assert all(vector.abs().max() > 0 for vector in vectors)
    assert not torch.equal(vectors[0], vectors[1])
    modules = dict(model.transformer.named_modules())
    for slot in layout(model):
        a = modules[slot.layer].lora_A["iclora_new"].weight
        assert np.array_equal(a.detach().numpy(), shared_a(slot.layer, a.shape[1]))
    assert fingerprint(model) == before


def test_the_last_state_is_the_average_that_tuning_leaves():
    one, other = tiny_model(), tiny_model()
    *_, last = tune_shared(one, noise_sets(), FEW, "iclora_same", n_snapshots=1)
    for _ in tune(other, noise_sets(), FEW, "iclora_same", add=add_shared):
        pass
    assert torch.equal(last.vector, to_vector(other, "iclora_same"))


def test_it_can_be_tuned_after_the_base_has_drawn_alone(model):
    add_adapter(model, "iclora_other", 2)
    adapters.weigh(model, {})
    *_, last = tune_shared(model, noise_sets(), FEW, "iclora_new", n_snapshots=1)
    assert last.vector.abs().max() > 0


def test_what_does_not_fit_is_refused(model):
    with pytest.raises(ValueError, match="takes LoRAs of 34816 numbers"):
        from_vector(model, torch.zeros(5), "iclora_short")
    with pytest.raises(ValueError, match="no adapter is called"):
        to_vector(model, "iclora_absent")
    with pytest.raises(ValueError, match="has rank 8, got 4"):
        add_shared(model, "iclora_narrow", rank=4)
    with pytest.raises(ValueError, match="n_snapshots"):
        next(tune_shared(model, noise_sets(), FEW, "iclora_many", n_snapshots=4))


def test_a_lent_lora_is_chosen_by_name_and_replaced(model, monkeypatch):
    monkeypatch.setattr(shelf, "embedded", lambda: model)
    monkeypatch.setattr(shelf, "_loaded", {})
    monkeypatch.setattr(shelf, "_lent", {})
    plain = drawn(model)
    one, two = noise_vector(model), noise_vector(model, 1)
    shelf.lend("made/one", one)
    shelf.load_weighed({"made/one": 1.0})
    assert torch.equal(to_vector(model, shelf.adapter_name("made/one")), one)
    assert not np.array_equal(drawn(model), plain)
    first = shelf.digest_of("made/one")
    shelf.lend("made/one", two)
    shelf.load_weighed({"made/one": 1.0})
    assert torch.equal(to_vector(model, shelf.adapter_name("made/one")), two)
    assert shelf.digest_of("made/one") != first
    assert "made/one" not in shelf.names()
    shelf.load_weighed({})
    assert np.array_equal(drawn(model), plain)
