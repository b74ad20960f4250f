"""The Segment tab without a browser: examples, masks, pictures, what flips, errors as sentences."""

import zipfile

import gradio as gr
import numpy as np
import pytest
from PIL import Image
from tiny_vision import colour_backbone, example, noisy, squares

from lab.experiments import segmentation
from lab.experiments.segmentation import SegmentationParams
from lab.runs.store import Store
from lab.ui.opened import Opened
from lab.ui.people import Lab
from lab.ui.vision import bank, layouts, marking, segment, tab
from lab.ui.vision.bank import Marked
from lab.vision import lite, rearrange
from lab.vision import segment as segmenting
from lab.vision.asked import ready_sets
from lab.vision.engines import ENGINES
from lab.vision.segment import Segmented
from lab.weights import WeightsError


class Visit:
    session_hash = "a visit"


def marked(name, *places, is_marked=True):
    made = example(name, *places)
    return Marked(name, made.picture, made.marks if is_marked else None)


SHOWN = (marked("one", ("red", 8, 8), ("blue", 40, 40)), marked("two", ("red", 40, 0), ("green", 0, 40)))
ASKED = (marked("a", ("red", 24, 24)), marked("b", ("red", 0, 40), ("blue", 0, 0)))
HOW = ("", "neighbours", "lite0", 0, "none", True, False)


@pytest.fixture(autouse=True)
def by_colour(monkeypatch):
    monkeypatch.setattr(lite, "lite0", colour_backbone)


def test_pictures_are_segmented_and_their_masks_can_be_taken_away():
    *_, (told, found, save) = segment.segmenting((SHOWN, ASKED, *HOW), Visit())
    assert "Mean IoU" in told and "from 2 examples" in told
    assert found.count("<figure") == 4 and "IoU" in found
    with zipfile.ZipFile(save.value if isinstance(save.value, str) else save.value["path"]) as archive:
        assert archive.namelist() == ["01 a_mask.png", "02 b_mask.png"]
        with archive.open("01 a_mask.png") as file:
            mask = np.asarray(Image.open(file))
    truth = ASKED[0].marks
    assert ((mask > 0) & (truth > 0)).sum() / ((mask > 0) | (truth > 0)).sum() > 0.6


def test_without_true_masks_no_iou_is_told():
    asked = (marked("a", ("red", 24, 24), is_marked=False),)
    *_, (told, found, _) = segment.segmenting((SHOWN, asked, *HOW), Visit())
    assert "IoU" not in told + found and "1 picture is segmented" in told


def test_what_flips_is_shown_by_layout_and_picture():
    *_, (_, html) = segment.comparing((SHOWN, ASKED, *HOW, "subsets"), Visit())
    assert "From 1-2 to" in html and html.count("<figure") == 2
    assert all(f'<th scope="row">{layout}</th>' in html for layout in ("1", "2"))
    assert "1-2 (reference)" in html


def test_another_order_is_a_control_for_an_engine_that_pools():
    *_, (_, html) = segment.comparing((SHOWN, ASKED, *HOW, "order"), Visit())
    assert "0 pixels flip in 1 other orders" in html
    *_, (_, html) = segment.comparing((SHOWN, ASKED, "", "self-prompted", *HOW[2:], "order"), Visit())
    assert "0 pixels flip in" not in html


@pytest.mark.parametrize(
    ("shown", "asked", "message"),
    [
        ((), ASKED, "there is no example"),
        ((marked("x", ("red", 8, 8), is_marked=False),), ASKED, "nothing is marked"),
        ((Marked("all", SHOWN[0].picture, np.ones((64, 64), np.uint8)),), ASKED, "everything is marked"),
        (SHOWN, (), "there is no picture to segment"),
    ],
)
def test_what_cannot_be_segmented_is_said(shown, asked, message):
    *_, (told, *_) = segment.segmenting((shown, asked, *HOW), Visit())
    assert message in told


@pytest.mark.parametrize(
    ("text", "words"),
    [("", ()), (" , ", ()), ("car", ("car",)), (" red  car,tree ", ("red car", "tree")), (",b", ("", "b"))],
)
def test_names_of_classes_are_read_in_their_order(text, words):
    assert bank.words_in(text) == words


def test_names_of_classes_reach_the_engine(monkeypatch):
    heard = []

    def listen(question, *_):
        heard.append(question.names)
        return Segmented(
            np.zeros(question.picture.shape[:2], np.uint8), np.zeros((*question.picture.shape[:2], 2))
        )

    monkeypatch.setattr(segmenting, "segment", listen)
    monkeypatch.setattr(rearrange, "segment", listen)
    asked = (SHOWN, ASKED[:1], "car", *HOW[1:])
    list(segment.segmenting(asked, Visit()))
    list(segment.comparing((*asked, "choice"), Visit()))
    assert set(heard) == {("car",)} and len(heard) > 2


def test_names_are_escaped():
    bad = (marked("<script>", ("red", 8, 8)),)
    *_, (_, found, _) = segment.segmenting((SHOWN, bad, *HOW), Visit())
    *_, (_, flips) = segment.comparing((SHOWN, bad, *HOW, "choice"), Visit())
    assert "<script>" not in found + flips


def test_every_shipped_set_can_be_shown():
    assert marking.FIRST in ready_sets()
    for name in ready_sets():
        shown, asked = bank.ready(name)
        assert len(shown) == len(asked) == 4 and all(each.marks.any() for each in (*shown, *asked))


def test_examples_are_moved_and_removed():
    both, place = bank.moved(SHOWN, 0, 1)
    assert [each.name for each in both] == ["two", "one"] and place == 1
    assert bank.moved(SHOWN, 0, -1) == (SHOWN, 0) and bank.moved((), 0, 1) == ((), 0)
    rest, place = bank.removed(SHOWN, 1)
    assert [each.name for each in rest] == ["one"] and place == 0
    assert bank.removed((), 0) == ((), 0)


def test_marks_are_taken_and_those_of_another_picture_are_not():
    none = np.zeros((64, 64), np.uint8)
    assert not bank.marked(SHOWN, 0, none)[0].marks.any()
    assert bank.marked(SHOWN, 0, None)[0].marks is None
    assert bank.marked(SHOWN, 0, none[:32]) == SHOWN and bank.marked(SHOWN, 7, none) == SHOWN
    assert [title for _, title in bank.thumbnails(bank.marked(SHOWN, 0, None))] == [
        "1: one (nothing marked)",
        "2: two",
    ]


def test_files_are_read_with_their_masks(tmp_path):
    for name in ("cat.jpg", "dog.png"):
        Image.fromarray(noisy(squares(("red", 8, 8)))).save(tmp_path / name)
    for name in ("cat.png", "dog_mask.png"):
        Image.fromarray(SHOWN[0].marks * 255).save(tmp_path / name)
    paths = [str(each) for each in sorted(tmp_path.iterdir())]
    found = bank.taken(paths)
    assert [each.name for each in found] == ["cat", "dog"]
    assert all(np.array_equal(each.marks, SHOWN[0].marks) for each in found)
    with pytest.raises(ValueError, match="a mask without its picture"):
        bank.taken([str(tmp_path / "dog_mask.png")])
    Image.fromarray(np.full((64, 64), 7, np.uint8)).save(tmp_path / "cat.png")
    with pytest.raises(ValueError, match="labels up to 7; at most 6"):
        bank.taken([str(tmp_path / "cat.jpg"), str(tmp_path / "cat.png")])
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(ValueError, match=r"notes\.txt is no picture"):
        bank.taken([str(tmp_path / "notes.txt")])
    with pytest.raises(ValueError, match="at most 2 pictures"):
        bank.added(SHOWN, SHOWN, 2)


def test_engines_that_are_not_trained_are_not_on_offer(monkeypatch, tmp_path):
    monkeypatch.setattr(segment, "SEGIC", tmp_path)
    offered = [name for _, name in segment.engine_choices()]
    assert offered == [each.id for each in ENGINES if not each.id.startswith("segic")]
    (tmp_path / "model.safetensors").write_bytes(b"")
    assert "segic" in [name for _, name in segment.engine_choices()]


def test_what_is_behind_a_cell_is_shown_and_only_looked_up(monkeypatch):
    params = SegmentationParams(examples="car", n_examples=2, vary="choice")
    with Store() as store:
        *_, result = segmentation.run(params, store)
        run = Opened.stored(store, result.run_id)
        html = layouts.masks_html(run, store, result.predictions["query_id"].iloc[0], "2")
        assert html.count("<figure") == 2 + 3 + 2 and "Flips" in html
        assert html.index("<b>2</b>") < html.index("<b>1-2</b>")  # the chosen one first
        for bad in ("<script>", "car", "fox · scene 3"):
            assert "not part of the run" in layouts.masks_html(run, store, bad, "2")

        def gone(*_):
            raise WeightsError("npm is not there")

        monkeypatch.setattr(SegmentationParams, "asked_as", gone)
        assert "npm is not there" in layouts.masks_html(run, store, "car", "2")


def test_the_tab_builds(own_lab_home):
    with gr.Blocks(), gr.Tab("Vision") as outer:
        tab.build(Lab(own_lab_home), outer)
