"""From shares to a mask: where to cut, which class, which separate regions, and whether it is there at all.

Source: Otsu 1979, A threshold selection method from gray-level histograms.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image

_BINS = 256


class Region(NamedTuple):
    """A connected part of a mask: class, pixels, box (left, top, right, bottom; the last two lie outside)."""

    label: int
    n_pixels: int
    box: tuple[int, int, int, int]


def enlarged(shares: np.ndarray, height: int, width: int) -> np.ndarray:
    """Scale shares (rows, columns, n) to a picture's size, float32, shape (height, width, n)."""
    layers = [
        np.asarray(Image.fromarray(layer).resize((width, height), Image.Resampling.BILINEAR))
        for layer in np.moveaxis(shares.astype(np.float32), -1, 0)
    ]
    return np.clip(np.stack(layers, axis=-1), 0, 1)


def otsu(values: np.ndarray) -> float:
    """Return the threshold that parts values in 0..1 with the largest variance between the parts."""
    counts, edges = np.histogram(values, bins=_BINS, range=(0, 1))
    middles = (edges[1:] + edges[:-1]) / 2
    below, sums = np.cumsum(counts), np.cumsum(counts * middles)
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    between = np.nan_to_num(between[:-1])
    if between.max(initial=0) <= 0:
        return 0.5
    best = np.flatnonzero(between >= between.max() * (1 - 1e-9))  # an empty gap has many: take its middle
    return float(edges[1:][best].mean())


def threshold(shares: np.ndarray) -> float:
    """Cut halfway between Otsu's threshold and one half."""
    return (otsu(shares) + 0.5) / 2


def mask_of(shares: np.ndarray, cut: float | None = None) -> np.ndarray:
    """Give each pixel the class with the largest share among those above their thresholds.

    Args:
        shares: Shape (height, width, n_classes + 1).
        cut: One threshold for all classes; None finds each its own.

    Returns:
        Labels, uint8, shape (height, width); 0 is none.
    """
    classes = shares[..., 1:]
    cuts = np.array(
        [threshold(classes[..., each]) if cut is None else cut for each in range(classes.shape[-1])]
    )
    over = np.where(classes > cuts, classes, -1.0)
    best = over.argmax(axis=-1)
    return np.where(over.max(axis=-1) > 0, best + 1, 0).astype(np.uint8)


def regions(mask: np.ndarray, smallest: float = 0.001) -> list[Region]:
    """Part a mask into connected regions, the largest first, without specks below a share of the picture."""
    from scipy.ndimage import find_objects, label

    found = []
    for value in range(1, int(mask.max(initial=0)) + 1):
        numbers, _ = label(mask == value, structure=np.ones((3, 3)))
        sizes = np.bincount(numbers.ravel())[1:]
        for size, (rows, columns) in zip(sizes, find_objects(numbers), strict=True):
            if size >= smallest * mask.size:
                found.append(Region(value, int(size), (columns.start, rows.start, columns.stop, rows.stop)))
    return sorted(found, key=lambda region: -region.n_pixels)
