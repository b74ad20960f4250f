"""Insert and Examples without a browser, on small random weights."""

import io

import gradio as gr
import pytest
from PIL import Image
from tiny_images import ship_tiny, ship_tiny_generator

from lab.images import shelf
from lab.images.brush_study import MASK
from lab.images.tasks import TASKS
from lab.ui.images import generated, insert
from lab.ui.images.insert import Controls, insertion_of

ASKED = Controls(
    "kangaroo", "flat", None, "car", "flat", "blue", None, "the same thing, flat style",
    MASK.astype("uint8"),
)  # fmt: skip
STRENGTHS = (0.6, 0.6, 0.4, 1, 2, 3)
NO_OWN = ("zip", "two side by side", "letterbox", None, None, "", "", "")


@pytest.fixture(scope="module", autouse=True)
def shipped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shipped")
    with pytest.MonkeyPatch.context() as patch:
        ship_tiny(folder, patch)
        ship_tiny_generator(folder, patch)
        yield


class Visit:
    session_hash = "a visit"


def said(asked):
    return insert._asked(*asked[:-1])[0]


def test_subject_caption_and_picture_are_shown_before_anything_is_drawn():
    html, value = insert._asked(*ASKED[:-1])
    assert html.count("<img") == 1 and "[TOP] the same thing, flat style" in html
    assert value["width"] == value["height"] == 64 and "runs" not in value  # what was marked stays
    assert "<script>" not in said(ASKED._replace(text="<script>x</script>"))


def test_a_subject_of_ones_own_is_cut_out_of_its_plain_ground(tmp_path):
    picture = Image.new("RGBA", (200, 100), (0, 0, 0, 0))
    picture.paste((200, 30, 30, 255), (20, 20, 120, 80))
    picture.save(tmp_path / "subject.png")
    insertion = insertion_of(ASKED._replace(subject_file=str(tmp_path / "subject.png")))
    assert insertion.subject.shape == (64, 64, 3) and (insertion.subject[0] == 255).all()
    assert insertion.caption.startswith("[TOP] the same thing;")
    Image.effect_noise((64, 64), 90).save(tmp_path / "noise.png")
    html = said(ASKED._replace(subject_file=str(tmp_path / "noise.png")))
    assert "background is not plain" in html


def test_a_broken_picture_is_a_sentence(tmp_path):
    (tmp_path / "x.png").write_bytes(b"no picture")
    assert "is no picture" in said(ASKED._replace(picture_file=str(tmp_path / "x.png")))
    cut = io.BytesIO()
    Image.new("RGB", (64, 64)).save(cut, "PNG")
    (tmp_path / "x.png").write_bytes(cut.getvalue()[:60])
    assert "damaged" in said(ASKED._replace(subject_file=str(tmp_path / "x.png")))


def test_inserting_shows_both_pictures_and_says_whether_the_reading_flips():
    *_, told, last = insert._inserting([*ASKED, *STRENGTHS], Visit())
    assert told[2].count("<img") == 2 and ("flip" in told[1].lower())
    assert last[0].interactive


def test_no_hole_or_one_of_another_picture_is_refused(monkeypatch):
    monkeypatch.setattr(gr, "Warning", lambda message: None)
    *_, last = insert._inserting([*ASKED._replace(hole=None), *STRENGTHS], Visit())
    assert "paint the hole" in last[1] and last[0].interactive
    *_, last = insert._inserting([*ASKED._replace(hole=MASK[:32]), *STRENGTHS], Visit())
    assert "of another picture" in last[1] and last[0].interactive


def test_a_lora_is_made_from_examples_and_drawn_beside_the_tuned_one(own_lab_home):
    *_, last_drawn, last = generated._making(("coloured", 2, 0, "made", *NO_OWN), Visit())
    assert last_drawn[3].count("<h3>") == 3 and last_drawn[3].count("<img") == 9
    assert "Kept as own/made" in last[1] and "own/made" in shelf.names()


def test_a_name_that_can_be_no_file_is_refused(monkeypatch, own_lab_home):
    monkeypatch.setattr(gr, "Warning", lambda message: None)
    *_, last = generated._making(("coloured", 2, 0, "../up", *NO_OWN), Visit())
    assert "a LoRA&#x27;s name" in last[1]


def test_examples_of_ones_own_are_asked_for(monkeypatch):
    monkeypatch.setattr(gr, "Warning", lambda message: None)
    *_, last = generated._making(("own", 2, 0, "", *NO_OWN), Visit())
    assert "choose a zip" in last[1]


def test_tasks_that_the_generator_never_saw_are_marked():
    marked = [task.id for task in TASKS if "no LoRA of it was seen" in generated._choice(task.id)[0]]
    assert marked == ["rendered", "sandstorm"]
