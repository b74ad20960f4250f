"""What the probe is shown: drawings in random size, place, turn, ground and weather, some with effects."""

from typing import NamedTuple

import numpy as np

from lab.images import effects
from lab.images.concepts import STYLES
from lab.images.emoji import Atlas
from lab.images.panels import BACKGROUNDS, SIDE, SIZES, place
from lab.images.probe import as_values

EMPTY = -1
"""Identity and style of a panel that shows nothing."""
_P_EMPTY = 1 / 16
_P_SIZES = (0.35, 0.3, 0.35)  # small, medium, large
_HELD_OUT = 7_777_777  # training draws from one number, what is held out from several that begin with this


class Views(NamedTuple):
    """Panels with what they show."""

    pixels: np.ndarray  # uint8, (n, 64, 64, 3)
    identity: np.ndarray  # (n,), place in `concepts`, or EMPTY
    style: np.ndarray  # (n,), place in `STYLES`, or EMPTY


def random_views(
    drawings: Atlas, random: np.random.Generator, n: int, p_worn: float = 0.0, p_storm: float = 0.0
) -> Views:
    """Draw panels of random concepts and styles; a sixteenth shows nothing.

    Args:
        drawings: The atlas.
        random: Draws all.
        n: How many.
        p_worn: How many of them wear something or are printed on something, as the tasks have it.
        p_storm: How many stand in a sandstorm or among sparklers; these take ten times as long to draw.
    """
    identity = random.integers(len(drawings.pixels), size=n)
    style = random.integers(len(STYLES), size=n)
    identity[is_empty := random.random(n) < _P_EMPTY] = EMPTY
    style[is_empty] = EMPTY
    pixels = []
    for concept, finish, luck in zip(identity, style, random.random(n), strict=True):
        drawing = drawings.pixels[concept, finish]
        if concept == EMPTY:
            pixels.append(nothing(random))
        elif luck < p_worn:
            pixels.append(_worn(drawing, random))
        elif luck < p_worn + p_storm:
            pixels.append(_in_a_storm(drawing, random))
        else:
            pixels.append(_view(drawing, _size(random), random))
    return Views(np.stack(pixels), identity, style)


def held_out_views(drawings: Atlas, size: str, seed: int = 0) -> Views:
    """Draw every concept in every style once in about this size, as training never draws it."""
    random = held_out_random(seed, list(SIZES).index(size))
    identity, style = (part.ravel() for part in np.indices(drawings.pixels.shape[:2]))
    pixels = [
        _view(drawings.pixels[concept, finish], SIZES[size] + int(random.integers(-3, 4)), random)
        for concept, finish in zip(identity, style, strict=True)
    ]
    return Views(weathered(np.stack(pixels), random), identity, style)


def held_out_random(*seeds: int) -> np.random.Generator:
    """Return a generator that training never draws from."""
    return np.random.default_rng((_HELD_OUT, *seeds))


def weathered(pixels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Mirror, soften, tint and roughen panels at random, uint8, shape (n, h, w, 3)."""
    made = []
    for panel in pixels:
        values = (panel[:, ::-1] if random.random() < 0.5 else panel).astype(np.float32)
        if random.random() < 0.3:
            values += random.uniform(0, 1) * (_softened(values) - values)
        if random.random() < 0.4:
            values *= (random.uniform(0.85, 1.12, 3) * random.uniform(0.9, 1.05)).astype(np.float32)
        if random.random() < 0.3:
            values += random.uniform(0, 12) * random.standard_normal(values.shape, np.float32)
        made.append(values.round().clip(0, 255).astype(np.uint8))
    return np.stack(made)


def decoded(vae, pixels: np.ndarray, noise: np.ndarray, seed: int = 0) -> np.ndarray:
    """Pass panels through the autoencoder, as generated pictures are drawn.

    Args:
        vae: An AutoencoderKL with the scale of its latents.
        pixels: uint8, shape (n, 64, 64, 3).
        noise: Standard deviation of the noise on each panel's latents, in units of theirs, shape (n,).
        seed: Seeds the noise.

    Returns:
        Same shape and type.
    """
    import torch

    made = []
    generator = torch.Generator().manual_seed(seed)
    with torch.inference_mode():
        for start in range(0, len(pixels), 16):
            latents = vae.encode(as_values(pixels[start : start + 16])).latent_dist.mode()
            spread = torch.from_numpy(noise[start : start + 16]).float() / vae.config.scaling_factor
            latents = latents + spread[:, None, None, None] * torch.randn(latents.shape, generator=generator)
            values = vae.decode(latents).sample.clamp(-1, 1)
            made.append(((values + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy())
    return np.concatenate(made)


def nothing(random: np.random.Generator) -> np.ndarray:
    """Return a ground alone, at times with soft stains of low contrast, uint8, shape (64, 64, 3)."""
    stains = random.standard_normal((SIDE, SIDE, 1)).astype(np.float32) * (random.random() < 0.5)
    for _ in range(int(random.integers(6, 40))):
        stains = _softened(stains)
    stains *= random.uniform(0, 12) / max(1e-6, float(stains.std()))
    return (_ground(random) + stains * random.uniform(-1, 1, 3)).clip(0, 255).astype(np.uint8)


def _size(random: np.random.Generator) -> int:
    if random.random() < 0.4:
        return int(random.integers(24, SIDE + 1))
    return int(random.choice(list(SIZES.values()), p=_P_SIZES))


def _view(drawing: np.ndarray, size: int, random: np.random.Generator) -> np.ndarray:
    from PIL import Image

    scaled = Image.fromarray(drawing).convert("RGBa").resize((size, size), Image.Resampling.LANCZOS)
    if random.random() < 0.5:
        scaled = scaled.rotate(random.uniform(-15, 15), Image.Resampling.BILINEAR)
    scaled = scaled.convert("RGBA")
    picture = Image.fromarray(_ground(random))
    left = top = (SIDE - size) // 2
    if random.random() < 0.6:
        reach = left + 2  # two pixels beyond the rim
        left, top = (middle + int(random.integers(-reach, reach + 1)) for middle in (left, top))
    picture.paste(scaled, (left, top), scaled)
    return np.asarray(picture)


def _worn(drawing: np.ndarray, random: np.random.Generator) -> np.ndarray:
    if random.random() < 0.5:
        return effects.product(str(random.choice(effects.PRODUCTS)), _named_ground(random), drawing)
    size = SIZES["medium"]
    accessory, colour = str(random.choice(effects.ACCESSORIES)), str(random.choice(list(effects.COLOURS)))
    return effects.dress(place(drawing, _named_ground(random), size), drawing, size, accessory, colour)


def _in_a_storm(drawing: np.ndarray, random: np.random.Generator) -> np.ndarray:
    size = SIZES[str(random.choice(("medium", "large")))]
    if random.random() < 0.5:
        return effects.sandstorm(place(drawing, _named_ground(random), size), random)
    return effects.sparklers(place(drawing, BACKGROUNDS["night"], size), random)


def _named_ground(random: np.random.Generator) -> tuple[int, int, int]:
    return list(BACKGROUNDS.values())[random.integers(len(BACKGROUNDS))]


def _ground(random: np.random.Generator) -> np.ndarray:
    ground = np.full((SIDE, SIDE, 3), 255.0)
    luck = random.random()
    if luck < 0.3:
        ground[:] = _named_ground(random)
    elif luck < 0.7:
        first, second = random.uniform(20, 255, (2, 3))
        ramp = np.linspace(0, 1, SIDE)[:, None, None] * (random.random() < 0.4)
        ground[:] = first + (second - first) * (ramp if random.random() < 0.5 else ramp.transpose(1, 0, 2))
    return ground.astype(np.uint8)


def _softened(pixels: np.ndarray) -> np.ndarray:
    """Blur by the binomial filter 1, 2, 1 both ways, shape (h, w, channels)."""
    wide = np.pad(pixels, ((1, 1), (1, 1), (0, 0)), mode="edge")
    tall = (wide[:-2] + 2 * wide[1:-1] + wide[2:]) / 4
    return (tall[:, :-2] + 2 * tall[:, 1:-1] + tall[:, 2:]) / 4
