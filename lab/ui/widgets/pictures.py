"""Pictures on a page, with words for those who do not see them. Every text is escaped here."""

from collections.abc import Sequence
from html import escape
from typing import Literal


def picture_html(url: str, alt: str, title: str = "", details: str = "", download: str = "") -> str:
    """Show a picture with its title; `download` names the file that a click on its link saves."""
    head = f"<b>{escape(title)}</b> " if title else ""
    link = f'<a href="{url}" download="{escape(download)}">PNG</a>' if download else ""
    return (
        f'<figure class="lab-canvas"><img src="{url}" alt="{escape(alt)}" loading="lazy">'
        f"<figcaption>{head}{escape(details)} {link}</figcaption></figure>"
    )


def grid_html(figures: Sequence[str], size: Literal["", "small", "tiny"] = "small") -> str:
    """Lay pictures out in as many columns as fit."""
    name = f"lab-canvases lab-{size}" if size else "lab-canvases"
    return f'<div class="{name}">{"".join(figures)}</div>'
