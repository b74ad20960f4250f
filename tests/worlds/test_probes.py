from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lab.worlds.growth import Growth
from lab.worlds.induction import Induction, InductionSettings
from lab.worlds.probes import held_out_accuracy, left_out_accuracy, principal_plane, readable
from lab.worlds.world import Replies


def test_it_is_what_fits_to_all_others_tell_one_by_one():
    generator = torch.Generator().manual_seed(0)
    first = torch.randn(9, 4, generator=generator) + 0.4
    second = torch.randn(8, 4, generator=generator)
    x = np.hstack([torch.cat([first, second]).double().numpy(), np.ones((17, 1))])
    y = np.array([1.0] * 9 + [-1.0] * 8)
    right = []
    for left_out in range(17):
        others = np.arange(17) != left_out
        gram = x[others].T @ x[others] + 2.0 * np.eye(5)
        right.append(y[left_out] * (x[left_out] @ np.linalg.solve(gram, x[others].T @ y[others])) > 0)
    assert left_out_accuracy(first, second, 2.0) == np.mean(right)


def test_kinds_that_differ_are_told_apart_and_noise_is_not():
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(400, 16, generator=generator)
    assert 0.35 < left_out_accuracy(noise[:200], noise[200:], 16.0) < 0.65
    assert left_out_accuracy(noise[:200] + 2, noise[200:] - 2, 16.0) == 1


def test_a_probe_of_many_kinds_is_judged_on_vectors_it_was_not_fitted_on():
    generator = torch.Generator().manual_seed(0)
    kinds = torch.arange(600) % 3
    noise = torch.randn(600, 16, generator=generator)
    assert 0.2 < held_out_accuracy(noise, kinds, 1.0) < 0.47
    centres = 6 * torch.eye(3, 16)
    assert held_out_accuracy(noise + centres[kinds], kinds, 1.0) > 0.98


class Copied:
    """A world of three numbers whose answer is the first, with a learner that tells it late."""

    def __init__(self, n_kinds: int = 4) -> None:
        self.n_kinds, self.questions = n_kinds, {"train": ""}

    def sample(self, n, generator, split):
        return torch.randint(self.n_kinds, (n, 3), generator=generator)

    def positions(self, batch, row):
        return ["a", "b", "c"]

    def reply(self, learner, batch, hooks, cache):
        told = torch.nn.functional.one_hot(batch, self.n_kinds).float()
        cache["hook_embed"] = told
        cache["blocks.0.hook_resid_post"] = told[:, :1].expand(-1, 3, -1)
        gold = [str(first) for first in batch[:, 0].tolist()]
        return Replies(["0"] * len(gold), gold, [{}] * len(gold))


LEARNER = SimpleNamespace(
    body=SimpleNamespace(hook_names=["hook_embed", "blocks.0.hook_resid_post", "ln_final.hook_normalized"])
)


def test_the_answer_is_found_where_it_stands_and_nowhere_else():
    found = readable(Copied(), LEARNER)
    assert found.layers == ["what comes in", "after block 0"]
    assert found.positions == [1, 2, 3]
    assert found.shares[1].tolist() == [1.0, 1.0, 1.0]
    assert found.shares[0, 0] == 1.0
    assert found.shares[0, 1:].max() < 0.35
    assert found.learner == pytest.approx(0.25, abs=0.05)
    assert found.chance == pytest.approx(0.27, abs=0.03)
    assert found.n == 1000


def test_too_many_different_answers_are_refused():
    with pytest.raises(ValueError, match="There are 200 different answers"):
        readable(Copied(200), LEARNER)


def test_a_grown_induction_learner_has_its_answer_at_the_query_after_the_last_block_alone():
    world = Induction(InductionSettings(n_classes=20, n_steps=350))
    growth = Growth(world, 0, n_measured=1)
    for _ in growth.moments():
        pass
    found = readable(world, growth.learner.eval())
    assert found.layers == ["what comes in", "after block 0", "after block 1"]
    last, query = found.shares[-1], len(found.positions) - 1
    assert last[query] > 0.95
    assert found.shares[:-1].max() < 0.75  # one of the two labels that are shown
    assert last[:query].max() < 0.75


def test_a_plane_keeps_vectors_that_lie_in_one_and_the_largest_directions_of_others():
    generator = torch.Generator().manual_seed(0)
    flat = torch.randn(20, 2, generator=generator) @ torch.randn(2, 9, generator=generator)
    places, share = principal_plane(flat)
    assert share == pytest.approx(1)
    assert torch.allclose(torch.cdist(places, places), torch.cdist(flat, flat), atol=1e-3)
    vectors = torch.randn(30, 6, generator=generator)
    places, share = principal_plane(vectors)
    values = np.linalg.eigvalsh((vectors.T @ vectors).double().numpy())
    assert share == pytest.approx(values[-2:].sum() / values.sum(), abs=1e-5)
    assert places.square().sum(0).tolist() == pytest.approx(values[:-3:-1].tolist(), rel=1e-4)
