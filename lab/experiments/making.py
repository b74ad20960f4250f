"""Make a run, or go on with it: what can be answered batch by batch, told as events."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from lab.experiments.events import Cost, Event, Partial, Progress, Result
from lab.runs.recipe import Recipe
from lab.runs.store import Row, Store
from lab.runs.sweep import sweep

PARTIAL_EVERY_S = 1.0


class Answerable(Protocol):
    """What can be answered batch by batch: all batches of a run, and how one becomes rows."""

    @property
    def batches(self) -> Sequence[Any]:
        """All batches, numbered."""
        ...

    def evaluate(self, batch: Any) -> list[Row]:
        """Answer a batch."""
        ...


def answering(sweeps: Sequence[Answerable], store: Store, run_id: str, message: str = "") -> Iterator[Event]:
    """Go on with a run that was begun; yield progress and, about every second, partial predictions.

    Args:
        sweeps: Answered one after the other, with one progress over all; their batches are numbered apart.
        store: Where each batch is committed.
        run_id: A run that was begun.
        message: What is being answered, where a run has several stages.
    """
    owners = {batch.index: each for each in sweeps for batch in each.batches}
    batches = [batch for each in sweeps for batch in each.batches]
    last_partial = 0.0
    for event in sweep(store, run_id, batches, lambda batch: owners[batch.index].evaluate(batch)):
        yield Progress(event.done, event.total, event.elapsed_s, event.eta_s, message)
        if time.monotonic() - last_partial > PARTIAL_EVERY_S and event.done < event.total:
            yield Partial(store.predictions(run_id))
            last_partial = time.monotonic()


def is_finished(store: Store, run_id: str) -> bool:
    """Tell whether a run needs no model any more."""
    status = store.status(run_id)
    return status is not None and status[0] == "finished"


def stored_answers(store: Store, run_id: str) -> dict[tuple[str, str], str]:
    """Read what a run answered, unparsed, by query id and layout."""
    table = store.answers(run_id)
    keys = zip(table["query_id"], table["layout"], strict=True)
    return dict(zip(keys, table["answer"], strict=True))


def run_sweep(
    recipe: Recipe,
    store: Store,
    cost: Cost,
    prepare: Callable[[], Answerable],
    record: Callable[[], dict[str, Any]],
    read: Callable[[], Result],
) -> Iterator[Event]:
    """Make a run, or go on with it; a finished run is read without loading a model."""
    if not is_finished(store, recipe.id):
        yield cost
        sweep = prepare()
        store.begin(recipe, record())
        yield from answering([sweep], store, recipe.id)
        store.finish(recipe.id, read().summary)
    yield read()
