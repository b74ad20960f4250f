"""Segment the same pictures under several layouts of a person's examples, and say what flips."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from lab.vision.backbone import Backbone
from lab.vision.example import Example
from lab.vision.flips import Recommendation, confidence, iou, prediction_change, recommend
from lab.vision.layouts import parse_layout
from lab.vision.question import Question
from lab.vision.segment import Cutting, segment

Masks = Mapping[str, Sequence[np.ndarray]]
"""By layout the mask of each picture: labels, uint8, shape (height, width)."""


class LayoutRow(NamedTuple):
    """A layout against the reference, on average over pictures.

    Args:
        layout: Its id.
        change: Flipped pixels / pixels that either mask marks.
        by_picture: The same of each picture.
        score: Mean IoU with the true masks; without any, with what most layouts mark.
        knows_truth: Whether the score is against true masks.
    """

    layout: str
    change: float
    by_picture: tuple[float, ...]
    score: float
    knows_truth: bool


def rearranged(
    examples: Sequence[Example],
    pictures: Sequence[np.ndarray],
    layouts: Sequence[str],
    engine: str,
    backbone: Backbone,
    cutting: Cutting,
    with_mirrored: bool = True,
    names: tuple[str, ...] = (),
) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Segment every picture under every layout; yields each layout with its masks as they are made.

    A layout in which no example marks anything, such as one negative example alone, marks nothing.
    """
    for text in layouts:
        shown = parse_layout(text, len(examples)).arranged(examples)
        if any(not each.is_negative for each in shown):
            asked = (Question(shown, picture, backbone, with_mirrored, names) for picture in pictures)
            yield text, [segment(question, engine, cutting).mask for question in asked]
        else:
            yield text, [np.zeros(picture.shape[:2], np.uint8) for picture in pictures]


def rows(masks: Masks, reference: str, truths: Sequence[np.ndarray | None]) -> list[LayoutRow]:
    """Compare layouts.

    Args:
        masks: Of the reference too.
        reference: What flips are counted against.
        truths: The true mask of each picture, None where it is not known.
    """
    knows_truth = all(truth is not None for truth in truths) and len(truths) > 0
    wanted = [
        truth if truth is not None else majority([of[place] for of in masks.values()])
        for place, truth in enumerate(truths)
    ]
    found = []
    for layout, of_layout in masks.items():
        changes = [
            prediction_change(mask, first) for mask, first in zip(of_layout, masks[reference], strict=True)
        ]
        scores = [_score(mask, truth) for mask, truth in zip(of_layout, wanted, strict=True)]
        found.append(
            LayoutRow(layout, float(np.mean(changes)), tuple(changes), float(np.mean(scores)), knows_truth)
        )
    return found


def recommended(masks: Masks, truths: Sequence[np.ndarray | None], seed: int = 0) -> Recommendation:
    """Recommend a layout by IoU with the true masks, or, without any, with what most layouts mark."""
    wanted = [
        truth if truth is not None else majority([of[place] for of in masks.values()])
        for place, truth in enumerate(truths)
    ]
    scores = {
        layout: [_score(mask, truth) for mask, truth in zip(of_layout, wanted, strict=True)]
        for layout, of_layout in masks.items()
    }
    return recommend(scores, seed)


def confidences(masks: Masks) -> list[float]:
    """Return for each picture how far layouts agree on what is marked: 1 is in full."""
    return [confidence(list(of_picture)) for of_picture in zip(*masks.values(), strict=True)]


def majority(masks: Sequence[np.ndarray]) -> np.ndarray:
    """Give each pixel the label that most masks give it; of several, the smallest."""
    stacked = np.stack(masks)
    labels = np.unique(stacked)
    counts = np.stack([(stacked == label).sum(axis=0) for label in labels])
    return labels[counts.argmax(axis=0)].astype(np.uint8)


def _score(mask: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean IoU over classes that either marks; 1 where neither marks any."""
    values = iou(mask, truth, max(int(mask.max(initial=0)), int(truth.max(initial=0)), 1))
    return 1.0 if np.isnan(values).all() else float(np.nanmean(values))
