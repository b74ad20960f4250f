"""What steps are shown is the same, whoever draws it."""

from functools import partial

import numpy as np
import pytest
import torch

from lab.training.ahead import drawing
from lab.training.loop import Schedule, seed_of, train


def draw(n: int, seed: int) -> np.ndarray:
    if n < 0:
        raise ValueError("fewer than none")
    return np.random.default_rng(seed).random(n)


def generator_of(step: int, worker: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed_of(7, step, worker))


def test_steps_are_shown_the_same_by_processes_as_without_also_when_resumed():
    here = {step: draw(3, seed_of(7, step)) for step in range(6)}
    with drawing(partial(draw, 3), seed=7) as alone, drawing(partial(draw, 3), seed=7, n_processes=2) as both:
        for step in (2, 3, 4, 5):
            for ahead in (alone, both):
                np.testing.assert_array_equal(ahead.of(step, generator_of(step)), here[step])
    assert not np.array_equal(here[2], here[3])


def test_without_processes_every_worker_is_shown_its_own():
    with drawing(partial(draw, 3), seed=7) as ahead:
        first, second = (ahead.of(1, generator_of(1, worker)) for worker in (0, 1))
    assert not np.array_equal(first, second)


def test_a_failing_draw_is_told_by_the_step_that_needs_it():
    with (
        drawing(partial(draw, -1), seed=7, n_processes=1) as ahead,
        pytest.raises(ValueError, match="fewer than none"),
    ):
        ahead.of(0, generator_of(0))


def test_a_training_learns_the_same_from_what_processes_draw():
    told = []
    for n_processes in (0, 2):
        torch.manual_seed(0)
        net = torch.nn.Linear(4, 1)
        with drawing(partial(draw, 4), seed=7, n_processes=n_processes) as ahead:

            def loss_of(step: int, generator: torch.Generator, net=net, ahead=ahead) -> torch.Tensor:
                return net(torch.from_numpy(ahead.of(step, generator)).float()).square().mean()

            told.append([step.loss for step in train({"net": net}, loss_of, Schedule(5, 0.1), 7)])
    assert told[0] == told[1]
