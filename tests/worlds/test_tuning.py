import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from lab.worlds.metaopt import MetaOpt, MetaOptSettings
from lab.worlds.tuning import Asked, Compared, ask, joined, tuned

WORLD = MetaOpt(MetaOptSettings(n_pairs=3, n_heads=2))


@pytest.fixture
def learner():
    torch.manual_seed(0)
    return WORLD.build().eval()


def asked(outputs, scores=((1.0, 0.0),), answers=(0,)) -> Asked:
    """Make one query of one layer and one head."""
    return Asked(np.array([[outputs]]), np.array([[scores]]), np.array(answers))


def examples(learner, batch):
    return WORLD.alone(learner, batch.items[0]).detach()


def test_tuning_changes_keys_and_values_alone_and_a_copy_at_that(learner):
    before = {name: value.clone() for name, value in learner.state_dict().items()}
    batch = WORLD.drawn("train", 1)
    *_, last = tuned(learner, examples(learner, batch)[:-1], batch.labels[0], 1.0)
    for name, value in last.state_dict().items():
        if name.endswith("qkv.weight"):
            assert torch.equal(value[:64], before[name][:64])  # queries
            assert (value[64:] != before[name][64:]).any()
        else:
            assert torch.equal(value, before[name])
    assert all(torch.equal(value, before[name]) for name, value in learner.state_dict().items())
    assert all(each.requires_grad for each in learner.parameters())


def test_a_step_is_that_of_gradient_descent_on_its_example(learner):
    batch, rate = WORLD.drawn("train", 1), 0.1
    own = examples(learner, batch)
    first = next(iter(tuned(learner, own[:-1], batch.labels[0], rate)))
    cross_entropy(learner.answer(own[:1], at=-1), batch.labels[:1, 0]).backward()
    for block, changed in zip(learner.body.blocks, first.body.blocks, strict=True):
        weight = block.attn.qkv.weight
        assert torch.allclose(changed.attn.qkv.weight[64:], (weight - rate * weight.grad)[64:], atol=1e-6)


def test_it_works_where_gradients_are_switched_off_and_lowers_the_loss_of_its_example(learner):
    batch = WORLD.drawn("train", 1)
    own, label = examples(learner, batch)[:1], batch.labels[:1, 0]
    with torch.no_grad():
        *_, last = tuned(learner, own.expand(5, -1, -1), label.expand(5), 0.5)
        assert cross_entropy(last.answer(own, at=-1), label) < cross_entropy(
            learner.answer(own, at=-1), label
        )


def test_what_is_asked_is_read_at_the_last_token(learner):
    batch = WORLD.drawn("train", 4)
    cache: dict = {}
    with torch.no_grad():
        answers = WORLD.answer(learner, batch, None, cache).argmax(1)
        found = ask(learner, WORLD.encode(learner, batch), 2)
    assert found.outputs.shape == (4, 2, 64) and found.scores.shape == (4, 2, 2, 2)
    assert np.array_equal(found.answers, answers)
    assert np.allclose(found.outputs[:, 1], cache["blocks.1.hook_attn_out"][:, -1], atol=1e-5)
    assert np.allclose(found.scores[:, 0], cache["blocks.0.attn.hook_attn_scores"][:, :, -1, -2:], atol=1e-5)


def test_updates_in_one_direction_are_alike_and_against_each_other_are_not():
    alone, east, west = asked([0.0, 1.0]), asked([1.0, 1.0]), asked([-1.0, 1.0])
    assert Compared(alone, east, east).output_likeness() == pytest.approx(1.0)
    assert Compared(alone, east, west).output_likeness()[0, 0] < 0
    assert Compared(alone, east, alone).output_likeness() == 0  # tuning that changes nothing


def test_outputs_are_normalised_before_they_are_subtracted():
    alone = asked([0.0, 1.0])
    found = Compared(alone, asked([3.0, 0.0]), asked([0.0, -2.0])).output_likeness()
    assert found == pytest.approx(1 / np.sqrt(2))  # (1, -1) and (0, -2)


def test_random_updates_are_like_nothing_in_many_dimensions():
    rng = np.random.default_rng(0)
    many = Asked(rng.normal(size=(300, 2, 64)), np.zeros((300, 2, 1, 2)), np.zeros(300))
    other = Asked(rng.normal(size=(300, 2, 64)), np.zeros((300, 2, 1, 2)), np.zeros(300))
    assert abs(Compared(many, other, other).random_likeness(7).mean()) < 0.02


def test_scores_are_compared_with_those_after_tuning_and_those_alone():
    compared = Compared(
        asked([1.0, 0.0], [[0.0, 1.0]]), asked([1.0, 0.0], [[2.0, 0.0]]), asked([1.0, 0.0], [[1.0, 1.0]])
    )
    with_tuned, with_alone = compared.attention_likeness()
    assert with_tuned == pytest.approx(1 / np.sqrt(2)) and with_alone == 0


def test_recovered_counts_what_tuning_put_right():
    alone, in_context, after = ([0, 0, 1, 0], [1, 0, 1, 1], [1, 1, 1, 0])
    compared = Compared(*(asked([1.0, 0.0], answers=each) for each in (alone, in_context, after)))
    assert compared.recovered(np.ones(4)) == 0.5  # of the first two the context has the first
    assert np.isnan(compared.recovered(np.zeros(4)))


def test_queries_that_were_asked_apart_are_put_together():
    both = joined([asked([1.0, 0.0], answers=[3]), asked([0.0, 1.0], answers=[4])])
    assert both.outputs.shape == (2, 1, 2) and list(both.answers) == [3, 4]
