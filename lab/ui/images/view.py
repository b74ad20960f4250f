"""How canvases stand on a page: as pictures that a keyboard and a screen reader can use, all text escaped."""

from collections.abc import Sequence
from html import escape

from lab.images.caption import Finding
from lab.images.pictures import as_png
from lab.images.studio import Drawn, Order
from lab.ui.widgets.markup import note
from lab.ui.widgets.pictures import picture_html


def drawn_html(drawn: Drawn, order: Order, title: str = "") -> str:
    """Show candidates, while they come and when they are there; `title` stands over each of them."""
    figures = []
    for place, panels in enumerate(drawn.panels):
        seed = drawn.seeds[place]
        details = f"seed {seed}"
        if drawn.scores:
            details += f" · match {drawn.scores[place]:.2f}"
        is_best = drawn.is_done and drawn.scores and place == 0 and len(drawn.panels) > 1
        named = title or ("Best" if is_best else "")
        download = f"set-{seed}.png" if drawn.is_done else ""
        figures.append(picture_html(as_png(order.grid.join(panels)), order.caption, named, details, download))
    return "".join(figures)


def caption_html(caption: str, findings: Sequence[Finding]) -> str:
    """Show the joint caption as the model reads it, and what is to be said of it."""
    said = "".join(note("error" if each.is_error else "warn", each.message) for each in findings)
    return f'<p class="lab-caption"><span class="lab-sr">Caption: </span>{escape(caption) or "…"}</p>{said}'
