"""Train the autoencoder on drawings of every emoji that the five packages share, on random backgrounds."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lab.images.components import new_vae
from lab.training.loop import Schedule, Step, train

SCHEDULE = Schedule(n_steps=2_600, rate=2e-3, n_warmup=100, flat=0.4, ema=0.995)
BATCH = 8
_EDGES, _KL = (
    0.5,
    1e-6,
)  # weights of the gradient loss and of the divergence, beside a mean absolute error of 1


def train_autoencoder(
    drawings: np.ndarray, checkpoint: Path, seed: int = 0, n_steps: int | None = None, device: str = "cpu"
):
    """Return an autoencoder and the steps that train it; read the steps to the end before using it.

    Args:
        drawings: RGBA, uint8, shape (n, 128, 128, 4).
        checkpoint: Where the state is kept.
        seed: Seeds batches and noise.
        n_steps: Shortens the schedule, for tests.
        device: "cpu", "cuda" or "mps".
    """
    import torch

    torch.manual_seed(seed)
    vae: Any = new_vae()
    vae.to(device)
    schedule = SCHEDULE if n_steps is None else replace(SCHEDULE, n_steps=n_steps)
    return vae, _steps(vae, drawings, checkpoint, seed, schedule)


def _steps(vae, drawings, checkpoint: Path, seed: int, schedule: Schedule) -> Iterator[Step]:
    import torch
    from torch.nn.functional import l1_loss

    def loss_of(step: int, generator: torch.Generator) -> torch.Tensor:
        pixels = pictures(drawings, np.random.default_rng(generator.initial_seed()), BATCH).to(vae.device)
        posterior = vae.encode(pixels).latent_dist
        drawn = vae.decode(posterior.sample(generator)).sample
        across = l1_loss(drawn.diff(dim=3), pixels.diff(dim=3)) + l1_loss(
            drawn.diff(dim=2), pixels.diff(dim=2)
        )
        return l1_loss(drawn, pixels) + _EDGES * across + _KL * posterior.kl().mean()

    return train({"vae": vae}, loss_of, schedule, seed, checkpoint)


def pictures(drawings: np.ndarray, random: np.random.Generator, n: int, side: int = 64):
    """Compose random pictures: a drawing, sometimes two, of random size and place on a plain or shaded
    ground.

    Returns:
        Values in -1..1, float32, shape (n, 3, side, side).
    """
    import torch
    from PIL import Image

    made = []
    for _ in range(n):
        ground = np.full((side, side, 3), 255.0)
        if random.random() < 0.6:
            first, second = random.uniform(20, 255, (2, 3))
            ramp = np.linspace(0, 1, side)[:, None, None] * (random.random() < 0.3)
            ground[:] = first + (second - first) * (
                ramp if random.random() < 0.5 else ramp.transpose(1, 0, 2)
            )
        picture = Image.fromarray(ground.astype(np.uint8))
        for _ in range(1 + (random.random() < 0.25)):
            size = int(random.choice([58, 42, 28])) if random.random() < 0.7 else int(random.integers(20, 64))
            drawing = Image.fromarray(drawings[random.integers(len(drawings))]).convert("RGBa")
            drawing = drawing.resize((size, size), Image.Resampling.LANCZOS).convert("RGBA")
            middle = random.random() < 0.5
            corner = ((side - size) // 2,) * 2 if middle else tuple(random.integers(0, side - size + 1, 2))
            left, top = map(int, corner)
            picture.paste(drawing, (left, top), drawing)
        pixels = np.asarray(picture, np.float32)
        made.append(pixels[:, ::-1] if random.random() < 0.5 else pixels)
    return torch.from_numpy(np.stack(made)).permute(0, 3, 1, 2).contiguous() / 127.5 - 1
