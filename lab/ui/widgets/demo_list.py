"""Demonstrations as cards: write, drag, move by keys, remove, add, undo."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

_JS = (Path(__file__).parent / "demo_list.js").read_text(encoding="utf-8")
MAX_ITEMS = 64
MAX_TEXT = 20_000

Item = dict[str, str]


def demos_value(
    items: Iterable[Mapping[str, str]],
    labels: Sequence[str] = (),
    input_name: str = "Input",
    output_name: str = "Output",
) -> dict[str, Any]:
    """Say, together with the demonstrations, which outputs may be chosen and what the two fields are called.

        def change(name): return demos_value([], load_task(name).labels, "Review", "Sentiment")
        task_choice.change(change, task_choice, demos)

    Args:
        items: Each with input and output, and an id if it is to keep one.
        labels: Outputs to choose from; none means that the output is typed.
        input_name: What the input is called on screen.
        output_name: What the output is called on screen.
    """
    return {
        "items": list(items),
        "labels": [str(label) for label in labels],
        "input_name": input_name,
        "output_name": output_name,
    }


class DemoList(gr.HTML):
    """Edit a list of demonstrations; Python reads and writes a list of {id, input, output}.

        demos = DemoList([{"input": "A fine film", "output": "positive"}], labels=["positive", "negative"])
        demos.input(preview, [demos, query], strip, trigger_mode="always_last", show_progress="hidden")
        def fill(task): return demos_value(chosen_rows, load_task(task).labels)
        fill_button.click(fill, task, demos)
        # .input: the user changed something; .change: also when Python did (its default)

    A typed text counts when the field is left, or 600 ms after the last key. Without `always_last` gradio
    drops a change that comes while the one before it is still being answered.
    """

    def __init__(
        self,
        value: Sequence[Mapping[str, str]] | Mapping[str, Any] | None = None,
        *,
        labels: Sequence[str] = (),
        input_name: str = "Input",
        output_name: str = "Output",
        max_items: int = 16,
        label: str = "Demonstrations",
        visible: bool = True,
        elem_id: str | None = None,
        elem_classes: list[str] | str | None = None,
        render: bool = True,
        key: int | str | None = None,
    ):
        if not 1 <= max_items <= MAX_ITEMS:
            raise ValueError(f"max_items must be 1..{MAX_ITEMS}, got {max_items}")
        self.labels, self.input_name, self.output_name = list(labels), input_name, output_name
        self.max_items = max_items
        # Sent once with the page; a value with labels or names of its own replaces them.
        first = {
            "labels": self.labels,
            "input_name": input_name,
            "output_name": output_name,
            "max_items": max_items,
        }
        super().__init__(
            value,
            label=label,
            html_template='<div class="lab-demos"></div>',
            js_on_load=_JS,
            visible=visible,
            elem_id=elem_id,
            elem_classes=elem_classes,
            apply_default_css=False,
            render=render,
            key=key,
            first=first,
        )

    def postprocess(self, value: Sequence[Mapping[str, str]] | Mapping[str, Any] | None) -> dict[str, Any]:
        """Send the items, and whatever `demos_value` says besides.

        Raises:
            ValueError: If there are more items than `max_items`.
        """
        given = dict(value) if isinstance(value, Mapping) else {"items": list(value or [])}
        items = [_item(item, place) for place, item in enumerate(given["items"])]
        if len(items) > self.max_items:
            raise ValueError(f"demonstrations must be 0..{self.max_items}, got {len(items)}")
        return {**given, "items": items}

    def preprocess(self, payload: Any) -> list[Item]:
        """Return the items; what does not look like one is refused.

        Raises:
            gr.Error: If the page sent something else than a short list of texts.
        """
        items = payload.get("items") if isinstance(payload, dict) else payload
        if items in (None, ""):
            return []
        if not isinstance(items, list) or len(items) > self.max_items:
            raise gr.Error(f"Demonstrations must be a list of at most {self.max_items}: reload the page.")
        if not all(isinstance(item, dict) for item in items):
            raise gr.Error("Each demonstration must have an input and an output: reload the page.")
        found = [_item(item, place) for place, item in enumerate(items)]
        if any(len(item["input"]) > MAX_TEXT or len(item["output"]) > MAX_TEXT for item in found):
            raise gr.Error(f"A demonstration must have at most {MAX_TEXT:,} characters: shorten it.")
        return found

    def api_info(self) -> dict[str, Any]:
        """Describe the value to API clients."""
        return {"type": "array", "items": {"type": "object"}}


def _item(item: Mapping[str, Any], place: int) -> Item:
    return {
        "id": str(item.get("id") or f"demo-{place + 1}"),
        "input": str(item.get("input") or ""),
        "output": str(item.get("output") or ""),
    }
