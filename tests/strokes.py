"""A stroke of the mouse over what a page paints on."""

from typing import Any


def stroke(page: Any, canvas: Any, start: float, end: float) -> None:
    """Draw a diagonal across a canvas, from one share of its width and height to another."""
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + box["width"] * start, box["y"] + box["height"] * start)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * end, box["y"] + box["height"] * end, steps=8)
    page.mouse.up()
