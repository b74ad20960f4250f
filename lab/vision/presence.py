"""Is what the examples mark in the picture at all?

The measure is how much the picture's most similar place resembles the nearest marked place of the examples.
On composed scenes of training classes it told scenes with the class from others no worse than what else was
tried; `python -m lab check segic` says how often it is right on classes that no training shows.
"""

import numpy as np

from lab.vision.question import Engine, Question

PRESENT_FROM = 0.66
LIKELY_FROM = 0.5
_MARKED_FROM = 0.5


def presence(question: Question) -> np.ndarray:
    """Say how similar each class's best match is: cosines, shape (n_classes,); -1 where none is marked."""
    bank, places = question.bank, question.places
    found = []
    for label in range(1, bank.labels.shape[1]):
        share = bank.labels[:, label]
        is_marked = share >= min(_MARKED_FROM, float(share.max()))  # small things fill no place
        found.append(float((places @ bank.keys[is_marked].T).max()) if share.any() else -1.0)
    return np.array(found)


def is_present(question: Question, engine: Engine) -> np.ndarray:
    """Tell for each class whether the picture shows it, bool, shape (n_classes,).

    An engine that has learnt to tell is asked; of others the best match decides.
    """
    if engine.presence is not None:
        return engine.presence(question) >= LIKELY_FROM
    return presence(question) >= PRESENT_FROM
