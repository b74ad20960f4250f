"""Which demonstrations are shown?

At random, balanced over the labels, the first ones, or those most similar to the query: by BM25 (Robertson &
Zaragoza 2009; for demonstrations Rubin et al. 2022, arXiv:2112.08633) or by embeddings (Liu et al. 2022,
arXiv:2101.06804), the most similar one last. The control with wrong outputs is that of Min et al. 2022
(arXiv:2202.12837, section 4.1), here with as many wrong ones as the outputs allow.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import lru_cache
from itertools import zip_longest
from typing import TYPE_CHECKING, Literal, get_args

from lab.tasks.rows import same_text
from lab.tasks.task import Demonstration, Query, Task

if TYPE_CHECKING:
    import numpy as np

Method = Literal["random", "balanced", "first", "bm25", "nearest"]
Embed = Callable[[list[str]], "np.ndarray"]

METHODS: tuple[Method, ...] = get_args(Method)
NEEDS_QUERY: tuple[Method, ...] = ("bm25", "nearest")


def select(
    task: Task, method: str, n: int, seed: int, query: Query | None = None, embed: Embed | None = None
) -> tuple[Demonstration, ...]:
    """Select n demonstrations from a task's pool; never one whose input is the query's.

    Args:
        task: The task whose pool is drawn from.
        method: One of METHODS; bm25 and nearest need the query.
        n: How many, 1..len(pool).
        seed: Determines random and balanced draws; the other methods ignore it.
        query: What will be asked.
        embed: For nearest: texts to vectors, shape (n_texts, n_dims). It is called once with the inputs of
            the pool and once with the query's, so it should remember what it has embedded.

    Returns:
        The demonstrations in the order in which they are shown; by similarity the most similar stands last.

    Raises:
        ValueError: If the method is unknown or lacks what it needs, or n is out of range.
    """
    asked = same_text(query.input) if query else None
    pool = [demo for demo in task.pool if asked is None or same_text(demo.input) != asked]
    _check(task, method, n, len(pool))
    if method not in NEEDS_QUERY:
        return _drawn(task, pool, method, n, random.Random(seed), Counter())
    if query is None:
        raise ValueError(f"{method} selects for a query; give one, or select at random, balanced or first")
    inputs = [demo.input for demo in pool]
    if method == "nearest":
        if embed is None:
            raise ValueError("nearest needs embeddings; give embed, or select with bm25")
        scores = _cosines(embed(inputs), embed([query.input]))
    else:
        scores = _bm25_index(tuple(inputs)).get_scores(_words(query.input)).tolist()
    # Ties fall to the earlier row of the pool, so that the selection is the same everywhere.
    best = sorted(range(len(pool)), key=lambda i: (-scores[i], i))[:n]
    return tuple(pool[i] for i in reversed(best))


def by_ids(task: Task, ids: Sequence[str]) -> tuple[Demonstration, ...]:
    """Select demonstrations by hand, in the order of their ids.

    Raises:
        ValueError: If an id is not in the pool or stands twice.
    """
    pool = {demo.id: demo for demo in task.pool}
    for demo_id in ids:
        if demo_id not in pool:
            close = ", ".join(get_close_matches(demo_id, pool, n=3, cutoff=0.4)) or f"{task.pool[0].id}, ..."
            raise ValueError(f"{task.id} has no demonstration {demo_id!r}; did you mean {close}?")
    twice = [demo_id for demo_id, count in Counter(ids).items() if count > 1]
    if twice:
        raise ValueError(f"demonstration {twice[0]!r} is chosen twice; choose each once")
    return tuple(pool[demo_id] for demo_id in ids)


def draws(
    task: Task, n: int, n_sets: int, seed: int, method: str = "random"
) -> tuple[tuple[Demonstration, ...], ...]:
    """Draw several sets of n demonstrations that share as few as possible; set 0 is `select`'s.

    A demonstration is drawn again only when all that could stand in its place were drawn as often.

    Raises:
        ValueError: If the method selects for a query, n is not in 1..len(pool), or n_sets is below 1.
    """
    _check(task, method, n, len(task.pool))
    if method in NEEDS_QUERY:
        raise ValueError(f"{method} selects for a query, so it draws no sets; use random, balanced or first")
    if n_sets < 1:
        raise ValueError(f"n_sets must be at least 1, got {n_sets}")
    rng, used = random.Random(seed), Counter[str]()
    sets = []
    for _ in range(n_sets):
        drawn = _drawn(task, list(task.pool), method, n, rng, used)
        used.update(demo.id for demo in drawn)
        sets.append(drawn)
    return tuple(sets)


def shuffle_outputs(
    demos: Sequence[Demonstration], seed: int, labels: tuple[str, ...] = ()
) -> tuple[Demonstration, ...]:
    """Give the demonstrations each other's outputs, so that as many as possible are wrong.

    The outputs stay the same multiset, so at most 2 (n - m) are wrong when one output stands m > n/2 times.
    Only when all n outputs are equal are they replaced by other labels, drawn at random.

    Returns:
        Demonstrations with the same ids, inputs and order.

    Source: Min et al. 2022 (arXiv:2202.12837), section 4.1.
    """
    rng = random.Random(seed)
    counts = Counter(demo.output for demo in demos)
    if len(counts) < 2:
        others = [label for label in labels if label not in counts]
        return tuple(_with_output(demo, rng.choice(others) if others else demo.output) for demo in demos)
    # Sorted by output and shifted by the largest group, only that group's surplus meets its own output.
    rank = {output: rng.random() for output in sorted(counts)}
    order = sorted(range(len(demos)), key=lambda i: (rank[demos[i].output], rng.random()))
    shift = max(counts.values())
    wrong = [demos[i].output for i in order]
    for place, i in enumerate(order):
        wrong[i] = demos[order[(place + shift) % len(order)]].output
    # Exchanges that keep all wrong; else every "World" may become one other label, a rule to be learnt.
    for _ in range(8 * len(demos)):
        places = rng.sample(range(len(demos)), min(rng.choice((2, 3)), len(demos)))
        moved = [wrong[i] for i in (*places[1:], places[0])]
        if all(demos[i].output != output for i, output in zip(places, moved, strict=True)):
            for i, output in zip(places, moved, strict=True):
                wrong[i] = output
    return tuple(_with_output(demo, output) for demo, output in zip(demos, wrong, strict=True))


def _with_output(demo: Demonstration, output: str) -> Demonstration:
    return Demonstration(demo.id, demo.input, output)


def _check(task: Task, method: str, n: int, n_pool: int) -> None:
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}; by hand is by_ids")
    if method == "balanced" and not task.labels:
        raise ValueError(f"balanced needs labels and {task.id} has none; select at random or by similarity")
    if not 1 <= n <= n_pool:
        raise ValueError(f"n must be 1..{n_pool} (the pool of {task.id}), got {n}")


def _drawn(
    task: Task, pool: list[Demonstration], method: str, n: int, rng: random.Random, used: Counter[str]
) -> tuple[Demonstration, ...]:
    """Draw n demonstrations, those least often `used` first."""
    place = {demo.id: i if method == "first" else rng.random() for i, demo in enumerate(pool)}
    queue = sorted(pool, key=lambda demo: (used[demo.id], place[demo.id]))
    if method != "balanced":
        return tuple(queue[:n])
    labels = rng.sample(task.labels, len(task.labels))
    rounds = zip_longest(*([demo for demo in queue if demo.output == label] for label in labels))
    drawn = [demo for row in rounds for demo in row if demo is not None][:n]
    rng.shuffle(drawn)
    return tuple(drawn)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower()) or [text]


@lru_cache(maxsize=8)
def _bm25_index(inputs: tuple[str, ...]):
    import bm25s

    index = bm25s.BM25(method="lucene")
    index.index([_words(text) for text in inputs], show_progress=False)
    return index


def _cosines(pool: "np.ndarray", query: "np.ndarray") -> list[float]:
    import numpy as np

    a, b = np.asarray(pool, dtype=np.float64), np.asarray(query, dtype=np.float64)[0]  # (n, d), (d,)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b)
    return (a @ b / np.where(lengths > 0, lengths, 1.0)).tolist()
