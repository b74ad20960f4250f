from itertools import permutations

import pytest
import torch

from lab.worlds.exact.matcher import matched


def by_listing(values: list[list[int]], labels: list[int], n_values: int) -> list[float]:
    """List every factor and every map, keep those that agree with the context, count what they say."""
    *shown, query = values
    counts = [0] * n_values
    for factor in range(len(query)):
        for labelling in permutations(range(n_values)):
            if all(labelling[each[factor]] == label for each, label in zip(shown, labels, strict=False)):
                counts[labelling[query[factor]]] += 1
    return [count / sum(counts) for count in counts]


def test_it_is_bayes_rule_over_every_factor_and_map():
    generator = torch.Generator().manual_seed(0)
    values = torch.randint(3, (20, 7, 2), generator=generator)
    factor = torch.randint(2, (20,), generator=generator)
    dealt = torch.rand(20, 3, generator=generator).argsort(1)
    labels = dealt.gather(1, values[torch.arange(20), :, factor])
    found = matched(values, labels, 3)
    for row in range(20):
        for place in range(7):
            expected = by_listing(values[row, : place + 1].tolist(), labels[row, :place].tolist(), 3)
            assert found[row, place].tolist() == pytest.approx(expected, abs=1e-6)
