import numpy as np
import pytest
import torch

from lab.worlds.exact.strategies import (
    counts,
    distance,
    divergence,
    generalising,
    memorising,
    relative_distance,
)

URNS = torch.tensor([[0.8, 0.1, 0.1], [0.2, 0.3, 0.5]])


def test_balls_are_counted_before_each_and_after_the_last():
    found = counts(torch.tensor([[0, 2, 0]]), 3)
    assert found.tolist() == [[[0, 0, 0], [1, 0, 0], [1, 0, 1], [2, 0, 1]]]


def test_memory_weighs_urns_by_bayes():
    weights = np.array([0.8 * 0.8 * 0.1, 0.2 * 0.2 * 0.5])
    expected = weights / weights.sum() @ URNS.numpy()
    assert memorising(torch.tensor([2.0, 0.0, 1.0]), URNS).numpy() == pytest.approx(expected, rel=1e-5)
    assert memorising(torch.zeros(3), URNS).numpy() == pytest.approx([0.5, 0.2, 0.3], rel=1e-5)


def test_an_urn_that_lacks_what_was_drawn_is_ruled_out():
    urns = torch.tensor([[0.0, 0.5, 0.5], [0.2, 0.4, 0.4]])
    assert memorising(torch.tensor([3.0, 0.0, 0.0]), urns).numpy() == pytest.approx([0.2, 0.4, 0.4], rel=1e-4)


def test_counting_is_laplaces_rule():
    assert generalising(torch.tensor([3.0, 0.0, 1.0])).tolist() == pytest.approx([4 / 7, 1 / 7, 2 / 7])


def test_counting_is_memory_of_very_many_urns():
    shares = torch.empty(200_000, 3).exponential_(generator=torch.Generator().manual_seed(0))
    urns = shares / shares.sum(1, keepdim=True)
    seen = torch.tensor([3.0, 0.0, 1.0])
    assert memorising(seen, urns).numpy() == pytest.approx(generalising(seen).numpy(), abs=0.005)


def test_divergence_is_that_of_the_definition_and_nothing_of_equals():
    p, q = torch.tensor([0.5, 0.5, 0.0]), torch.tensor([0.25, 0.25, 0.5])
    assert divergence(p, q).item() == pytest.approx(np.log(2), rel=1e-5)
    assert divergence(p, p).item() == 0
    assert distance(URNS[:1], URNS[1:]) == pytest.approx(distance(URNS[1:], URNS[:1]))


def test_the_relative_distance_ends_at_both_predictors():
    assert relative_distance(0.0, 0.4, 0.4) == 0
    assert relative_distance(0.4, 0.0, 0.4) == 1
    assert relative_distance(2.0, 0.1, 0.4) == 1
