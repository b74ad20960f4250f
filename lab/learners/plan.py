"""Which forward passes answer many prompts at least cost: a token trie whose shared prefixes are encoded once.

Sequences are sorted, so that those with a common prefix are neighbours; a prefix becomes a node of the trie when
encoding it once saves enough tokens. What remains of each sequence, its suffix, is batched with suffixes of the
same node. The plan depends on the requests and limits alone, never on the state of the machine, so that a resumed
run repeats exactly the passes that it has not finished.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lab.learners.request import Request, shared_length


@dataclass(frozen=True)
class Limits:
    """What a plan may do.

    Args:
        batch_tokens: Most suffix tokens, padding included, in one forward pass.
        cache_bytes: Most bytes of keys and values that one pass may need.
        min_saved_tokens: A prefix is shared only if that saves at least so many tokens.
        share: False encodes every prompt in full.
        pad: False puts only suffixes of equal length into one batch (for models whose attention counts places).
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
        return len(self.rows)


@dataclass(frozen=True)
class Plan:
    """All passes of a run, with the tokens they compute; `n_tokens_unshared` is the cost of one prompt a pass."""

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
    leaves: list[tuple[int | None, list[int]]] = field(default_factory=list)

    def visit(self, rows: list[int], node: int | None, depth: int) -> list[int]:
        """Make nodes of what sorted `rows` share beyond `depth`; return the rows that stay at `node`."""
        node_length = self.nodes[node].length if node is not None else 0
        staying: list[int] = []
        for branch in self._branches(rows, depth):
            length = self._common_length(branch, depth)
            if (len(branch) - 1) * (length - node_length) >= self.limits.min_saved_tokens:
                self.nodes.append(Node(branch[0], length, node))
                new = len(self.nodes) - 1
                self.leaves.append((new, self.visit(branch, new, length)))
            elif self._can_save(branch, length, node_length):
                staying.extend(self.visit(branch, node, length))
            else:
                staying.extend(branch)
        return staying

    def _can_save(self, branch: list[int], length: int, node_length: int) -> bool:
        """Tell whether some part of a branch could still share enough beyond `length`."""
        lengths = [len(self.requests[row].prompt) for row in branch]
        most = (len(branch) - 1) * (max(lengths) - 1 - node_length)
        return length < min(lengths) - 1 and most >= self.limits.min_saved_tokens

    def _branches(self, rows: list[int], depth: int) -> list[list[int]]:
        if self._common_length(rows, depth) > depth:
            return [rows]
        branches: list[list[int]] = []
        last_token = None
        for row in rows:
            token = self.requests[row].prompt[depth]
            if not branches or token != last_token:
                branches.append([])
                last_token = token
            branches[-1].append(row)
        return branches

    def _common_length(self, rows: list[int], depth: int) -> int:
        """Return the length of the rows' common prefix that leaves each of them at least one token."""
        if len(rows) < 2:
            return depth
        first, last = self.requests[rows[0]].prompt, self.requests[rows[-1]].prompt
        shortest = min(len(self.requests[row].prompt) for row in rows)
        return min(shared_length(first, last, depth), shortest - 1)

    def batches(self, node: int | None, leaf: list[int]) -> list[list[int]]:
        """Cut a leaf into batches of similar length within the limits, group by group."""
        depth = self.nodes[node].length if node is not None else 0
        ordered = sorted(leaf, key=lambda row: (self.requests[row].group, len(self.requests[row].prompt), row))
        batches: list[list[int]] = []
        for row in ordered:
            request = self.requests[row]
            if batches and self._fits(batches[-1], request, depth):
                batches[-1].append(row)
            else:
                batches.append([row])
        return batches

    def _fits(self, batch: list[int], request: Request, depth: int) -> bool:
        first = self.requests[batch[0]]
        n_rows = len(batch) + 1
        suffix = len(request.prompt) - depth
        longest = max(self.requests[row].n_longest for row in batch)
        return (
            request.group == first.group
            and len(request.candidates) == len(first.candidates)
            and (self.limits.pad or len(request.prompt) == len(first.prompt))
            and n_rows * suffix <= self.limits.batch_tokens
            and n_rows * max(longest, request.n_longest) * self.bytes_per_token <= self.limits.cache_bytes
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
    if limits.share:
        builder.leaves.append((None, builder.visit(rows, None, 0)))
    else:
        builder.leaves.append((None, rows))
    batches = [(node, batch) for node, leaf in builder.leaves for batch in builder.batches(node, leaf)]
    batches.sort(key=lambda item: requests[item[1][0]].group)  # stable: keeps the order of the trie inside a group
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
        total += sum(len(requests[row].prompt) - depth + requests[row].n_continuation_tokens for row in batch.rows)
    return total
