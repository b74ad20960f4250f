"""Sentences of a noun and an adjective, in two forms: their words, how they are said and read."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import torch

N_UNSEEN = 20
COPULA, BLANK = "is", "?"
EXAMPLE = "is n1 a1 n1"


class Sentences(NamedTuple):
    """Three words and the one asked for, (n, 4), and the right answers, (n, 3), words of a `Vocabulary`."""

    words: "torch.Tensor"
    target: "torch.Tensor"


@dataclass(frozen=True)
class Vocabulary:
    """Words as whole numbers: nouns from 0, as many adjectives, the copula, the blank, then unseen words.

    Args:
        n_nouns: How many nouns; noun k and adjective k are met equally often.
    """

    n_nouns: int

    @property
    def copula(self) -> int:
        """Return the word that stands between noun and adjective, or before them."""
        return 2 * self.n_nouns

    @property
    def blank(self) -> int:
        """Return what stands where an answer is to come."""
        return self.copula + 1

    @property
    def n_met(self) -> int:
        """Count what has an embedding of its own."""
        return self.blank + 1

    @cached_property
    def names(self) -> list[str]:
        """Name all words: n1, a1, is, ?, x1 and so on."""
        nouns, adjectives = (
            [f"{letter}{place + 1}" for place in range(self.n_nouns)] for letter in ("n", "a")
        )
        return [*nouns, *adjectives, COPULA, BLANK, *(f"x{place + 1}" for place in range(N_UNSEEN))]

    def likeness(self, word: int) -> float:
        """Tell by heart how much of an adjective a word is: 1, 0 for nouns, .5 for words never met."""
        if word > self.blank:
            return 0.5
        return float(self.n_nouns <= word < self.copula)

    def say(
        self,
        adjectives: "torch.Tensor",
        nouns: "torch.Tensor",
        is_first: "torch.Tensor",
        asked: "torch.Tensor",
    ) -> Sentences:
        """Say `is adjective noun` where the copula is first, else `noun is adjective`.

        Args:
            adjectives: What stands where adjectives do, whatever it is by heart, shape (n,).
            nouns: What stands where nouns do, shape (n,).
            is_first: Whether the copula is first, bool, shape (n,).
            asked: One of both words, shape (n,).
        """
        import torch

        copula = torch.full_like(nouns, self.copula)
        first = torch.stack([copula, adjectives, nouns, asked], 1)
        second = torch.stack([nouns, copula, adjectives, asked], 1)
        words = torch.where(is_first[:, None], first, second)
        return Sentences(words, torch.stack([adjectives, asked, asked], 1))

    def read(self, text: str) -> tuple[int, int, bool, int]:
        """Read a sentence of three words and the one asked for.

        Returns:
            The word where the adjective stands, that where the noun stands, whether the copula is first, and
            the word asked for.

        Raises:
            ValueError: A word is not known, or the sentence is in neither form; says how it is written.
        """
        said = text.lower().split()
        known = set(self.names) - {BLANK}
        strange = [word for word in said if word not in known]
        if strange:
            raise ValueError(
                f"words are is, n1 to n{self.n_nouns}, a1 to a{self.n_nouns} and x1 to x{N_UNSEEN}, "
                f"got {' '.join(strange)}"
            )
        is_sentence = len(said) == 4 and said[:3].count(COPULA) == 1 and said[2] != COPULA
        if not is_sentence or said[3] not in said[:3] or said[3] == COPULA:
            raise ValueError(
                f"write “is adjective noun” or “noun is adjective”, then one of both words, such as {EXAMPLE}"
            )
        is_first = said[0] == COPULA
        adjective, noun = said[1:3] if is_first else (said[2], said[0])
        return self.names.index(adjective), self.names.index(noun), is_first, self.names.index(said[3])
