"""Contexts made of strings: how they are stored, rearranged, written and read."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from lab.worlds.items import label_word

if TYPE_CHECKING:
    import torch

SEPARATOR = "|"
LAYOUTS: Mapping[str, str] = {
    "drawn": "as drawn",
    "reversed": "whole strings in reverse order",
    "shuffled": "the symbols of whole strings shuffled",
    "half": "the later half of the whole strings alone",
}
"""How a context can be arranged; the string that is to be continued stays where it is."""


class Strings(NamedTuple):
    """Strings of a language a row, joined by separators.

    Args:
        tokens: Symbols from 0 on, the separator after them, shape (n, n_tokens). The last one that counts is
            the answer to the query that the rest makes.
        truth: Probabilities of the next symbol given that the string goes on, (n, n_tokens, n_symbols).
        length: How many tokens count, shape (n,); what comes after them is filling.
    """

    tokens: "torch.Tensor"
    truth: "torch.Tensor"
    length: "torch.Tensor"

    @property
    def n_symbols(self) -> int:
        """Return the size of the alphabet, which is also the number of the separator."""
        return self.truth.shape[2]

    @property
    def is_symbol(self) -> "torch.Tensor":
        """Tell symbols from separators, bool, shape (n, n_tokens)."""
        return self.tokens < self.n_symbols

    @property
    def inputs(self) -> "torch.Tensor":
        """Return what stands before each token, shape (n, n_tokens); first of all a separator."""
        return begun(self.tokens[:, :-1], self.n_symbols)

    @property
    def target(self) -> "torch.Tensor":
        """Return the answers, shape (n,)."""
        return self.tokens.gather(1, self.length[:, None] - 1)[:, 0]


def begun(tokens: "torch.Tensor", n_symbols: int) -> "torch.Tensor":
    """Put a separator in front of tokens, shape (n, length)."""
    import torch

    return torch.cat([torch.full_like(tokens[:, :1], n_symbols), tokens], 1)


def arranged(batch: Strings, layout: str) -> Strings:
    """Arrange whole strings anew; the last one, which is to be continued, stays the last.

    Args:
        batch: Strings as drawn, all tokens of which count.
        layout: One of `LAYOUTS`. With "shuffled", `truth` is that of the last string alone.
    """
    import torch

    if layout not in LAYOUTS:
        raise ValueError(f"layout must be one of {', '.join(LAYOUTS)}, got {layout!r}")
    if layout == "drawn":
        return batch
    n_tokens = batch.tokens.shape[1]
    places = torch.arange(n_tokens)
    separators = (~batch.is_symbol).long()
    string = separators.cumsum(1) - separators  # a separator belongs to the string that it ends
    last = string[:, -1:]
    is_whole = string < last
    if layout == "shuffled":
        drawn = torch.rand(batch.tokens.shape, generator=torch.Generator().manual_seed(0))
        is_moved = is_whole & batch.is_symbol
        before = torch.where(is_moved, places, n_tokens + places).argsort(1)
        after = torch.where(is_moved, drawn, n_tokens + places).argsort(1)
        return _taken(batch, after.gather(1, before.argsort(1)), batch.length)
    if layout == "reversed":
        rank = torch.where(is_whole, last - string, last + 1)
        return _taken(batch, (rank * n_tokens + places).argsort(1), batch.length)
    is_left_out = string < last // 2
    return _taken(batch, (is_left_out * n_tokens + places).argsort(1), batch.length - is_left_out.sum(1))


def _taken(batch: Strings, places: "torch.Tensor", length: "torch.Tensor") -> Strings:
    truth = batch.truth.gather(1, places[:, :, None].expand_as(batch.truth))
    return Strings(batch.tokens.gather(1, places), truth, length)


def words_of(n_symbols: int) -> list[str]:
    """Name every token: letters, then the separator."""
    return [*map(label_word, range(n_symbols)), SEPARATOR]


def written(batch: Strings) -> list[str]:
    """Write contexts such as "abab|abba|a?", the answer as a question mark."""
    words = words_of(batch.n_symbols)
    return [
        "".join(words[token] for token in tokens[: length - 1]) + "?"
        for tokens, length in zip(batch.tokens.tolist(), batch.length.tolist(), strict=True)
    ]


def read(text: str, n_symbols: int, longest: int) -> list[int]:
    """Read tokens from a text such as "abab|abba|a"; blanks are left out.

    Raises:
        ValueError: It is empty or too long, or holds what is neither a letter of the alphabet nor "|".
    """
    words = words_of(n_symbols)
    characters = "".join(text.split())
    how = f'write letters from {words[0]} to {words[-2]}, and "{SEPARATOR}" between strings'
    wrong = next((each for each in characters if each not in words), None)
    if wrong is not None:
        raise ValueError(f"{wrong!r} is not in the alphabet: {how}")
    if not 1 <= len(characters) <= longest:
        raise ValueError(f"1 to {longest} letters and separators can be read, got {len(characters)}: {how}")
    return [words.index(each) for each in characters]
