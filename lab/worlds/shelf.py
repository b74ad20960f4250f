"""Learners that were grown in this process, kept so that they can be taken apart after their run."""

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from lab.worlds.growth import Moment, Snapshots
from lab.worlds.world import World

if TYPE_CHECKING:
    from lab.worlds.core.learner import Learner

N_KEPT = 16  # of at most 4 MB each


class Kept(NamedTuple):
    """A learner with its world, what it was on the way, and when it could do what."""

    world: World
    learner: "Learner"
    snapshots: Snapshots
    history: list[Moment]

    def at(self, share: float) -> "tuple[int, Learner]":
        """Return what the learner was after a share, 0 to 1, of its training: the step, and a copy.

        The step is the nearest at which a snapshot was kept.
        """
        import torch

        with torch.random.fork_rng():
            learner = self.world.build()
        step = self.snapshots.restore(round(share * self.snapshots.steps[-1]), learner)
        return step, learner.eval()


_kept: OrderedDict[str, Kept] = OrderedDict()
_lock = threading.Lock()


def keep(run_id: str, kept: Kept) -> None:
    """Keep what a run has grown; the one that was looked at longest ago makes room."""
    with _lock:
        _kept[run_id] = kept
        _kept.move_to_end(run_id)
        while len(_kept) > N_KEPT:
            _kept.popitem(last=False)


def find(run_id: str) -> Kept | None:
    """Return what a run has grown; None where it was made by another process or long ago."""
    with _lock:
        if run_id in _kept:
            _kept.move_to_end(run_id)
        return _kept.get(run_id)
