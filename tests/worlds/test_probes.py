import numpy as np
import torch

from lab.worlds.probes import held_out_accuracy, left_out_accuracy


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
