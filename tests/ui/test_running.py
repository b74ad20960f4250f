"""A run behind a page: it is told twice a second, stops within its batch, and keeps what was answered."""

import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from types import SimpleNamespace

import pandas as pd
import pytest
from tiny_models import save_tiny_lm

from lab.experiments.events import Cost, Event, Progress, Result
from lab.experiments.registry import Experiment
from lab.runs.recipe import Recipe
from lab.runs.store import Row
from lab.runs.sweep import sweep
from lab.ui import running
from lab.ui.people import Lab
from lab.ui.run_controls import cost_html, status_html
from lab.ui.running import RunState, announce, pricing, say, stop, stream

HERE = SimpleNamespace(session_hash="here")
THERE = SimpleNamespace(session_hash="there")
GATE = threading.Event()
PRICE = Cost(6, 100, 400, 2.0, 2**20, ("With 6 queries you will see <b>nothing</b>.",))


@dataclass(frozen=True)
class Params:
    model: str
    device: str = "cpu"
    dtype: str = "float32"
    breaks: str = ""
    waits: bool = False


@dataclass(frozen=True)
class Batch:
    index: int
    size: int = 1


def evaluate(params: Params, batch: Batch) -> list[Row]:
    if params.breaks:
        raise {"memory": MemoryError("too big"), "bug": KeyError("sum")}[params.breaks]
    if params.waits:
        GATE.wait(10)
    return [Row(f"q{batch.index}", "sum", "a", "a", 1.0, 1.0, {}, 3, 0.0, "p")]


def cost(params: Params) -> Cost:
    return PRICE


def run(params: Params, store) -> Iterator[Event]:
    run_id = store.begin(Recipe("counting", asdict(params)), {})
    yield PRICE
    for step in sweep(store, run_id, [Batch(i) for i in range(6)], lambda batch: evaluate(params, batch)):
        yield Progress(step.done, step.total, step.elapsed_s, step.eta_s)
    store.finish(run_id, {})
    yield read(params, store)


def read(params: Params, store) -> Result:
    run_id = Recipe("counting", asdict(params)).id
    return Result(run_id, store.predictions(run_id), {}, {}, "Counted.", {"n": 1})


COUNTING = Experiment(
    id="counting",
    title="Counting",
    question="How many?",
    paper="demo-position",
    source="made up",
    params=Params,
    run=run,
    cost=cost,
    read=read,
    summarise=lambda predictions, params, run_id: Result(run_id, predictions, {}, {}, "", {}),
    check=lambda quick, store: None,
    example={},
    docs="",
)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("tiny")
    save_tiny_lm(folder)
    return str(folder)


@pytest.fixture
def lab(own_lab_home) -> Lab:
    GATE.clear()
    return Lab.here()


def last(states) -> RunState:
    return list(states)[-1]


def test_a_run_ends_with_its_result_and_costs_are_told_before(lab, model):
    states = list(stream(COUNTING, Params(model), lab, HERE))
    assert states[-1].phase == "finished" and states[-1].result.verdict == "Counted."
    assert states[-1].cost == PRICE and states[-1].progress.done == 6
    assert len(states[-1].result.predictions) == 6


def test_a_page_does_not_hear_of_every_batch(lab, model):
    states = list(stream(COUNTING, Params(model), lab, HERE))
    assert len(states) <= 1 + states[-1].elapsed_s / running.TELL_EVERY_S


def test_a_page_hears_of_a_slow_batch_twice_a_second(lab, model):
    heard = []
    for state in stream(COUNTING, Params(model, waits=True), lab, HERE):
        if state.phase == "running":
            heard.append(time.monotonic())
        if len(heard) == 4:
            GATE.set()
    gaps = pd.Series(heard).diff().dropna()
    assert state.phase == "finished" and gaps.max() < 2  # 0.4 s on an idle machine


def test_stop_ends_the_run_within_its_batch_and_resuming_goes_on(lab, model):
    params = Params(model, waits=True)
    announce(HERE, "counting")
    for state in stream(COUNTING, params, lab, HERE):
        if state.phase == "running" and not GATE.is_set():
            assert stop(HERE, "counting") and not stop(THERE, "counting")
            GATE.set()
    assert state.phase == "stopped" and len(state.result.predictions) <= 2
    store, run_id = lab.store_for(None), state.result.run_id
    assert store.status(run_id)[0] == "stopped"
    kept = store.done_batches(run_id)
    assert last(stream(COUNTING, params, lab, HERE)).phase == "finished"
    assert kept < store.done_batches(run_id)


def test_a_run_stopped_while_it_waits_for_its_turn_never_begins(lab, model):
    announce(HERE, "counting")
    assert stop(HERE, "counting")
    state = last(stream(COUNTING, Params(model, device="cpu"), lab, HERE))
    assert state.phase == "stopped" and (state.result is None or state.result.predictions.empty)


def test_a_closed_page_stops_its_run(lab, model):
    params = Params(model, waits=True)
    states = stream(COUNTING, params, lab, HERE)
    while next(states).phase != "running":
        pass
    states.close()
    GATE.set()
    run_id = Recipe("counting", asdict(params)).id
    deadline = time.monotonic() + 10
    while lab.store_for(None).status(run_id)[0] != "stopped" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert lab.store_for(None).status(run_id)[0] == "stopped"


def test_two_people_take_turns_at_the_model(lab, model):
    first = stream(COUNTING, Params(model, waits=True), lab, HERE)
    while next(first).phase != "running":
        pass
    second = stream(COUNTING, Params(model, breaks="memory"), lab, THERE)
    assert {next(second).phase for _ in range(3)} == {"waiting"}
    GATE.set()
    assert last(first).phase == "finished"
    assert last(second).phase == "failed"


@pytest.mark.parametrize(
    ("breaks", "words"), [("memory", "too big"), ("bug", "Something went wrong inside the lab")]
)
def test_an_error_becomes_a_sentence_and_the_next_run_works(lab, model, breaks, words):
    state = last(stream(COUNTING, Params(model, breaks=breaks), lab, HERE))
    assert state.phase == "failed" and words in state.message
    assert not running.model_turn.locked()
    assert "Traceback" not in status_html(state)


def test_a_model_that_cannot_be_loaded_is_explained(lab):
    state = last(stream(COUNTING, Params("no such model"), lab, HERE))
    assert state.phase == "failed" and "model must be one of" in state.message


def test_pricing_asks_nothing(lab, model):
    state = last(pricing(COUNTING, Params(model)))
    assert state.cost == PRICE and state.result is None
    assert lab.store_for(None).runs().empty


def test_the_cost_is_told_in_full_and_escaped():
    html = cost_html(PRICE)
    for words in ("75 % saved of 400", "about 2 s", "1 MB", "&lt;b&gt;nothing"):
        assert words in html


def test_pictures_are_not_counted_in_tokens_nor_called_prompts():
    masks = Cost(6, 0, 0, 2.0, 2**20, unit="masks")
    html = cost_html(masks)
    assert "Masks" in html and "Tokens" not in html and "Prompts" not in html
    state = RunState("running", progress=Progress(3, 6, 4.0, 12.0), cost=masks)
    assert "3 of 6 masks" in status_html(state)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (RunState(), "Waiting"),
        (RunState("loading", "Downloading: 9 of 93 MB"), "9 of 93 MB"),
        (RunState("running", progress=Progress(3, 12, 4.0, 12.0)), "3 of 12 prompts"),
        (RunState("stopping", progress=Progress(3, 12, 4.0, 12.0)), "Stopping after this batch"),
        (RunState("stopped", progress=Progress(3, 12, 4.0, 12.0)), "Stopped at 3 of 12"),
        (RunState("failed", "<b>broken</b>"), "&lt;b&gt;broken"),
    ],
)
def test_every_phase_has_its_sentence(state, words):
    assert words in status_html(state)


def test_running_out_of_memory_has_a_remedy():
    assert "smaller model" in say(RuntimeError("CUDA out of memory")) and "smaller model" in say(
        MemoryError()
    )
