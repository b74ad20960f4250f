"""Segmentation as a run: shipped sets, a person's folders, layouts, engines, and the pixels that flip."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tiny_vision import colour_backbone, example, noisy, squares

from lab.experiments import segmentation
from lab.experiments.events import Cost, Progress, Result
from lab.experiments.mask_measures import class_of, pixel_changes
from lab.experiments.segmentation import SegmentationParams
from lab.images.pictures import from_png
from lab.runs.store import Store
from lab.vision import asked, lite
from lab.vision.flips import prediction_change


@pytest.fixture(autouse=True)
def by_colour(monkeypatch):
    monkeypatch.setattr(lite, "lite0", colour_backbone)


def folder(path, *examples):
    path.mkdir()
    for each in examples:
        Image.fromarray(each.picture).save(path / f"{each.name}.png")
        Image.fromarray(each.marks * 3).save(path / f"{each.name}_mask.png")  # class 3 of a label picture
    return str(path)


@pytest.fixture
def folders(tmp_path):
    shown = [example(f"s{place}", ("red", 8 * place, 8), ("blue", 0, 40)) for place in range(3)]
    wanted = [example(f"q{place}", ("red", 40, 8 * place), ("green", 0, 0)) for place in range(4)]
    return folder(tmp_path / "shown", *shown), folder(tmp_path / "wanted", *wanted)


def ran(params):
    with Store() as store:
        return list(segmentation.run(params, store))


def test_folders_give_iou_by_class_with_intervals(folders):
    params = SegmentationParams(examples=folders[0], queries=folders[1], n_examples=3)
    cost, *events, result = ran(params)
    assert isinstance(cost, Cost) and isinstance(result, Result)
    assert any(isinstance(event, Progress) for event in events)
    assert cost.n_prompts == 4 * 3
    (one,) = result.summary["iou_by_class"]
    assert one["class"] == "class 3" and one["n"] == 4 and 0.5 < one["low"] <= one["mean"] <= one["high"] <= 1
    assert result.summary["miou"]["1-2-3"]["mean"] == pytest.approx(one["mean"])
    assert set(result.figures) == {"IoU", "Prediction change"}
    assert set(result.predictions["prediction"]) <= {"found", "missed", "nothing"}


def test_a_recipe_names_folders_by_their_content(folders, tmp_path):
    params = SegmentationParams(examples=folders[0], queries=folders[1], n_examples=2)
    assert params.examples.startswith("folder-") and str(tmp_path) not in params.examples
    again = SegmentationParams(examples=params.examples, queries=params.queries, n_examples=2)
    assert again == params
    (tmp_path / "shown" / "s0.png").unlink()
    assert SegmentationParams(examples=folders[0], queries=folders[1], n_examples=2) != params
    with pytest.raises(ValueError, match="not kept here"):
        asked.folder_of("folder-0123")
    with pytest.raises(ValueError, match="not kept here"):
        asked.folder_of("folder-x/../../etc")


def test_stored_masks_give_the_pixels_that_flip(folders):
    params = SegmentationParams(examples=folders[0], queries=folders[1], n_examples=3, vary="changes")
    result = ran(params)[-1]
    pixels = result.summary["pixel_change"]
    assert pixels["1-2-3"] == 0 and pixels["1x-2x-3x"] > 0.9  # the ground is marked instead
    with Store() as store:
        table = store.answers(result.run_id).set_index(["query_id", "layout"])["answer"]
    masks = {key: from_png(url)[..., 0] > 0 for key, url in table.items()}
    query = result.predictions["query_id"].iloc[0]
    found = pixel_changes(dict(table), params.arms, params.reference).set_index(["query_id", "layout"])[
        "pixel_change"
    ]
    want = prediction_change(masks[query, "1x-2x-3x"], masks[query, "1-2-3"])
    assert found[query, "1x-2x-3x"] == want


def test_order_is_a_control_for_engines_that_pool_and_none_for_the_others(folders):
    known = {"examples": folders[0], "queries": folders[1], "n_examples": 3, "vary": "order"}
    pooled = ran(SegmentationParams(**known))[-1]
    assert set(pooled.summary["pixel_change"].values()) == {0.0}
    assert "No pixel flips" in pooled.verdict
    both = SegmentationParams(**known, engines=("neighbours", "last"))
    assert both.reference == "neighbours 1-2-3" and len(both.arms) == 12
    changes = ran(both)[-1].summary["pixel_change"]
    assert changes["neighbours 3-2-1"] == 0


def test_a_shipped_set_of_two_classes_asks_for_each():
    found = asked.of_ready("house and rabbit", 2)
    assert {each.name for each in found} == {"house", "rabbit"} and len(found) == 8
    assert all(each.truth.any() and len(each.examples) == 2 for each in found)
    assert {class_of(each.id) for each in found} == {"house", "rabbit"}


def test_a_stopped_run_goes_on_and_says_the_same(folders):
    params = SegmentationParams(examples=folders[0], queries=folders[1], n_examples=2)
    with Store() as store:
        events = segmentation.run(params, store)
        for event in events:
            if isinstance(event, Progress) and event.done:
                break
        events.close()
        assert not segmentation.read(params, store).predictions.empty
        resumed = list(segmentation.run(params, store))[-1]
    assert resumed.summary["n_queries"] == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"examples": "nothing"}, "examples must be"),
        ({"examples": "/nowhere/at/all", "queries": "/nowhere"}, "there is no folder"),
        ({"queries": "./somewhere"}, "there is no folder"),
        ({"n_examples": 7}, "1 to 6"),
        ({"vary": "mood"}, "vary must be"),
        ({"layouts": ("1-9",)}, "more than the 4 examples"),
        ({"layouts": ("1", "1")}, "distinct"),
        ({"reference": "9"}, "reference must be"),
        ({"engines": ("magic",)}, "engine must be"),
        ({"engines": ()}, "at least one"),
        ({"n_queries": 0}, "n_queries"),
        ({"cut": 2.0}, "cut must be"),
        ({"refine": "magic"}, "refine must be"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_cannot_be_asked_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        SegmentationParams(**changes).asked()


def test_strangers_name_no_folder_of_the_host(folders, monkeypatch):
    monkeypatch.setenv("LAB_SHARED", "1")
    with pytest.raises(ValueError, match="folders are not read on a shared deployment"):
        SegmentationParams(examples=folders[0], queries=folders[1])


def test_a_class_with_too_few_examples_is_left_out(folders):
    with pytest.raises(ValueError, match="nothing can be asked"):
        SegmentationParams(examples=folders[0], queries=folders[1], n_examples=4).asked()


def test_pictures_that_are_examples_are_not_asked_about(folders):
    params = SegmentationParams(examples=folders[0], queries=folders[0], n_examples=2)
    assert [each.id for each in params.asked()] == ["s2 · class 3"]


def test_a_summary_needs_every_layout(folders):
    params = SegmentationParams(examples=folders[0], queries=folders[1], n_examples=2)
    rows = pd.DataFrame({"query_id": ["a · class 1"], "layout": ["1"], "correct": [0.4]})
    assert "No picture" in segmentation.summarise(rows, params, "x").verdict


def test_truth_is_compared_with_the_mask_itself(folders):
    one = squares(("red", 8, 8))
    asked_one = asked.Asked("a · b", "a", (), noisy(one), np.zeros((64, 64), bool))
    row = segmentation._row(asked_one, "1", np.zeros((64, 64), bool), 0.1, ())
    assert row.prediction == "nothing"
