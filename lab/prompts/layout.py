"""Layouts: which demonstrations, in which order, in which slot of a chat prompt.

The slots are those of Cobbina & Zhou 2025 (arXiv:2507.22887), with two of our own: `turns`, one chat turn a
demonstration, and `none`, the zero-shot prompt.
"""

import re
from dataclasses import dataclass
from typing import Literal, get_args

Slot = Literal["none", "ssp", "esp", "sum", "eum", "turns"]
Control = Literal["", "restated", "shuffled", "filler", "again"]

SLOTS: tuple[Slot, ...] = get_args(Slot)
CONTROLS: tuple[Control, ...] = get_args(Control)

SLOT_TITLES: dict[str, str] = {
    "none": "no demonstrations (zero-shot)",
    "ssp": "start of the system prompt",
    "esp": "end of the system prompt",
    "sum": "start of the user message",
    "eum": "end of the user message",
    "turns": "one chat turn a demonstration",
}
CONTROL_TITLES: dict[str, str] = {
    "restated": "query restated after the demonstrations",
    "shuffled": "demonstrations with shuffled outputs",
    "filler": "neutral text of the same length instead of demonstrations",
    "again": "the same prompts once more, through other batches",
}

_PATTERN = re.compile(r"(?P<slot>[a-z]+)(\+(?P<control>[a-z]+))?(~(?P<draw>\d+))?(@(?P<order>\d+(-\d+)*))?")


@dataclass(frozen=True)
class Layout:
    """One arrangement of a context, written `slot+control~draw@order`: `sum`, `eum+restated`, `sum~1@2-0-1`.

    Args:
        slot: Where the demonstrations stand.
        control: What is changed besides, to explain an effect of the slot; "" for nothing.
        draw: Which drawn set of demonstrations, 0 for the first.
        order: A permutation of range(n_demos); None keeps the order in which they were selected.
    """

    slot: Slot
    control: Control = ""
    draw: int = 0
    order: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.slot not in SLOTS:
            raise ValueError(f"slot must be one of {', '.join(SLOTS)}, got {self.slot!r}")
        if self.control not in CONTROLS:
            raise ValueError(f"control must be one of {', '.join(CONTROLS[1:])}, got {self.control!r}")
        if self.control == "restated" and self.slot != "eum":
            raise ValueError(f"only eum can restate the query, got {self.slot}+restated")
        if self.slot == "none" and self.control not in ("", "again"):
            raise ValueError(
                f"the zero-shot prompt has no demonstrations to control, got none+{self.control}"
            )
        if self.control == "filler" and self.slot == "turns":
            raise ValueError("filler text has no turns to stand in; use sum+filler or eum+filler")
        if self.order is not None and sorted(self.order) != list(range(len(self.order))):
            raise ValueError(f"order must be a permutation of 0..{len(self.order) - 1}, got {self.order}")

    @property
    def id(self) -> str:
        """Write the layout as it stands in tables, recipes and links."""
        parts: list[str] = [self.slot]
        if self.control:
            parts.append(f"+{self.control}")
        if self.draw:
            parts.append(f"~{self.draw}")
        if self.order is not None:
            parts.append("@" + "-".join(map(str, self.order)))
        return "".join(parts)

    @classmethod
    def parse(cls, text: str) -> "Layout":
        """Read a layout from its id.

        Raises:
            ValueError: If the text is not a layout id, with the part that is wrong.
        """
        match = _PATTERN.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"layout must look like sum, eum+restated or sum~1@2-0-1, got {text!r}")
        order = match["order"]
        return cls(
            slot=match["slot"],  # type: ignore[arg-type]  # checked in __post_init__
            control=match["control"] or "",  # type: ignore[arg-type]
            draw=int(match["draw"] or 0),
            order=tuple(int(place) for place in order.split("-")) if order else None,
        )

    @property
    def title(self) -> str:
        """Say in words what stands where."""
        words = SLOT_TITLES[self.slot]
        if self.control:
            words += f", {CONTROL_TITLES[self.control]}"
        if self.draw:
            words += f", demonstration set {self.draw + 1}"
        if self.order is not None:
            words += f", order {' '.join(str(place + 1) for place in self.order)}"
        return words


def order_words(layout: str) -> str:
    """Write the order that a layout names, counting demonstrations from 1 as people do.

    >>> order_words("sum@2-0-1")
    '3 1 2'
    """
    order = layout.partition("@")[2]
    return " ".join(str(int(place) + 1) for place in order.split("-")) if order else layout
