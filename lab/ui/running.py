"""Make a run in a thread while its page hears of it twice a second; stop it within the batch it is in.

The model answers one batch at a time for everyone: a run that was stopped may still be ending its batch, so
the next one waits for the lock below, besides its turn in the queue of the page.
"""

import logging
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from lab.experiments.events import Cost, Event, Partial, Progress, Result
from lab.experiments.making import is_finished
from lab.runs.store import Store, StoreError
from lab.ui.people import Lab
from lab.weights import WeightsError
from lab.worlds.growth import Moment

if TYPE_CHECKING:
    import gradio as gr
    import pandas as pd

    from lab.experiments.registry import Experiment

TELL_EVERY_S = 0.4
MODEL_QUEUE = "model"
SAYABLE = (ValueError, WeightsError, StoreError, MemoryError)
Phase = Literal["waiting", "loading", "running", "stopping", "stopped", "failed", "finished"]

model_turn = threading.Lock()  # whoever uses a model holds it: runs, Compose and the API
_stops: dict[tuple[str, str], threading.Event] = {}
_stops_lock = threading.Lock()
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunState:
    """How a run stands, as its page is told.

    Args:
        phase: What is happening.
        message: What is loaded, or what went wrong: a sentence.
        cost: What the run takes, once known.
        progress: How far it is, once it has begun.
        predictions: All predictions so far, only in the states that bring new ones.
        learned: How the learner that it trains has got on, if it trains one.
        result: What it says; of a stopped run about what is answered.
        elapsed_s: Seconds since it was begun or resumed.
    """

    phase: Phase = "waiting"
    message: str = ""
    cost: Cost | None = None
    progress: Progress | None = None
    predictions: "pd.DataFrame | None" = None
    learned: tuple[Moment, ...] = ()
    result: Result | None = None
    elapsed_s: float = 0.0

    @property
    def is_over(self) -> bool:
        """Whether nothing follows."""
        return self.phase in ("stopped", "failed", "finished")


def announce(request: "gr.Request", experiment_id: str) -> None:
    """Prepare a run's stop signal before the run waits for its turn, so that it can be stopped there too."""
    with _stops_lock:
        _stops[_key(request, experiment_id)] = threading.Event()


def stop(request: "gr.Request", experiment_id: str) -> bool:
    """Ask the run of this page to stop within its batch; False when there is none."""
    with _stops_lock:
        signal = _stops.get(_key(request, experiment_id))
    if signal is None:
        return False
    signal.set()
    return True


@contextmanager
def turn(request: "gr.Request", key: str) -> Iterator[threading.Event]:
    """Hold the model for a block that is no run of the store; yields the signal that `stop` sets."""
    with _stops_lock:
        stopping = _stops.setdefault(_key(request, key), threading.Event())
    try:
        with model_turn:
            yield stopping
    finally:
        stopping.set()
        with _stops_lock:
            if _stops.get(_key(request, key)) is stopping:
                del _stops[_key(request, key)]


def stream(experiment: "Experiment", params: Any, lab: Lab, request: "gr.Request") -> Iterator[RunState]:
    """Make a run, or go on with it; a run that is finished is read without a model.

    Yields:
        At least twice a second how it stands; the last state is over, and has a result wherever something is
        answered. Closing the generator stops the run; what is answered is kept.
    """
    key = _key(request, experiment.id)
    with _stops_lock:
        stopping = _stops.setdefault(key, threading.Event())
    told: queue.Queue[Any] = queue.Queue()
    work = (experiment, params, lab.store_for(request), stopping, told)
    threading.Thread(target=_work, args=work, name=experiment.id, daemon=True).start()
    started, state = time.monotonic(), RunState()
    try:
        while not state.is_over:
            state = replace(state, predictions=None)
            for item in _news(told):
                state = _after(state, item)
                if state.is_over:
                    break
            if stopping.is_set() and not state.is_over:
                state = replace(state, phase="stopping")
            yield replace(state, elapsed_s=time.monotonic() - started)
    finally:
        stopping.set()
        with _stops_lock:
            if _stops.get(key) is stopping:
                del _stops[key]


def pricing(experiment: "Experiment", params: Any) -> Iterator[RunState]:
    """Say what a run will take: its prompts are written and counted, and none is asked.

    Yields:
        As `stream`; the last state is "stopped" with a cost, or "failed".
    """
    told: queue.Queue[Any] = queue.Queue()
    nobody_waits = threading.Event()

    def work() -> None:
        try:
            with model_turn:
                _load(experiment, params, nobody_waits, told)
                told.put(experiment.cost(params))
        except BaseException as error:  # carried to the page
            told.put(error)

    threading.Thread(target=work, name=f"cost of {experiment.id}", daemon=True).start()
    started, state = time.monotonic(), RunState()
    try:
        while not state.is_over:
            for item in _news(told):
                state = _after(state, item)
                if state.cost is not None:
                    state = replace(state, phase="stopped")
                if state.is_over:
                    break
            yield replace(state, elapsed_s=time.monotonic() - started)
    finally:
        nobody_waits.set()


def _news(told: "queue.Queue[Any]") -> Iterator[Any]:
    """Yield what is told within a moment: a page that hears of every batch slows a small model down."""
    ends = time.monotonic() + TELL_EVERY_S
    while (left := ends - time.monotonic()) > 0:
        try:
            yield told.get(timeout=left)
        except queue.Empty:
            return


def _after(state: RunState, item: "Event | str | RunState | BaseException") -> RunState:
    if isinstance(item, RunState):
        return replace(item, cost=state.cost, progress=state.progress, learned=state.learned)
    if isinstance(item, BaseException):
        return replace(state, phase="failed", message=say(item))
    if isinstance(item, Cost):
        return replace(state, phase="running", cost=item)
    if isinstance(item, Progress):
        return replace(state, phase="running", progress=item)
    if isinstance(item, Partial):
        return replace(state, predictions=item.predictions)
    if isinstance(item, Moment):
        return replace(state, phase="running", learned=(*state.learned, item))
    if isinstance(item, Result):
        return replace(state, phase="finished", result=item)
    return replace(state, phase="loading", message=item)


def _work(
    experiment: "Experiment", params: Any, store: Store, stopping: threading.Event, told: "queue.Queue[Any]"
) -> None:
    try:
        while not model_turn.acquire(timeout=TELL_EVERY_S):
            if stopping.is_set():
                told.put(_stopped(experiment, params, store))
                return
        try:
            _make(experiment, params, store, stopping, told)
        finally:
            model_turn.release()
    except BaseException as error:  # carried to the page
        told.put(
            _stopped(experiment, params, store)
            if stopping.is_set() and isinstance(error, _Abandoned)
            else error
        )


def _make(
    experiment: "Experiment", params: Any, store: Store, stopping: threading.Event, told: "queue.Queue[Any]"
) -> None:
    run_id = experiment.recipe(params).id
    if not is_finished(store, run_id):
        _load(experiment, params, stopping, told)
    events = experiment.run(params, store)
    for event in events:
        told.put(event)
        if isinstance(event, Result):
            return
        if stopping.is_set():
            events.close()  # type: ignore[attr-defined]  # every experiment is a generator
            break
    told.put(_stopped(experiment, params, store))


class _Abandoned(Exception):
    """Raised inside a download that nobody waits for any more."""


def _load(experiment: "Experiment", params: Any, stopping: threading.Event, told: "queue.Queue[Any]") -> None:
    def progress(done: int, total: int, message: str) -> None:
        if stopping.is_set():
            raise _Abandoned
        told.put(f"{message}: {done / 1e6:.0f} of {total / 1e6:.0f} MB" if total else message)

    told.put(f"Loading {getattr(params, 'model', 'the model')}")
    experiment.load(params, progress)
    told.put("Preparing the run and measuring how fast it goes")


def _stopped(experiment: "Experiment", params: Any, store: Store) -> RunState:
    """Say what a stopped run has; it is marked stopped also where it was left before its first batch."""
    run_id = experiment.recipe(params).id
    status = store.status(run_id)
    if status is None:
        return RunState("stopped")
    if status[0] == "running":
        store.set_status(run_id, "stopped")
    result = experiment.read(params, store)
    return RunState("stopped", predictions=result.predictions, result=result)


def say(error: BaseException) -> str:
    """Turn an error into a sentence for the screen; one that is nobody's mistake goes to the log as well."""
    if isinstance(error, SAYABLE):
        return str(error) or "There is not enough memory: choose a smaller model or fewer queries."
    if "out of memory" in str(error):
        return (
            "The model ran out of memory: choose a smaller model, shorter demonstrations or dtype bfloat16."
        )
    _log.error("a run failed", exc_info=error)
    return f"Something went wrong inside the lab ({type(error).__name__}: {error}). What is answered is kept."


def _key(request: "gr.Request", experiment_id: str) -> tuple[str, str]:
    return (getattr(request, "session_hash", None) or "", experiment_id)
