"""Encode whole prompts, never their pieces: tokens may merge across the seam of prompt and answer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lab.prompts.render import Prompt, Span
from lab.prompts.template import Template


@dataclass(frozen=True)
class Token:
    """One token as a person sees it: its text, its id, and the block it begins in."""

    text: str
    id: int
    span: Span


def encode(template: Template, texts: Sequence[str]) -> list[tuple[int, ...]]:
    """Encode texts to token ids. A chat template writes its own special tokens, so none are added to it."""
    if not texts:
        return []
    rows = template.tokenizer(list(texts), add_special_tokens=not template.is_chat).input_ids
    return [tuple(row) for row in rows]


def special_tokens_in(template: Template, texts: Iterable[str]) -> list[str]:
    """Return the special tokens spelled out in texts, which the tokenizer does not read as characters.

    Someone's text can so end a turn or open another: nothing is executed, but it is a control token.
    """
    added = template.tokenizer.added_tokens_decoder.values()
    special = {token.content for token in added if token.special}
    return sorted(token for token in special if any(token in text for text in set(texts)))


def token_strip(template: Template, prompt: Prompt) -> list[Token]:
    """Return the prompt's tokens in order, special ones included, each with the block in which it begins."""
    tokenizer = template.tokenizer
    encoded = tokenizer(
        prompt.text, add_special_tokens=not template.is_chat, return_offsets_mapping=True, verbose=False
    )
    spans = iter(prompt.spans)
    span = next(spans)
    tokens = []
    for token_id, (start, end) in zip(encoded.input_ids, encoded.offset_mapping, strict=True):
        while start >= span.end and span is not prompt.spans[-1]:
            span = next(spans)
        text = prompt.text[start:end] or str(tokenizer.convert_ids_to_tokens(token_id))
        tokens.append(Token(text, token_id, span))
    return tokens
