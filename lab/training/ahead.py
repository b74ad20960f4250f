"""What training steps are shown, drawn by other processes before the step that asks for it.

What a step is shown depends on the step's seed alone, so it is the same however many processes draw.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from lab.training.loop import seed_of

if TYPE_CHECKING:
    import torch

Drawn = TypeVar("Drawn")
Draw = Callable[[int], Drawn]
"""Draws what a step is shown, given the step's seed."""
N_AHEAD = 48
"""Steps that are drawn before they are asked for."""


class Ahead(Generic[Drawn]):
    """Draws for the steps of one training, asked for in their order; open it with `drawing`."""

    def __init__(self, draw: Draw[Drawn], pool: ProcessPoolExecutor | None, seed: int) -> None:
        self._draw, self._pool, self._seed = draw, pool, seed
        self._awaited: dict[int, Future[Drawn]] = {}

    def of(self, step: int, generator: "torch.Generator") -> Drawn:
        """Return what a step is shown, given its generator; with processes, the first worker's alone."""
        if self._pool is None:
            return self._draw(generator.initial_seed())
        for later in range(step, step + N_AHEAD):
            seed = seed_of(self._seed, later)
            if seed not in self._awaited:
                self._awaited[seed] = self._pool.submit(_draw_kept, seed)
        return self._awaited.pop(generator.initial_seed()).result()


@contextmanager
def drawing(draw: Draw[Drawn], seed: int, n_processes: int = 0) -> Iterator[Ahead[Drawn]]:
    """Open what draws for a training.

    Args:
        draw: With processes, a function of a module or a `partial` of one; it is sent to each process once.
        seed: The training's.
        n_processes: Processes that draw; 0 draws within this one, when a step asks.
    """
    if not n_processes:
        yield Ahead(draw, None, seed)
        return
    from multiprocessing import get_context

    with ProcessPoolExecutor(n_processes, get_context("spawn"), _keep, (draw,)) as pool:
        try:
            yield Ahead(draw, pool, seed)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


_kept: dict[str, Draw[Any]] = {}  # of a process that draws


def _keep(draw: Draw[Any]) -> None:
    _kept["draw"] = draw


def _draw_kept(seed: int) -> Any:
    return _kept["draw"](seed)
