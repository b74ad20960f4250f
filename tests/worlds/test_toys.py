import numpy as np
import pytest

from lab.worlds.abrupt import Abrupt
from lab.worlds.exact.toys import fit_tensor, three_numbers
from lab.worlds.induction import Induction


def test_a_product_is_fitted_and_sooner_the_more_of_it_is_given():
    reached = []
    for given in ((), ("c",), ("b", "c")):
        losses = fit_tensor(given)
        assert losses[-1] < 1e-3 < 0.3 < losses[0]
        reached.append(int((losses < 0.1).argmax()))
    assert reached[0] > reached[1] > reached[2]


def test_without_steps_the_loss_is_that_of_the_tensors_themselves():
    (loss,) = fit_tensor(n_steps=0)
    rng = np.random.default_rng(0)

    def unit() -> np.ndarray:
        drawn = rng.standard_normal(20)
        return drawn / np.linalg.norm(drawn)

    right = [unit() for _ in range(3)]
    now = [0.1 * (each + unit()) for each in right]
    apart = np.einsum("i,j,k", *now) - np.einsum("i,j,k", *right)
    assert loss == pytest.approx(0.5 * (apart**2).sum())


def test_three_numbers_stay_on_a_plateau_and_then_fall():
    path = three_numbers()
    assert path.loss[0] == pytest.approx(np.log(32), abs=0.01)
    assert path.loss[2000] > 3.2
    assert path.loss[-1] < 0.05
    halfway = int((path.loss < path.loss[0] / 2).argmax())
    assert path.loss[halfway - 250] > 2.5  # most of the fall takes a sixteenth of the steps


@pytest.mark.parametrize("burstiness", [1, 2, 8])
def test_their_steps_are_those_of_the_gradient(burstiness):
    """Differences of the loss, written out from the definition, give the same first step."""

    def loss(b1: float, b2: float, xi: float) -> float:
        m = np.exp(b1) / (np.exp(b1) + 15)
        weights = np.array([burstiness * np.exp(b2 * m), *[burstiness] * (8 // burstiness - 1)])
        others = 17 - burstiness
        logits = np.concatenate([xi * weights / (weights[0] + others), np.zeros(32 - 8 // burstiness)])
        return float(np.log(np.exp(logits).sum()) - logits[0])

    start, rate, tiny = 0.7, 0.1, 1e-5
    path = three_numbers(burstiness=burstiness, n_steps=1, rate=rate, start=start)
    assert path.loss[0] == pytest.approx(loss(start, start, start))
    for place, line in enumerate(path[:3]):
        up, down = np.full(3, start), np.full(3, start)
        up[place] += tiny
        down[place] -= tiny
        slope = (loss(*up) - loss(*down)) / (2 * tiny)
        assert line[1] == pytest.approx(start - rate * slope, abs=1e-8)


@pytest.mark.parametrize("world", [Induction(), Abrupt()])
def test_worlds_draw_them(world):
    found = world.toy()
    assert len(found.x) == len(next(iter(found.lines.values())))
    assert "half of the loss" in found.title
