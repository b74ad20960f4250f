"""How well copies are found: micro average precision.

Source: Douze et al. 2021, the Image Similarity Challenge (arXiv:2106.09672), section 4.
"""

import numpy as np


def micro_average_precision(scores: np.ndarray, is_match: np.ndarray) -> float:
    """Rank all pairs of all queries together, and average the precision at each true pair.

    Args:
        scores: Similarities, shape (n_queries, n_references).
        is_match: Which pairs are true, bool, same shape; at least one.

    Returns:
        0 to 1. Pairs of equal score count as if the wrong ones stood first.
    """
    if not is_match.any():
        raise ValueError("no pair is true: there is nothing to find")
    order = np.lexsort((is_match.ravel(), -scores.ravel()))
    hits = is_match.ravel()[order]
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return float(precision[hits].mean())
