"""One random language taken in hand: its automaton, strings to read, and what is written after them.

An automaton tells of every symbol whether it may stand where it does. So whoever writes on can be judged
without a reader: a learner, an n-gram, or one who draws symbols blindly.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from lab.worlds.automata import Automata
from lab.worlds.exact.ngrams import ngrams
from lab.worlds.exact.pfa import FEWEST_STATES, NONE, draw_automata, draw_strings
from lab.worlds.strings import begun, read, words_of

if TYPE_CHECKING:
    import torch

    from lab.worlds.core.learner import Learner

N_COPIES = 20  # that write on, each by itself
SHARE_READ = 2 / 3  # of the tokens a learner can read; the others are for writing


class Language(NamedTuple):
    """An automaton and strings of it.

    Args:
        following: The state that follows by state and symbol, -1 where there is no edge; the first state is
            where strings start, and all can be reached.
        context: Whole strings, tokens, each with its separator.
    """

    following: list[list[int]]
    context: list[int]

    @property
    def n_symbols(self) -> int:
        """Return the size of the alphabet, which is also the number of the separator."""
        return len(self.following[0])

    def edges(self, state: int) -> dict[int, int]:
        """Return the states that follow a state, by symbol."""
        return {symbol: after for symbol, after in enumerate(self.following[state]) if after != NONE}

    def path(self, string: Sequence[int]) -> list[int]:
        """Return the states that a string goes through; it ends before the first symbol that may not come."""
        states = [0]
        for symbol in string:
            after = self.following[states[-1]][symbol]
            if after == NONE:
                break
            states.append(after)
        return states

    def judged(self, tokens: Sequence[int]) -> list[bool | None]:
        """Tell of every token whether it may come.

        After one that may not, the rest of its string is not judged, None; neither are separators, but that
        no string is empty.
        """
        found: list[bool | None] = []
        state: int | None = 0
        is_empty = True
        for token in tokens:
            if token == self.n_symbols:
                found.append(False if is_empty else None)
                state, is_empty = 0, True
                continue
            after = NONE if state is None else self.following[state][token]
            found.append(None if state is None else after != NONE)
            state, is_empty = None if after == NONE else after, False
        return found


class Written(NamedTuple):
    """What was written after a context, and how much of it may stand there.

    Args:
        rows: Tokens of every copy.
        verdicts: Of every token, see `Language.judged`.
    """

    rows: list[list[int]]
    verdicts: list[list[bool | None]]

    @property
    def n_judged(self) -> int:
        """Count the tokens that are judged."""
        return sum(verdict is not None for row in self.verdicts for verdict in row)

    @property
    def share_legal(self) -> float:
        """Return the share of those that may come."""
        return sum(verdict is True for row in self.verdicts for verdict in row) / self.n_judged


def draw(world: Automata, number: int) -> Language:
    """Draw a language, as a world draws those to learn from.

    Args:
        world: Whose settings bound the automaton.
        number: Which; the same one is the same language.
    """
    import torch

    s, generator = world.settings, torch.Generator().manual_seed(1000 + number)
    following = draw_automata(1, (FEWEST_STATES, s.n_states), s.n_symbols, s.n_edges, generator)
    tokens = draw_strings(following, int(SHARE_READ * s.n_tokens), generator).tokens[0].tolist()
    while tokens and tokens[-1] != s.n_symbols:
        tokens.pop()
    return Language(_reached(following[0].tolist()), tokens)


def _reached(following: list[list[int]]) -> list[list[int]]:
    """Keep the states that can be reached from the first one, in the order in which they are."""
    order = [0]
    for state in order:
        order += sorted({after for after in following[state] if after != NONE} - set(order))
    places = {state: place for place, state in enumerate(order)}
    return [[places.get(after, NONE) for after in following[state]] for state in order]


def string_of(text: str, language: Language, longest: int) -> list[int]:
    """Read the beginning of a string such as "abba"; none is one as well.

    Raises:
        ValueError: A symbol is not of the alphabet, or may not come where it stands; says what may.
    """
    if not text.strip():
        return []
    string, words = read(text, language.n_symbols, longest), words_of(language.n_symbols)
    if language.n_symbols in string:
        raise ValueError("one string is continued here: write it without |")
    states = language.path(string)
    if len(states) <= len(string):
        wrong, may = words[string[len(states) - 1]], (words[each] for each in language.edges(states[-1]))
        raise ValueError(
            f"{wrong} can't come after {text.strip()[: len(states) - 1] or 'the start'}: in state "
            f"{states[-1]} comes {' or '.join(may)}"
        )
    return string


def expected(
    world: Automata, learner: "Learner", language: Language, string: Sequence[int]
) -> "torch.Tensor":
    """Return what a learner expects after context and string, the separator last: (n_symbols + 1,)."""
    return _says(world, learner)(_inputs(language, [list(string)]))[0]


def counted(language: Language, string: Sequence[int], order: int) -> "torch.Tensor":
    """Return what an n-gram expects next, shape (n_symbols + 1,)."""
    return _counts(language, order)(_inputs(language, [list(string)]))[0]


def write(
    world: Automata, learner: "Learner", language: Language, string: Sequence[int], seed: int = 0
) -> dict[str, Written]:
    """Let a learner, a 2-gram, a 3-gram and one who draws blindly write on, until no token more can be read.

    Args:
        world: The learner's.
        learner: Who writes.
        language: What is read before.
        string: How the first string begins; it has to be one of the language.
        seed: Determines the draws of all of them.
    """
    import torch

    n_left = world.settings.n_tokens - 1 - len(language.context) - len(string)
    n_words = language.n_symbols + 1
    writers = {
        "learner": _says(world, learner),
        "2-gram": _counts(language, 2),
        "3-gram": _counts(language, 3),
        "blindly": lambda inputs: torch.full((len(inputs), n_words), 1 / n_words),
    }
    return {name: _written(says, language, list(string), n_left, seed) for name, says in writers.items()}


def _written(
    says: "Callable[[torch.Tensor], torch.Tensor]", language: Language, string: list[int], n: int, seed: int
) -> Written:
    import torch

    generator = torch.Generator().manual_seed(seed)
    rows = [list(string) for _ in range(N_COPIES)]
    for _ in range(n):
        p = says(_inputs(language, rows))
        for row, token in zip(rows, torch.multinomial(p, 1, generator=generator)[:, 0].tolist(), strict=True):
            row.append(token)
    verdicts = [language.judged(row)[len(string) :] for row in rows]
    return Written([row[len(string) :] for row in rows], verdicts)


def _inputs(language: Language, rows: list[list[int]]) -> "torch.Tensor":
    import torch

    return begun(torch.tensor([language.context + row for row in rows]), language.n_symbols)


def _says(world: Automata, learner: "Learner") -> "Callable[[torch.Tensor], torch.Tensor]":
    return lambda inputs: world.scores(learner, inputs)[:, -1].softmax(1)


def _counts(language: Language, order: int) -> "Callable[[torch.Tensor], torch.Tensor]":
    return lambda inputs: ngrams(inputs, language.n_symbols)[order][:, -1]
