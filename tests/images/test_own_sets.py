"""A person's own sets: layouts of a folder and a zip file, and what is refused with which remedy."""

import re
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_pictures import BLUE, RED, noise, plain

from lab.images import own_sets
from lab.images.grid import PAIR, ROW, SINGLE, Grid
from lab.images.own_sets import from_files, read_folder, read_zip, save_zip
from lab.images.sets import ImageSet
from lab.images.tasks import TASKS, task_sets

PAIR_FILES = {
    "fox/1.png": plain(RED),
    "fox/2.png": plain(BLUE),
    "fox/captions.txt": b"fox, outline style\nfox, flat style\n",
}


def folder_of(tmp_path: Path, files: dict[str, bytes]) -> Path:
    root = tmp_path / "sets"
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def zip_of(tmp_path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    path = tmp_path / "sets.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def read_both(tmp_path: Path, files: dict[str, bytes], grid: Grid = PAIR) -> list[ImageSet]:
    """Read the same files as a folder and as a zip file, which must give the same."""
    from_folder, from_zip = (
        read_folder(folder_of(tmp_path, files), grid),
        read_zip(zip_of(tmp_path, files), grid),
    )
    assert [(each.name, each.caption) for each in from_folder] == [
        (each.name, each.caption) for each in from_zip
    ]
    assert all(np.array_equal(one.pixels, two.pixels) for one, two in zip(from_folder, from_zip, strict=True))
    return from_zip


def refused(tmp_path: Path, files: dict[str, bytes], message: str, grid: Grid = PAIR) -> None:
    for read, path in ((read_folder, folder_of(tmp_path, files)), (read_zip, zip_of(tmp_path, files))):
        with pytest.raises(ValueError, match=message):
            read(path, grid)


# how a folder is laid out


def test_a_folder_a_set_with_a_line_a_panel(tmp_path):
    (made,) = read_both(tmp_path, PAIR_FILES)
    assert (made.name, made.texts, made.summary, made.markers) == (
        "fox", ("fox, outline style", "fox, flat style"), "", None,
    )  # fmt: skip
    assert made.pixels[0, 0, 0].tolist() == list(RED) and made.pixels[1, 0, 0].tolist() == list(BLUE)
    assert made.panels == (None, None)


def test_captions_may_stand_beside_each_picture(tmp_path):
    files = {"a/x.png": plain(), "a/y.jpg": plain(), "a/x.txt": b"fox\n", "a/y.txt": "\ufeffowl".encode()}
    (made,) = read_both(tmp_path, files)
    assert made.texts == ("fox", "owl")


def test_sets_and_pictures_are_in_the_order_of_their_names_by_number(tmp_path):
    files = {}
    for place, name in enumerate(["set 10", "set 9", "Set 1"]):
        files |= {f"{name}/p10.png": plain(BLUE), f"{name}/p9.png": plain((place, 0, 0))}
        files[f"{name}/captions.txt"] = b"fox\nowl"
    made = read_both(tmp_path, files)
    assert [each.name for each in made] == ["Set 1", "set 9", "set 10"]
    assert [each.pixels[0, 0, 0, 0] for each in made] == [2, 1, 0]


def test_markers_and_summary_of_their_own_are_kept(tmp_path):
    files = PAIR_FILES | {
        "fox/captions.txt": b"[SCENE-1] <Mia> the fox\n\n[SCENE-2] <Mia>\n",
        "fox/summary.txt": b"[CUSTOM] a story\n",
    }
    (made,) = read_both(tmp_path, files)
    assert made.markers == ("[SCENE-1]", "[SCENE-2]")
    assert made.caption == "[CUSTOM] a story: [SCENE-1] <Mia> the fox; [SCENE-2] <Mia>"


def test_the_markers_of_the_grid_may_be_written_out(tmp_path):
    (made,) = read_both(tmp_path, PAIR_FILES | {"fox/captions.txt": b"[LEFT] fox\n[RIGHT] owl"})
    assert (made.markers, made.texts) == (None, ("fox", "owl"))


def test_a_folder_around_the_sets_and_a_systems_litter_change_nothing(tmp_path):
    files = {f"my sets/{name}": data for name, data in PAIR_FILES.items()}
    litter = {"__MACOSX/my sets/fox/._1.png": b"x", "my sets/.DS_Store": b"x", "my sets/fox/Thumbs.db": b"x",
              "my sets/README.md": b"read me"}  # fmt: skip
    (made,) = read_both(tmp_path, files | litter)
    assert made.name == "fox"


def test_pictures_right_in_the_folder_are_one_set(tmp_path):
    files = {"a.png": plain(), "b.png": plain(), "Captions.TXT": b"fox\nowl"}
    (made,) = read_both(tmp_path, files)
    assert (made.name, made.texts) == ("sets", ("fox", "owl"))


def test_files_become_sets_in_their_order(tmp_path):
    root = folder_of(tmp_path, {f"{n}.png": plain((n, 0, 0)) for n in range(4)})
    paths = [root / f"{n}.png" for n in (3, 2, 1, 0)]
    made = from_files(paths, ["fox", "owl ", "cat", "dog"], PAIR, "two pictures")
    assert [each.caption for each in made] == [
        "two pictures: [LEFT] fox; [RIGHT] owl", "two pictures: [LEFT] cat; [RIGHT] dog",
    ]  # fmt: skip
    assert [each.pixels[:, 0, 0, 0].tolist() for each in made] == [[3, 2], [1, 0]]


@pytest.mark.parametrize("task", TASKS, ids=[task.id for task in TASKS])
def test_saved_sets_come_back_as_they_were(task, tmp_path, drawings):
    sets = task_sets(task, 3, "train", 0, drawings)
    save_zip(sets, tmp_path / "kept.zip")
    back = read_zip(tmp_path / "kept.zip", task.grid)
    assert [(each.name, each.texts, each.summary, each.markers) for each in back] == [
        (each.name, each.texts, each.summary, each.markers) for each in sets
    ]
    assert all(np.array_equal(one.pixels, two.pixels) for one, two in zip(back, sets, strict=True))


def test_the_order_of_saved_sets_and_odd_names_survive(tmp_path):
    names = ["zoo", "../../etc", "a/b", "", "ähre", "zoo"]
    sets = [
        ImageSet(SINGLE, noise(place)[None], (f"[X] fox {place}",), "", None, (None,), name)
        for place, name in enumerate(names)
    ]
    save_zip(sets, tmp_path / "kept.zip")
    back = read_zip(tmp_path / "kept.zip", SINGLE)
    assert [each.caption for each in back] == [each.caption for each in sets]
    assert [each.name for each in back] == ["zoo", "etc", "a-b", "set", "ähre", "zoo"]
    assert all(np.array_equal(one.pixels, two.pixels) for one, two in zip(back, sets, strict=True))


def test_nothing_and_empty_texts_are_not_saved(tmp_path):
    with pytest.raises(ValueError, match="no set to save"):
        save_zip([], tmp_path / "kept.zip")
    with pytest.raises(ValueError, match="a: every panel needs a text"):
        save_zip([ImageSet(SINGLE, noise()[None], (" ",), "", None, (None,), "a")], tmp_path / "kept.zip")


# what is refused


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"fox/3.png": plain()}, "fox holds 3 pictures and a canvas of 1 × 2 takes 2"),
        ({"fox/captions.txt": b"fox"}, "fox/captions.txt has 1 lines for 2 pictures: write a line a picture"),
        ({"fox/captions.txt": b"\xff\xfe\x00"}, "fox/captions.txt is not UTF-8"),
        ({"fox/2.png": b"broken"}, "fox/2.png is no picture"),
        ({"fox/notes.docx": b"x"}, "fox holds 3 pictures"),
        ({"empty/captions.txt": b"fox\nowl"}, "empty holds 0 pictures"),
        ({"fox/captions.txt": b"fox\n" + b"fox " * 40}, "fox: The caption .* this canvas reads 32"),
        ({"fox/captions.txt": b"fox\n[LEFT] owl"}, r"fox: \[LEFT\] stands 2 times"),
        ({"fox/captions.txt": b"[A] fox\n[A] owl"}, r"fox: \[A\] stands 2 times"),
        ({"fox/captions.txt": b"[A] fox\n[B]"}, "fox: picture 2 has an empty text"),
    ],
)  # fmt: skip
def test_a_set_that_can_not_be_used_is_named_with_its_remedy(changed, message, tmp_path):
    refused(tmp_path, PAIR_FILES | changed, message)


def test_missing_captions_say_which_file_to_write(tmp_path):
    files = {name: data for name, data in PAIR_FILES.items() if name.endswith(".png")}
    refused(tmp_path, files, "write fox/1.txt, or fox/captions.txt with 2 lines")
    refused(tmp_path, files | {"fox/1.txt": b"fox"}, "write fox/2.txt, or")


def test_no_pictures_at_all(tmp_path):
    refused(
        tmp_path, {"README.md": b"x"}, r"sets holds no pictures \(.png, .*put those of each set in a folder"
    )


def test_a_grid_of_three_needs_three(tmp_path):
    refused(tmp_path, PAIR_FILES, "fox holds 2 pictures and a canvas of 1 × 3 takes 3", ROW)


@pytest.mark.parametrize(
    "name", ["../fox/1.png", "/fox/1.png", "a/../../1.png", "..\\fox\\1.png", "C:\\fox\\1.png"]
)
def test_paths_that_lead_out_of_a_zip_file_are_refused(name, tmp_path):
    with pytest.raises(ValueError, match=r"sets.zip: .* leads out of the zip file; zip the folder itself"):
        read_zip(zip_of(tmp_path, PAIR_FILES | {name: plain()}), PAIR)


def test_links_in_a_zip_file_are_refused(tmp_path):
    path = zip_of(tmp_path, PAIR_FILES)
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("fox/3.png")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ValueError, match=r"fox/3.png is a link; put the file itself"):
        read_zip(path, PAIR)


def test_a_zip_bomb_is_refused_by_what_it_claims(tmp_path):
    refused_zip = zip_of(tmp_path, PAIR_FILES | {"fox/0.bmp": bytes(5_000_000)})
    with pytest.raises(ValueError, match=r"fox/0.bmp expands \d[\d,]*-fold and at most 200-fold is read"):
        read_zip(refused_zip, PAIR)


def test_a_zip_file_that_expands_too_far_in_all_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(own_sets, "MAX_BYTES", 3_000_000)
    big = PAIR_FILES | {f"x/{n}.bmp": bytes(900_000) for n in range(4)}
    refused(tmp_path, big, "holds 4 MB of files and at most 3 MB are read; scale the pictures down")


def test_too_many_files_are_refused(tmp_path):
    many = PAIR_FILES | {f"x/{n}.txt": b"" for n in range(2_000)}
    refused(tmp_path, many, "holds more than 2,000 files, the most that are read; split it")


def test_a_zip_file_that_claims_less_than_it_holds_is_read_no_further(tmp_path):
    path = zip_of(tmp_path, PAIR_FILES | {"fox/2.png": bytes(5_000_000)})
    data = path.read_bytes()
    path.write_bytes(data.replace(struct.pack("<I", 5_000_000), struct.pack("<I", 1_000)))
    with pytest.raises(ValueError, match=r"fox/2.png is damaged; zip the folder again"):
        read_zip(path, PAIR)


def test_a_zip_file_whose_contents_were_changed_is_refused(tmp_path):
    path = zip_of(tmp_path, PAIR_FILES, zipfile.ZIP_STORED)
    data = path.read_bytes()
    picture = plain(BLUE)
    path.write_bytes(data.replace(picture, bytes(len(picture)), 1))
    with pytest.raises(ValueError, match=r"fox/2.png is damaged; zip the folder again"):
        read_zip(path, PAIR)


def test_a_zip_file_of_a_newer_format_is_refused(tmp_path):
    path = zip_of(tmp_path, PAIR_FILES)
    with zipfile.ZipFile(path, "a") as archive:
        newer = zipfile.ZipInfo("owl/1.png")
        newer.extract_version = 99
        archive.writestr(newer, plain())
    with pytest.raises(ValueError, match="is no zip file that can be read; zip the folder again"):
        read_zip(path, PAIR)


def test_an_encrypted_zip_file_is_refused(tmp_path):
    path = zip_of(tmp_path, PAIR_FILES)
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1  # the flag in the central directory
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"fox/1.png is encrypted; zip the folder without a password"):
        read_zip(path, PAIR)


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x03\x04"])
def test_what_is_no_zip_file_is_refused(data, tmp_path):
    path = tmp_path / "sets.zip"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"sets.zip is no zip file that can be read; zip the folder again"):
        read_zip(path, PAIR)


@given(st.integers(0, 5000), st.binary(min_size=1, max_size=6))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.filterwarnings("ignore")
def test_a_damaged_zip_file_is_read_or_refused_clearly(tmp_path, place, junk):
    path = zip_of(tmp_path, PAIR_FILES)
    data = bytearray(path.read_bytes())
    data[place % len(data) : place % len(data) + len(junk)] = junk
    path.write_bytes(data)
    try:
        read_zip(path, PAIR)
    except ValueError as error:
        assert re.search("sets|fox|picture", str(error))


def test_files_that_are_not_there_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"can't read gone.zip: No such file or directory; check the path"):
        read_zip(tmp_path / "gone.zip", PAIR)
    with pytest.raises(ValueError, match="gone is no folder; check the path"):
        read_folder(tmp_path / "gone", PAIR)
    with pytest.raises(ValueError, match=r"can't read gone.png: No such file or directory; upload it again"):
        from_files([tmp_path / "gone.png"], ["fox"], SINGLE)


@pytest.mark.parametrize(
    ("n_files", "texts", "message"),
    [
        (0, [], "takes 2 pictures a set, got 0"),
        (3, ["a", "b", "c"], "a canvas of 1 × 2 takes 2 pictures a set, got 3: add or remove some"),
        (2, ["a"], "2 pictures need as many texts, got 1"),
        (2, ["a", " "], "set 1: picture 2 has an empty text; describe it"),
        (2, ["a", "fox " * 40], "set 1: The caption has .* this canvas reads 32"),
    ],
)
def test_uploads_that_do_not_fit_are_refused(n_files, texts, message, tmp_path):
    root = folder_of(tmp_path, {"x": b"", **{f"{n}.png": plain() for n in range(n_files)}})
    with pytest.raises(ValueError, match=message):
        from_files([root / f"{n}.png" for n in range(n_files)], texts, PAIR)


def test_a_shared_lab_reads_no_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("LAB_SHARED", "1")
    with pytest.raises(ValueError, match=r"shared and reads no folders, got .*; upload a zip file instead"):
        read_folder(folder_of(tmp_path, PAIR_FILES), PAIR)
