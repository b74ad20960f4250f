"""What a tab that looks closer at a learner has to offer, so that only the one in sight is drawn."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from lab.runs.store import Store
from lab.ui.opened import Opened

Latest = Mapping[str, Sequence[Opened]]
"""The runs that were on screen in each world, by the id of its experiment, the latest first."""


class Sight(NamedTuple):
    """What is looked at.

    Args:
        run: The run on screen, None before there is one.
        latest: The runs that were on screen before.
        store: Where the person's runs are kept.
        is_new: Whether the learner has just come on screen; else the tab was turned to.
    """

    run: Opened | None
    latest: Latest
    store: Store
    is_new: bool


class View(NamedTuple):
    """A tab's parts.

    Args:
        inputs: Controls whose values `show` is given.
        outputs: What `show` changes, controls that depend on the learner among them.
        show: Returns an update for each of the outputs.
    """

    inputs: Sequence[Any]
    outputs: Sequence[Any]
    show: Callable[..., list[Any]]
