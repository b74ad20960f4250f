"""Random languages: probabilistic finite automata, the strings they write, what may come next.

An automaton is in a state; each edge that leaves it has a symbol and leads to another state. A string starts
in state 0, takes every edge of a state with the same probability and ends after a length drawn beforehand;
strings are joined by a separator. The symbol tells the edge, so that what was written tells the state.

Source: Akyürek et al. 2024 (arXiv:2401.12973), whose automata have 4 to 12 states and 4 to 18 symbols and are
minimised.
"""

from typing import TYPE_CHECKING

from lab.worlds.strings import Strings

if TYPE_CHECKING:
    import torch

FEWEST_STATES = 3
FEWEST_SYMBOLS = 4
LONGEST = 15  # symbols of a string
NONE = -1


def draw_automata(
    n: int, states: tuple[int, int], n_symbols: int, n_edges: int, generator: "torch.Generator"
) -> "torch.Tensor":
    """Draw automata: no edge leads back to its own state, no two of a state to the same one.

    Args:
        n: How many.
        states: The fewest and the most states; their number is uniform in between.
        n_symbols: The alphabet; each automaton uses 4 of it or more, drawn uniformly.
        n_edges: The most edges that leave a state; their number is uniform from 1.
        generator: Determines them.

    Returns:
        The state that follows by automaton, state and symbol, -1 where there is no edge: shape
        (n, states[1], n_symbols).
    """
    import torch

    def ranked(is_allowed: torch.Tensor) -> torch.Tensor:
        """Order the last axis at random, those allowed first."""
        return torch.where(is_allowed, torch.rand(is_allowed.shape, generator=generator), 2.0).argsort(-1)

    def whole(low: int, high: int, shape: tuple[int, ...]) -> torch.Tensor:
        return torch.randint(low, high + 1, shape, generator=generator)

    most = states[1]
    sizes, alphabets = whole(*states, (n, 1)), whole(min(FEWEST_SYMBOLS, n_symbols), n_symbols, (n, 1))
    is_used = ranked(torch.ones(n, n_symbols, dtype=torch.bool)) < alphabets
    symbols = ranked(is_used[:, None].expand(n, most, n_symbols))
    here = torch.arange(most)
    is_target = (here < sizes)[:, None, :] & (here[:, None] != here)
    targets = ranked(is_target)
    counts = whole(1, n_edges, (n, most)).minimum(sizes - 1).minimum(alphabets)
    width = min(n_edges, most, n_symbols)
    is_edge = torch.arange(width) < counts[:, :, None]
    following = torch.full((n, most, n_symbols), NONE)
    return following.scatter(2, symbols[..., :width], torch.where(is_edge, targets[..., :width], NONE))


def draw_strings(following: "torch.Tensor", length: int, generator: "torch.Generator") -> Strings:
    """Let each automaton write strings, joined by separators, until there are so many tokens.

    Args:
        following: Automata, shape (n, n_states, n_symbols).
        length: Tokens.
        generator: Determines the paths and the lengths of the strings, uniform from 1 to 15.
    """
    import torch

    n, _, n_symbols = following.shape
    rows = torch.arange(n)
    is_end = _ends(n, length, generator)
    chosen = torch.rand(n, length, n_symbols, generator=generator)
    tokens, states = torch.full((n, length), n_symbols), torch.zeros(n, length, dtype=torch.long)
    state = torch.zeros(n, dtype=torch.long)
    for place in range(length):
        states[:, place] = state
        after = following[rows, state]
        symbol = torch.where(after == NONE, NONE, chosen[:, place]).argmax(1)  # uniform over the edges
        tokens[:, place] = torch.where(is_end[:, place], n_symbols, symbol)
        state = torch.where(is_end[:, place], 0, after[rows, symbol])
    edges = (following[rows[:, None], states] != NONE).float()
    return Strings(tokens, edges / edges.sum(2, keepdim=True), torch.full((n,), length))


def _ends(n: int, length: int, generator: "torch.Generator") -> "torch.Tensor":
    """Say where separators stand, bool, shape (n, length)."""
    import torch

    lengths = torch.randint(1, LONGEST + 1, (n, length), generator=generator)
    ends = (lengths + 1).cumsum(1) - 1
    is_end = torch.zeros(n, length + 1, dtype=torch.bool)
    return is_end.scatter(1, ends.clamp_max(length), True)[:, :length]
