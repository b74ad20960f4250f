"""The list of engines: who answers a question, and whether the order of its examples can matter."""

from functools import partial

import numpy as np

from lab.vision import ordered, propagate, segic
from lab.vision.clusters import clustered
from lab.vision.question import Engine, Question


def _of_bank(answer):
    def answered(question: Question) -> np.ndarray:
        return question.laid(answer(question.bank, question.places))

    return answered


def _ablated(name: str, told: str, **switches: bool) -> Engine:
    without = partial(segic.answer, switches=segic.Switches(**switches))
    return Engine(f"segic-no-{name}", f"SEGIC without {told}", without, is_ordered=False)


ENGINES: tuple[Engine, ...] = (
    Engine("neighbours", "Nearest places", _of_bank(propagate.neighbours), is_ordered=False),
    Engine("prototypes", "A few prototypes", _of_bank(propagate.prototypes), is_ordered=False),
    Engine("ridge", "Ridge regression", _of_bank(propagate.ridge), is_ordered=False),
    Engine("clusters", "Whole groups of places", clustered, is_ordered=False),
    Engine("segic", "SEGIC: a trained decoder", segic.answer, is_ordered=False),
    _ablated("geometric", "where marks land", geometric=False),
    _ablated("visual", "what is marked looks like", visual=False),
    _ablated("meta", "the class's name", meta=False),
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
