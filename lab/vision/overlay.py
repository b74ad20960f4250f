"""Masks, shares and flips as pictures that people read."""

import numpy as np

COLOURS = ((213, 94, 0), (0, 114, 178), (0, 158, 115), (204, 121, 167), (230, 159, 0), (86, 180, 233))
"""Of classes 1 to 6, as in painting (Okabe & Ito): people who are colour-blind can tell them apart."""
_FLIP = np.array([213, 20, 90])
_FILL = 0.5


def with_mask(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Tint what is marked in its class's colour, with an outline.

    Args:
        picture: RGB, uint8, shape (height, width, 3).
        mask: Labels, uint8, shape (height, width).
    """
    shown = picture.astype(np.float32)
    for label in range(1, int(mask.max(initial=0)) + 1):
        is_in = mask == label
        colour = np.array(COLOURS[(label - 1) % len(COLOURS)], np.float32)
        shown[is_in] = (1 - _FILL) * shown[is_in] + _FILL * colour
        inside, outside = _edges(is_in)
        shown[inside], shown[outside] = colour, 255  # two lines, so that one shows on any ground
    return shown.round().astype(np.uint8)


def with_shares(picture: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Show how sure each class is before anything is cut: the stronger its colour, the larger its share.

    Args:
        picture: RGB, uint8, shape (height, width, 3).
        shares: Shape (height, width, n_classes + 1).
    """
    shown = 0.5 * _grey(picture) + 60
    for label in range(1, shares.shape[-1]):
        weight = shares[..., label, None]
        shown = (1 - weight) * shown + weight * np.array(COLOURS[(label - 1) % len(COLOURS)], np.float32)
    return shown.round().clip(0, 255).astype(np.uint8)


def with_flips(picture: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Show how often each pixel flips: grey never does, full colour does under every layout.

    Args:
        picture: RGB, uint8, shape (height, width, 3).
        share: Of the layouts under which the pixel differs, 0 to 1, shape (height, width).
    """
    weight = np.where(share > 0, 0.35 + 0.65 * share, 0)[..., None]
    shown = (1 - weight) * (0.6 * _grey(picture) + 80) + weight * _FLIP
    return shown.round().clip(0, 255).astype(np.uint8)


def _grey(picture: np.ndarray) -> np.ndarray:
    return np.repeat(picture.mean(axis=-1, keepdims=True), 3, axis=-1)


def _edges(is_in: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from scipy.ndimage import binary_dilation, binary_erosion

    width = max(1, round(max(is_in.shape) / 200))
    return (
        is_in & ~binary_erosion(is_in, iterations=width, border_value=1),
        binary_dilation(is_in, iterations=width) & ~is_in,
    )
