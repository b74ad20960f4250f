"""Train the probe on renders of every concept in every style, half of them passed through the autoencoder.

The probe judges and does not generate, so nothing is held out of it but the very draws of size, place, turn
and ground that its accuracy is measured on.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lab.images.concepts import STYLES, concepts
from lab.images.emoji import Atlas
from lab.images.measures import panel_table
from lab.images.panels import BACKGROUNDS, SIDE, SIZES, Panel, draw
from lab.images.probe import PROBE, Reading, as_values, new_probe, outputs_of, read_panels
from lab.images.train.loop import Schedule, Step, train

if TYPE_CHECKING:
    import torch

SCHEDULE = Schedule(n_steps=1_800, rate=2e-3, n_warmup=100, flat=0.5, decay=0.05, ema=0.995)
BATCH = 64
N_DECODED = 6  # views of each drawing that pass through the autoencoder, once, before the first step
EMPTY = -1  # identity and style of a panel that shows nothing
_P_EMPTY = 1 / 16
_SHARPNESS = 20.0  # turns cosines into logits: s of CosFace
_STYLE, _EMPTY = 0.5, 0.5  # weights of the losses beside identity's 1
_HELD_OUT = 7_777_777  # seeds the views that accuracy is measured on; training seeds with one number, not two


class Views(NamedTuple):
    """Panels with what they show."""

    pixels: np.ndarray  # uint8, (n, 64, 64, 3)
    identity: np.ndarray  # (n,), place in `concepts`, or EMPTY
    style: np.ndarray  # (n,), place in `STYLES`, or EMPTY


def train_probe(
    drawings: Atlas,
    vae,
    checkpoint: Path,
    seed: int = 0,
    schedule: Schedule = SCHEDULE,
) -> "tuple[torch.nn.ModuleDict, Iterator[Step]]":
    """Return a probe and the steps that train it; read the steps to the end before using it.

    Args:
        drawings: Every concept in every style.
        vae: An AutoencoderKL; half of each batch has passed through it; None trains on renders alone.
        checkpoint: Where the state is kept.
        seed: Seeds weights and batches.
        schedule: Steps and rates.
    """
    import torch

    torch.manual_seed(seed)
    probe = new_probe()
    return probe, _steps(probe, drawings, vae, checkpoint, seed, schedule)


def _steps(probe, drawings, vae, checkpoint: Path, seed: int, schedule: Schedule) -> Iterator[Step]:
    import torch

    bank = None if vae is None else _decoded_views(drawings, vae, np.random.default_rng((seed, 1)))

    def loss_of(step: int, generator: torch.Generator) -> torch.Tensor:
        random = np.random.default_rng(generator.initial_seed())
        if bank is None:
            views = random_views(drawings, random, BATCH)
        else:
            fresh, known = (
                random_views(drawings, random, BATCH // 2),
                random.integers(len(bank.style), size=BATCH // 2),
            )
            again = Views(*(field[known] for field in bank))
            views = Views(*(np.concatenate(pair) for pair in zip(fresh, again, strict=True)))
        return probe_loss(probe, views._replace(pixels=weathered(views.pixels, random)))

    yield from train({"probe": probe}, loss_of, schedule, seed, checkpoint)


def probe_loss(probe: "torch.nn.ModuleDict", views: Views) -> "torch.Tensor":
    """Return the loss of identity, style and emptiness; an empty panel has neither identity nor style."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, nll_loss

    found = outputs_of(probe, as_values(views.pixels))
    identity, style = torch.from_numpy(views.identity), torch.from_numpy(views.style)
    is_empty = identity == EMPTY
    n_seen = max(1, int((~is_empty).sum()))
    named = (
        cross_entropy(_SHARPNESS * found.similarity, identity, ignore_index=EMPTY, reduction="sum") / n_seen
    )
    styled = nll_loss(found.logp_style, style, ignore_index=EMPTY, reduction="sum") / n_seen
    return (
        named
        + _STYLE * styled
        + _EMPTY * binary_cross_entropy_with_logits(found.logit_empty, is_empty.float())
    )


def random_views(drawings: Atlas, random: np.random.Generator, n: int) -> Views:
    """Draw panels of random concepts, styles, sizes, places, turns and grounds; a sixteenth shows nothing."""
    identity = random.integers(len(drawings.pixels), size=n)
    style = random.integers(len(STYLES), size=n)
    is_empty = random.random(n) < _P_EMPTY
    identity[is_empty] = style[is_empty] = EMPTY
    pixels = [
        _nothing(random)
        if is_empty[place]
        else _view(drawings.pixels[identity[place], style[place]], _size(random), random)
        for place in range(n)
    ]
    return Views(np.stack(pixels), identity, style)


def held_out_views(drawings: Atlas, size: str, seed: int = 0) -> Views:
    """Draw every concept in every style once in about this size, as training never draws it."""
    random = np.random.default_rng((_HELD_OUT, seed, list(SIZES).index(size)))
    identity, style = (part.ravel() for part in np.indices(drawings.pixels.shape[:2]))
    pixels = [
        _view(drawings.pixels[i, s], SIZES[size] + int(random.integers(-3, 4)), random)
        for i, s in zip(identity, style, strict=True)
    ]
    return Views(weathered(np.stack(pixels), random), identity, style)


def weathered(pixels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Mirror, tint, soften and roughen panels at random, uint8, shape (n, h, w, 3)."""
    made = []
    for panel in pixels:
        panel = panel[:, ::-1] if random.random() < 0.5 else panel
        values = panel.astype(np.float32)
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
        vae: An AutoencoderKL.
        pixels: uint8, shape (n, 64, 64, 3).
        noise: Standard deviation of the noise on each panel's latents, in units of their own, shape (n,).
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
            latents += spread[:, None, None, None] * torch.randn(latents.shape, generator=generator)
            values = vae.decode(latents).sample.clamp(-1, 1)
            made.append(((values + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy())
    return np.concatenate(made)


def probe_accuracy(probe: "torch.nn.ModuleDict", drawings: Atlas, vae=None, seed: int = 0) -> dict:
    """Measure the probe on views that it was not trained on, one of each concept, style and size.

    Returns:
        For "renders", and with an autoencoder for "decoded" (and "decoded_noisy": latents with noise of 0.2):
        size -> accuracies, each with "by_style". For "panels": the same for panels as the task draws them,
        in the middle and on a named ground; a part of these may have been seen. "floor": the large renders
        with their labels shuffled. "empty": how many empty panels, and how many others, are called empty.
    """
    random = np.random.default_rng((_HELD_OUT, seed))
    found: dict = {"renders": {}, "panels": {}} | (
        {} if vae is None else {"decoded": {}, "decoded_noisy": {}}
    )
    for size in SIZES:
        views = held_out_views(drawings, size, seed)
        n = len(views.style)
        plain = views._replace(
            pixels=np.stack([draw(panel, drawings) for panel in _panels(n // len(STYLES), size, random)])
        )
        conditions = {"renders": views, "panels": plain}
        if vae is not None:
            for name, noise in (("decoded", 0.0), ("decoded_noisy", 0.2)):
                conditions[name] = plain._replace(pixels=decoded(vae, plain.pixels, np.full(n, noise), seed))
        for name, shown in conditions.items():
            found[name][size] = _accuracies(read_panels(shown.pixels, probe), shown)
    large = held_out_views(drawings, "large", seed)
    reading = read_panels(large.pixels, probe)
    order = random.permutation(n)
    floor = _accuracies(reading, Views(large.pixels, large.identity[order], large.style[order]))
    nothing = weathered(np.stack([_nothing(random) for _ in range(200)]), random)
    return found | {
        "floor": floor,
        "empty": {
            "is_found": round(float((read_panels(nothing, probe).p_empty > 0.5).mean()), 4),
            "is_false_alarm": round(float((reading.p_empty > 0.5).mean()), 4),
        },
    }


def save_probe(
    probe: "torch.nn.ModuleDict",
    steps: list[Step],
    drawings: Atlas,
    record: dict,
    schedule: Schedule = SCHEDULE,
    folder: Path = PROBE,
) -> None:
    """Write model.safetensors and training.json.

    Args:
        probe: Trained.
        steps: All that training told.
        drawings: What it was trained on; the record names their hash.
        record: What else should stand in it: seed, seconds, hardware, accuracy.
        schedule: Steps and rates.
        folder: Where both files go.
    """
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    save_file(
        {name: tensor.contiguous() for name, tensor in probe.state_dict().items()},
        folder / "model.safetensors",
    )
    width = -(-len(steps) // 200)  # the curve keeps 200 points at most, each a mean
    chunks = [steps[start : start + width] for start in range(0, len(steps), width)]
    told = {
        "n_parameters": sum(tensor.numel() for tensor in probe.parameters()),
        "n_steps": steps[-1].step,
        "batch": BATCH,
        "schedule": asdict(schedule),
        "data_sha256": hashlib.sha256(drawings.pixels.tobytes()).hexdigest(),
        **record,
        "losses": [
            [part[-1].step, round(float(np.mean([step.loss for step in part])), 4)] for part in chunks
        ],
    }
    (folder / "training.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def _accuracies(reading: Reading, views: Views) -> dict:
    words = [concepts()[place].word for place in views.identity]
    table = panel_table(reading, words, [STYLES[place] for place in views.style])
    names = {
        "identity_at_1": "is_identity",
        "identity_at_5": "is_among_5",
        "within_group_at_1": "is_within_group",
        "style": "is_style",
        "both": "is_right",
    }
    means = table[list(names.values())].mean().round(4)
    by_style = table.groupby("style", sort=False)[["is_identity", "is_style"]].mean().round(4)
    return {"n": len(table), **{name: float(means[column]) for name, column in names.items()}} | {
        "by_style": {
            style: {"identity_at_1": float(row["is_identity"]), "style": float(row["is_style"])}
            for style, row in by_style.iterrows()
        }
    }


def _decoded_views(drawings: Atlas, vae, random: np.random.Generator) -> Views:
    n = N_DECODED * len(drawings.pixels) * len(STYLES)
    views = random_views(drawings, random, n)
    noise = np.where(random.random(n) < 0.5, random.uniform(0.1, 0.3, n), 0.0)
    return views._replace(pixels=decoded(vae, views.pixels, noise, int(random.integers(2**31))))


def _panels(n_concepts: int, size: str, random: np.random.Generator) -> list[Panel]:
    grounds = list(BACKGROUNDS)
    return [
        Panel(concept.word, style, grounds[random.integers(len(grounds))], size)
        for concept in concepts()[:n_concepts]
        for style in STYLES
    ]


def _size(random: np.random.Generator) -> int:
    if random.random() < 0.4:
        return int(random.integers(24, SIDE + 1))
    return int(random.choice(list(SIZES.values()), p=(0.2, 0.25, 0.55)))


def _view(drawing: np.ndarray, size: int, random: np.random.Generator) -> np.ndarray:
    from PIL import Image

    scaled = Image.fromarray(drawing).convert("RGBa").resize((size, size), Image.Resampling.LANCZOS)
    if random.random() < 0.5:
        scaled = scaled.rotate(random.uniform(-15, 15), Image.Resampling.BILINEAR)
    scaled = scaled.convert("RGBA")
    picture = Image.fromarray(_ground(random))
    corner = np.full(2, (SIDE - size) // 2)
    if random.random() < 0.6:
        reach = (SIDE - size) // 2 + 2  # two pixels beyond the rim
        corner = corner + random.integers(-reach, reach + 1, 2)
    picture.paste(scaled, (int(corner[0]), int(corner[1])), scaled)
    return np.asarray(picture)


def _ground(random: np.random.Generator) -> np.ndarray:
    ground = np.full((SIDE, SIDE, 3), 255.0)
    luck = random.random()
    if luck < 0.3:
        ground[:] = list(BACKGROUNDS.values())[random.integers(len(BACKGROUNDS))]
    elif luck < 0.7:
        first, second = random.uniform(20, 255, (2, 3))
        ramp = np.linspace(0, 1, SIDE)[:, None, None] * (random.random() < 0.4)
        ground[:] = first + (second - first) * (ramp if random.random() < 0.5 else ramp.transpose(1, 0, 2))
    return ground.astype(np.uint8)


def _nothing(random: np.random.Generator) -> np.ndarray:
    """Return a ground alone, at times with soft stains of low contrast."""
    stains = random.standard_normal((SIDE, SIDE, 1)).astype(np.float32) * (random.random() < 0.5)
    for _ in range(int(random.integers(6, 40))):
        stains = _softened(stains)
    stains *= random.uniform(0, 12) / max(1e-6, float(stains.std()))
    return (_ground(random) + stains * random.uniform(-1, 1, 3)).clip(0, 255).astype(np.uint8)


def _softened(pixels: np.ndarray) -> np.ndarray:
    """Blur by the binomial filter 1, 2, 1 both ways, shape (h, w, channels)."""
    wide = np.pad(pixels, ((1, 1), (1, 1), (0, 0)), mode="edge")
    tall = (wide[:-2] + 2 * wide[1:-1] + wide[2:]) / 4
    return (tall[:, :-2] + 2 * tall[:, 1:-1] + tall[:, 2:]) / 4
