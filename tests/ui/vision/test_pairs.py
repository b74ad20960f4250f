"""Painter and copies without a browser: what their controls ask for, what stands on screen, errors."""

import gradio as gr
import numpy as np
import pytest
from PIL import Image
from polygons import polygon_atlas

from lab.experiments import copies as copies_run
from lab.experiments import painting
from lab.runs.store import Store
from lab.ui.opened import Opened
from lab.ui.people import Lab
from lab.ui.vision import copies, disguises, operations, painter, tab
from lab.ui.vision.painter import DRAWN, FILES, MARK, SHOWN, work_of
from lab.vision.painter import new_painter
from lab.vision.stacker import new_stacker

SEEN = (SHOWN, "mirror-invert", "grey", 1, None, None, None, None)


class Visit:
    session_hash = "a visit"


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    network, stacker = new_painter(width=32, n_layers=3, n_heads=2).eval(), new_stacker(38).eval()
    monkeypatch.setattr(painter, "load_painter", lambda: network)
    monkeypatch.setattr(painting, "load_painter", lambda: network)
    monkeypatch.setattr(copies, "load_stacker", lambda: stacker)
    monkeypatch.setattr(copies_run, "load_stacker", lambda *_: stacker)
    monkeypatch.setattr("lab.images.emoji.atlas", polygon_atlas)
    monkeypatch.setattr(copies, "N_REFERENCES", 20)
    copies_run.references_of.cache_clear()
    yield
    copies_run.references_of.cache_clear()


def ran(module, params):
    with Store() as store:
        *_, result = module.run(params, store)
        return result, Opened.stored(store, result.run_id)


def test_pairs_of_an_operation_are_drawn_alike_for_the_same_seed():
    first, second = work_of(SEEN), work_of(SEEN)
    assert list(first.pairs) == ["one pair", "two pairs", "a wrong pair"] and len(first.pictures) == 3
    assert np.array_equal(first.pictures[2], second.pictures[2])
    assert all(case is not None and case.operation.id == "mirror-invert" for case in first.cases)


def test_what_is_marked_becomes_the_pair():
    marks = np.zeros((64, 64), np.uint8)
    marks[10:20, 10:20] = 1
    work = work_of((DRAWN, *SEEN[1:4], marks, None, None, None))
    after = work.pairs["the pair"][0].after
    assert (after[10:20, 10:20] == MARK).all() and not (after[30:] == MARK).all(axis=-1).any()
    assert len(work.pictures) == 2 and work.cases == [None, None]


def test_a_persons_own_pair_and_pictures_are_read(tmp_path):
    for name in ("before", "after", "one"):
        Image.new("RGB", (90, 50), "red").save(tmp_path / f"{name}.png")
    before, after, one = (str(tmp_path / f"{name}.png") for name in ("before", "after", "one"))
    work = work_of((FILES, *SEEN[1:4], None, before, after, [one]))
    assert work.pairs["the pair"][0].before.shape == (50, 90, 3) and len(work.pictures) == 1
    with pytest.raises(ValueError, match="choose both pictures"):
        work_of((FILES, *SEEN[1:4], None, before, None, None))


def test_pictures_are_painted_after_every_pair_and_read():
    *_, (told, html) = painter.painting(SEEN, Visit())
    assert "PSNR to what is wanted" in told and "after two pairs" in told and "of 3 pictures" in told
    assert html.count("<figure") == 3 * 5 and html.count(" dB, read as:") >= 3 * 3
    *_, (told, html) = painter.painting((SHOWN, "red-circle", *SEEN[2:]), Visit())
    assert "IoU with what is wanted" in told and "IoU " in html
    *_, (told, _) = painter.painting((DRAWN, *SEEN[1:]), Visit())
    assert told and "Compare it with what the wrong pair gives" in told


def test_what_is_painted_exactly_scores_full_and_its_opposite_nothing():
    case = next(each for each in work_of((SHOWN, "red-circle", *SEEN[2:])).cases if each is not None)
    exact = painter.scored_of(case, case.after)
    assert exact.is_right and exact.value == 1 and exact.words.startswith("IoU 1.00, read as: mark every red")
    is_found = (case.after == case.palette.found).all(axis=-1, keepdims=True)
    opposite = np.where(is_found, case.palette.rest, case.palette.found).astype(np.uint8)
    missed = painter.scored_of(case, opposite)
    assert missed.value == 0
    told = painter.sentence({"one pair": [exact, missed], "a wrong pair": [missed, missed]})
    assert told.startswith("IoU with what is wanted: 0.50 after one pair, 0.00 after a wrong pair.")
    assert f"read in {1 + missed.is_right} and {2 * missed.is_right} of 2 pictures" in told


def test_what_cannot_be_painted_is_said():
    *_, (told, _) = painter.painting((FILES, *SEEN[1:]), Visit())
    assert "choose both pictures of the pair" in told
    *_, (told, _) = painter.painting((SHOWN, "<script>", *SEEN[2:]), Visit())
    assert "no operation is called" in told and "<script>" not in told


def test_a_disguised_picture_is_ranked_with_and_without_its_pair():
    *_, (told, html) = copies.looking(("swirl", "swirl", 3, 0, None), Visit())
    assert "Of 20 references the original comes" in told and "with the pair" in told
    assert html.count("<figure") == 4 + 2 * copies.N_SHOWN
    *_, (told, html) = copies.looking(("swirl", "none", 3, 0, None), Visit())
    assert "with the pair" not in told and html.count("<figure") == 2 + copies.N_SHOWN


def test_a_persons_own_pictures_stand_first(tmp_path):
    Image.new("RGB", (90, 50), "red").save(tmp_path / "own.png")
    asked = copies.asked_of(("invert", "none", 1, 0, [str(tmp_path / "own.png")]))
    assert len(asked.references) == 21 and (asked.references[0] == (255, 0, 0)).all()
    with pytest.raises(ValueError, match="picture must be 1 to 20"):
        copies.asked_of(("invert", "none", 99, 0, None))


@pytest.mark.parametrize("rank", [1, 2, 3, 4, 11, 12, 13, 21, 102, 111])
def test_ranks_are_written_as_people_do(rank):
    ends = {1: "st", 2: "nd", 3: "rd", 21: "st", 102: "nd"}
    assert copies._ordinal(rank) == f"{rank}{ends.get(rank, 'th')}"


def test_what_is_behind_a_cell_is_drawn_again_and_only_looked_up():
    result, run = ran(painting, painting.PaintingParams(n_queries=2))
    with Store() as store:
        html = operations.painted_html(run, store, result.predictions["query_id"].iloc[0], "right pair")
        assert html.count("<figure") == 2 + (2 + 1) + (4 + 1) + (2 + 1)
        for bad in ("<script> 1000", "mirror", "mirror 0", "mirror -1"):
            assert "not part of the run" in operations.painted_html(run, store, bad, "x")
    result, run = ran(copies_run, copies_run.CopiesParams(n_queries=10, n_references=20))
    with Store() as store:
        html = disguises.nearest_html(run, store, result.predictions["query_id"].iloc[0], "none")
        assert html.count("<figure") == 4 + 4 * disguises.N_SHOWN
        assert "not part of the run" in disguises.nearest_html(run, store, "swirl 11", "none")


@pytest.mark.parametrize(
    ("module", "params"),
    [
        (painting, painting.PaintingParams(n_queries=3)),
        (copies_run, copies_run.CopiesParams(n_queries=10, n_references=20)),
    ],
    ids=["painting", "copies"],
)
def test_a_run_opens_in_its_tab_with_its_matrix_figures_and_reference(
    module, params, own_lab_home, monkeypatch
):
    monkeypatch.setattr(tab, "is_waiting", lambda paper: False)
    result, _ = ran(module, params)
    with gr.Blocks(), gr.Tab("Vision") as outer:
        built = tab.build(Lab(own_lab_home), outer)
    handle = built.handles[module.__name__.rpartition(".")[2]]
    shown = handle.open_run(result.run_id, Visit())
    values = {part.elem_id or "": value for part, value in zip(handle.outputs, shown, strict=True)}
    matrix = next(value for name, value in values.items() if name.endswith("-matrix"))
    assert matrix["reference"] == params.reference and len(matrix["rows"]) == params.n_queries
    assert any(result.verdict in str(value) for name, value in values.items() if name.endswith("-verdict"))


def test_all_tabs_build_and_runs_open_in_their_own(own_lab_home, monkeypatch):
    monkeypatch.setattr(tab, "is_waiting", lambda paper: False)
    with gr.Blocks(), gr.Tab("Vision") as outer:
        built = tab.build(Lab(own_lab_home), outer)
    assert set(built.handles) == {"segmentation", "painting", "copies"}
    assert len(built.draw()) == len(built.late)
