"""Sharpen a mask by colour: GrabCut starts from the sure parts and cuts along edges.

Off by default where a class is thin or has no own colour, such as poles or sky behind branches: there it
measurably hurts.

Source: Rother, Kolmogorov & Blake 2004, GrabCut, as OpenCV computes it.
"""

import numpy as np

_N_ROUNDS = 3
_SURE, _SURELY_NOT = 0.9, 0.1  # of the largest share in the picture
_FEWEST = 20  # pixels of each side that its colour models need


def grabcut(picture: np.ndarray, shares: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Move the borders of a mask to edges of colour, class by class.

    Args:
        picture: RGB, uint8, shape (height, width, 3).
        shares: Shape (height, width, n_classes + 1).
        mask: Labels, uint8, shape (height, width).

    Returns:
        Labels, same shape; a class whose colours can't be told from the rest keeps its mask. A pixel that
        several classes claim goes to the one with the largest share.
    """
    claimed = np.zeros(shares.shape, bool)
    for label in range(1, shares.shape[-1]):
        claimed[..., label] = _cut(picture, shares[..., label], mask == label)
    best = np.where(claimed, shares, -1.0)[..., 1:].argmax(axis=-1) + 1
    return np.where(claimed.any(axis=-1), best, 0).astype(np.uint8)


def _cut(picture: np.ndarray, share: np.ndarray, is_in: np.ndarray) -> np.ndarray:
    import cv2

    if min(is_in.sum(), (~is_in).sum()) < _FEWEST:
        return is_in
    most = float(share.max())
    state = np.where(is_in, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    state[is_in & (share >= _SURE * most)] = cv2.GC_FGD
    state[~is_in & (share <= _SURELY_NOT * most)] = cv2.GC_BGD
    models = np.zeros((2, 1, 65))
    cv2.setRNGSeed(0)
    try:
        cv2.grabCut(
            picture[..., ::-1].copy(),
            state,
            (0, 0, 1, 1),
            models[0],
            models[1],
            _N_ROUNDS,
            cv2.GC_INIT_WITH_MASK,
        )
    except cv2.error:  # one of the colour models has nothing to learn from
        return is_in
    cut = np.isin(state, (cv2.GC_FGD, cv2.GC_PR_FGD))
    return cut if cut.any() else is_in
