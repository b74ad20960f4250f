"""Pictures and masks from files: any size and kind, and a folder in which each picture has its mask."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from lab.images.pictures import ENDINGS, MAX_PIXELS, rgb_of, rgba_of
from lab.vision.example import MAX_SIDE

MASK_ENDING = ".png"
_SAME_SHAPE = 0.02  # how far proportions of a mask may be from those of its picture
_OPAQUE = 250
_VOID, _LAST_LABEL = 255, 127


def picture_of(data: bytes, name: str) -> np.ndarray:
    """Read a picture; one with a longer side than 1,024 pixels is scaled down to it.

    Args:
        data: A PNG, JPEG, WebP, GIF, BMP or TIFF file, of any mode; turned upright, its first frame.
        name: What messages call it.

    Returns:
        RGB, uint8, shape (height, width, 3).

    Raises:
        ValueError: It is no such picture, damaged, or above 40 megapixels.
    """
    pixels = rgb_of(data, name)
    height, width = pixels.shape[:2]
    if max(height, width) <= MAX_SIDE:
        return pixels
    scale = MAX_SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


def marks_of(data: bytes, name: str, height: int, width: int) -> np.ndarray:
    """Read a mask for a picture of a size: labels, uint8, shape (height, width).

    A palette or grey picture holds labels as they are, 255 for what counts as nothing; but a grey picture of
    light on dark, such as 0 and 255, marks class 1 where it is light. A transparent picture marks what is
    opaque, a coloured one what is not black.

    Args:
        data: A PNG file.
        name: What messages call it.
        height: Of the picture, as it was read.
        width: Of the picture.

    Raises:
        ValueError: It can't be read, or has other proportions than the picture.
    """
    labels = _labels(data, name)
    if abs(labels.shape[1] * height / (labels.shape[0] * width) - 1) > _SAME_SHAPE:
        raise ValueError(
            f"the mask {name} has {labels.shape[1]} × {labels.shape[0]} pixels and its picture {width} × "
            f"{height}: their proportions must be the same"
        )
    if labels.shape == (height, width):
        return labels
    return np.asarray(Image.fromarray(labels).resize((width, height), Image.Resampling.NEAREST))


def paired_files(folder: Path) -> list[tuple[Path, Path]]:
    """List pictures of a folder with their masks, by name.

    The mask of `cat.jpg` is `cat.png`; of `cat.png` it is `cat_mask.png`, or `masks/cat.png`.

    Raises:
        ValueError: There is no such folder, or no picture in it has a mask.
    """
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}: name one with pictures and, for each, a PNG mask")
    found = []
    pictures = (each for each in sorted(folder.iterdir()) if each.suffix.lower() in ENDINGS)
    for picture in pictures:
        names = (f"{picture.stem}_mask{MASK_ENDING}", f"masks/{picture.stem}{MASK_ENDING}")
        candidates = [folder / name for name in names]
        if picture.suffix.lower() != MASK_ENDING:
            candidates.insert(0, picture.with_suffix(MASK_ENDING))
        mask = next((each for each in candidates if each.is_file()), None)
        if mask is not None:
            found.append((picture, mask))
    if not found:
        raise ValueError(
            f"no picture in {folder} has a mask: put cat{MASK_ENDING} beside cat.jpg, or "
            f"cat_mask{MASK_ENDING} beside cat{MASK_ENDING}"
        )
    return found


def _labels(data: bytes, name: str) -> np.ndarray:
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            is_read = image.width * image.height <= MAX_PIXELS and "transparency" not in image.info
            if is_read and image.mode in ("P", "L", "1"):
                values = np.asarray(ImageOps.exif_transpose(image)).astype(np.uint8)
                return _told_apart(values, is_palette=image.mode == "P")
            if is_read and image.mode.startswith("I"):
                return _told_apart(_of_16_bit(np.asarray(image)), is_palette=False)
    except Exception:
        raise ValueError(f"the mask {name} can't be read; save it as an 8-bit PNG") from None
    pixels = rgba_of(data, name)  # refuses what is too large
    is_opaque = pixels[..., 3] >= _OPAQUE
    meant = pixels[..., :3].any(axis=-1) & is_opaque if is_opaque.all() else is_opaque
    return meant.astype(np.uint8)


def _told_apart(values: np.ndarray, is_palette: bool) -> np.ndarray:
    """Tell labels, of which 255 is none, from a picture that is light where something is meant."""
    between = values[(values > 0) & (values < _VOID)]
    has_labels = between.size and between.max() <= _LAST_LABEL
    if values.max(initial=0) > _LAST_LABEL and not has_labels and not is_palette:
        return (values >= 128).astype(np.uint8)
    return np.where(values == _VOID, 0, values).astype(np.uint8)


def _of_16_bit(values: np.ndarray) -> np.ndarray:
    """Bring 16 bits to 8 where they hold more than labels."""
    return (values >> 8 if values.max(initial=0) > 255 else values).astype(np.uint8)
