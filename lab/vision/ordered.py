"""Answers that depend on the order of the examples, as memories and stitched canvases do.

Sources: a memory that forgets, as of video segmentation (Cheng & Schwing 2022, XMem, arXiv:2207.07115);
stitching after Bar et al. 2022 (arXiv:2209.00647) and Wang et al. 2023, Painter (arXiv:2212.02499).
"""

import math

import numpy as np
from PIL import Image

from lab.vision.bank import Bank, offsets
from lab.vision.example import n_classes, shares
from lab.vision.propagate import TEMPERATURE, neighbours, weighed
from lab.vision.question import Question

N_REMEMBERED = 2
DECAY = 0.5


def last_examples(question: Question, n: int = N_REMEMBERED) -> np.ndarray:
    """Answer from the last n examples alone: a first-in-first-out memory."""
    bank = question.bank
    kept = bank.only(bank.example > bank.example.max() - n)
    return question.laid(neighbours(_marked_or_all(kept, bank), question.places))


def decayed(question: Question, decay: float = DECAY) -> np.ndarray:
    """Let an example weigh the less the earlier it stood: the last 1, the one before `decay`, and so on."""
    bank = question.bank
    bonus = TEMPERATURE * math.log(decay) * (bank.example.max() - bank.example)
    # a further channel, which is 1 at every place of the picture, adds the bonus to each similarity
    keys = np.column_stack([bank.keys, bonus]).astype(np.float32)
    places = np.column_stack([question.places, np.ones(len(question.places), np.float32)])
    return question.laid(neighbours(bank._replace(keys=keys), places))


def self_prompted(question: Question) -> np.ndarray:
    """Answer from the first example, then from each next one together with the answer so far."""
    bank, places = question.bank, question.places
    first = _marked_or_all(bank.only(bank.example == 0), bank)
    answer = neighbours(first, places)
    for place in range(1, int(bank.example.max()) + 1):
        laid = question.laid(answer.astype(np.float32))
        offset = offsets(laid).reshape(len(places), -1, 2)
        own = Bank(places, answer.astype(np.float32), np.full(len(places), place), offset)
        new = bank.only(bank.example == place)
        answer = _without_itself(new.joined(own), places, len(new.keys))
    return question.laid(answer)


def stitched(question: Question) -> np.ndarray:
    """Lay examples and picture out on one canvas, the picture last, and describe it in one pass.

    The more examples, the smaller each; what a place looks like depends on what lies beside its picture.
    """
    examples, backbone = question.examples, question.backbone
    n = n_classes(examples)
    n_side = math.ceil(math.sqrt(len(examples) + 1))
    cell = backbone.side // n_side
    canvas = np.full((cell * n_side, cell * n_side, 3), 127, np.uint8)
    cells = [(place // n_side, place % n_side) for place in (*range(len(examples)), n_side**2 - 1)]
    for (row, column), picture in zip(
        cells, [*(each.picture for each in examples), question.picture], strict=True
    ):
        small = Image.fromarray(picture).resize((cell, cell), Image.Resampling.BILINEAR)
        canvas[row * cell : (row + 1) * cell, column * cell : (column + 1) * cell] = np.asarray(small)
    features = backbone.features(canvas)
    size = features.shape[0] // n_side
    parts = [
        features[row * size : (row + 1) * size, column * size : (column + 1) * size].reshape(
            -1, features.shape[-1]
        )
        for row, column in cells
    ]
    labels = np.stack([shares(each.marks, n, size, size) for each in examples])
    bank = Bank(
        np.concatenate(parts[:-1]),
        labels.reshape(-1, n + 1),
        np.repeat(np.arange(len(examples)), size * size),
        np.stack([offsets(each) for each in labels]).reshape(-1, n, 2),
    )
    return neighbours(bank, parts[-1]).reshape(size, size, n + 1)


def _without_itself(bank: Bank, places: np.ndarray, n_new: int) -> np.ndarray:
    """Propagate labels, no place counting as its own neighbour; own places stand after `n_new` others."""
    similarity = places @ bank.keys.T
    own = np.arange(len(places))
    similarity[own, n_new + own] = -np.inf
    nearest, weights = weighed(similarity)
    return np.einsum("pn,pnc->pc", weights, bank.labels[nearest])


def _marked_or_all(part: Bank, whole: Bank) -> Bank:
    """Return a part of a bank, or the whole where the part marks nothing."""
    return part if part.labels[:, 1:].any() else whole
