"""The Image sets tab without a browser: what its controls say, what stands on screen, errors as sentences."""

import io
from dataclasses import replace

import gradio as gr
import numpy as np
import pytest
from PIL import Image
from tiny_images import ship_tiny

from lab.images import shelf
from lab.images.caption import check
from lab.images.grid import PAIR, ROW
from lab.images.hub import FLUX_DEV
from lab.images.studio import Drawn
from lab.images.tasks import TASKS
from lab.ui.images import draw, tune
from lab.ui.images.form import GRIDS, N_ASKED, example_of, loras_for, order_of
from lab.ui.images.view import caption_html, drawn_html

OWN = ("zip", "two side by side", "letterbox", None, None, "", "", "")
"""The controls of a data set of one's own as they stand at first."""


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        ship_tiny(tmp_path_factory.mktemp("shipped"), patch)
        yield


class Visit:
    session_hash = "a visit"


def values(**changes):
    """Return the values of a form that asks for a small set."""
    chosen = {
        "grid": "two side by side", "summary": "[COLOURED] a drawing coloured",
        "texts": ("fox, outline style", "the same thing, flat style", "", ""), "lora": "", "strength": 1,
        "second": "", "second_strength": 0.5, "seed": 3, "n_candidates": 1, "n_steps": 2, "guidance": 3,
        "mode": "blend", "model": "flux-emoji", "given": (None,) * 4, **changes,
    }  # fmt: skip
    texts, given = chosen.pop("texts"), chosen.pop("given")
    head = [chosen.pop("grid"), chosen.pop("summary")]
    return [*head, *texts, *chosen.values(), *given]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_every_example_is_about_held_out_concepts_and_its_caption_has_no_fault(task):
    from lab.images.concepts import concept_of
    from lab.images.studio import mentioned

    found = example_of(task.id)
    texts = found["texts"][: task.grid.n_panels]
    name = next(name for name, grid in GRIDS.items() if grid == task.grid)
    order = order_of(values(grid=name, summary=found["summary"], texts=found["texts"])).order
    assert check(order.caption, order.grid, order.markers) == []
    named = [word for text in texts if (word := mentioned(text))]
    assert named and all(concept_of(word).is_held_out for word in named)


def test_the_controls_say_what_is_drawn():
    asked = order_of(values(lora="coloured", strength=0.5, second="rendered", seed=7, n_candidates=4))
    assert asked.loras == {"coloured": 0.5, "rendered": 0.5}
    assert asked.order.grid == PAIR and asked.order.seed == 7 and asked.order.n_candidates == 4
    assert asked.order.caption.startswith("[COLOURED] a drawing coloured: [LEFT] fox")


def test_a_storyboard_is_told_in_scenes():
    story = values(grid="three in a row", summary="[STORYBOARD] a story of <Mia>")
    assert "[SCENE-3]" in order_of(story).order.caption


def test_a_given_picture_is_fitted_into_its_panel(tmp_path):
    Image.new("RGB", (300, 100), "red").save(tmp_path / "wide.png")
    asked = order_of(values(given=(str(tmp_path / "wide.png"), None, None, None)))
    assert asked.order.given[0].shape == (64, 64, 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"grid": "a heap"}, "canvas must be one of"),
        ({"n_candidates": 99}, "n_candidates"),
        ({"n_steps": 0}, "n_steps"),
        ({"seed": -4}, "seed"),
        ({"model": "someone/else"}, "the model must be flux-emoji"),
    ],
)
def test_what_a_browser_should_never_send_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        order_of(values(**changes))


def test_a_model_of_the_hub_reads_long_captions_and_has_the_published_loras(tmp_path):
    Image.new("RGB", (300, 100), "red").save(tmp_path / "wide.png")
    given = (str(tmp_path / "wide.png"), None, None, None)
    long = "a red fox that rides a zeppelin over the mountains " * 8
    asked = order_of(values(model=FLUX_DEV, texts=(long, "the same fox asleep", "", ""), given=given))
    assert asked.order.findings() == [] and asked.order.given[0].shape == (512, 512, 3)
    assert any(finding.is_error for finding in order_of(values(texts=(long, "", "", ""))).order.findings())
    offered = [name for _, name in loras_for(FLUX_DEV)[0].choices]
    assert "couple-profile" in offered and "coloured" not in offered


def test_strangers_draw_with_the_labs_own_model_only(monkeypatch):
    monkeypatch.setenv("LAB_SHARED", "1")
    with pytest.raises(ValueError, match="the model must be flux-emoji here"):
        order_of(values(model=FLUX_DEV))


def test_a_file_that_is_no_picture_is_named(tmp_path):
    (tmp_path / "notes.png").write_text("no picture")
    with pytest.raises(ValueError, match=r"notes\.png is no picture"):
        order_of(values(given=(str(tmp_path / "notes.png"), None, None, None)))


def test_texts_are_escaped_wherever_they_stand():
    order = replace(order_of(values()).order, texts=("<script>alert(1)</script>", "owl"))
    drawn = Drawn(2, 2, np.zeros((1, 2, 64, 64, 3), np.uint8), (3,), (0.5,))
    for html in (drawn_html(drawn, order), caption_html(order.caption, order.findings())):
        assert "<script>" not in html


def test_drawing_ends_with_pictures_that_are_kept(shipped):
    *_, before, last = draw._drawing([], values(lora="coloured"), Visit())
    start, stop, status, _, earlier, history = last
    assert "Done." in status and before[3].count("<img") == 1 and len(earlier.value) == 1
    assert len(history) == 1 and start.interactive and not stop.interactive


def test_a_set_that_was_drawn_gives_its_settings_back(shipped):
    asked = values(grid="three in a row", texts=("fox", "owl", "bee", ""), lora="coloured", seed=9)
    *_, last = draw._drawing([], asked, Visit())
    (kept,) = last[-1]
    second_is_gone = kept._replace(values=(*kept.values[:8], "own/gone", *kept.values[9:]))
    back = draw.restored([second_is_gone], 0)
    assert len(back) == N_ASKED and back[:2] == asked[:2]
    assert [text.value for text in back[2:6]] == ["fox", "owl", "bee", ""]
    assert [text.visible for text in back[2:6]] == [True, True, True, False]
    assert back[6].value == "coloured" and back[8].value == ""
    assert back[10:] == asked[10:N_ASKED]
    assert all(each == gr.skip() for each in draw.restored(last[-1], 1))


def test_given_panels_enter_in_each_way_side_by_side(shipped, tmp_path):
    Image.new("RGB", (64, 64), "red").save(tmp_path / "red.png")
    given = (str(tmp_path / "red.png"), None, None, None)
    asked = order_of(values(mode="every", given=given, n_candidates=4))
    assert [order.mode for order in asked.orders] == ["blend", "context", "fill"]
    assert {order.n_candidates for order in asked.orders} == {1}
    assert len(order_of(values(mode="every")).orders) == 1  # nothing is given: nothing to compare
    *_, before, last = draw._drawing([], values(mode="every", given=given), Visit())
    assert before[3].count("<img") == 3 and "Fill branch" in before[3] and "Clean context" in before[3]
    assert len(last[-1]) == 3


def test_a_caption_that_is_too_long_is_a_sentence_on_screen(shipped, monkeypatch):
    monkeypatch.setattr(gr, "Warning", lambda message: None)
    *_, last = draw._drawing([], values(texts=("fox " * 40, "owl", "", "")), Visit())
    assert "shorten it by" in last[2]


def test_a_lora_is_tuned_and_can_be_chosen_then(shipped, own_lab_home):
    *_, last = tune._tuned(("coloured", 5, 20, 4, 0.002, "mine", *OWN), Visit())
    assert "Kept as own/mine after 20 steps" in last[2]
    assert ("own/mine", "own/mine") in tune.choices()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("coloured", 5, 20, 4, 0.002, "../up", *OWN), "a LoRA&#x27;s name"),
        (("own", 5, 20, 4, 0.002, "mine", *OWN), "choose a zip"),
        (("coloured", 5, 20, 4, 9.0, "mine", *OWN), "rate must be"),
    ],
)
def test_a_tuning_that_cannot_be_says_why(shipped, own_lab_home, monkeypatch, asked, message):
    monkeypatch.setattr(gr, "Warning", lambda message: None)
    *_, last = tune._tuned(asked, Visit())
    assert message in last[2]


def test_an_uploaded_lora_is_checked_before_it_is_kept(shipped, own_lab_home, tmp_path):
    assert "Kept as own/theirs" in tune._take(str(shelf.path_of("coloured")), "theirs")
    (tmp_path / "bad.safetensors").write_bytes(b"nothing")
    assert "damaged" in tune._take(str(tmp_path / "bad.safetensors"), "bad")
    assert not shelf.own_path("bad").exists()


def test_the_loss_is_drawn_once_there_is_some():
    assert tune.curve_html([1.0] * 5) == ""
    html = tune.curve_html([1.0 - 0.01 * step for step in range(50)])
    assert "polyline" in html and "at first" in html


def test_a_canvas_is_a_png_of_its_size(shipped):
    import base64

    order = order_of(values(grid="three in a row", texts=("fox", "owl", "bee", ""))).order
    drawn = Drawn(2, 2, np.zeros((1, 3, 64, 64, 3), np.uint8), (3,))
    url = drawn_html(drawn, order).split('src="')[1].split('"')[0]
    assert Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).size == (192, 64)
    assert order.grid == ROW
