"""What a learner is asked, in tokens: one prompt, and the continuations to score or the room to answer in."""

from collections.abc import Sequence
from dataclasses import dataclass

Tokens = tuple[int, ...]


@dataclass(frozen=True)
class Request:
    """One prompt with the continuations to be scored after it.

    Args:
        prompt: Token ids of the prompt, at least one.
        candidates: Token ids of each continuation, at least one token each; none to generate.
        max_new_tokens: How many tokens a generated answer may have; 0 when candidates are scored.
        group: Requests of a lower group are answered first, so that a stopped run holds whole groups.
    """

    prompt: Tokens
    candidates: tuple[Tokens, ...] = ()
    max_new_tokens: int = 0
    group: int = 0

    def __post_init__(self) -> None:
        if not self.prompt:
            raise ValueError("prompt must have at least one token")
        if bool(self.candidates) == bool(self.max_new_tokens):
            raise ValueError("give either candidates to score or max_new_tokens to generate")
        if any(not candidate for candidate in self.candidates):
            raise ValueError("every candidate must have at least one token")

    @property
    def n_continuation_tokens(self) -> int:
        """Count the tokens computed after the prompt's last one (an upper bound for a generated answer)."""
        return sum(len(candidate) - 1 for candidate in self.candidates) + self.max_new_tokens

    @property
    def n_longest(self) -> int:
        """Count the tokens of the longest sequence that this request can grow to."""
        longest = max((len(candidate) for candidate in self.candidates), default=self.max_new_tokens)
        return len(self.prompt) + longest


@dataclass(frozen=True)
class Answer:
    """What a learner answered.

    `logp` holds, for each candidate, the summed log-probability of its tokens in nats; `text_tokens` the
    generated token ids, without the token that ended them.
    """

    logp: tuple[float, ...] = ()
    text_tokens: Tokens = ()


def shared_length(first: Sequence[int], second: Sequence[int], start: int = 0) -> int:
    """Return how many leading tokens two sequences share, given that the first `start` are equal."""
    end = min(len(first), len(second))
    place = start
    while place < end and first[place] == second[place]:
        place += 1
    return place
