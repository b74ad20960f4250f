"""Watch a learner grow: train it step by step, tell what it can do, keep what it was on the way.

Training is that of `lab.training.loop` on one thread, told at least twice a second. Measures are taken at
steps that the schedule fixes, never by the clock, so that two machines draw the same curves.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.training.loop import Step, train
from lab.worlds.world import World

if TYPE_CHECKING:
    import torch

    from lab.worlds.core.learner import Learner

N_MEASURED = 40  # times a whole training is measured
N_SNAPSHOTS = 30
_TELL_EVERY_S = 0.4


@dataclass(frozen=True)
class Moment:
    """How far a training is.

    Args:
        step: Steps done.
        n_steps: Steps in all.
        loss: Mean loss of the steps since the last moment; NaN before the first step.
        seconds: Spent on training so far.
        measures: What the world measures, by name; empty between the steps at which it does.
    """

    step: int
    n_steps: int
    loss: float
    seconds: float
    measures: dict[str, float]


class Snapshots:
    """What a learner was at some of its steps, in half precision; when full, the closest are thinned out.

    Args:
        limit: The most that are kept.
    """

    def __init__(self, limit: int = N_SNAPSHOTS) -> None:
        self._limit = limit
        self._states: dict[int, dict[str, torch.Tensor]] = {}

    @classmethod
    def of(cls, states: "dict[int, dict[str, torch.Tensor]]") -> "Snapshots":
        """Take snapshots that were kept elsewhere: by step, weights by name."""
        made = cls(max(N_SNAPSHOTS, len(states)))
        made._states = dict(states)
        return made

    @property
    def steps(self) -> list[int]:
        """List the steps there are, rising."""
        return sorted(self._states)

    @property
    def states(self) -> "dict[int, dict[str, torch.Tensor]]":
        """Return the weights by name, by step, rising."""
        return {step: self._states[step] for step in self.steps}

    def keep(self, step: int, learner: "Learner") -> None:
        """Add what a learner is now."""
        self._states[step] = {name: value.half() for name, value in learner.state_dict().items()}
        if len(self._states) > self._limit:
            steps = self.steps
            inner = range(1, len(steps) - 1)
            del self._states[steps[min(inner, key=lambda place: steps[place + 1] - steps[place - 1])]]

    def restore(self, step: int, learner: "Learner") -> int:
        """Make a learner what it was at the step that is nearest, and return that step.

        Raises:
            ValueError: There is none yet.
        """
        if not self._states:
            raise ValueError("no snapshot is kept yet: train first")
        nearest = min(self._states, key=lambda each: abs(each - step))
        learner.load_state_dict({name: value.float() for name, value in self._states[nearest].items()})
        return nearest


class Growth:
    """A learner of a world, and its training.

    Args:
        world: Where it learns.
        seed: Determines its first weights and every batch.
        n_measured: How often a whole training is measured; None takes `N_MEASURED`.
    """

    def __init__(self, world: World, seed: int = 0, n_measured: int | None = None) -> None:
        import torch

        self.world, self.seed, self.n_measured = world, seed, n_measured or N_MEASURED
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.learner = world.build()
        self.snapshots = Snapshots()

    def moments(self, budget_s: float | None = None) -> Iterator[Moment]:
        """Train, and tell of it at least twice a second; what is learned stays when the caller stops.

        Args:
            budget_s: Seconds of training after which it ends; None lets the schedule end it.

        Raises:
            FloatingPointError: The loss is no longer finite.
        """
        n_steps = self.world.schedule.n_steps
        yield Moment(0, n_steps, float("nan"), 0.0, self._measured(0))
        steps = self._steps()
        spent = 0.0
        while spent < (budget_s or float("inf")):
            began = time.monotonic()
            taken = self._advance(steps, began)
            if not taken:
                return
            last = taken[-1].step
            spent += time.monotonic() - began
            is_out = budget_s is not None and spent >= budget_s
            measures = self._measured(last) if is_out or self._is_measured(last) else {}
            loss = sum(step.loss for step in taken) / len(taken)
            yield Moment(last, n_steps, loss, spent, measures)

    def _steps(self) -> Iterator[Step]:
        def loss_of(step: int, generator: "torch.Generator") -> "torch.Tensor":
            self.world.renew(self.learner, step, generator)
            batch = self.world.sample(self.world.n_batch, generator, self.world.met(step))
            return self.world.loss(self.learner, batch, self.world.clamps(batch))

        return train({"learner": self.learner}, loss_of, self.world.schedule, self.seed)

    def _advance(self, steps: Iterator[Step], began: float) -> list[Step]:
        """Take steps until one is to be told of; none are left at the end."""
        taken: list[Step] = []
        with one_thread():
            for step in steps:
                taken.append(step)
                if self._is_measured(step.step) or time.monotonic() - began > _TELL_EVERY_S:
                    break
        return taken

    def _is_measured(self, step: int) -> bool:
        n_steps = self.world.schedule.n_steps
        return step == n_steps or step % max(1, n_steps // self.n_measured) == 0

    def _measured(self, step: int) -> dict[str, float]:
        import torch

        self.snapshots.keep(step, self.learner)
        self.learner.eval()
        with one_thread(), torch.no_grad():
            found = self.world.measure(self.learner)
        self.learner.train()
        return found


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute on one thread of this block: at this size a second one only waits."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
