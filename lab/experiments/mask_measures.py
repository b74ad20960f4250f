"""What a run of segmentation measures: IoU by class, and the pixels that flip between layouts."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from lab.images.pictures import from_png
from lab.stats.intervals import estimate
from lab.vision.flips import prediction_change


def group_of(query_id: str) -> str:
    """Return what a question shares with others that are no independent observations: picture, or class.

    >>> group_of("fox · scene 3"), group_of("0016E5_08250 · class 4")
    ('fox', '0016E5_08250')
    """
    return query_id.rpartition(" · ")[0]


def class_of(query_id: str) -> str:
    """Return the class that a question is about.

    >>> class_of("fox · scene 3"), class_of("0016E5_08250 · class 4")
    ('fox', 'class 4')
    """
    first, _, second = query_id.rpartition(" · ")
    return first if second.startswith("scene ") else second


def iou_by_class(asked: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Give each class its mean IoU under each layout.

    Returns:
        Columns layout, class, n (pictures), mean, low, high (95 %, pictures resampled; NaN for one).
    """
    rows = []
    by = asked.assign(name=asked["query_id"].map(class_of)).groupby(["layout", "name"], sort=False)
    for (layout, name), part in by:
        values = part["correct"].to_numpy(float)
        mean, low, high = estimate(values, seed=seed) if len(values) > 1 else (values[0], math.nan, math.nan)
        rows.append(
            {"layout": layout, "class": name, "n": len(values), "mean": mean, "low": low, "high": high}
        )
    return pd.DataFrame(rows)


def mean_over_classes(classes: pd.DataFrame) -> list[dict[str, Any]]:
    """Average over classes, each counting once, with a 95 % interval that resamples classes."""
    rows = []
    for layout, part in classes.groupby("layout", sort=False):
        values = part["mean"].to_numpy(float)
        mean, low, high = estimate(values) if len(values) > 1 else (values[0], *_own_interval(part))
        rows.append({"layout": str(layout), "mean": mean, "low": low, "high": high, "n_classes": len(values)})
    return rows


def _own_interval(part: pd.DataFrame) -> tuple[float, float]:
    return float(part["low"].iloc[0]), float(part["high"].iloc[0])


def pixel_changes(
    answers: Mapping[tuple[str, str], str], arms: Sequence[str], reference: str
) -> pd.DataFrame:
    """Count flipped pixels of every picture under every layout against the reference.

    Args:
        answers: Masks as data URLs, by query id and layout.
        arms: The layouts that are compared.
        reference: The one that flips are counted against.

    Returns:
        Columns query_id, layout, pixel_change: flipped pixels / pixels that either mask marks.
    """
    masks = {key: from_png(url)[..., 0] > 0 for key, url in answers.items() if url}
    rows = []
    for query_id in dict.fromkeys(query_id for query_id, _ in masks):
        first = masks.get((query_id, reference))
        for arm in arms:
            mask = masks.get((query_id, arm))
            if first is not None and mask is not None:
                changed = prediction_change(mask, first)
                rows.append({"query_id": query_id, "layout": arm, "pixel_change": changed})
    return pd.DataFrame(rows, columns=["query_id", "layout", "pixel_change"])


def change_by_arm(pixels: pd.DataFrame, arms: Sequence[str], seed: int = 0) -> pd.DataFrame:
    """Average flipped pixels over pictures: layout, pixel_change, low, high (95 %), n."""
    rows = []
    for arm in arms:
        part = pixels[pixels["layout"] == arm]
        if part.empty:
            continue
        groups = [group_of(query) for query in part["query_id"]]
        mean, low, high = estimate(part["pixel_change"].to_numpy(float), groups, seed)
        rows.append({"layout": arm, "pixel_change": mean, "low": low, "high": high, "n": len(part)})
    return pd.DataFrame(rows, columns=["layout", "pixel_change", "low", "high", "n"])
