"""Segment a picture from examples: an engine's shares, cut, perhaps sharpened, perhaps nothing at all."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lab.vision.decide import enlarged, mask_of
from lab.vision.engines import find_engine
from lab.vision.hub_segmenters import sam2_refined
from lab.vision.presence import is_present
from lab.vision.question import Question
from lab.vision.refine import grabcut

REFINEMENTS = ("none", "grabcut", "sam2")


@dataclass(frozen=True)
class Cutting:
    """How shares become a mask.

    Args:
        cut: The share from which a pixel belongs to a class, 0 to 1; None finds it in the shares.
        refine: What sharpens borders: "none", "grabcut" (edges of colour) or "sam2" (of the hub).
        may_be_absent: Whether "not present" is an answer.
    """

    cut: float | None = None
    refine: str = "none"
    may_be_absent: bool = False

    def __post_init__(self):
        if self.refine not in REFINEMENTS:
            raise ValueError(f"refine must be one of {', '.join(REFINEMENTS)}, got {self.refine!r}")
        if self.cut is not None and not 0 <= self.cut <= 1:
            raise ValueError(f"cut must be 0 to 1, got {self.cut}")


class Segmented(NamedTuple):
    """What was found.

    Args:
        mask: Labels, uint8, shape (height, width); 0 is none.
        shares: Of each class, float32, shape (height, width, n_classes + 1).
    """

    mask: np.ndarray
    shares: np.ndarray


def segment(question: Question, engine_id: str, cutting: Cutting = Cutting()) -> Segmented:
    """Answer a question with an engine.

    Raises:
        ValueError: There is no such engine, no example, or nothing marked in any.
    """
    engine = find_engine(engine_id)
    shares = engine.answer(question)
    large = enlarged(shares, *question.picture.shape[:2])
    mask = mask_of(large, cutting.cut)
    if cutting.may_be_absent:
        mask[~np.concatenate([[True], is_present(question, engine)])[mask]] = 0
    if cutting.refine == "grabcut":
        mask = grabcut(question.picture, large, mask)
    elif cutting.refine == "sam2":
        mask = sam2_refined(question.picture, mask)
    return Segmented(mask, large)
