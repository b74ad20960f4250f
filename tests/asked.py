"""Requests in every shape that the sweep makes, over 300 token ids, and what a naive encoding answers."""

import random
from collections.abc import Sequence
from itertools import permutations

from lab.learners.request import Answer, Request
from lab.learners.whole import WholeRunner

LABELS = ((5,), (6, 7, 8), (5, 9))
ONE_TOKEN = ((5,), (6,), (7,))


def prose(rng: random.Random, n: int) -> list[int]:
    return [rng.randrange(10, 300) for _ in range(n)]


def orders(candidates=LABELS, n_queries: int = 3, max_new_tokens: int = 0) -> list[Request]:
    """A head, three demonstrations in all orders, ragged queries: a trie of depth 3."""
    rng = random.Random(1)
    head, demos = prose(rng, 30), [prose(rng, n) for n in (5, 8, 11)]
    queries = [prose(rng, 3 + 4 * place) for place in range(n_queries)]
    return [
        Request(
            tuple(head + [token for demo in order for token in demo] + query),
            () if max_new_tokens else candidates,
            max_new_tokens,
        )
        for order in permutations(demos)
        for query in queries
    ]


def odd_ones(candidates=LABELS) -> list[Request]:
    """Copies, prompts that begin others, one token alone, another number of candidates, other groups."""
    rng = random.Random(2)
    long = tuple(prose(rng, 40))
    return [
        *(Request(long, candidates) for _ in range(3)),
        Request(long[:25], candidates),
        Request(long[:1], candidates),
        Request((*long, 11), candidates, group=1),
        Request((*long, 12, 13), candidates, group=1),
        Request((*long, 14), candidates[:1]),
        Request(tuple(prose(rng, 20)), candidates),
    ]


def naive(lm, requests: Sequence[Request]) -> list[Answer]:
    runner = WholeRunner(lm, requests)
    return [runner._answer(request) for request in requests]


def largest_difference(found: Sequence[Answer], expected: Sequence[Answer]) -> float:
    return max(
        abs(a - b)
        for one, other in zip(found, expected, strict=True)
        for a, b in zip(one.logp, other.logp, strict=True)
    )
