"""Pictures from people into panels, and canvases as text that pages and tables hold."""

import base64
import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageOps

from lab.images.panels import SIDE

FITS = ("letterbox", "crop")
ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")
MAX_PIXELS = 40_000_000
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")  # none that starts another program to decode


def panel_of(data: bytes, name: str, fit: str = "letterbox", side: int = SIDE) -> np.ndarray:
    """Fit a picture of any size and kind into a panel: upright, its first frame, over white.

    Args:
        data: A PNG, JPEG, WebP, GIF, BMP or TIFF file.
        name: What messages call it.
        fit: "letterbox" or "crop".
        side: Pixels of the panel's side.

    Returns:
        RGB, uint8, shape (side, side, 3).

    Raises:
        ValueError: It is no such picture, damaged, or above 40 megapixels, which is refused before decoding.
    """
    if fit not in FITS:
        raise ValueError(f"fit must be {' or '.join(FITS)}, got {fit!r}")
    return np.asarray(_fitted(_decoded(data, name, _rgb), fit, side))


def rgb_of(data: bytes, name: str) -> np.ndarray:
    """Read a picture of any size and kind, upright, its first frame, over white, uint8, (height, width, 3).

    Raises:
        ValueError: As `panel_of`.
    """
    return np.asarray(_decoded(data, name, _rgb))


def rgba_of(data: bytes, name: str) -> np.ndarray:
    """Read a picture with its transparency, upright, its first frame, uint8, shape (height, width, 4).

    Raises:
        ValueError: As `panel_of`.
    """
    return np.asarray(_decoded(data, name, _rgba))


def _decoded(data: bytes, name: str, as_mode: Callable[[Image.Image], Image.Image]) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ValueError(f"{name} has far more than 40 megapixels; scale it down") from None
    except Exception as error:  # decoders raise whatever they stumble over
        raise ValueError(f"{name} is no picture that can be read; save it as PNG or JPEG") from error
    if image.width * image.height > MAX_PIXELS:
        raise ValueError(
            f"{name} has {image.width * image.height / 1e6:.0f} megapixels and at most "
            f"{MAX_PIXELS / 1e6:.0f} are read; scale it down"
        )
    try:
        return as_mode(ImageOps.exif_transpose(image))
    except Exception as error:
        raise ValueError(f"{name} is damaged or of an unknown kind; save it again as PNG or JPEG") from error


def as_png(pixels: np.ndarray) -> str:
    """Write a picture (height, width, 3), uint8, as a data URL, without loss."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def from_png(url: str) -> np.ndarray:
    """Read what `as_png` wrote, RGB, uint8, shape (height, width, 3)."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB"))


def _rgb(image: Image.Image) -> Image.Image:
    image.load()
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        values = np.nan_to_num(np.asarray(image, np.float32))
        is_16_bit = image.mode.startswith("I;16") or values.max() > 255
        top = 65535 if is_16_bit else 255 if image.mode == "I" or values.max() > 1 else 1
        image = Image.fromarray(np.clip(values * (255 / top), 0, 255).round().astype(np.uint8))
    if not _is_transparent(image):
        return image.convert("RGB")
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image)
    return white.convert("RGB")


def _rgba(image: Image.Image) -> Image.Image:
    return image.convert("RGBA") if _is_transparent(image) else _rgb(image).convert("RGBA")


def _is_transparent(image: Image.Image) -> bool:
    return image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info


def _fitted(image: Image.Image, fit: str, side: int) -> Image.Image:
    if image.size == (side, side):
        return image
    if fit == "crop":
        return ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS)
    scale = side / max(image.size)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    panel = Image.new("RGB", (side, side), "white")
    panel.paste(image.resize(size, Image.Resampling.LANCZOS), ((side - size[0]) // 2, (side - size[1]) // 2))
    return panel
