"""SEGIC: what examples become, which parts of the decoder listen to it, and that it learns."""

import numpy as np
import pytest
import torch
from polygons import polygon_atlas
from tiny_vision import colour_backbone, example, noisy, squares

from lab.training.loop import Schedule
from lab.vision import segic
from lab.vision.bank import bank_of, offsets
from lab.vision.composites import STYLES_SHOWN
from lab.vision.propagate import neighbours
from lab.vision.question import Question
from lab.vision.segic import instructions, load_decoder, new_decoder, tensors
from lab.vision.train import segic as training
from lab.vision.train.segic import Episode, Kept, compose, episode_of, segic_loss, train_segic
from lab.weights import WeightsError

ONE = example("one", ("red", 8, 8), ("blue", 40, 40))
PICTURE = noisy(squares(("red", 32, 16), ("blue", 0, 48)))


def told_of(name: str = ""):
    backbone = colour_backbone()
    bank = bank_of((ONE,), backbone, with_mirrored=False)
    features = backbone.features(PICTURE)
    return bank, features, instructions(bank, features, 1, name)


def test_the_geometric_instruction_holds_the_propagated_share_and_where_the_match_lies():
    bank, features, told = told_of()
    share = neighbours(bank, features.reshape(64, -1))[:, 1].reshape(8, 8)
    np.testing.assert_allclose(told.geometric[..., 0], share, atol=1e-5)
    cosines = features.reshape(64, -1) @ bank.keys.T
    np.testing.assert_allclose(
        told.geometric[..., 1], cosines[:, bank.labels[:, 1] > 0.5].max(axis=1).reshape(8, 8), atol=1e-5
    )
    # a red place matches red places, which lie at most an eighth of a side from the middle of the mark
    assert (np.abs(told.geometric[2:4, 4:6, 3:]) < 0.13).all()
    assert np.abs(told.geometric[6:, :2, 3:]).max() > 0.3  # a blue place matches far from the mark


def test_offsets_are_measured_from_the_middle_of_each_class():
    labels = np.zeros((4, 4, 3), np.float32)
    labels[..., 0] = 1
    labels[1, 2] = (0, 1, 0)
    found = offsets(labels)
    assert found.shape == (4, 4, 2, 2)
    np.testing.assert_allclose(found[1, 2, 0], 0, atol=1e-6)
    np.testing.assert_allclose(found[3, 0, 0], (0.5, -0.5), atol=1e-6)
    assert (found[:, :, 1] == 0).all()  # the second class is not marked


def test_the_visual_instruction_is_the_mean_of_marked_places_and_of_others():
    bank, _, told = told_of()
    weight = bank.labels[:, 1:]
    rest = 1 - weight
    np.testing.assert_allclose(told.visual[0], (bank.keys * weight).sum(0) / weight.sum(), atol=1e-5)
    np.testing.assert_allclose(told.visual[1], (bank.keys * rest).sum(0) / rest.sum(), atol=1e-5)
    assert not told.meta.any()


@pytest.mark.parametrize("which", range(3))
def test_an_instruction_that_is_switched_off_is_not_heard(which):
    torch.manual_seed(0)
    decoder = new_decoder(n_channels=4, width=32).eval()
    _, features, told = told_of()
    counts = [[place != which for place in range(3)]]
    other = told._replace(**{told._fields[which]: told[which] + 1})
    with torch.inference_mode():
        outputs = [decoder(*tensors([features], [PICTURE], [each], counts)) for each in (told, other)]
        on = [decoder(*tensors([features], [PICTURE], [each], [[True] * 3])) for each in (told, other)]
    assert torch.equal(outputs[0][0], outputs[1][0]) and torch.equal(outputs[0][1], outputs[1][1])
    assert not torch.allclose(on[0][0], on[1][0])
    assert outputs[0][0].shape == (1, 32, 32) and outputs[0][1].shape == (1,)


def test_shares_are_those_of_the_mask_times_how_likely_the_class_is_there(monkeypatch):
    torch.manual_seed(0)
    decoder = new_decoder(n_channels=4, width=32).eval()
    monkeypatch.setattr(segic, "N_CHANNELS", 4)
    monkeypatch.setattr(segic, "load_decoder", lambda: decoder)
    question = Question((ONE,), PICTURE, colour_backbone(), with_mirrored=False)
    _, features, told = told_of()
    with torch.inference_mode():
        logits, present = decoder(*tensors([features], [PICTURE], [told], [[True, True, False]]))
    (likely,) = segic.presence(question)
    assert likely == pytest.approx(torch.sigmoid(present).item(), abs=1e-6)
    shares = segic.answer(question)
    np.testing.assert_allclose(shares[..., 1], likely * torch.sigmoid(logits[0]).numpy(), atol=1e-5)
    np.testing.assert_allclose(shares.sum(axis=-1), 1, atol=1e-6)


@pytest.fixture(scope="module")
def scenes():
    few = compose(polygon_atlas(), seed=0, n_scenes=1)
    return {word: few[word] for word in list(few)[:6]}


@pytest.fixture(scope="module")
def kept(scenes):
    return Kept(
        colour_backbone(), [each for styles in scenes.values() for found in styles.values() for each in found]
    )


def test_episodes_show_a_class_in_other_styles_than_the_query_and_now_and_then_lack_it(scenes):
    random = np.random.default_rng(0)
    drawn = [episode_of(scenes, random) for _ in range(300)]
    for each in drawn:
        assert 1 <= len(each.examples) <= 4
        assert all(shown.name.startswith(each.name) for shown in each.examples)
        style = each.query.name.rsplit(" ", 1)[1]
        assert style in STYLES_SHOWN and all(not shown.name.endswith(style) for shown in each.examples)
    absent = [each for each in drawn if each.query.is_negative]
    assert 10 < len(absent) < 60 and all(not each.query.name.startswith(each.name) for each in absent)


def test_it_learns_and_goes_on_where_it_was_broken_off(scenes, kept, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "BATCH", 4)
    monkeypatch.setattr(training, "new_decoder", lambda: new_decoder(n_channels=4, width=32))
    schedule = Schedule(30, 3e-3, 3)
    losses: list[float] = []
    for n_stop in (12, 30):
        decoder, steps = train_segic(scenes, kept, tmp_path / "segic.pt", schedule=schedule)
        for step in steps:
            losses.append(step.loss)
            if step.step == n_stop:
                break
        steps.close()
    assert len(losses) == 30 and np.mean(losses[-6:]) < 0.8 * np.mean(losses[:6])
    assert not decoder.training


def test_a_query_without_the_class_has_no_overlap_to_miss(scenes, kept):
    word, other = list(scenes)[:2]
    shown = scenes[word]["flat"][0]
    query = scenes[other]["3d"][0]
    empty = type(query)(query.name, query.picture, np.zeros_like(query.marks))
    decoder = new_decoder(n_channels=4, width=32)
    random = np.random.default_rng(0)
    loss = segic_loss(decoder, [Episode((shown,), empty, word)], kept, random)
    # at first every logit is near 0: four times the entropy of a coin for the mask, a quarter for presence
    assert loss.item() == pytest.approx(4.25 * np.log(2), rel=0.1)


def test_a_missing_decoder_names_the_remedy(tmp_path):
    with pytest.raises(WeightsError, match=r"python -m lab\.vision\.train segic"):
        load_decoder(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"nothing")
    load_decoder.cache_clear()
    with pytest.raises(WeightsError, match="this version's decoder"):
        load_decoder(tmp_path)
    load_decoder.cache_clear()


def test_another_backbone_is_refused():
    with pytest.raises(ValueError, match="choose that one"):
        segic.answer(Question((ONE,), PICTURE, colour_backbone()))
