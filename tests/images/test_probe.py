"""The probe: what it returns, what it refuses, how it is trained and how well the shipped one reads."""

import json

import numpy as np
import pytest
import torch

from lab.images.components import new_vae
from lab.images.concepts import STYLES, concepts
from lab.images.emoji import Atlas, atlas
from lab.images.probe import as_values, load_probe, new_probe, read_panels
from lab.images.train import probe as training
from lab.images.train.probe import probe_accuracy, probe_loss, save_probe, task_accuracy, train_probe
from lab.images.train.views import (
    EMPTY,
    Views,
    decoded,
    held_out_views,
    nothing,
    random_views,
    weathered,
)
from lab.training.loop import Schedule, Step
from lab.training.record import curve
from lab.weights import WeightsError

N_CONCEPTS = 4


@pytest.fixture(scope="module")
def few() -> Atlas:
    """Draw the first four concepts as coarse random blocks, each in five tints."""
    random = np.random.default_rng(0)
    blocks = random.integers(0, 256, (N_CONCEPTS, 1, 8, 8, 4))
    tints = random.uniform(0.3, 1, (1, len(STYLES), 1, 1, 4))
    pixels = (blocks * tints).astype(np.uint8).repeat(16, axis=2).repeat(16, axis=3)
    pixels[..., 3] = np.where(pixels[..., 3] > 40, 255, 0)
    return Atlas(pixels)


@pytest.fixture(scope="module")
def untrained():
    torch.manual_seed(0)
    return new_probe().eval()


@pytest.fixture(scope="module")
def panels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (7, 64, 64, 3), dtype=np.uint8)


def test_the_network_is_small(untrained):
    assert sum(tensor.numel() for tensor in untrained.parameters()) <= 1_000_000


def test_a_reading_ranks_all_concepts_and_its_probabilities_sum_to_one(untrained, panels):
    reading = read_panels(panels, untrained)
    assert len(reading) == 7
    assert reading.similarity.shape == (7, len(concepts())) and np.abs(reading.similarity).max() <= 1.00001
    assert (np.sort(reading.ranked, axis=1) == np.arange(len(concepts()))).all()
    assert (np.diff(np.take_along_axis(reading.similarity, reading.ranked, axis=1), axis=1) <= 0).all()
    np.testing.assert_allclose(np.exp(reading.logp_style).sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(reading.embedding, axis=1), 1, rtol=1e-5)
    assert ((reading.p_empty > 0) & (reading.p_empty < 1)).all()
    assert reading.words == [concepts()[place].word for place in reading.similarity.argmax(axis=1)]


def test_a_reading_does_not_depend_on_the_batch(untrained, panels):
    whole, parts = read_panels(panels, untrained), read_panels(panels, untrained, n_batch=2)
    np.testing.assert_allclose(whole.similarity, parts.similarity, atol=1e-5)
    np.testing.assert_allclose(whole.logp_style, parts.logp_style, atol=1e-5)


def test_no_panels_have_an_empty_reading(untrained):
    reading = read_panels(np.zeros((0, 64, 64, 3), np.uint8), untrained)
    assert (len(reading), reading.similarity.shape, reading.words) == (0, (0, len(concepts())), [])


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((2, 32, 32, 3), np.uint8),
        np.zeros((64, 64, 3), np.uint8),
        np.zeros((1, 64, 64, 3), np.float32),
    ],
)
def test_panels_of_another_shape_or_type_are_refused(untrained, wrong):
    with pytest.raises(ValueError, match="panels must be uint8 of shape"):
        read_panels(wrong, untrained)


def test_pixels_become_values_from_minus_one_to_one():
    values = as_values(np.array([0, 255], np.uint8).reshape(1, 1, 2, 1).repeat(3, axis=3))
    assert values.shape == (1, 3, 1, 2) and values[0, 0, 0].tolist() == [-1, 1]


def test_missing_weights_are_named_with_the_remedy(tmp_path):
    with pytest.raises(WeightsError, match=r"no .*model\.safetensors\. Restore it from the repository"):
        load_probe(folder=tmp_path)


def test_weights_of_another_network_are_refused(tmp_path):
    from safetensors.torch import save_file

    for write in (
        lambda path: save_file({"blocks.0.weight": torch.zeros(3)}, path),
        lambda path: path.write_bytes(b"not weights"),
    ):
        write(tmp_path / "model.safetensors")
        with pytest.raises(WeightsError, match="does not hold this version's probe"):
            load_probe(folder=tmp_path)


def test_a_saved_probe_reads_the_same_up_to_half_precision(tmp_path, few, panels, monkeypatch):
    monkeypatch.setattr(training, "task_accuracy", lambda probe, drawings, seed: {})  # needs all concepts
    torch.manual_seed(0)
    probe = new_probe().eval()
    before = read_panels(panels, probe).similarity
    steps = (Step(n, 50, float(n), n / 10) for n in range(1, 51))
    list(curve(steps, tmp_path / "probe.csv"))
    save_probe(probe, few, None, tmp_path / "probe.csv", seed=3, folder=tmp_path)
    after = read_panels(panels, load_probe(folder=tmp_path)).similarity
    np.testing.assert_allclose(after, before, atol=5e-3)
    np.testing.assert_array_equal(after, read_panels(panels, probe).similarity)  # measured as it will be read
    told = json.loads((tmp_path / "training.json").read_text())
    assert (told["seed"], told["steps"], told["seconds"], len(told["data_sha256"])) == (3, 50, 5.0, 64)
    assert told["loss"] == [[25, 13.0], [50, 38.0]]  # means of 1..25 and 26..50
    assert set(told["accuracy"]) == {"renders", "panels", "floor", "empty", "tasks"}
    assert (tmp_path / "model.safetensors").stat().st_size < 4_000_000


def test_views_come_from_their_seed(few):
    one, same, other = (random_views(few, np.random.default_rng(seed), 40) for seed in (5, 5, 6))
    for a, b in zip(one, same, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(one.pixels, other.pixels)


def test_empty_views_have_neither_identity_nor_style(few):
    views = random_views(few, np.random.default_rng(0), 200)
    is_empty = views.identity == EMPTY
    assert 0 < is_empty.mean() < 0.2
    assert ((views.style == EMPTY) == is_empty).all()
    assert set(views.identity[~is_empty]) == set(range(N_CONCEPTS))
    # the others hold a drawing: their edges are steeper than those of a ground with stains
    steepest = np.abs(np.diff(views.pixels.astype(int), axis=2)).max(axis=(1, 2, 3))
    assert np.median(steepest[~is_empty]) > 3 * steepest[is_empty].max()


def test_a_ground_alone_is_smooth():
    random = np.random.default_rng(0)
    grounds = np.stack([nothing(random) for _ in range(50)]).astype(int)
    assert np.abs(np.diff(grounds, axis=1)).max() < 40


def test_effects_change_the_views(few):
    chances = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))
    plain, worn, storm = (random_views(few, np.random.default_rng(1), 8, *chance) for chance in chances)
    for views in (worn, storm):
        np.testing.assert_array_equal(views.identity, plain.identity)
        is_same = (views.pixels == plain.pixels).all(axis=(1, 2, 3))
        assert not is_same[plain.identity != EMPTY].any()


def test_held_out_views_show_every_drawing_once(few):
    views = held_out_views(few, "large")
    assert sorted(zip(views.identity, views.style, strict=True)) == [
        (i, s) for i in range(N_CONCEPTS) for s in range(len(STYLES))
    ]
    assert not np.array_equal(views.pixels, held_out_views(few, "large", seed=1).pixels)
    np.testing.assert_array_equal(views.pixels, held_out_views(few, "large").pixels)


def test_a_plain_panel_stays_plain_when_mirrored_tinted_and_softened():
    plain = np.full((64, 64, 64, 3), 100, np.uint8)
    spread = weathered(plain, np.random.default_rng(0)).std(axis=(1, 2)).max(axis=1)
    assert 0.5 < (spread == 0).mean() < 0.9  # the others got noise, which 3 in 10 do


def test_an_empty_panel_teaches_neither_identity_nor_style(few):
    torch.manual_seed(0)
    probe = new_probe()
    none = np.full(3, EMPTY)
    probe_loss(probe, Views(np.zeros((3, 64, 64, 3), np.uint8), none, none)).backward()
    assert probe["drawings"].weight.grad.abs().max() == 0
    assert probe["prototypes"].weight.grad.abs().max() == 0
    assert probe["empty"].weight.grad.abs().max() > 0


def test_decoding_without_noise_needs_no_seed_and_with_noise_it_does(panels):
    torch.manual_seed(0)
    vae = new_vae().eval()
    quiet = [decoded(vae, panels[:2], np.zeros(2), seed) for seed in (0, 1)]
    assert quiet[0].shape == (2, 64, 64, 3) and quiet[0].dtype == np.uint8
    np.testing.assert_array_equal(*quiet)
    loud = [decoded(vae, panels[:2], np.array([0.0, 0.9]), seed) for seed in (0, 1)]
    np.testing.assert_array_equal(loud[0][0], quiet[0][0])
    assert not np.array_equal(loud[0][1], loud[1][1])


def test_training_resumes_and_learns(tmp_path, few, monkeypatch):
    monkeypatch.setattr(training, "BATCH", 16)
    monkeypatch.setattr(training, "N_PREPARED", 1)
    schedule = Schedule(n_steps=24, rate=3e-3, n_warmup=3)
    losses = []
    for n_stop in (10, 24):
        probe, steps = train_probe(few, None, tmp_path / "probe.pt", schedule=schedule)
        for step in steps:
            losses.append(step.loss)
            if step.step == n_stop:
                break
        steps.close()
    assert len(losses) == 24
    assert np.mean(losses[-4:]) < np.mean(losses[:4]) - 1
    assert not probe.training


def test_half_of_a_batch_comes_from_the_autoencoder(few, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "BATCH", 8)
    monkeypatch.setattr(training, "N_PREPARED", 1)
    seen = []
    monkeypatch.setattr(training, "weathered", lambda pixels, random: seen.append(pixels) or pixels)
    torch.manual_seed(0)
    vae = new_vae().eval()
    _, steps = train_probe(few, vae, tmp_path / "probe.pt", schedule=Schedule(n_steps=1, rate=1e-3))
    assert len(list(steps)) == 1
    # an untrained autoencoder gives back grey: its half has less contrast
    contrast = seen[0].std(axis=(1, 2, 3))
    assert len(contrast) == 8 and np.median(contrast[4:]) < np.median(contrast[:4])


def test_accuracy_is_told_by_condition_size_and_style(few, untrained):
    found = probe_accuracy(untrained, few)
    assert set(found) == {"renders", "panels", "floor", "empty"}
    large = found["renders"]["large"]
    assert set(found["renders"]) == {"small", "medium", "large"} and large["n"] == N_CONCEPTS * len(STYLES)
    assert 0 <= large["both"] <= large["identity_at_1"] <= large["identity_at_5"] <= 1
    assert set(large["by_style"]) == set(STYLES)
    mean = np.mean([style["identity_at_1"] for style in large["by_style"].values()])
    assert mean == pytest.approx(large["identity_at_1"], abs=1e-3)
    json.dumps(found)


@pytest.mark.model
def test_the_shipped_probe_reads_real_renders():
    probe, drawings = load_probe(), atlas()
    found = probe_accuracy(probe, drawings, seed=1)
    assert found["renders"]["large"]["identity_at_1"] >= 0.97
    assert found["panels"]["large"]["identity_at_1"] >= 0.97
    assert found["panels"]["large"]["style"] >= 0.97
    assert found["floor"]["identity_at_1"] < 0.03
    assert found["empty"]["found"] >= 0.97 and found["empty"]["false_alarm"] <= 0.03
    by_task = task_accuracy(probe, drawings, n=8, seed=1)
    assert by_task["rendered"]["set_success"] >= 0.9
