"""One picture of any size and kind becomes a panel, or is refused with a remedy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_pictures import BLUE, RED, WHITE, encoded, noise, plain, png_header
from PIL import Image

from lab.images.pictures import panel_of, rgba_of


def test_a_picture_of_the_panels_size_is_kept_to_the_bit():
    assert np.array_equal(panel_of(encoded(Image.fromarray(noise())), "a"), noise())


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK"])
def test_any_kind_and_mode_gives_its_colour(kind, mode):
    colour = {"1": WHITE, "L": (200, 200, 200), "LA": (200, 200, 200)}.get(mode, RED)
    image = Image.new("RGB", (100, 100), colour).convert(mode)
    try:
        data = encoded(image, kind)
    except (OSError, ValueError):
        pytest.skip(f"{kind} can't hold {mode}")
    assert np.abs(panel_of(data, "a").astype(int) - colour).max() <= 3


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_and_not_clipped(kind):
    values = np.full((64, 64), 128 * 257, np.uint16)
    assert np.unique(panel_of(encoded(Image.fromarray(values), kind), "a")).tolist() == [128]


def test_floating_point_from_0_to_1_is_scaled():
    values = np.full((64, 64), 0.5, np.float32)
    assert np.unique(panel_of(encoded(Image.fromarray(values), "TIFF"), "a")).tolist() == [128]


def test_transparency_lies_over_white():
    image = Image.new("RGBA", (64, 64), (*RED, 0))
    image.paste((*BLUE, 255), (0, 0, 32, 64))
    panel = panel_of(encoded(image), "a")
    assert (panel[:, 32:] == 255).all() and panel[0, 0].tolist() == list(BLUE)
    palette = Image.new("P", (64, 64), 0)
    palette.putpalette([0, 0, 0])
    assert (panel_of(encoded(palette, transparency=0), "a") == 255).all()


def test_a_photo_is_turned_upright():
    image = Image.new("RGB", (64, 64), RED)
    image.paste(BLUE, (0, 0, 64, 32))
    exif = Image.Exif()
    exif[0x0112] = 3  # stored upside down
    panel = panel_of(encoded(image, exif=exif.tobytes()), "a")
    assert panel[0, 0].tolist() == list(RED) and panel[63, 0].tolist() == list(BLUE)


def test_an_animation_gives_its_first_frame():
    frames = [Image.new("RGB", (64, 64), colour) for colour in (RED, BLUE)]
    for kind in ("GIF", "PNG", "TIFF"):
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
        assert panel_of(data, "a")[5, 5].tolist() == list(RED)


def test_letterbox_keeps_the_whole_picture_and_crop_its_middle():
    image = Image.new("RGB", (200, 100), RED)
    image.paste(BLUE, (50, 0, 150, 100))
    whole = panel_of(encoded(image), "a")
    assert (whole[:16] == 255).all() and (whole[48:] == 255).all()
    assert whole[32, 0].tolist() == list(RED) and whole[32, 32].tolist() == list(BLUE)
    assert (panel_of(encoded(image), "a", "crop")[:, 4:-4] == BLUE).all()


@given(st.integers(1, 300), st.integers(1, 300), st.sampled_from(["letterbox", "crop"]))
@settings(max_examples=30, deadline=None)
def test_any_size_fits(width, height, fit):
    panel = panel_of(plain(RED, (width, height)), "a", fit)
    assert panel.shape == (64, 64, 3) and panel[31, 31].tolist() == list(RED)


def test_a_line_of_pixels_fits():
    assert panel_of(plain(RED, (9000, 1)), "a").shape == (64, 64, 3)


def test_another_fit_is_refused():
    with pytest.raises(ValueError, match="fit must be letterbox or crop, got 'stretch'"):
        panel_of(plain(), "a", "stretch")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("side", "said"), [(7_000, "49 megapixels"), (10_000, "100 "), (30_000, "far more than")]
)
def test_too_many_pixels_are_refused_before_decoding(side, said):
    with pytest.raises(ValueError, match=f"big.png has {said}.*scale it down"):
        panel_of(png_header(side, side), "big.png")


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"\x89PNG\r\n\x1a\n", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"<svg/>"]
)
def test_what_is_no_picture_is_refused(data):
    with pytest.raises(ValueError, match=r"x.png is no picture that can be read; save it as PNG or JPEG"):
        panel_of(data, "x.png")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "TIFF"])
def test_half_a_picture_is_refused(kind):
    data = encoded(Image.fromarray(noise()).resize((300, 300)), kind)
    with pytest.raises(ValueError, match=r"half.png is (damaged|no picture)"):
        panel_of(data[: len(data) // 2], "half.png")


@given(st.integers(0, 2000), st.binary(min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
@pytest.mark.filterwarnings("ignore")
def test_damaged_bytes_give_a_panel_or_a_clear_error(place, junk):
    data = bytearray(encoded(Image.fromarray(noise()[:16, :16])))
    data[place % len(data) : place % len(data) + len(junk)] = junk
    try:
        assert panel_of(bytes(data), "a.png").shape == (64, 64, 3)
    except ValueError as error:
        assert "a.png" in str(error)


def test_a_panel_has_the_side_that_a_model_draws_with():
    assert panel_of(plain(RED, (30, 90)), "a", side=512).shape == (512, 512, 3)
    data = encoded(Image.fromarray(noise()).resize((512, 512)))
    assert np.array_equal(
        panel_of(data, "a", side=512), np.asarray(Image.fromarray(noise()).resize((512, 512)))
    )


@pytest.mark.parametrize("mode", ["L", "P", "RGB", "RGBA", "LA"])
def test_a_picture_with_its_transparency_has_four_channels(mode):
    found = rgba_of(encoded(Image.new("RGB", (20, 30), (200, 200, 200)).convert(mode)), "a")
    assert found.shape == (30, 20, 4) and (found[..., 3] == 255).all()
    clear = rgba_of(encoded(Image.new("RGBA", (20, 30), (9, 9, 9, 0))), "a")
    assert (clear[..., 3] == 0).all()


def test_sixteen_bits_keep_their_grey_beside_transparency():
    values = np.full((8, 8), 128 * 257, np.uint16)
    assert rgba_of(encoded(Image.fromarray(values)), "a")[0, 0].tolist() == [128, 128, 128, 255]


@pytest.mark.parametrize("data", [b"", b"no picture", png_header(20_000, 20_000), plain()[:60]])
def test_what_can_be_no_subject_is_refused_as_a_panel_is(data):
    with pytest.raises(ValueError, match=r"a (is|has)"):
        rgba_of(data, "a")
