"""Answer a composed prompt while the page stays alive: the model works in a thread, the page hears of it."""

import queue
import threading
import time
from collections.abc import Iterator

from lab.experiments.one_query import Asked, ask
from lab.ui.composed import Composed
from lab.ui.running import model_turn

TELL_EVERY_S = 0.4
Told = str | Asked | BaseException | None

_stops: dict[str, threading.Event] = {}


class Stopped(Exception):
    """Raised inside the worker to leave a download when nobody waits for it any more."""


def stop(session: str) -> bool:
    """Stop what a page asks, after the pass it is in; False where it asks nothing."""
    signal = _stops.get(session)
    if signal is not None:
        signal.set()
    return signal is not None


def answering(composed: Composed, session: str) -> Iterator[str | Asked]:
    """Ask a composed prompt under every slot; it ends early after `stop`, or when it is closed.

    Yields:
        At least twice a second what is happening, as a sentence, or the answers so far; the last is whole.

    Raises:
        ValueError: If the prompt can't be asked, with a sentence for the screen.
        WeightsError: If the model can't be had.
        MemoryError: If it does not fit.
    """
    told: queue.Queue[Told] = queue.Queue()
    is_stopped = _stops[session] = threading.Event()
    threading.Thread(target=_work, args=(composed, told, is_stopped), name="compose", daemon=True).start()
    try:
        yield from _until_done(told, is_stopped)
    finally:
        is_stopped.set()
        if _stops.get(session) is is_stopped:
            del _stops[session]


def _work(composed: Composed, told: "queue.Queue[Told]", is_stopped: threading.Event) -> None:
    from lab.learners.load import load

    def progress(done: int, total: int, message: str) -> None:
        if is_stopped.is_set():
            raise Stopped
        told.put(f"{message}: {done / 1e6:.0f} of {total / 1e6:.0f} MB" if total else message)

    try:
        with model_turn:
            if is_stopped.is_set():
                return
            lm = load(composed.model, progress=progress)
            told.put("Asking under every slot")
            for asked in ask(lm, composed.loaded, composed.setting, composed.asked(), composed.slots()):
                told.put(asked)
                if is_stopped.is_set():
                    return
        told.put(None)
    except BaseException as error:  # carried to the page's thread, which raises it
        told.put(error)


def _until_done(told: "queue.Queue[Told]", is_stopped: threading.Event) -> Iterator[str | Asked]:
    started, message = time.monotonic(), "Loading the model"
    while not is_stopped.is_set():
        try:
            item = told.get(timeout=TELL_EVERY_S)
        except queue.Empty:
            yield f"{message} ({time.monotonic() - started:.0f} s)"
            continue
        if item is None:
            return
        if isinstance(item, BaseException):
            raise item
        message = item if isinstance(item, str) else message
        yield item
