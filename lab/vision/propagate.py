"""Training-free answers: what a place shows is read from the most similar places of the examples.

All three depend on the bank's rows and not on their order: they are the control under every layout that only
reorders examples.

Source: label propagation by nearest neighbours in features, as in Jabri et al. 2020 (arXiv:2006.14613);
prototypes after Snell et al. 2017 (arXiv:1703.05175).
"""

import numpy as np

from lab.vision.bank import Bank

N_NEIGHBOURS, TEMPERATURE = 16, 0.03
N_FOREGROUND, N_BACKGROUND = 4, 8
_ROUNDS = 10  # of k-means
_RIDGE = 10.0
_TIE = 1e-6


def neighbours(
    bank: Bank, places: np.ndarray, n: int = N_NEIGHBOURS, temperature: float = TEMPERATURE
) -> np.ndarray:
    """Average the labels of the most similar places, weighed by the softmax of their cosines.

    Args:
        bank: Of the examples.
        places: Unit vectors, shape (n_places, channels).
        n: Neighbours that count.
        temperature: Of the softmax.
    """
    nearest, weights = weighed(places @ bank.keys.T, n, temperature)
    return np.einsum("pn,pnc->pc", weights, bank.labels[nearest])


def weighed(
    similarity: np.ndarray, n: int = N_NEIGHBOURS, temperature: float = TEMPERATURE
) -> tuple[np.ndarray, np.ndarray]:
    """Find the most similar rows of each place and their weights, the softmax of their similarities.

    Args:
        similarity: Shape (n_places, n_rows).
        n: Neighbours that count, at most all rows.
        temperature: Of the softmax.

    Returns:
        Places of the rows, int, and weights of sum 1, both of shape (n_places, n).
    """
    n = min(n, similarity.shape[1])
    nearest = np.argpartition(-similarity, n - 1, axis=1)[:, :n]
    return nearest, _softmax(np.take_along_axis(similarity, nearest, axis=1) / temperature)


def prototypes(
    bank: Bank,
    places: np.ndarray,
    n_foreground: int = N_FOREGROUND,
    n_background: int = N_BACKGROUND,
    temperature: float = TEMPERATURE,
) -> np.ndarray:
    """Compress each class to a few means, and ask these as `neighbours` asks all places.

    Args:
        bank: Of the examples.
        places: Unit vectors, shape (n_places, channels).
        n_foreground: Means of each class.
        n_background: Means of what is not marked.
        temperature: Of the softmax.
    """
    return neighbours(compressed(bank, n_foreground, n_background), places, temperature=temperature)


def ridge(bank: Bank, places: np.ndarray, strength: float = _RIDGE) -> np.ndarray:
    """Fit the labels linearly, each class with the same weight, and cut what is outside 0..1.

    Args:
        bank: Of the examples.
        places: Unit vectors, shape (n_places, channels).
        strength: Of the penalty on the squared weights.
    """
    weights = (bank.labels / np.maximum(bank.labels.sum(axis=0), _TIE)).sum(axis=1) * len(bank.labels)
    keys = np.column_stack([bank.keys, np.ones(len(bank.keys), np.float32)])
    gram = (keys * weights[:, None]).T @ keys
    penalty = strength * np.eye(len(gram), dtype=np.float32)
    penalty[-1, -1] = 0.0  # the constant is free
    solved = np.linalg.solve(gram + penalty, (keys * weights[:, None]).T @ bank.labels)
    raw = np.clip(np.column_stack([places, np.ones(len(places), np.float32)]) @ solved, _TIE, 1)
    return raw / raw.sum(axis=1, keepdims=True)


def compressed(bank: Bank, n_foreground: int, n_background: int) -> Bank:
    """Replace the rows of each class by a few unit means, of which each has its class alone."""
    n_classes = bank.labels.shape[1] - 1
    keys, labels = [], []
    of = bank.labels.argmax(axis=1)
    for label in range(n_classes + 1):
        rows = bank.keys[of == label]
        if not len(rows):
            rows = bank.keys[[int(bank.labels[:, label].argmax())]]  # too small to lead any place
        rows = np.unique(rows, axis=0)  # sorted, so that the order of the examples can't matter
        means = _means(rows, n_foreground if label else n_background)
        means = means[np.linalg.norm(means, axis=1) > _TIE]
        keys.append(means / np.linalg.norm(means, axis=1, keepdims=True))
        labels.append(np.eye(n_classes + 1, dtype=np.float32)[np.full(len(means), label)])
    joined = np.concatenate(keys).astype(np.float32)
    nowhere = np.zeros((len(joined), n_classes, 2), np.float32)
    return Bank(joined, np.concatenate(labels), np.zeros(len(joined), int), nowhere)


def _means(rows: np.ndarray, n: int) -> np.ndarray:
    """Return at most n means of k-means++ (n, channels); the same rows give the same ones."""
    import cv2

    if len(rows) <= n:  # OpenCV would take a single row for a column
        return rows
    cv2.setRNGSeed(0)
    rounds = (cv2.TERM_CRITERIA_MAX_ITER, _ROUNDS, 0.0)
    _, _, means = cv2.kmeans(rows, n, None, rounds, 1, cv2.KMEANS_PP_CENTERS)  # type: ignore[call-overload]
    return means


def _softmax(values: np.ndarray) -> np.ndarray:
    weights = np.exp(values - values.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)
