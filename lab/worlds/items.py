"""Sequences of items with labels, drawn the way that decides between context and weights.

Classes are Gaussian directions, items are noisy copies of them. Which classes stand together in a context,
and how often each is met at all, is what the worlds of `abrupt` and `properties` are about.
"""

import math
from collections.abc import Mapping
from string import ascii_lowercase
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from lab.worlds.world import Plain, Replies

if TYPE_CHECKING:
    import torch


LAYOUTS = {
    "drawn": "as drawn",
    "reversed": "reversed",
    "match-first": "the query's class first",
    "match-last": "the query's class last",
}
"""How the pairs of a context can be arranged while its query stays."""


class Sequences(NamedTuple):
    """Pairs and a query.

    Args:
        items: Noisy items, the query last, shape (n, n_pairs + 1, n_item).
        classes: Their classes, shape (n, n_pairs + 1); those never trained on are counted on after the rest.
        labels: Labels that the context shows, shape (n, n_pairs).
        target: The right answer, shape (n,).
    """

    items: "torch.Tensor"
    classes: "torch.Tensor"
    labels: "torch.Tensor"
    target: "torch.Tensor"

    @property
    def is_match(self) -> "torch.Tensor":
        """Tell which pairs show the class of the query, bool, shape (n, n_pairs)."""
        return self.classes[:, :-1] == self.classes[:, -1:]


def arranged(batch: Sequences, layout: str) -> Sequences:
    """Move the pairs of every context, each label with its item.

    Args:
        batch: Sequences as drawn.
        layout: One of `LAYOUTS`; "match-first" and "match-last" move the pairs of the query's class alone.
    """
    import torch

    if layout == "drawn":
        return batch
    if layout == "reversed":
        places = torch.arange(batch.labels.shape[1]).flip(0).expand_as(batch.labels)
    elif layout in LAYOUTS:
        is_first = batch.is_match if layout == "match-first" else ~batch.is_match
        places = (~is_first).long().argsort(dim=1, stable=True)
    else:
        raise ValueError(f"layout must be one of {', '.join(LAYOUTS)}, got {layout!r}")
    classes = batch.classes.clone()
    items = batch.items.clone()
    classes[:, :-1] = batch.classes.gather(1, places)
    items[:, :-1] = batch.items.gather(1, places[:, :, None].expand(-1, -1, items.shape[-1]))
    return Sequences(items, classes, batch.labels.gather(1, places), batch.target)


def written(batch: Sequences) -> list[str]:
    """Write sequences as a person reads them, classes as numbers and labels as letters.

    Returns:
        Texts such as "7=b 31=d 7=?"; labels after z are aa, ab and so on.
    """
    texts = []
    for classes, labels in zip(batch.classes.tolist(), batch.labels.tolist(), strict=True):
        pairs = [f"{item}={label_word(label)}" for item, label in zip(classes, labels, strict=False)]
        texts.append(" ".join([*pairs, f"{classes[-1]}=?"]))
    return texts


class OfPairs(Plain):
    """What worlds of labelled pairs have in common; a world takes it as its parent."""

    layouts: ClassVar[Mapping[str, str]] = LAYOUTS

    def arranged(self, batch: Sequences, layout: str) -> Sequences:
        """Move the pairs of every context; see `arranged`."""
        return arranged(batch, layout)

    def written(self, batch: Sequences) -> list[str]:
        """Write sequences such as "7=b 31=d 7=?"."""
        return written(batch)

    def positions(self, batch: Sequences, row: int) -> list[str]:
        """Name items by their class and labels by their letter."""
        return positions(batch, row)


def replies(scores: "torch.Tensor", batch: Sequences) -> Replies:
    """Turn a score a label, shape (n, n_labels), into answers in letters."""
    words = [label_word(label) for label in range(scores.shape[1])]
    return Replies(
        [words[label] for label in scores.argmax(1).tolist()],
        [words[label] for label in batch.target.tolist()],
        [dict(zip(words, row, strict=True)) for row in scores.log_softmax(1).tolist()],
    )


def positions(batch: Sequences, row: int) -> list[str]:
    """Name what stands at each position of one sequence: classes as numbers, labels as letters."""
    *shown, query = batch.classes[row].tolist()
    pairs = zip(shown, batch.labels[row].tolist(), strict=True)
    return [*(word for item, label in pairs for word in (str(item), label_word(label))), f"{query}?"]


def label_word(label: int) -> str:
    """Name a label by letters.

    >>> [label_word(label) for label in (0, 25, 26)]
    ['a', 'z', 'aa']
    """
    rest, last = divmod(label, 26)
    return (label_word(rest - 1) if rest else "") + ascii_lowercase[last]


def directions(n: int, n_item: int, generator: "torch.Generator") -> "torch.Tensor":
    """Draw vectors of a length near 1, shape (n, n_item)."""
    import torch

    return torch.randn(n, n_item, generator=generator) / math.sqrt(n_item)


def noised(vectors: "torch.Tensor", noise: float, generator: "torch.Generator") -> "torch.Tensor":
    """Return (μ + ε η) / √(1 + ε²) for vectors μ and noise ε: Reddy 2023, section 2.1."""
    import torch

    drawn = torch.randn(vectors.shape, generator=generator) / math.sqrt(vectors.shape[-1])
    return (vectors + noise * drawn) / math.sqrt(1 + noise**2)


def zipf(n: int, exponent: float) -> "torch.Tensor":
    """Return probabilities in proportion to rank^-exponent, shape (n,)."""
    import torch

    weights = torch.arange(1, n + 1, dtype=torch.float64) ** -exponent
    return (weights / weights.sum()).float()


def drawn(weights: "torch.Tensor", shape: tuple[int, ...], generator: "torch.Generator") -> "torch.Tensor":
    """Draw classes by their weights, whole numbers of this shape."""
    import torch

    n = math.prod(shape)
    return torch.multinomial(weights, n, replacement=True, generator=generator).view(shape)


def shuffled(rows: "torch.Tensor", generator: "torch.Generator") -> "torch.Tensor":
    """Shuffle every row of (n, m) on its own."""
    import torch

    places = torch.rand(rows.shape, generator=generator).argsort(1)
    return rows.gather(1, places)


def distinct_labels(n: int, n_shown: int, n_labels: int, generator: "torch.Generator") -> "torch.Tensor":
    """Draw different labels for the classes of each sequence, shape (n, n_shown); n_shown ≤ n_labels."""
    import torch

    return torch.rand(n, n_labels, generator=generator).argsort(1)[:, :n_shown]
