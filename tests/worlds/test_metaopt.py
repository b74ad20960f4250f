import numpy as np
import pytest
import torch

from lab.worlds.growth import Growth
from lab.worlds.metaopt import PRESETS, MetaOpt, MetaOptSettings, first_pairs, nearest

WORLD = MetaOpt(MetaOptSettings(n_pairs=4))


@pytest.fixture
def learner():
    torch.manual_seed(0)
    return WORLD.build().eval()


def test_the_query_is_one_of_the_items_and_its_label_the_answer():
    batch = WORLD.drawn("train", 300)
    assert batch.items.shape == (300, 5, 32) and batch.labels.shape == (300, 4)
    assert (batch.is_match.sum(1) == 1).all()
    assert torch.equal(batch.labels[batch.is_match], batch.target)
    assert all(len(set(row)) == 4 for row in batch.labels.tolist())


def test_labels_are_dealt_anew():
    batch = WORLD.drawn("train", 2000)
    labels = batch.target[batch.classes[:, -1] == batch.classes[0, -1]]
    assert len(labels.unique()) > 1


def test_new_classes_are_counted_on_after_those_that_are_learned():
    assert (WORLD.drawn("classes", 50).classes >= 256).all()
    assert (WORLD.drawn("train", 50).classes < 256).all()


def test_a_query_alone_is_what_stands_at_the_end_of_a_sequence(learner):
    batch = WORLD.drawn("train", 6)
    laid, alone = WORLD.encode(learner, batch), WORLD.alone(learner, batch.items)
    assert laid.shape == (6, 10, 64) and alone.shape == (6, 5, 2, 64)
    assert torch.allclose(laid[:, -2:], alone[:, -1], atol=1e-6)  # two threads round otherwise
    assert torch.allclose(laid[:, 2], alone[:, 1, 1], atol=1e-6)  # the second item
    assert len(WORLD.positions(batch, 0)) == 10


def test_the_nearest_item_is_the_querys_unless_it_is_not_shown():
    batch = WORLD.drawn("train", 300)
    assert torch.equal(nearest(batch), batch.target)
    first = first_pairs(batch, 1)
    assert first.items.shape == (300, 2, 32)
    assert torch.equal(nearest(first), batch.labels[:, 0])


def test_in_the_first_layer_no_context_changes_the_scores_of_a_query_s_own_tokens(learner):
    compared = WORLD.compared(learner, WORLD.drawn("train", 5))
    _, with_alone = compared.attention_likeness()
    assert with_alone[:, 0] == pytest.approx(1, abs=1e-5)
    assert (with_alone[:, 1] < 1).any()


def test_exchanged_labels_are_tuned_on_but_not_shown(learner):
    batch = WORLD.drawn("train", 5)
    plain, exchanged = WORLD.compared(learner, batch), WORLD.compared(learner, batch, n_moved=1)
    assert (plain.in_context.outputs == exchanged.in_context.outputs).all()
    assert (plain.tuned.outputs != exchanged.tuned.outputs).any()


def test_measures_are_those_that_are_described_and_start_at_chance(learner):
    with torch.no_grad():
        found = WORLD.measure(learner)
    assert set(found) == {curve.name for curve in WORLD.curves}
    assert found["in_context"] < 0.1 and found["nearest"] == 1
    assert abs(found["output_random"]) < 0.1


def test_a_profile_goes_over_the_pairs(learner):
    found = WORLD.profile(learner)
    assert list(found.x) == [1, 2, 3, 4]
    assert list(found.lines) == ["in context", "tuned", "nearest item"]
    assert found.lines["nearest item"][0] < found.lines["nearest item"][-1] == 1


def test_pairs_of_ones_own_are_read_as_sequences_are_written(learner):
    read = WORLD.read(WORLD.own.example)
    assert WORLD.written(read) == [WORLD.own.example]
    with torch.no_grad():
        found = WORLD.told(learner, "7=b 3=d 7=?")
    assert list(found.x) == ["b", "d"]
    assert list(found.lines) == ["in context", "tuned", "alone"]
    assert all(0 < sum(line) < 1 for line in found.lines.values())


@pytest.mark.parametrize(
    "text", ["", "7=?", "7=b", "7=b 3", "7=b b=?", "7=zz 7=?", "7=B 7=?", "1=a " * 13 + "1=?"]
)
def test_what_is_written_otherwise_is_refused_with_how_it_is(text):
    with pytest.raises(ValueError, match="write 1 to 12 pairs and a query, such as 7=b"):
        WORLD.read(text)
    with pytest.raises(ValueError, match="classes are 0 to 255, got 300"):
        WORLD.read("300=a 7=?")


@pytest.mark.parametrize("attention", ["softmax", "linear"])
def test_momentum_and_linear_attention_reach_the_learner(attention):
    settings = MetaOptSettings(n_pairs=4, attention=attention, momentum=0.5)
    config = MetaOpt(settings).build().body.config
    assert (config.is_linear, config.momentum) == (attention == "linear", 0.5)


def test_it_learns_which_labels_are_shown_first():
    settings = MetaOptSettings(n_pairs=2, n_labels=12, n_steps=100, rate=1e-2)
    first, *_, last = [each for each in Growth(MetaOpt(settings), 0, 1).moments() if each.measures]
    assert last.measures["in_context"] > 0.3 > first.measures["in_context"]


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_presets_are_settings(preset):
    MetaOptSettings(**preset.settings)


def test_likeness_by_layer_stands_beside_an_untrained_learner_and_chance(learner):
    with torch.no_grad():
        lines = WORLD.by_layer(learner).lines
        measured = WORLD.measure(learner)
    assert lines["this learner"] == pytest.approx([measured["output.0"], measured["output.1"]], abs=1e-6)
    assert all(abs(value) < 0.15 for value in lines["a random direction"])
    assert lines["untrained"] == lines["this learner"]  # which this one is, of the same seed


def test_context_and_tuning_pull_as_far_apart_as_their_cosine_tells(learner):
    with torch.no_grad():
        found = WORLD.pulls(learner)
    ends = {name: np.array(each) for name, each in found.arrows.items()}
    assert ends["context"].shape == ends["tuning"].shape == (6, 2)
    compared = WORLD.compared(learner, WORLD.drawn("train", 6, 2))
    for end, change in zip(ends.values(), compared.changes(), strict=True):
        assert (np.linalg.norm(end, axis=1) <= np.linalg.norm(change[:, -1], axis=1) + 1e-5).all()
    assert f"cosine of {compared.output_likeness()[:, -1].mean():.2f}" in found.title
