"""The law of strategies: found again where it made the grid, and lengths that a table makes longer."""

import numpy as np
import pytest
import torch

from lab.worlds.exact.law import SHARES, Cell, Law, bits, compared, fit, judged
from lab.worlds.exact.strategies import generalising, memorising

TRUE = Law(gamma=30.0, alpha=0.4, beta=0.5)


def cell(n_urns: int, step: int, law: Law = TRUE) -> Cell:
    """Make a learner that does as the law says: divergence is the squared distance of its weight."""
    empty = np.zeros(len(SHARES))
    made = Cell(n_urns, step, 0.0, empty, empty, 0.3 / np.sqrt(n_urns), (1000 + 250.0 * n_urns, 800.0))
    weight = law.weight(made)
    return made._replace(
        relative=1 - weight, divergences=(SHARES - weight) ** 2, variations=abs(SHARES - weight)
    )


GRID = [cell(n_urns, step) for n_urns in (4, 16, 64, 256) for step in (50, 200, 800, 3200)]


def test_evidence_speaks_for_memory_and_length_against_it():
    weights = [TRUE.weight(each) for each in GRID]
    assert weights[0] < weights[3]  # more steps
    assert weights[3] > weights[-1]  # more urns
    same = GRID[0]._replace(advantage=0.0, bits=(900.0, 900.0))
    assert TRUE.weight(same) == 0.5


def test_a_law_is_found_again_in_the_grid_that_it_made():
    found = fit(GRID)
    assert found.correlation > 0.99
    assert found.divergence < 1e-3 and found.variation < 0.03


def test_another_law_fits_worse():
    assert judged(Law(3.0, 0.9, 0.1), GRID).divergence > fit(GRID).divergence


def test_mixtures_are_compared_at_every_share():
    m, g = torch.tensor([[0.9, 0.1]]), torch.tensor([[0.3, 0.7]])
    divergences, variations = compared(0.25 * m + 0.75 * g, m, g)
    assert SHARES[divergences.argmin()] == SHARES[variations.argmin()] == 0.25
    assert variations[0] == pytest.approx(0.15, abs=1e-6) and variations[-1] == pytest.approx(0.45, abs=1e-6)


def test_a_table_is_as_long_as_it_is_random():
    table = np.random.default_rng(0).random((100, 8), dtype=np.float32)
    alone = bits(memorising)
    assert bits(memorising, table) - alone > 0.8 * 8 * table.nbytes
    assert bits(memorising, np.zeros_like(table)) - alone < 0.1 * 8 * table.nbytes
    assert 0 < bits(generalising) < alone


@pytest.mark.parametrize("cells", [GRID[:3], [*GRID, cell(4, 1)._replace(step=0)]])
def test_a_grid_that_can_not_be_fitted_is_refused(cells):
    with pytest.raises(ValueError, match="needs 4 cells of trained learners"):
        fit(cells)
