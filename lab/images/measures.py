"""Did the panels come out as the caption says, and do they belong together?

Works on what the probe reads (`lab.images.probe.Reading`) and on pixels; nothing here draws or learns. A set
counts only if all of its panels are right, as in the gated questions of Liang et al. 2024, IDEA-Bench
(arXiv:2412.11767). Every table should hold a row of real drawings: the probe's own errors bound the figures.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from lab.images.concepts import concepts
from lab.images.probe import Reading

EMPTY = 0.5  # from this probability on a panel counts as empty, whatever concept is nearest
_EDGE = 96.0  # grey levels of a Sobel gradient, of 0..1020, from which on a pixel is an edge
_GREY = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601


def panel_table(
    reading: Reading, words: Sequence[str], styles: Sequence[str], set_ids: ArrayLike | None = None
) -> pd.DataFrame:
    """Compare a reading with what should have been drawn, a row a panel.

    Args:
        reading: Of n panels.
        words: Concepts that should be there, n of them.
        styles: Their styles, n of them.
        set_ids: Which set a panel belongs to, shape (n,); by default each is its own.

    Returns:
        Columns set_id, word, style, read_word, read_style, is_empty, is_identity (first of the 160),
        is_among_5 (one of the first five), is_within_group (ahead of all hard negatives, the concepts of its
        group), is_style, is_right (identity and style). An empty panel is right in nothing.

    Raises:
        ValueError: The lengths differ, or a word is no concept.
    """
    if not len(reading) == len(words) == len(styles):
        raise ValueError(
            f"{len(reading)} panels need as many words and styles, got {len(words)}, {len(styles)}"
        )
    known = {concept.word: place for place, concept in enumerate(concepts())}
    if unknown := [word for word in words if word not in known]:
        raise ValueError(f"no concept is called {unknown[0]!r} (the list: concepts.csv)")
    truth = np.array([known[word] for word in words], dtype=int)
    is_seen = reading.p_empty < EMPTY
    ranks = (reading.ranked == truth[:, None]).argmax(axis=1)  # 0 is the first
    rivals = np.where(_groups()[None] == _groups()[truth][:, None], reading.similarity, -np.inf)
    is_identity = (ranks == 0) & is_seen
    is_style = (np.array(reading.styles, dtype=object) == np.array(styles, dtype=object)) & is_seen
    return pd.DataFrame(
        {
            "set_id": np.arange(len(truth)) if set_ids is None else np.asarray(set_ids),
            "word": list(words),
            "style": list(styles),
            "read_word": reading.words,
            "read_style": reading.styles,
            "is_empty": ~is_seen,
            "is_identity": is_identity,
            "is_among_5": (ranks < 5) & is_seen,
            "is_within_group": (rivals.argmax(axis=1) == truth) & is_seen,
            "is_style": is_style,
            "is_right": is_identity & is_style,
        }
    )


def set_table(panels: pd.DataFrame) -> pd.DataFrame:
    """Gather the panels of each set, a row a set, in the order of their first panels.

    Args:
        panels: From `panel_table`.

    Returns:
        Indexed by set_id: n_panels, is_success (every panel's identity and style right), is_one_identity and
        is_one_style (all panels read alike, even if wrong, and none is empty).
    """
    by_set = panels.groupby("set_id", sort=False)
    is_full = ~by_set["is_empty"].any()
    return pd.DataFrame(
        {
            "n_panels": by_set.size(),
            "is_success": by_set["is_right"].all(),
            "is_one_identity": (by_set["read_word"].nunique() == 1) & is_full,
            "is_one_style": (by_set["read_style"].nunique() == 1) & is_full,
        }
    )


class Cohesion(NamedTuple):
    """How much more alike the panels of one set are than panels of different sets, in cosines."""

    within: np.ndarray  # (n_sets,), mean over the pairs of a set's panels
    across: np.ndarray  # (n_sets,), mean over a set's panels with all panels of other sets

    @property
    def difference(self) -> np.ndarray:
        """Within minus across, -2..2; near 0 where every set shows the same thing."""
        return self.within - self.across


def cohesion(embedding: np.ndarray, set_ids: ArrayLike) -> Cohesion:
    """Compare a set's panels with each other and with those of the other sets.

    Args:
        embedding: Of length 1, shape (n, n_embedding).
        set_ids: Which set a panel belongs to, shape (n,).

    Raises:
        ValueError: There are fewer than two sets, or a set has fewer than two panels.

    Source: the identity similarity of Wu et al. 2025, UNO (arXiv:2504.02160), less the level that unrelated
    panels reach, so that drawing one picture everywhere gains nothing.
    """
    codes, names = pd.factorize(np.asarray(set_ids))  # sets in the order of their first panels
    counts = np.bincount(codes)
    if len(names) < 2 or counts.min() < 2:
        raise ValueError(f"needs two sets or more, of two panels or more, got panels {counts.tolist()}")
    sums = np.zeros((len(names), embedding.shape[1]))
    np.add.at(sums, codes, embedding)
    lengths = np.zeros(len(names))
    np.add.at(lengths, codes, (embedding.astype(float) ** 2).sum(axis=1))
    within = ((sums**2).sum(axis=1) - lengths) / (counts * (counts - 1))
    across = ((sums @ sums.sum(axis=0)) - (sums**2).sum(axis=1)) / (counts * (len(codes) - counts))
    return Cohesion(within, across)


def binding_at_flip(before: np.ndarray, after: np.ndarray, order: Sequence[int] = (1, 0)) -> np.ndarray:
    """Tell for each set whether its panels follow their texts to another place.

    Args:
        before: What is read in each panel, shape (n_sets, n_panels), any labels.
        after: The same with the texts of the markers permuted and the seed unchanged.
        order: Panel p of `after` was given the text of panel order[p] of `before`.

    Returns:
        Booleans, shape (n_sets,). A set whose panels all read alike before can't show that it binds: False.

    Raises:
        ValueError: The shapes differ, or `order` is no permutation or moves nothing.
    """
    before, after = np.asarray(before), np.asarray(after)
    if before.shape != after.shape or before.ndim != 2:
        raise ValueError(f"before and after must be (n_sets, n_panels), got {before.shape} and {after.shape}")
    places = list(range(before.shape[1]))
    if sorted(order) != places or list(order) == places:
        raise ValueError(f"order must permute {len(places)} panels and move some, got {list(order)}")
    moved = before[:, list(order)]
    return (after == moved).all(axis=1) & (moved != before).any(axis=1)


def psnr(drawn: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the peak signal-to-noise ratio of each picture in dB, infinite where nothing differs.

    Args:
        drawn: RGB, uint8, shape (n, height, width, 3).
        truth: Same shape.

    >>> bool(psnr(np.zeros((1, 2, 2, 3), np.uint8), np.full((1, 2, 2, 3), 255, np.uint8))[0] == 0)
    True
    """
    _check_alike(drawn, truth)
    error = ((drawn.astype(float) - truth.astype(float)) ** 2).mean(axis=(1, 2, 3))
    with np.errstate(divide="ignore"):
        return 10 * np.log10(255**2 / error)


def edges(pictures: np.ndarray) -> np.ndarray:
    """Mark where grey levels change steeply: Sobel's gradient is at least 96 of 1020.

    Args:
        pictures: RGB, uint8, shape (n, height, width, 3).

    Returns:
        Booleans, shape (n, height, width).
    """
    grey = np.pad(pictures @ _GREY, ((0, 0), (1, 1), (1, 1)), mode="edge")
    smooth_y = grey[:, :-2] + 2 * grey[:, 1:-1] + grey[:, 2:]
    smooth_x = grey[:, :, :-2] + 2 * grey[:, :, 1:-1] + grey[:, :, 2:]
    return np.hypot(smooth_y[:, :, 2:] - smooth_y[:, :, :-2], smooth_x[:, 2:] - smooth_x[:, :-2]) >= _EDGE


def edge_iou(drawn: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return how much of the edges of two pictures lies together, 0..1, whatever their colours.

    Edges are widened by a pixel on every side, so that a line that moved by one still counts in part. Two
    pictures without an edge agree: 1.

    Args:
        drawn: RGB, uint8, shape (n, height, width, 3).
        truth: Same shape.
    """
    _check_alike(drawn, truth)
    a, b = _widened(edges(drawn)), _widened(edges(truth))
    union = (a | b).sum(axis=(1, 2))
    return np.where(union == 0, 1.0, (a & b).sum(axis=(1, 2)) / np.maximum(union, 1))


class Nearest(NamedTuple):
    """The nearest training canvas of each canvas."""

    distance: np.ndarray  # (n,), root of the mean squared difference, in grey levels 0..255
    place: np.ndarray  # (n,), which training canvas


def nearest_distance(canvases: np.ndarray, training_canvases: np.ndarray) -> Nearest:
    """Look each canvas up among those trained on; a copy has distance 0.

    A distance says little alone: compare it with that of true canvases which were not trained on.

    Args:
        canvases: RGB, uint8, shape (n, height, width, 3).
        training_canvases: Shape (m, height, width, 3), m at least 1.
    """
    if canvases.shape[1:] != training_canvases.shape[1:] or len(training_canvases) == 0:
        raise ValueError(
            f"no canvas like {canvases.shape[1:]} in training canvases {training_canvases.shape}"
        )
    known = training_canvases.reshape(len(training_canvases), -1).astype(np.float32)
    squares = np.array(
        [((known - one.reshape(1, -1)) ** 2).mean(axis=1) for one in canvases.astype(np.float32)]
    ).reshape(len(canvases), len(known))
    place = squares.argmin(axis=1)
    return Nearest(np.sqrt(squares[np.arange(len(place)), place]), place)


@cache
def _groups() -> np.ndarray:
    return np.array([concept.group for concept in concepts()])


def _widened(marks: np.ndarray) -> np.ndarray:
    padded = np.pad(marks, ((0, 0), (1, 1), (1, 1)))
    tall = padded[:, :-2] | padded[:, 1:-1] | padded[:, 2:]
    return tall[:, :, :-2] | tall[:, :, 1:-1] | tall[:, :, 2:]


def _check_alike(drawn: np.ndarray, truth: np.ndarray) -> None:
    if drawn.shape != truth.shape or drawn.ndim != 4:
        raise ValueError(
            f"pictures must pair up as (n, height, width, 3), got {drawn.shape} and {truth.shape}"
        )
