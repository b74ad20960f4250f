"""What the checks of tiny worlds share: train over seeds, and put a claim beside what every seed gave."""

from collections.abc import Callable, Sequence
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from lab.worlds.growth import Growth, Moment
from lab.worlds.world import World

if TYPE_CHECKING:
    from lab.worlds.core.learner import Learner

SEEDS = (0, 1, 2)


class Trained(NamedTuple):
    """A finished learner, its world and the moments at which it was measured."""

    world: World
    learner: "Learner"
    history: list[Moment]

    @property
    def last(self) -> dict[str, float]:
        """Return what it can do at the end."""
        return self.history[-1].measures

    def first_step(self, name: str, level: float) -> float:
        """Return the first measured step at which a measure is over a level; infinity if there is none."""
        return next((each.step for each in self.history if each.measures[name] > level), float("inf"))


def train(world: World, seed: int, n_measured: int | None = None) -> Trained:
    """Train a learner to the end of its schedule, measured so many times on the way."""
    growth = Growth(world, seed, n_measured)
    history = [moment for moment in growth.moments() if moment.measures]
    growth.learner.eval()
    return Trained(world, growth.learner, history)


def claim(
    text: str, values: Sequence[float], is_met: Callable[[float], bool], form: str = "{:.2f}", note: str = ""
) -> dict[str, str]:
    """Judge a claim by the median over seeds, and show every seed.

    Args:
        text: What is claimed.
        values: One a seed.
        is_met: Whether a value meets the claim.
        form: How a value is written.
        note: What else is to be known.
    """
    middle = median(values)
    shown = ", ".join(form.format(value) for value in values)
    measured = form.format(middle) if len(values) == 1 else f"median {form.format(middle)} ({shown})"
    verdict = "holds" if is_met(middle) else "does not hold here"
    return {"claim": text, "measured": f"{measured}{note and f'; {note}'}", "verdict": verdict}
