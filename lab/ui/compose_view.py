"""What a composed prompt looks like on screen: tokens, notes, answers. HTML from plain data, all escaped."""

import math
from html import escape

from lab.experiments.one_query import Asked, label_probabilities, surest
from lab.learners.tokenizer import tokenizer_of
from lab.prompts.layout import SLOT_TITLES
from lab.prompts.template import Template
from lab.prompts.tokens import token_strip
from lab.runs.store import Row
from lab.stats.verdict import MINUS
from lab.ui.composed import Composed, slots_alike
from lab.ui.widgets.label_bars import label_bars_html
from lab.ui.widgets.markup import note
from lab.ui.widgets.token_strip import prompt_html

NO_TOKENIZER = (
    "The model is not here yet, and with it its tokenizer and chat template. Press Ask once: it is fetched "
    "(about 93 MB for the default model), and from then on the exact prompt shows here while you type."
)


def preview_html(composed: Composed) -> str:
    """Show the exact prompt with its tokens, or say why there is none yet."""
    ready = tokenizer_of(composed.model)
    if ready is None:
        return note("info", NO_TOKENIZER)
    template = Template(ready.tokenizer)
    tokens = token_strip(template, composed.prompt(template))
    parts = [note("warn", text) for text in problems(composed, len(tokens), ready.max_tokens)]
    if ready.max_tokens:
        parts.append(
            f"<p class='compose-counts'>{len(tokens):,} of the {ready.max_tokens:,} tokens it reads.</p>"
        )
    parts.append(prompt_html(tokens, ready.tokenizer.all_special_ids, "The prompt, token by token"))
    parts += [note("info", text) for text in [*alike_notes(composed, template), *template.notes()]]
    return "".join(parts)


def problems(composed: Composed, n_tokens: int, max_tokens: int | None) -> list[str]:
    """Say what would keep this prompt from being asked."""
    found = []
    if max_tokens is not None and n_tokens > max_tokens:
        found.append(
            f"This prompt has {n_tokens:,} tokens and the model reads {max_tokens:,}: it will not be asked. "
            "Use fewer or shorter demonstrations; nothing is ever cut off silently."
        )
    if not composed.query.strip():
        found.append("There is no query yet: pick one of the task, or type one.")
    try:
        _ = composed.setting
    except ValueError as error:
        found.append(f"{str(error)[:1].upper()}{str(error)[1:]}.")
    return found


def alike_notes(composed: Composed, template: Template) -> list[str]:
    """Name the slots that are one and the same prompt for this model."""
    return [
        f"{' and '.join(group)} are the same prompt here, so they are asked once and count as one."
        for group in slots_alike(composed, template, composed.slots()).values()
    ]


def answer_html(asked: Asked, slot: str) -> str:
    """Say what the model answers under the chosen slot, how sure it is, and whether that is right."""
    row = asked.row(slot)
    if row is None:
        return note("info", "Asking…")
    parts = [f"<p class='compose-answer'>{escape(row.prediction or '(nothing readable)')}{_mark(row)}</p>"]
    shares = label_probabilities(row)
    if shares:
        bars = label_bars_html(list(shares), list(shares.values()), row.gold, row.prediction, row.margin)
        parts.append(bars)
    elif row.answer.strip() != row.prediction:
        parts.append(f"<p>It wrote: “{escape(row.answer)}”</p>")
    return f"<div id='compose-answer' role='status'>{''.join(parts)}</div>"


def slots_html(asked: Asked, slot: str) -> str:
    """Lay out the same query under every slot: answer, how sure, and what flips against the chosen slot."""
    flipped = set(asked.flipped(slot))
    others = [row.layout for row in asked.rows if row.layout != slot]
    is_whole = len(asked.rows) == asked.n_layouts
    head = f"{flips_sentence(len(flipped), len(others), slot)}" if is_whole and others else "Asking…"
    lines = [_slot_row(asked, row, slot, row.layout in flipped) for row in asked.rows]
    return (
        f"<table class='compose-slots' id='compose-slots'><caption>{escape(head)}</caption><thead><tr>"
        "<th scope='col'>Slot</th><th scope='col'>Answer</th><th scope='col' class='wide'>Probability</th>"
        "<th scope='col' class='wide'>Margin</th><th scope='col'>Against yours</th></tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table>"
    )


def flips_sentence(n_flips: int, n_others: int, slot: str) -> str:
    """Count the flips in words.

    >>> flips_sentence(2, 5, "sum")
    'The answer flips under 2 of the 5 other slots (against sum).'
    """
    if n_flips == 0:
        return f"The answer is the same under all {n_others} other slots (against {slot})."
    return f"The answer flips under {n_flips} of the {n_others} other slots (against {slot})."


def _slot_row(asked: Asked, row: Row, chosen: str, is_flip: bool) -> str:
    shares = label_probabilities(row)
    name = f"<strong>{row.layout}</strong> <span class='wide'>{escape(SLOT_TITLES[row.layout])}</span>"
    if asked.same[row.layout] != row.layout:
        name += f" <span class='same'>(the same prompt as {asked.same[row.layout]})</span>"
    share = f"{100 * shares[row.prediction]:.0f} %" if shares else "–"
    width = 100 * shares[row.prediction] if shares else 0
    bar = (
        f"<span class='bar-cell'>{share}</span><span class='bar' aria-hidden='true'>"
        f"<span style='width:{width:.0f}%;background:var(--color-accent)'></span></span>"
        if shares
        else share
    )
    margin = f"{row.margin:.2f}".replace("-", MINUS) if math.isfinite(row.margin) else "–"
    change = "yours" if row.layout == chosen else "<span class='flip'>⇄ flips</span>" if is_flip else "same"
    return (
        f"<tr class='{'chosen' if row.layout == chosen else ''}'><th scope='row'>{name}</th>"
        f"<td>{escape(row.prediction or '–')}{_mark(row)}</td><td class='wide'>{bar}</td>"
        f"<td class='wide'>{margin}</td><td>{change}</td></tr>"
    )


def _mark(row: Row) -> str:
    if not row.gold:
        return ""
    return (
        " ✓<span class='lab-sr'> right</span>"
        if row.correct >= 0.5
        else " ✗<span class='lab-sr'> wrong</span>"
    )


def compared(guess_flips: float | None, guess_slot: str | None, asked: Asked, slot: str) -> str:
    """Compare a class's guess with what came out."""
    n_flips, n_others = len(asked.flipped(slot)), len(asked.rows) - 1
    said = []
    if guess_flips is not None:
        verdict = "exactly right" if guess_flips == n_flips else f"off by {abs(int(guess_flips) - n_flips)}"
        said.append(f"You guessed {int(guess_flips)} of {n_others} flips; it is {n_flips}: {verdict}.")
    best = surest(asked)
    if guess_slot and best is not None:
        same = {layout for layout in asked.same if asked.same[layout] == asked.same[best]}
        verdict = "you were right" if guess_slot in same else "not your guess"
        what = "The right label is likeliest" if asked.rows[0].gold else "The model is surest"
        said.append(f"{what} under {' and '.join(sorted(same))}; you guessed {guess_slot}: {verdict}.")
    return note("verdict", " ".join(said)) if said else ""
