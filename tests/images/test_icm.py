"""The generator of LoRAs: its basis, its divergence, memorising, interpolating, its file, its training."""

import json
from dataclasses import replace

import pytest
import torch
from tiny_flux import tiny_model

from lab.images import icm
from lab.images.icm import Trained, divergence, generate, interpolate, nearest, new_cvae
from lab.images.lora_basis import FLOOR, fit_basis
from lab.images.lora_vector import RANK, fingerprint
from lab.images.tasks import find_task
from lab.images.train.icm import Collected, Plan, collect, make_icm, read_one, train_icm
from lab.images.tune import TuneSettings
from lab.training.loop import Schedule
from lab.weights import WeightsError

SIZES = (12, 8)
N_CONDITION = 6


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def some_cvae(seed: int = 0):
    torch.manual_seed(seed)
    return new_cvae(normal(9, 20), normal(5, N_CONDITION, seed=1), SIZES, "some base", 4)


def test_as_many_directions_as_vectors_less_one_restore_them_exactly():
    vectors = normal(7, 20)
    basis = fit_basis(vectors, SIZES, 99)
    assert basis.n_components == 6
    torch.testing.assert_close(basis.vectors(basis.coefficients(vectors)), vectors, atol=1e-5, rtol=1e-5)
    assert basis.explained(vectors) == pytest.approx(1, abs=1e-6)
    torch.testing.assert_close(basis.components @ basis.components.T, torch.eye(6), atol=1e-5, rtol=0)


def test_the_share_explained_is_that_of_the_singular_values():
    vectors = normal(7, 20)
    basis = fit_basis(vectors, SIZES, 2)
    spectrum = torch.linalg.svdvals((vectors - basis.mean) / basis.std) ** 2
    assert basis.explained(vectors) == pytest.approx(float(spectrum[:2].sum() / spectrum.sum()), abs=1e-5)
    mean_square = basis.coefficients(vectors).square().mean()
    assert float(mean_square) == pytest.approx(1, abs=1e-5)


def test_a_number_that_hardly_varies_has_the_deviation_floor_of_its_tensor():
    vectors = normal(50, 20)
    vectors[:, 3] = 5.0
    vectors[:, 12:] = 0.0  # a whole tensor without variation
    basis = fit_basis(vectors, SIZES, 3)
    deviations = vectors[:, :12].std(0, correction=0)
    assert float(basis.std[3]) == pytest.approx(FLOOR * float(deviations.square().mean().sqrt()))
    assert basis.vectors(basis.coefficients(vectors)).isfinite().all()


def test_a_basis_of_one_vector_or_wrong_sizes_is_refused():
    with pytest.raises(ValueError, match="two vectors or more"):
        fit_basis(normal(1, 20), SIZES, 1)
    with pytest.raises(ValueError, match="can't make up"):
        fit_basis(normal(3, 21), SIZES, 1)


def test_the_divergence_is_the_closed_form():
    mean, logvar = torch.tensor([[0.0, 0.0], [1.0, -2.0]]), torch.tensor([[0.0, 0.0], [0.0, 1.0]])
    # ½ (μ² + σ² − 1 − log σ²): nothing at the prior; ½ · 1 + ½ (4 + e − 1 − 1) beside it
    expected = torch.tensor([0.0, 0.5 + 0.5 * (2 + torch.e)])
    torch.testing.assert_close(divergence(mean, logvar), expected)
    from torch.distributions import Normal, kl_divergence

    mean, logvar = normal(4, 3), normal(4, 3, seed=1)
    reference = kl_divergence(Normal(mean, (logvar / 2).exp()), Normal(0.0, 1.0)).sum(-1)
    torch.testing.assert_close(divergence(mean, logvar), reference)


def test_memorised_vectors_come_out_of_the_middle_of_the_prior():
    vectors, tasks = normal(3, 20), normal(3, N_CONDITION, seed=1)
    collected = [
        Collected(task, 0, vector[None], task_vector[None])
        for task, vector, task_vector in zip(("coloured", "growth", "couple"), vectors, tasks, strict=True)
    ]
    cvae, steps = train_icm(collected, SIZES, "", Schedule(250, 3e-3, n_warmup=10, flat=0.5, ema=0.9))
    list(steps)
    for vector, task in zip(vectors, tasks, strict=True):
        off = generate(cvae, task) - vector
        assert off.norm() < 0.05 * (vector - cvae.basis.mean).norm()


def test_the_same_seed_makes_the_same_lora_and_another_another():
    cvae, task = some_cvae(), normal(N_CONDITION)
    assert torch.equal(generate(cvae, task, 3), generate(cvae, task, 3))
    assert not torch.equal(generate(cvae, task, 3), generate(cvae, task, 4))
    assert not torch.equal(generate(cvae, task, 3), generate(cvae, task))


def test_an_interpolation_begins_and_ends_with_its_tasks():
    cvae, a, b = some_cvae(), normal(N_CONDITION), normal(N_CONDITION, seed=1)
    found = interpolate(cvae, a, b, 5)
    assert found.shape == (5, 20)
    assert torch.equal(found[0], generate(cvae, a)) and torch.equal(found[-1], generate(cvae, b))
    torch.testing.assert_close(found[2], generate(cvae, (a + b) / 2))
    with pytest.raises(ValueError, match="n must be 2 or more"):
        interpolate(cvae, a, b, 1)


def test_a_condition_far_from_every_task_is_held_within_three_deviations():
    cvae = some_cvae()
    assert cvae.condition(1e6 * torch.ones(N_CONDITION)).tolist() == [3.0] * N_CONDITION


def test_the_nearest_task_is_told_by_normalised_task_vectors():
    cvae = some_cvae()
    here = cvae.condition_mean
    step = cvae.condition_std
    among = {"far": Trained(normal(20), here + step), "near": Trained(normal(20), here - 0.5 * step)}
    assert nearest(cvae, here, among) == "near"


def test_saved_and_loaded_it_makes_the_same_loras(tmp_path):
    cvae = some_cvae()
    trained = {"coloured": Trained(normal(20), normal(N_CONDITION))}
    icm.save(cvae, trained, tmp_path)
    again, found = icm.load(tmp_path, "some base")
    task = normal(N_CONDITION, seed=7)
    torch.testing.assert_close(generate(again, task, 1), generate(cvae, task, 1), atol=5e-3, rtol=1e-2)
    torch.testing.assert_close(found["coloured"].vector, trained["coloured"].vector, atol=1e-3, rtol=1e-3)
    assert torch.equal(found["coloured"].task_vector, trained["coloured"].task_vector)


def test_a_file_that_is_missing_damaged_or_for_another_base_is_refused(tmp_path):
    with pytest.raises(WeightsError, match="is missing"):
        icm.load(tmp_path)
    icm.save(some_cvae(), {}, tmp_path)
    with pytest.raises(WeightsError, match="for another base"):
        icm.load(tmp_path, "a new base")
    (tmp_path / "model.safetensors").write_bytes(b"\x00" * 20)
    with pytest.raises(WeightsError, match="does not hold"):
        icm.load(tmp_path)


def test_the_collection_goes_on_where_it_stopped_and_its_network_is_trained(drawings, tmp_path):
    model, tasks = tiny_model(), tuple(find_task(name) for name in ("coloured", "couple", "rendered"))
    brief = Schedule(n_steps=30, rate=1e-3, n_warmup=1)
    plan = Plan(TuneSettings(RANK, n_steps=4, batch=2), tasks, (0,), 3, 2, 2, brief)
    going = collect(model, drawings, tmp_path, plan)
    for _ in range(6):  # the first LoRA and half of the second
        next(going)
    going.close()
    assert [path.name for path in tmp_path.glob("icm/*.safetensors")] == ["coloured-0.safetensors"]
    steps = list(make_icm(model, drawings, tmp_path, tmp_path / "made", plan))
    assert len(steps) == 2 * 4 + 30
    assert list(collect(model, drawings, tmp_path, plan)) == []

    record = json.loads((tmp_path / "made" / "training.json").read_text())
    assert record["n_vectors"] == 2 * 2 and record["held_out"] == ["sandstorm", "rendered"]
    assert record["steps"] == 30 and set(record["relative_error"]) == {"coloured", "couple", "rendered"}
    cvae, trained = icm.load(tmp_path / "made", fingerprint(model))
    assert list(trained) == ["coloured", "couple", "rendered"]
    kept = read_one(tmp_path, tasks[0], 0)
    torch.testing.assert_close(trained["coloured"].vector, kept.vectors[-1], atol=1e-4, rtol=1e-3)
    assert generate(cvae, kept.task_vectors[0], 0).shape == kept.vectors[0].shape

    other_base = collect(tiny_model(1), drawings, tmp_path, replace(plan, tasks=tasks[:1]))
    assert len(list(other_base)) == 4


def test_the_network_sees_nothing_of_tasks_held_out():
    seen = [
        Collected(task, 0, normal(2, 20, seed=place), normal(2, N_CONDITION, seed=place))
        for place, task in enumerate(("coloured", "growth"))
    ]
    loud = Collected("rendered", 0, 1e6 * normal(2, 20), 1e6 * normal(2, N_CONDITION))
    made = []
    for collected in (seen, [loud, *seen]):
        cvae, steps = train_icm(collected, SIZES, "", Schedule(n_steps=2, rate=1e-3, n_warmup=1))
        list(steps)
        made.append(generate(cvae, normal(N_CONDITION, seed=9)))
    assert torch.equal(*made)
