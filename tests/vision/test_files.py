"""Pictures and masks of any kind from files, and folders in which each picture has its mask."""

import io

import numpy as np
import pytest
from PIL import Image

from lab.vision.files import marks_of, paired_files, picture_of

SQUARE = np.zeros((20, 30), np.uint8)
SQUARE[5:15, 10:20] = 1


def png(image: Image.Image, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    return file.getvalue()


def test_large_pictures_are_scaled_down_and_keep_their_proportions():
    found = picture_of(png(Image.new("RGB", (3000, 1500), "red")), "large.png")
    assert found.shape == (512, 1024, 3) and found.dtype == np.uint8
    assert (found == (255, 0, 0)).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"])
def test_pictures_of_every_mode_are_read(mode):
    file = io.BytesIO()
    image = Image.new("L", (12, 9), 200)
    made = Image.fromarray(np.full((9, 12), 50_000, np.uint16)) if mode == "I;16" else image.convert(mode)
    made.save(file, "TIFF")
    assert picture_of(file.getvalue(), "any.tif").shape == (9, 12, 3)


def test_a_photograph_is_turned_upright():
    image = Image.new("RGB", (40, 20), "black")
    exif = image.getexif()
    exif[0x0112] = 6  # to be turned a quarter
    file = io.BytesIO()
    image.save(file, "JPEG", exif=exif)
    assert picture_of(file.getvalue(), "turned.jpg").shape == (40, 20, 3)


@pytest.mark.parametrize("data", [b"", b"no picture", png(Image.new("RGB", (9, 9)))[:40]])
def test_what_is_no_picture_is_named(data):
    with pytest.raises(ValueError, match=r"odd\.png is"):
        picture_of(data, "odd.png")


def test_a_hundred_megapixels_are_refused_before_they_are_decoded():
    with pytest.raises(ValueError, match="megapixels"):
        picture_of(png(Image.new("1", (10_000, 10_000))), "huge.png")


@pytest.mark.parametrize(
    "image",
    [
        Image.fromarray(SQUARE),
        Image.fromarray(SQUARE * 255),
        Image.fromarray(SQUARE * 255).convert("1"),
        Image.fromarray(SQUARE * 255).convert("RGB"),
        Image.fromarray(np.dstack([SQUARE * 0 + 200] * 3 + [SQUARE * 255])),
        Image.fromarray(SQUARE.astype(np.uint16) * 65_535),
        Image.fromarray(SQUARE).convert("P"),
    ],
    ids=["labels", "white", "bits", "colour", "transparent", "16 bit", "palette"],
)
def test_a_mask_says_the_same_in_whichever_way_it_is_written(image):
    np.testing.assert_array_equal(marks_of(png(image), "mask.png", 20, 30), SQUARE)


def test_soft_edges_of_a_light_mask_are_cut_at_half():
    soft = np.array([[0, 100, 140, 255]], np.uint8)
    np.testing.assert_array_equal(marks_of(png(Image.fromarray(soft)), "soft.png", 1, 4), [[0, 0, 1, 1]])


def test_labels_of_many_classes_stay_and_255_is_none():
    labels = np.array([[0, 3, 11, 255]], np.uint8)
    np.testing.assert_array_equal(marks_of(png(Image.fromarray(labels)), "x.png", 1, 4), [[0, 3, 11, 0]])


def test_a_mask_of_another_size_is_scaled_and_one_of_other_proportions_refused():
    large = marks_of(png(Image.fromarray(SQUARE)), "mask.png", 40, 60)
    np.testing.assert_array_equal(large, SQUARE.repeat(2, 0).repeat(2, 1))
    with pytest.raises(ValueError, match=r"mask\.png has 30 × 20 pixels and its picture 30 × 30"):
        marks_of(png(Image.fromarray(SQUARE)), "mask.png", 30, 30)


def test_a_damaged_mask_is_named():
    with pytest.raises(ValueError, match=r"mask\.png can't be read"):
        marks_of(b"nothing", "mask.png", 4, 4)


def test_pictures_of_a_folder_find_their_masks(tmp_path):
    (tmp_path / "masks").mkdir()
    for name in ("a.jpg", "b.png", "c.png", "alone.jpg"):
        Image.new("RGB", (30, 20)).save(tmp_path / name)
    for name in ("a.png", "b_mask.png", "masks/c.png"):
        Image.fromarray(SQUARE).save(tmp_path / name)
    found = [
        (picture.name, mask.relative_to(tmp_path).as_posix()) for picture, mask in paired_files(tmp_path)
    ]
    assert found == [("a.jpg", "a.png"), ("b.png", "b_mask.png"), ("c.png", "masks/c.png")]


def test_a_folder_without_masks_says_how_to_name_them(tmp_path):
    Image.new("RGB", (9, 9)).save(tmp_path / "a.jpg")
    with pytest.raises(ValueError, match=r"put cat\.png beside cat\.jpg"):
        paired_files(tmp_path)
    with pytest.raises(ValueError, match="there is no folder"):
        paired_files(tmp_path / "nowhere")
