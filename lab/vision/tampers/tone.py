"""Patterns that change tones, colours and sharpness, and leave everything in its place."""

import io

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from lab.vision.tampers.pixels import Tamper, array_of, colour, image_of


def enhanced(kind: type, low: float, high: float) -> Tamper:
    """Make a pattern that weakens or strengthens what an enhancer of Pillow acts on."""

    def tamper(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
        strength = random.uniform(low, 0.7) if random.random() < 0.5 else random.uniform(1.5, high)
        return array_of(kind(image_of(picture)).enhance(strength))

    return tamper


def blur(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it blurred."""
    radius = random.uniform(1.0, 2.5) * len(picture) / 64
    return array_of(image_of(picture).filter(ImageFilter.GaussianBlur(radius)))


def sharpen(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it sharpened."""
    radius = random.uniform(1, 3)
    return array_of(
        image_of(picture).filter(ImageFilter.UnsharpMask(radius, int(random.integers(250, 500)), 0))
    )


def pixelise(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it pixelised."""
    n = int(random.integers(8, 16))
    small = image_of(picture).resize((n, n), Image.Resampling.BOX)
    return array_of(small.resize(picture.shape[1::-1], Image.Resampling.NEAREST))


def grey(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it without colour."""
    return array_of(image_of(picture).convert("L"))


def invert(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it inverted."""
    return 255 - picture


def posterise(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it few tones."""
    return array_of(ImageOps.posterize(image_of(picture), int(random.integers(1, 3))))


def solarise(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it solarised."""
    return array_of(ImageOps.solarize(image_of(picture), int(random.integers(60, 160))))


def equalise(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it equalised."""
    return array_of(ImageOps.equalize(image_of(picture)))


def channels(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it channels swapped."""
    orders = [(0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
    return picture[..., orders[random.integers(5)]].copy()


def one_channel(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it one channel."""
    kept = np.zeros_like(picture)
    channel = random.integers(3)
    kept[..., channel] = picture[..., channel]
    return kept


def tint(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it tinted."""
    share = random.uniform(0.35, 0.6)
    return ((1 - share) * picture + share * np.array(colour(random))).astype(np.uint8)


def noise(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it noisy."""
    return np.clip(picture + random.normal(0, random.uniform(30, 70), picture.shape), 0, 255).astype(np.uint8)


def salt(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it black and white specks."""
    noisy = picture.copy()
    luck = random.random(picture.shape[:2])
    noisy[luck < 0.08] = 0
    noisy[luck > 0.92] = 255
    return noisy


def jpeg(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it compressed."""
    file = io.BytesIO()
    image_of(picture).save(file, "JPEG", quality=int(random.integers(3, 9)))
    return array_of(Image.open(io.BytesIO(file.getvalue())))


def emboss(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it embossed."""
    return array_of(image_of(picture).filter(ImageFilter.EMBOSS))


def contour(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it contours."""
    return array_of(image_of(picture).filter(ImageFilter.CONTOUR))


def vignette(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it dark corners."""
    along = np.linspace(-1, 1, len(picture))
    far = np.hypot(along[:, None], along[None])[..., None]
    return (picture * np.clip(1.15 - far * random.uniform(0.8, 1.1), 0, 1)).astype(np.uint8)


def median(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it as if painted."""
    image = image_of(picture)
    for _ in range(int(random.integers(2, 4))):
        image = image.filter(ImageFilter.MedianFilter(3))
    return array_of(image)


def threshold(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it black and white."""
    grey = np.asarray(image_of(picture).convert("L"))
    return np.repeat(((grey > np.median(grey)) * 255).astype(np.uint8)[..., None], 3, axis=2)


def heat(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it as a heat map."""
    grey = np.asarray(image_of(picture).convert("L"), float) / 255
    ramp = [np.clip(1.5 - np.abs(4 * grey - at), 0, 1) for at in (3, 2, 1)]
    return (255 * np.stack(ramp, axis=-1)).astype(np.uint8)


def dither(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it dithered."""
    grey = image_of(picture).resize((len(picture) // 2,) * 2).convert("1")
    return array_of(grey.resize(picture.shape[1::-1], Image.Resampling.NEAREST))


def flare(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return it against the light."""
    side = len(picture)
    at = random.uniform(0.15, 0.85, 2) * side
    down, across = np.meshgrid(np.arange(side) - at[0], np.arange(side) - at[1], indexing="ij")
    light = 330 * np.exp(-np.hypot(down, across) / (side * random.uniform(0.18, 0.3)))
    return np.clip(picture + light[..., None] * (1.0, 0.95, 0.75), 0, 255).astype(np.uint8)
