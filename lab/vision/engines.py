"""The list of engines: who answers a question, and whether the order of its examples can matter."""

from collections.abc import Callable
from functools import partial

import numpy as np

from lab.vision import ordered, propagate, segic
from lab.vision.bank import Bank
from lab.vision.clusters import clustered
from lab.vision.hub_segmenters import seggpt_answer
from lab.vision.question import Answer, Engine, Presence

SIZES = ((1, 1), (2, 4), (16, 32), (64, 128))
"""Prototypes of what is marked and of the rest: how far a bank can be compressed."""


def _pooled(engine_id: str, title: str, answer: Answer, presence: Presence | None = None) -> Engine:
    """Return an engine to which the order of examples can't matter."""
    told = None if presence is None else lambda question: presence(question.in_no_order())
    return Engine(engine_id, title, lambda question: answer(question.in_no_order()), False, told)


def _of_bank(answer: Callable[[Bank, np.ndarray], np.ndarray]) -> Answer:
    return lambda question: question.laid(answer(question.bank, question.places))


def _compressed(n_marked: int, n_others: int) -> Engine:
    answer = partial(propagate.prototypes, n_foreground=n_marked, n_background=n_others)
    title = f"{n_marked} prototype{'s' * (n_marked > 1)} of what is marked, {n_others} of the rest"
    return _pooled(f"prototypes-{n_marked + n_others}", title, _of_bank(answer))


def _ablated(name: str, told: str, **switches: bool) -> Engine:
    off = segic.Switches(**switches)
    answer, presence = partial(segic.answer, switches=off), partial(segic.presence, switches=off)
    return _pooled(f"segic-no-{name}", f"SEGIC without {told}", answer, presence)


ENGINES: tuple[Engine, ...] = (
    _pooled("neighbours", "Nearest places", _of_bank(propagate.neighbours)),
    _pooled("prototypes", "A few prototypes", _of_bank(propagate.prototypes)),
    *(_compressed(n_marked, n_others) for n_marked, n_others in SIZES),
    _pooled("ridge", "Ridge regression", _of_bank(propagate.ridge)),
    _pooled("clusters", "Whole groups of places", clustered),
    _pooled("segic", "SEGIC: a trained decoder", segic.answer, segic.presence),
    _ablated("geometric", "where marks land", geometric=False),
    _ablated("visual", "what is marked looks like", visual=False),
    _ablated("meta", "the class's name", meta=False),
    _pooled("seggpt", "SegGPT, of the hub: 1.5 GB, slow without a GPU", seggpt_answer),
    Engine("last", "Memory of the last two", ordered.last_examples, is_ordered=True),
    Engine("decayed", "Memory that fades", ordered.decayed, is_ordered=True),
    Engine("self-prompted", "Prompted by its own answers", ordered.self_prompted, is_ordered=True),
    Engine("stitched", "One stitched canvas", ordered.stitched, is_ordered=True),
)


def find_engine(engine_id: str) -> Engine:
    """Find an engine.

    Raises:
        ValueError: There is none of this id; lists those there are.
    """
    for engine in ENGINES:
        if engine.id == engine_id:
            return engine
    raise ValueError(f"engine must be one of {', '.join(each.id for each in ENGINES)}, got {engine_id!r}")
