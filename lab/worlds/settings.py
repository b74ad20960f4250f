"""Settings of a world: typed, bounded, each with what it means; the app makes its controls from them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class Bounds:
    """What a setting may be.

    Args:
        label: Its name on screen.
        what: What it does, a sentence.
        low: The least value of a number.
        high: The greatest.
        is_log: Whether a slider of it goes by ratios.
        choices: The values there are, where they are few.
    """

    label: str
    what: str
    low: float = -math.inf
    high: float = math.inf
    is_log: bool = False
    choices: tuple[str | int, ...] = ()


def number(default: float, low: float, high: float, label: str, what: str, is_log: bool = False) -> Any:
    """Declare a bounded number; whole if its default is."""
    return field(default=default, metadata={"bounds": Bounds(label, what, low, high, is_log)})


def choice(default: str | int, choices: Sequence[str | int], label: str, what: str) -> Any:
    """Declare one of several words or numbers."""
    return field(default=default, metadata={"bounds": Bounds(label, what, choices=tuple(choices))})


def bounds_of(settings: Any) -> dict[str, Bounds]:
    """Return the bounds of a settings class, or of its instance, by name."""
    return {each.name: each.metadata["bounds"] for each in fields(settings) if "bounds" in each.metadata}


class Settings:
    """A frozen dataclass of settings, checked when it is made; fields are declared by `number` and `choice`.

    Raises:
        ValueError: A value is out of its bounds or no choice; says which there are.
    """

    def __post_init__(self) -> None:
        for name, bounds in bounds_of(self).items():
            value = getattr(self, name)
            if bounds.choices:
                if value not in bounds.choices:
                    raise ValueError(
                        f"{name} must be one of {', '.join(map(str, bounds.choices))}, got {value!r}"
                    )
            elif not bounds.low <= value <= bounds.high:
                raise ValueError(f"{name} must be {bounds.low:g} to {bounds.high:g}, got {value!r}")
