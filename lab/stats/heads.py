"""What a head of attention does, as a number: does it look back by one, look for a match, copy?

| here | what | source |
|---|---|---|
| previous token | attention to the token just before | Olsson et al. 2022 (arXiv:2209.11895), section 4 |
| induction | attention to what came after the same token earlier | the same |
| copy | Σ Re λ / Σ abs λ of what looking at a token does to the answers | Elhage et al. 2021, section 4 |
"""

import numpy as np


def previous_token_scores(pattern: np.ndarray) -> np.ndarray:
    """Return how much each head attends to the token before, on average.

    Args:
        pattern: Attention, shape (n, n_heads, query, key); rows sum to 1.

    Returns:
        Shape (n_heads,), 0 to 1; NaN for a single token.
    """
    before = np.diagonal(pattern, offset=-1, axis1=2, axis2=3)
    return before.mean(axis=(0, 2)) if before.shape[2] else np.full(pattern.shape[1], np.nan)


def induction_scores(pattern: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    """Return how much each head attends to what followed earlier copies of the token that it stands on.

    Args:
        pattern: Attention, shape (n, n_heads, query, key).
        tokens: What stands at each position, shape (n, position); anything that can be compared.

    Returns:
        Mean over all tokens that stood there before, shape (n_heads,), 0 to 1; NaN where no token came twice.
    """
    places = np.arange(tokens.shape[1])
    is_earlier = places[None, :] + 1 < places[:, None]  # what followed must itself be in the past
    is_copy = (tokens[:, :, None] == tokens[:, None, :]) & is_earlier  # (n, query, earlier copy)
    is_after = np.roll(is_copy, 1, axis=2)
    has_copy = is_copy.any(axis=2)
    if not has_copy.any():
        return np.full(pattern.shape[1], np.nan)
    mass = (pattern * is_after[:, None]).sum(axis=3)  # (n, n_heads, query)
    return mass.transpose(1, 0, 2)[:, has_copy].mean(axis=1)


def copy_scores(circuits: np.ndarray) -> np.ndarray:
    """Return how far each head answers with what it looks at: 1 copies, -1 does the opposite.

    Args:
        circuits: Per head a square matrix whose eigenvalues are those of token in → score out, without its
            zeros, shape (n_heads, m, m).

    Returns:
        Shape (n_heads,), -1 to 1; 0 for a matrix of zeros.
    """
    values = np.linalg.eigvals(circuits)
    size = np.abs(values).sum(axis=-1)
    return np.divide(values.real.sum(axis=-1), size, out=np.zeros_like(size), where=size > 0)
