"""Data sets of one's own: what the controls read, drafts, packs, and what they refuse."""

import zipfile

import numpy as np
import pytest
from made_pictures import BLUE, RED, plain

from lab.images.grid import PAIR
from lab.images.own_sets import read_zip
from lab.ui.images import sets, tune
from lab.ui.images.sets import OwnSets, by_name, draft_texts, sets_of


def asked(**changes) -> list:
    first = OwnSets("pictures", "two side by side", "letterbox", None, None, "", "[CUSTOM] two pictures", "")
    return list(first._replace(**changes))


@pytest.fixture
def pictures(tmp_path) -> list[str]:
    """Write four pictures whose names sort by their numbers, given out of order."""
    paths = []
    for name, colour in (
        ("10_owl.png", BLUE),
        ("2_red-fox.png", RED),
        ("1_fox.png", RED),
        ("11_owl.png", BLUE),
    ):
        (tmp_path / name).write_bytes(plain(colour))
        paths.append(str(tmp_path / name))
    return paths


def test_pictures_stand_in_the_order_of_their_numbers_and_texts_are_drafted_from_names(pictures):
    assert [path.rpartition("/")[2] for path in by_name(pictures)][:2] == ["1_fox.png", "2_red-fox.png"]
    assert draft_texts(pictures) == "fox\nred fox\nowl\nowl"
    assert draft_texts(["/tmp/12.png"]) == "picture" and draft_texts(None) == ""


def test_pictures_and_texts_become_sets_with_a_joint_caption(pictures):
    made = sets_of(asked(pictures=pictures, texts=draft_texts(pictures)))
    assert [each.caption for each in made] == [
        "[CUSTOM] two pictures: [LEFT] fox; [RIGHT] red fox",
        "[CUSTOM] two pictures: [LEFT] owl; [RIGHT] owl",
    ]
    assert made[0].pixels.shape == (2, 64, 64, 3)


def test_a_pack_reads_back_as_the_same_sets(pictures):
    values = asked(pictures=pictures, texts=draft_texts(pictures))
    button, told = sets._pack(*values)
    assert "2 sets" in told
    path = button.value["path"]
    again = read_zip(path, PAIR)
    for one, two in zip(sets_of(values), again, strict=True):
        assert one.caption == two.caption and np.array_equal(one.pixels, two.pixels)
    by_zip = sets_of(asked(source="zip", archive=path))
    assert [each.caption for each in by_zip] == [each.caption for each in again]


def test_a_folder_is_read_where_the_lab_is_ones_own(tmp_path, pictures):
    for place in (1, 2):
        folder = tmp_path / "sets" / f"set {place}"
        folder.mkdir(parents=True)
        for name, colour in (("1.png", RED), ("2.png", BLUE)):
            (folder / name).write_bytes(plain(colour))
        (folder / "captions.txt").write_text("fox\nowl\n")
    assert len(sets_of(asked(source="folder", folder=str(tmp_path / "sets")))) == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": "zip"}, "choose a zip"),
        ({"source": "folder", "folder": "  "}, "name a folder"),
        ({"source": "folder", "folder": "/nowhere"}, "is no folder"),
        ({"pictures": []}, "choose pictures first, 2 for each set"),
    ],
)
def test_what_is_missing_is_named(changes, message):
    with pytest.raises(ValueError, match=message):
        sets_of(asked(**changes))


def test_as_many_texts_as_pictures_are_needed(pictures):
    with pytest.raises(ValueError, match="4 pictures need as many texts, got 1"):
        sets_of(asked(pictures=pictures, texts="fox"))
    _, told = sets._pack(*asked(pictures=pictures[:3], texts="a\nb\nc"))
    assert "takes 2 pictures a set, got 3" in told


def test_a_preview_shows_the_first_sets_and_escapes_their_texts(pictures):
    values = asked(pictures=pictures, texts="<b>fox</b>\nowl\nowl\nowl")
    html = tune._preview("own", 40, *values)
    assert "2 sets; the first 2" in html and "<b>fox</b>" not in html


def test_a_zip_that_leads_out_is_refused_on_the_page(tmp_path):
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("../up/1.png", plain(RED))
    html = tune._preview("own", 40, *asked(source="zip", archive=str(tmp_path / "bad.zip")))
    assert "leads out of the zip" in html
