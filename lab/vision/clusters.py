"""Answers in whole groups of places, for backbones whose features group by themselves.

1. What features say of position alone is taken out: the directions in which a blank picture varies.
2. A place is a candidate if it is similar to the mean of what is marked, and its nearest place is marked.
3. The picture's places are grouped by average linkage of their cosines.
4. The group most like the mark is the seed; others join by their likeness to the mark and to the seed, times
   the share of candidates in them.

Source: INSID3 (2026), as described by its authors; on DINOv3 grouping is worth 13 points of IoU, on features
of ImageNet classifiers nothing, which is why it is not the default.
"""

import numpy as np

from lab.vision.backbone import Backbone, unit
from lab.vision.bank import Bank
from lab.vision.question import Question

SIMILAR = 0.6
"""Places are grouped as long as their mean cosine is above this."""
LEAST = 0.2
"""Score from which on a group belongs to the class; it stands at a share of one half."""
N_POSITIONAL = 4


def clustered(question: Question, similar: float = SIMILAR) -> np.ndarray:
    """Answer by groups of places.

    Args:
        question: Examples and picture.
        similar: Mean cosine down to which places are grouped; lower makes larger groups.

    Returns:
        Shares, shape (rows, columns, n_classes + 1).
    """
    basis = positional(question.backbone)
    places = without(question.places, basis)
    bank = question.bank._replace(keys=without(question.bank.keys, basis))
    groups = grouped(places, similar)
    classes = [_shares(places, groups, bank, label) for label in range(1, bank.labels.shape[1])]
    joined = np.column_stack([np.clip(1 - np.max(classes, axis=0), 0, 1), *classes])
    return question.laid((joined / joined.sum(axis=1, keepdims=True)).astype(np.float32))


def positional(backbone: Backbone, n: int = N_POSITIONAL) -> np.ndarray:
    """Return the main directions in which the features of a blank picture vary, shape (≤ n, channels)."""
    blank = np.full((backbone.side, backbone.side, 3), 128, np.uint8)
    features = backbone.features(blank).reshape(-1, backbone.features(blank).shape[-1])
    _, strengths, directions = np.linalg.svd(features - features.mean(axis=0), full_matrices=False)
    is_there = strengths[:n] > 1e-4 * max(len(features) ** 0.5, 1)  # a network without positions has none
    return directions[:n][is_there]


def without(vectors: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Take some directions out of vectors, and scale these to length 1 again."""
    return unit(vectors - (vectors @ basis.T) @ basis)


def grouped(places: np.ndarray, similar: float) -> np.ndarray:
    """Group places by average linkage, returns the number of each one's group, int, from 0."""
    from scipy.cluster.hierarchy import fcluster, linkage

    if len(places) == 1:
        return np.zeros(1, int)
    distances = 1 - places @ places.T
    upper = distances[np.triu_indices(len(places), 1)]
    tree = linkage(np.clip(upper, 0, 2), "average")
    return fcluster(tree, 1 - similar, "distance") - 1


def _shares(places: np.ndarray, groups: np.ndarray, bank: Bank, label: int) -> np.ndarray:
    """Score the groups for a class, as a share of each place."""
    weight = bank.labels[:, label : label + 1]
    prototype = unit((bank.keys * weight).sum(axis=0))
    cross = places @ prototype
    nearest = (places @ bank.keys.T).argmax(axis=1)
    is_candidate = (cross > 0) & (bank.labels[nearest, label] > 0.5)
    n = groups.max() + 1
    sizes = np.bincount(groups, minlength=n)
    candidates = np.bincount(groups, weights=is_candidate, minlength=n) / sizes
    means = np.zeros((n, places.shape[1]))
    np.add.at(means, groups, places)
    means = unit(means)
    to_mark = np.clip(means @ prototype, 0, 1)
    if not candidates.any():
        return np.zeros(len(places))
    seed = int(np.where(candidates > 0, to_mark * candidates, -1.0).argmax())
    score = to_mark * np.clip(means @ means[seed], 0, 1) * candidates
    return np.clip(score / (2 * LEAST), 0, 1)[groups]
