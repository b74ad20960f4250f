"""Callouts and figures in a row, as HTML for `gr.HTML`. Every text is escaped here: pass it as it is."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Literal, NamedTuple, get_args

NoteKind = Literal["info", "warn", "error", "verdict"]

KINDS: tuple[NoteKind, ...] = get_args(NoteKind)
_MARKS = {"holds": "✓", "does not hold here": "✗", "undecided": "?"}
_ICONS = {"info": "i", "warn": "!", "error": "✕", "verdict": "→"}
_ROLES = {"info": "note", "warn": "note", "error": "alert", "verdict": "status"}


class Tile(NamedTuple):
    """One figure on a tile: what it is, the figure with its unit, and a line such as n or an interval."""

    label: str
    value: str
    detail: str = ""


def note(kind: NoteKind, text: str) -> str:
    r"""Write a callout; errors are announced at once, verdicts when the reader pauses.

    A blank line begins a new paragraph. Use it so:

        out = gr.HTML(padding=False)
        button.click(lambda: note("warn", "This prompt is too long."), outputs=out)
        out = gr.HTML(note("verdict", result.verdict))

    Raises:
        ValueError: If the kind is unknown.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    paragraphs = [escape(part.strip()) for part in text.split("\n\n") if part.strip()]
    body = paragraphs[0] if len(paragraphs) == 1 else "".join(f"<p>{part}</p>" for part in paragraphs)
    return (
        f'<div class="lab-note lab-note-{kind}" role="{_ROLES[kind]}">'
        f'<span class="lab-note-icon" aria-hidden="true">{_ICONS[kind]}</span><div>{body}</div></div>'
    )


def stat_tiles(tiles: Sequence[Tile | tuple[str, ...]]) -> str:
    """Write a few figures as tiles in a row that wraps on small screens.

    gr.HTML(stat_tiles([
        ("Accuracy, sum", "62 %", "95 % 55 to 69, n = 200"),
        ("Flips against none", "31 of 200", "batching alone: at most 1.2 %"),
    ]), padding=False)
    """
    shown = [Tile(*tile) for tile in tiles]
    return '<dl class="lab-tiles">' + "".join(_tile(tile) for tile in shown) + "</dl>"


def claims_table(claims: Sequence[Mapping[str, str]]) -> str:
    """Print claims with what was measured and the verdict, one below the other; nothing for none.

    Args:
        claims: Each with verdict, claim and measured.
    """
    if not claims:
        return ""
    rows = "".join(
        f'<tr><td style="min-width:4.5rem"><b>{_MARKS.get(claim["verdict"], "")} '
        f"{escape(claim['verdict'])}</b></td>"
        f"<td>{escape(claim['claim'])}</td><td>{escape(claim['measured'])}</td></tr>"
        for claim in claims
    )
    head = "<tr><th>Verdict here</th><th>Claim</th><th>Measured</th></tr>"
    return f'<div style="overflow-x:auto"><table class="compose-slots">{head}{rows}</table></div>'


def _tile(tile: Tile) -> str:
    detail = f'<dd class="lab-tile-detail">{escape(tile.detail)}</dd>' if tile.detail else ""
    return (
        f'<div class="lab-tile"><dt>{escape(tile.label)}</dt>'
        f'<dd class="lab-tile-value">{escape(tile.value)}</dd>{detail}</div>'
    )
