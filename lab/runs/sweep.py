"""Make a run batch by batch, skipping what is done, so that it can be stopped, killed and resumed."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, TypeVar

from lab.runs.store import Row, Store, StoreError


class Batch(Protocol):
    """A part of a run: its index, never reused for other prompts, and how many prompts it holds."""

    @property
    def index(self) -> int:
        """Name the batch within its run."""
        ...

    @property
    def size(self) -> int:
        """Count its prompts."""
        ...


B = TypeVar("B", bound=Batch)


@dataclass(frozen=True)
class SweepEvent:
    """How far a sweep is: prompts done of total, seconds since it (re)started and to go, the batch's rows.

    `eta_s` is None and `rows` empty in the event that opens a resumed sweep.
    """

    done: int
    total: int
    elapsed_s: float
    eta_s: float | None
    rows: tuple[Row, ...]


def never() -> bool:
    """Go on to the end."""
    return False


def sweep(
    store: Store,
    run_id: str,
    batches: Sequence[B],
    evaluate: Callable[[B], list[Row]],
    stop: Callable[[], bool] = never,
) -> Iterator[SweepEvent]:
    """Evaluate the batches that are not done, in order, committing each before it is reported.

    A sweep that resumes opens with an event for what was already done. The run's status stays "running" at
    the end (`Store.finish` is the caller's); it becomes "stopped" when `stop` says so, when the generator is
    closed or on Ctrl-C, and "failed", with the message, when `evaluate` or the store raises.

    Args:
        store: Where each batch is committed.
        run_id: A run that was begun.
        batches: All batches of the run, done or not.
        evaluate: Turns a batch into its rows.
        stop: Asked before each batch.

    Raises:
        ValueError: If two batches have the same index.
    """
    indices = [batch.index for batch in batches]
    if len(set(indices)) < len(indices):
        raise ValueError(
            f"batches must have distinct indices, got {len(indices) - len(set(indices))} repeated"
        )
    try:
        yield from _evaluated(store, run_id, batches, evaluate, stop)
    except (GeneratorExit, KeyboardInterrupt):
        _mark(store, run_id, "stopped", "")
        raise
    except Exception as error:
        _mark(store, run_id, "failed", f"{type(error).__name__}: {error}")
        raise


def _evaluated(
    store: Store,
    run_id: str,
    batches: Sequence[B],
    evaluate: Callable[[B], list[Row]],
    stop: Callable[[], bool],
) -> Iterator[SweepEvent]:
    finished = store.done_batches(run_id)
    total = sum(batch.size for batch in batches)
    n_before = done = sum(batch.size for batch in batches if batch.index in finished)
    started = time.monotonic()
    if done:
        yield SweepEvent(done, total, 0.0, None if done < total else 0.0, ())
    for batch in batches:
        if batch.index in finished:
            continue
        if stop():
            store.set_status(run_id, "stopped")
            return
        rows = evaluate(batch)
        store.add_batch(run_id, batch.index, rows)
        done += batch.size
        elapsed_s = time.monotonic() - started
        eta_s = elapsed_s * (total - done) / max(done - n_before, 1)
        yield SweepEvent(done, total, elapsed_s, eta_s, tuple(rows))


def _mark(store: Store, run_id: str, status: str, message: str) -> None:
    with suppress(StoreError):  # a full disk must not hide the error that is on its way
        store.set_status(run_id, status, message)
