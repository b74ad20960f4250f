"""Which forward passes answer many prompts at least cost: a token trie, its shared prefixes encoded once.

Sequences are sorted, so that those with a common prefix are neighbours; a prefix becomes a node of the trie
when encoding it once saves enough tokens. What remains of each sequence, its suffix, is batched with suffixes
of the same node. The plan depends on the requests and limits alone, never on the state of the machine, so
that a resumed run repeats exactly the passes that it has not finished.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from lab.learners.request import Request, shared_length


@dataclass(frozen=True)
class Limits:
    """What a plan may do.

    Args:
        batch_tokens: Most suffix tokens, padding included, in one forward pass.
        cache_bytes: Most bytes of keys and values that one pass may need.
        min_saved_tokens: A prefix is shared only if that saves at least so many tokens.
        share: False encodes every prompt in full.
        pad: False puts only suffixes of equal length into one batch (where attention counts places).
    """

    batch_tokens: int = 2048
    cache_bytes: int = 2 * 1024**3
    min_saved_tokens: int = 96
    share: bool = True
    pad: bool = True


@dataclass(frozen=True)
class Node:
    """A shared prefix: the first `length` tokens of request `row`, which continue those of node `parent`."""

    row: int
    length: int
    parent: int | None


@dataclass(frozen=True)
class Pass:
    """One forward pass: the suffixes of `rows` after the prefix of `node` (None: after nothing)."""

    index: int
    rows: tuple[int, ...]
    node: int | None

    @property
    def size(self) -> int:
        """Count its rows."""
        return len(self.rows)


@dataclass(frozen=True)
class Plan:
    """All passes of a run, with the tokens they compute; `n_tokens_unshared` is that of one prompt a pass."""

    nodes: tuple[Node, ...]
    passes: tuple[Pass, ...]
    n_tokens: int
    n_tokens_unshared: int
    n_longest: int
    n_rows_largest: int


@dataclass
class _Builder:
    requests: Sequence[Request]
    limits: Limits
    bytes_per_token: int
    nodes: list[Node] = field(default_factory=list)
    leaves: dict[int | None, list[int]] = field(default_factory=lambda: {None: []})

    def grow(self, rows: list[int]) -> None:
        """Make nodes of what sorted rows share, from the root down; every row stays at its deepest node."""
        shared = [self._shared_with_next(a, b) for a, b in pairwise(rows)]
        branches: list[tuple[int, int, int | None]] = [(0, len(rows), None)]
        while branches:
            first, end, node = branches.pop()
            length = min(shared[first : end - 1])
            node_length = self.nodes[node].length if node is not None else 0
            gain = length - node_length
            if gain > 0 and (end - first - 1) * gain >= self.limits.min_saved_tokens:
                self.nodes.append(Node(rows[first], length, node))
                node = len(self.nodes) - 1
                self.leaves[node] = []
            deeper: list[tuple[int, int, int | None]] = []
            start = first
            for place in range(first, end):
                if place + 1 < end and shared[place] > length:
                    continue
                if place > start:
                    deeper.append((start, place + 1, node))
                else:
                    self.leaves[node].append(rows[place])
                start = place + 1
            branches.extend(reversed(deeper))

    def _shared_with_next(self, row: int, following: int) -> int:
        """Return how many tokens two requests share, leaving each at least one of its own to compute."""
        first, second = self.requests[row].prompt, self.requests[following].prompt
        return min(shared_length(first, second), len(first) - 1, len(second) - 1)

    def batches(self, node: int | None, leaf: list[int]) -> list[list[int]]:
        """Cut a leaf into batches of similar length within the limits, group by group."""
        depth = self.nodes[node].length if node is not None else 0
        ordered = sorted(
            leaf, key=lambda row: (self.requests[row].group, len(self.requests[row].prompt), row)
        )
        batches: list[list[int]] = []
        longest = 0
        for row in ordered:
            request = self.requests[row]
            longest = max(longest, request.n_longest)
            if batches and self._fits(batches[-1], request, depth, longest):
                batches[-1].append(row)
            else:
                batches.append([row])
                longest = request.n_longest
        return batches

    def _fits(self, batch: list[int], request: Request, depth: int, longest: int) -> bool:
        first = self.requests[batch[0]]
        n_rows = len(batch) + 1
        return (
            request.group == first.group
            and len(request.candidates) == len(first.candidates)
            and (self.limits.pad or len(request.prompt) == len(first.prompt))
            and n_rows * (len(request.prompt) - depth) <= self.limits.batch_tokens
            and n_rows * longest * self.bytes_per_token <= self.limits.cache_bytes
        )


def plan_passes(requests: Sequence[Request], limits: Limits, bytes_per_token: int = 0) -> Plan:
    """Plan the forward passes that answer all requests.

    Args:
        requests: What is asked; several may have the same prompt.
        limits: What one pass may hold.
        bytes_per_token: Keys and values of one token over all layers, for the memory limit.

    Returns:
        A plan whose passes cover every request exactly once, ordered by group, then by prefix.
    """
    if not requests:
        return Plan((), (), 0, 0, 0, 0)
    builder = _Builder(requests, limits, bytes_per_token)
    rows = sorted(range(len(requests)), key=lambda row: requests[row].prompt)
    if limits.share and len(rows) > 1:
        builder.grow(rows)
    else:
        builder.leaves[None] = rows
    batches = [
        (node, batch) for node, leaf in builder.leaves.items() for batch in builder.batches(node, leaf)
    ]
    batches.sort(
        key=lambda item: requests[item[1][0]].group
    )  # stable: keeps the order of the trie inside a group
    passes = tuple(Pass(index, tuple(batch), node) for index, (node, batch) in enumerate(batches))
    nodes = tuple(builder.nodes)
    return Plan(
        nodes=nodes,
        passes=passes,
        n_tokens=_n_tokens(requests, nodes, passes),
        n_tokens_unshared=sum(len(r.prompt) + r.n_continuation_tokens for r in requests),
        n_longest=max(request.n_longest for request in requests),
        n_rows_largest=max(len(batch.rows) for batch in passes),
    )


def _n_tokens(requests: Sequence[Request], nodes: tuple[Node, ...], passes: tuple[Pass, ...]) -> int:
    total = sum(node.length - (nodes[node.parent].length if node.parent is not None else 0) for node in nodes)
    for batch in passes:
        depth = nodes[batch.node].length if batch.node is not None else 0
        total += sum(
            len(requests[row].prompt) - depth + requests[row].n_continuation_tokens for row in batch.rows
        )
    return total
