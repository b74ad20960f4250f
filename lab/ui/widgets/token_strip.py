"""What exactly does the model read? A prompt's tokens, coloured by the block that each begins in.

Takes any objects with .text, .id, .span.block.kind and .span.block.place, such as `lab.prompts.tokens.Token`.
All text is escaped; characters that print nothing or turn the reading direction are spelled out.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Protocol

from lab.ui.widgets.label_bars import label_bars_html

MAX_SHOWN = 6000
MAX_COUNTED_DEMOS = 12
_SPECIAL = re.compile(r"<[|\w/:.\- ▁]{1,60}>|\[[A-Z_]{2,20}\]")


class ShownBlock(Protocol):
    """A piece of the prompt: its kind and, for demonstrations, its place from 0."""

    kind: str
    place: int


class ShownSpan(Protocol):
    """Where a token stands."""

    block: ShownBlock


class ShownToken(Protocol):
    """A token as a person sees it."""

    text: str
    id: int
    span: ShownSpan


@dataclass(frozen=True)
class Answered:
    """A prompt with what was answered to it, for `side_by_side_html`.

    Args:
        title: Such as the layout's id.
        tokens: The prompt's tokens.
        labels: Labels that were scored; empty for generated answers.
        probabilities: One a label, 0..1.
        gold: The right answer, "" if unknown.
        prediction: The answer, "" if unreadable.
        margin: Nats between the two best labels, None where there is none.
    """

    title: str
    tokens: Sequence[ShownToken]
    labels: Sequence[str] = ()
    probabilities: Sequence[float] = ()
    gold: str = ""
    prediction: str = ""
    margin: float | None = None


def prompt_html(
    tokens: Sequence[ShownToken], special_ids: Collection[int] = (), title: str = "Prompt"
) -> str:
    """Write a prompt's tokens as HTML, with a legend that counts them by block.

        template = Template(lm.tokenizer)
        tokens = token_strip(template, prompt)             # lab.prompts.tokens
        html = prompt_html(tokens, lm.tokenizer.all_special_ids)
        strip = gr.HTML(html, padding=False)

    Args:
        tokens: In the order of the prompt; beyond 6,000 the middle is left out, and said to be.
        special_ids: Ids drawn as chips; besides, template text such as <|im_end|> is recognised.
        title: Names the strip to screen readers.
    """
    special = frozenset(special_ids)
    head, tail = (
        (tokens, ()) if len(tokens) <= MAX_SHOWN else (tokens[: MAX_SHOWN // 2], tokens[-MAX_SHOWN // 2 :])
    )
    body = _blocks(head, special, 0)
    if tail:
        body += f'<span class="lab-token-gap">… {len(tokens) - MAX_SHOWN:,} tokens not shown …</span>'
        body += _blocks(tail, special, len(tokens) - len(tail))
    return (
        f'<div class="lab-prompt" role="group" aria-label="{escape(title)}">{_legend(tokens)}'
        f'<div class="lab-tokens" tabindex="0" dir="ltr">{body}</div></div>'
    )


def side_by_side_html(left: Answered, right: Answered, special_ids: Collection[int] = ()) -> str:
    """Show two prompts beside each other, each with its answer and the labels' probabilities.

    a = Answered("none", tokens_a, labels, p_a, gold, "sport", 0.42)
    b = Answered("sum", tokens_b, labels, p_b, gold, "business", 1.30)
    panel.value = side_by_side_html(a, b)      # below 800 pixels the two stand one above the other
    """
    return f'<div class="lab-pair">{_side(left, special_ids)}{_side(right, special_ids)}</div>'


def _side(side: Answered, special_ids: Collection[int]) -> str:
    mark, words = ("", "")
    if side.gold:
        mark, words = ("✓", "right") if side.prediction == side.gold else ("✗", "wrong")
    answer = escape(side.prediction) or "nothing readable"
    said = f'<bdi>{answer}</bdi> <span aria-hidden="true">{mark}</span><span class="lab-sr">{words}</span>'
    bars = (
        label_bars_html(side.labels, side.probabilities, side.gold, side.prediction, side.margin)
        if side.labels
        else ""
    )
    return (
        f'<section class="lab-side"><h3>{escape(side.title)}</h3><p class="lab-side-answer">{said}</p>{bars}'
        f"{prompt_html(side.tokens, special_ids, f'Prompt under {side.title}')}</section>"
    )


def _key(token: ShownToken) -> tuple[str, int]:
    return token.span.block.kind, token.span.block.place


def _blocks(tokens: Iterable[ShownToken], special: frozenset[int], first: int) -> str:
    parts, position = [], first
    for (kind, place), group in groupby(tokens, key=_key):
        inner = []
        for token in group:
            inner.append(_token(token, kind, special, position))
            position += 1
        is_demo = kind == "demonstration"
        odd = " lab-odd" if is_demo and place % 2 else ""
        badge = (
            f'<b class="lab-badge"><span class="lab-sr">demonstration </span>{place + 1}</b>'
            if is_demo
            else ""
        )
        parts.append(f'<span class="lab-block lab-{_slug(kind)}{odd}">{badge}{"".join(inner)}</span>')
    return "".join(parts)


def _slug(kind: str) -> str:
    return re.sub(r"[^a-z-]", "", kind.lower()) or "template"


def _token(token: ShownToken, kind: str, special: frozenset[int], position: int) -> str:
    is_special = token.id in special or (kind == "template" and _SPECIAL.fullmatch(token.text) is not None)
    classes = "lab-token lab-special" if is_special else "lab-token"
    title = f"token {position + 1:,}, id {int(token.id)}"
    return f'<bdi class="{classes}" title="{title}">{visible_html(token.text)}</bdi>'


def visible_html(text: str) -> str:
    """Escape a text and spell out what would not show: line ends, tabs, control and direction characters.

    >>> visible_html("a\\n\\u202e<b>")
    'a<i class="lab-unseen">↵</i>\\n<i class="lab-unseen">U+202E</i>&lt;b&gt;'
    """
    return "".join(_character(c) for c in text)


def _character(c: str) -> str:
    if c == "\n":
        return '<i class="lab-unseen">↵</i>\n'
    if c == "\t":
        return '<i class="lab-unseen">⇥</i>\t'
    if ord(c) < 32:
        return f'<i class="lab-unseen">{chr(0x2400 + ord(c))}</i>'
    # Joiners shape emoji and scripts, so they stay; other format characters hide or turn text around.
    if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and c not in "\u200c\u200d":
        return f'<i class="lab-unseen">U+{ord(c):04X}</i>'
    return escape(c)


def _legend(tokens: Sequence[ShownToken]) -> str:
    counts = Counter(_key(token) for token in tokens)
    n_demos = sum(kind == "demonstration" for kind, _ in counts)
    items = []
    if n_demos > MAX_COUNTED_DEMOS:
        each = [n for (kind, _), n in counts.items() if kind == "demonstration"]
        text = f"{n_demos} demonstrations, {min(each)} to {max(each)} each"
        items.append(_legend_item("demonstration", "", text, sum(each)))
    for (kind, place), n in counts.items():
        if kind != "demonstration":
            items.append(_legend_item(kind, "", kind, n))
        elif n_demos <= MAX_COUNTED_DEMOS:
            items.append(_legend_item(kind, " lab-odd" if place % 2 else "", f"demonstration {place + 1}", n))
    total = f'<li class="lab-legend-total">{len(tokens):,} tokens</li>'
    return f'<ul class="lab-legend" aria-label="Tokens by block">{total}{"".join(items)}</ul>'


def _legend_item(kind: str, odd: str, text: str, n: int) -> str:
    return (
        f'<li><span class="lab-swatch lab-{_slug(kind)}{odd}" aria-hidden="true"></span>'
        f"{escape(text)} <b>{n:,}</b></li>"
    )
