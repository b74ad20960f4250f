"""The check of SEGIC with a decoder that knows the truth, and with one that marks nothing."""

import numpy as np
import pytest
from polygons import polygon_atlas
from tiny_vision import colour_backbone

from lab.experiments import check_segic, segmentation
from lab.runs.store import Store
from lab.vision.asked import of_composites
from lab.vision.segment import Segmented, segment


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr("lab.images.emoji.atlas", polygon_atlas)
    monkeypatch.setattr("lab.vision.lite.lite0", colour_backbone)
    monkeypatch.setattr(check_segic, "lite0", colour_backbone)
    monkeypatch.setattr(check_segic, "N_QUICK", 16)
    monkeypatch.setattr(check_segic, "N_PRESENCE", 4)
    monkeypatch.setattr(check_segic.segic, "presence", knowing)


def knowing(question):
    """Say truly whether a composed scene shows what its examples mark."""
    n = len(question.examples)
    own = {
        each.examples[0].picture.tobytes(): each.picture.tobytes() for each in of_composites(range(4), n, 0)
    }
    return np.array(
        [0.9 if own[question.examples[0].picture.tobytes()] == question.picture.tobytes() else 0.1]
    )


def answering(kind, monkeypatch):
    """Let SEGIC's engines answer with the true mask ("true") or with nothing."""
    truths = {each.picture.tobytes(): each.truth for each in check_segic._params(1, 16, 0).asked()}

    def answer(question, engine, cutting):
        if not engine.startswith("segic"):
            return segment(question, engine, cutting)
        truth = truths[question.picture.tobytes()].astype(np.uint8)
        return Segmented(truth if kind == "true" else truth * 0, np.zeros((*truth.shape, 2), np.float32))

    monkeypatch.setattr(segmentation, "segment", answer)


def test_it_holds_for_a_decoder_that_knows_the_truth(monkeypatch):
    answering("true", monkeypatch)
    with Store() as store:
        found = check_segic.check(True, store)
    assert found.holds is True
    verdicts = [claim["verdict"] for claim in found.claims]
    assert verdicts == ["holds"] * 3 + [check_segic.TOLD] * 7
    assert "1.000 against" in found.claims[0]["measured"]
    assert "100% right" in found.claims[-1]["measured"] and "curve 1.00" in found.claims[-1]["measured"]
    assert "by SEGIC's decoder" in found.claims[-1]["claim"]


def test_it_does_not_hold_for_one_that_marks_nothing(monkeypatch):
    answering("nothing", monkeypatch)
    with Store() as store:
        found = check_segic.check(True, store)
    assert found.holds is False and found.claims[0]["verdict"] == "does not hold here"
