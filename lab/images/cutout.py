"""Cut a subject out of its picture, centre it in a panel, and say in numbers where it is to go.

The released In-Context Brush cuts subjects out with two large networks; here the picture's own transparency
does it, or a plain background, flooded from the border. Background that a subject encloses stays with it.
"""

import numpy as np
from PIL import Image

from lab.images.panels import SIDE, SIZES

SHAPES = ("rectangle", "ellipse")
TOLERANCE = 32.0
"""How far a colour may be from the background's and still count as it: distance in RGB, 0 to 441."""
_P_PLAIN = 0.9  # of the border that must have the background's colour
_LARGEST = 512  # pixels of a side: more say nothing of a subject that becomes 58 pixels
_FILLED = 0.85  # of a hole's box that a subject takes, as the lab's drawings do
_SEEN = 8  # alpha from which on a pixel belongs to the subject


def subject_panel(
    picture: np.ndarray, tolerance: float = TOLERANCE, size: int = SIZES["large"], side: int = SIDE
) -> np.ndarray:
    """Cut a subject out and centre it on white, as the model's own drawings stand in their panels.

    Args:
        picture: RGB or RGBA, uint8, shape (height, width, 3 or 4), of any size.
        tolerance: See `cut_out`.
        size: Pixels of the subject's longer side.
        side: Pixels of the panel's side.

    Returns:
        RGB, uint8, shape (side, side, 3).

    Raises:
        ValueError: The subject can't be cut out; the message says why, with the remedy.
    """
    return centred(cut_out(picture, tolerance), size, side)


def cut_out(picture: np.ndarray, tolerance: float = TOLERANCE) -> np.ndarray:
    """Make the background transparent; a picture that has transparent pixels stays as it is.

    Args:
        picture: RGB or RGBA, uint8, shape (height, width, 3 or 4); above 512 pixels it is scaled down first.
        tolerance: How far a colour may be from the background's, the median of the border, 0 to 441.

    Returns:
        RGBA, uint8, shape (height, width, 4).

    Raises:
        ValueError: No picture, a border of several colours, or nothing that stands out from it.
    """
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] not in (3, 4) or not picture.size:
        raise ValueError(
            f"a subject's picture must be uint8 of shape (height, width, 3 or 4), "
            f"got {picture.dtype} of {picture.shape}; save it as RGB"
        )
    if not 0 <= tolerance <= 441:
        raise ValueError(f"tolerance must be 0 to 441, got {tolerance}")
    pixels = _reduced(picture)
    if pixels.shape[2] == 4 and (pixels[..., 3] < 255).any():
        if not (pixels[..., 3] >= _SEEN).any():
            raise ValueError("the picture is transparent everywhere: choose one that shows a subject")
        return pixels
    rgb = pixels[..., :3]
    is_subject = ~_flooded(_like_background(rgb, tolerance))
    if not is_subject.any():
        raise ValueError(
            f"nothing stands out from the background by more than a tolerance of {tolerance:g}: lower it, "
            "or choose a picture with a clearer subject"
        )
    return np.dstack([rgb, is_subject.astype(np.uint8) * 255])


def fitted(subject: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Put what an RGBA picture shows on white where a mask is, with a little room to the mask's box.

    A small model takes over a subject that stands where it is to go, and hardly one of another size.

    Args:
        subject: RGBA, uint8, shape (height, width, 4), something of it visible.
        mask: Bool, shape (side, side), true somewhere.

    Returns:
        RGB, uint8, shape (side, side, 3).
    """
    left, top, right, bottom = bounds(mask)
    width, height = right - left, bottom - top
    extent = _extent(subject)
    small = _cropped(subject, _FILLED * min(width / extent[0], height / extent[1]))
    panel = Image.new("RGBA", mask.shape[::-1], "white")
    panel.alpha_composite(small, (left + (width - small.width) // 2, top + (height - small.height) // 2))
    return np.asarray(panel.convert("RGB"))


def centred(subject: np.ndarray, size: int = SIZES["large"], side: int = SIDE) -> np.ndarray:
    """Put what an RGBA picture shows in the middle of a white panel, RGB, uint8, shape (side, side, 3).

    Args:
        subject: RGBA, uint8, shape (height, width, 4), something of it visible.
        size: Pixels that its longer side gets, 1 to `side`.
        side: Pixels of the panel's side.
    """
    if not 1 <= size <= side:
        raise ValueError(f"size must be 1 to {side}, got {size}")
    small = _cropped(subject, size / max(_extent(subject)))
    panel = Image.new("RGBA", (side, side), "white")
    panel.alpha_composite(small, ((side - small.width) // 2, (side - small.height) // 2))
    return np.asarray(panel.convert("RGB"))


def _extent(subject: np.ndarray) -> tuple[int, int]:
    """Return the width and height of what an RGBA picture shows."""
    left, top, right, bottom = bounds(subject[..., 3] >= _SEEN)
    return right - left, bottom - top


def _cropped(subject: np.ndarray, scale: float) -> Image.Image:
    """Cut out what an RGBA picture shows, and scale it."""
    left, top, right, bottom = bounds(subject[..., 3] >= _SEEN)
    shape = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
    cropped = Image.fromarray(np.ascontiguousarray(subject[top:bottom, left:right]))
    # premultiplied: transparent pixels have no colour to bleed into the rim
    return cropped.convert("RGBa").resize(shape, Image.Resampling.LANCZOS).convert("RGBA")


def bounds(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of what a mask marks; right and bottom lie just outside.

    Raises:
        ValueError: It marks nothing.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        raise ValueError("the mask is empty: mark at least one pixel")
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def mask_of(shape: str, left: float, top: float, width: float, height: float, side: int = SIDE) -> np.ndarray:
    """Mark a rectangle or an ellipse: the pixels whose middle lies in it.

    Args:
        shape: One of `SHAPES`.
        left: Its left end in percent of the panel's side.
        top: Its upper end, likewise.
        width: Its width, likewise, above 0.
        height: Its height, likewise, above 0.
        side: Pixels of the panel's side.

    Returns:
        Bool, shape (side, side).

    Raises:
        ValueError: It reaches beyond the panel, or is so small that it holds no pixel's middle.

    >>> mask_of("rectangle", 50, 0, 50, 100, side=4).astype(int).tolist()[0]
    [0, 0, 1, 1]
    """
    if shape not in SHAPES:
        raise ValueError(f"shape must be {' or '.join(SHAPES)}, got {shape!r}")
    for name, start, length in (("left", left, width), ("top", top, height)):
        what = "width" if name == "left" else "height"
        if not (start >= 0 and length > 0 and start + length <= 100 + 1e-9):
            raise ValueError(
                f"{name} and {what} must lie within 0 to 100 percent together, "
                f"got {start:g} + {length:g}: make it smaller or move it"
            )
    middles = (np.arange(side) + 0.5) * 100 / side
    x, y = (middles - left - width / 2) / (width / 2), (middles - top - height / 2) / (height / 2)
    if shape == "rectangle":
        mask = (np.abs(y) <= 1)[:, None] & (np.abs(x) <= 1)[None]
    else:
        mask = y[:, None] ** 2 + x[None] ** 2 <= 1
    if not mask.any():
        raise ValueError(f"a {shape} of {width:g} × {height:g} percent holds no pixel: make it larger")
    return mask


def _reduced(picture: np.ndarray) -> np.ndarray:
    longest = max(picture.shape[:2])
    if longest <= _LARGEST:
        return picture
    height, width = (max(1, round(length * _LARGEST / longest)) for length in picture.shape[:2])
    image = Image.fromarray(np.ascontiguousarray(picture))
    if image.mode == "RGB":
        return np.asarray(image.resize((width, height), Image.Resampling.LANCZOS))
    return np.asarray(image.convert("RGBa").resize((width, height), Image.Resampling.LANCZOS).convert("RGBA"))


def _like_background(rgb: np.ndarray, tolerance: float) -> np.ndarray:
    """Mark pixels of the background's colour, wherever they are."""
    border = np.concatenate([rgb[0], rgb[-1], rgb[1:-1, 0], rgb[1:-1, -1]])
    colour = np.median(border, axis=0)
    is_like = ((rgb - colour) ** 2).sum(axis=2) <= tolerance**2
    share = (((border - colour) ** 2).sum(axis=1) <= tolerance**2).mean()
    if share < _P_PLAIN:
        raise ValueError(
            f"the background is not plain: {share:.0%} of the border has its colour and {_P_PLAIN:.0%} are "
            "needed. Choose a picture on a plain ground or with transparency, leave room around the subject, "
            "or raise the tolerance"
        )
    return is_like


def _flooded(is_like: np.ndarray) -> np.ndarray:
    """Keep of the marked pixels those that are connected with the border."""
    from scipy.ndimage import label

    regions, _ = label(is_like)
    border = np.concatenate([regions[0], regions[-1], regions[:, 0], regions[:, -1]])
    return np.isin(regions, np.setdiff1d(border, [0]))
