"""Groups of places: what is grouped, what positions leave behind, and that a class takes whole groups."""

import numpy as np
from tiny_vision import COLOURS, colour_backbone, example, noisy, squares

from lab.vision.backbone import Backbone
from lab.vision.clusters import clustered, grouped, positional, without
from lab.vision.question import Question


def test_places_are_grouped_by_direction():
    random = np.random.default_rng(0)
    centres = np.eye(3, 5)
    places = np.repeat(centres, 20, axis=0) + random.normal(0, 0.05, (60, 5))
    places /= np.linalg.norm(places, axis=1, keepdims=True)
    groups = grouped(places, 0.6)
    assert len(set(groups.tolist())) == 3
    assert all(len(set(groups[start : start + 20].tolist())) == 1 for start in (0, 20, 40))
    assert grouped(places[:1], 0.6).tolist() == [0]


def test_what_a_blank_picture_varies_in_is_taken_out():
    def extract(pictures: np.ndarray) -> np.ndarray:
        cells = pictures.reshape(len(pictures), 8, 8, 8, 8, 3).mean(axis=(2, 4)) / 255
        down = np.broadcast_to(np.linspace(-1, 1, 8)[None, :, None, None], (*cells.shape[:3], 1))
        return np.concatenate([cells, down], axis=-1)

    backbone = Backbone("with positions", 64, extract)
    basis = positional(backbone)
    picture = squares(("red", 0, 0), ("red", 0, 48))
    features = backbone.features(picture)
    cleaned = without(features.reshape(64, 4), basis).reshape(8, 8, 4)
    assert features[0, 0] @ features[7, 0] < 0.7  # the same colour at both ends
    assert cleaned[0, 0] @ cleaned[7, 0] > 0.99


def test_a_backbone_without_positions_loses_nothing():
    backbone = colour_backbone()
    assert positional(backbone).shape[0] == 0


def test_a_class_takes_whole_groups_and_leaves_a_picture_without_it_alone():
    backbone = colour_backbone()
    one = example("one", ("red", 8, 8), ("blue", 40, 40))
    clean = squares(("red", 32, 16), ("blue", 0, 48))
    # beside a square this backbone sees a little of its colour: groups must be narrow to end at its border
    shares = clustered(Question((one,), noisy(clean), backbone), similar=0.95)
    is_red = (COLOURS["red"] == clean).all(axis=-1)[4::8, 4::8]
    assert shares[is_red][:, 1].min() > 0.5 and shares[~is_red][:, 1].mean() < 0.1
    other = noisy(squares(("blue", 0, 48), ("green", 32, 16)))
    assert clustered(Question((one,), other, backbone))[..., 1].max() < 0.5
