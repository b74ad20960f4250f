"""Train the base: the transformer, on independent panels, first mostly alone and then mostly side by side."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lab.images.concepts import STYLES, concepts
from lab.images.emoji import Atlas
from lab.images.flow import noised, pack, positions, times
from lab.images.grid import Grid
from lab.images.panels import BACKGROUNDS, SIZES, Panel, draw
from lab.images.text import read
from lab.images.train.contents import PANELS_PER_WORKER, Canvas, grid_of, independent_canvas
from lab.training.loop import Schedule, Step, train

if TYPE_CHECKING:
    import torch

N_WORKERS = 2


@dataclass(frozen=True)
class Stage:
    """A part of the base's training.

    Args:
        schedule: Steps and rates.
        p_single: How often a batch is of single panels, at the stage's beginning and at its end.
    """

    schedule: Schedule
    p_single: tuple[float, float]

    def p_single_at(self, step: int) -> float:
        """Return how often a batch is of single panels at a step."""
        first, last = self.p_single
        return first + step / self.schedule.n_steps * (last - first)


ALONE = Stage(Schedule(n_steps=9_000, rate=2e-3, n_warmup=150, flat=0.45, ema=0.999), (0.85, 0.4))
"""Learns what things look like."""
TOGETHER = Stage(Schedule(n_steps=6_500, rate=1.5e-3, n_warmup=100, flat=0.4, ema=0.999), (0.25, 0.25))
"""Goes on from there, and learns which text is of which panel."""
LONGER = Stage(Schedule(n_steps=7_000, rate=1.5e-3, n_warmup=100, flat=0.35, ema=0.999), (0.3, 0.3))
"""Goes on once more, for sharper drawings."""


@dataclass(frozen=True)
class LatentTable:
    """The latents of every panel that can be described, normalised.

    Args:
        latents: float16, shape (concepts, styles, backgrounds, sizes, 8, 16, 16).
    """

    latents: "torch.Tensor"

    def of(self, panel: Panel) -> "torch.Tensor":
        """Return a panel's latents, float32, shape (8, 16, 16)."""
        words = _places()
        place = (
            words[panel.word],
            STYLES.index(panel.style),
            list(BACKGROUNDS).index(panel.background),
            list(SIZES).index(panel.size),
        )
        return self.latents[place].float()

    def canvas(self, grid: Grid, panels: tuple[Panel, ...]) -> "torch.Tensor":
        """Return the latents of panels on a canvas, shape (8, 16 · rows, 16 · columns)."""
        import torch

        cells = [self.of(panel) for panel in panels]
        rows = [
            torch.cat(cells[start : start + grid.columns], dim=2)
            for start in range(0, grid.n_panels, grid.columns)
        ]
        return torch.cat(rows, dim=1)


def latent_table(vae, drawings: Atlas) -> LatentTable:
    """Encode every panel once: 19,200 of them, some minutes on two cores."""
    import torch

    shift, scale = vae.config.shift_factor, vae.config.scaling_factor
    known = concepts()
    shape = (len(known), len(STYLES), len(BACKGROUNDS), len(SIZES))
    latents = torch.empty(*shape, vae.config.latent_channels, 16, 16, dtype=torch.float16)
    with torch.inference_mode():
        for row, concept in enumerate(known):
            for column, style in enumerate(STYLES):
                pixels = np.stack(
                    [
                        draw(Panel(concept.word, style, ground, size), drawings)
                        for ground in BACKGROUNDS
                        for size in SIZES
                    ]
                )
                values = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1
                encoded = (vae.encode(values).latent_dist.mode() - shift) * scale
                latents[row, column] = encoded.reshape(*shape[2:], *encoded.shape[1:]).half()
    return LatentTable(latents)


def train_base(
    transformer: Any,
    table: LatentTable,
    encoder: "torch.nn.Module",
    stage: Stage,
    checkpoint: Path,
    seed: int = 0,
) -> Iterator[Step]:
    """Train a transformer in place, a step a yield.

    Args:
        transformer: From `new_transformer`, or as an earlier stage left it.
        table: Latents of the panels.
        encoder: Reads the captions; it stays as it is.
        stage: What is shown, and for how long.
        checkpoint: Where the state is kept.
        seed: Seeds batches and noise.
    """

    def loss_of(step: int, generator: "torch.Generator") -> "torch.Tensor":
        random = np.random.default_rng(generator.initial_seed())
        grid = grid_of(random, stage.p_single_at(step))
        canvases = [independent_canvas(grid, random) for _ in range(round(PANELS_PER_WORKER / grid.n_panels))]
        return flow_loss(transformer, encoder, table, canvases, generator)

    modules = {"transformer": transformer}
    return train(modules, loss_of, stage.schedule, seed, checkpoint, n_workers=N_WORKERS)


def flow_loss(
    transformer: Any,
    encoder: "torch.nn.Module",
    table: LatentTable,
    canvases: list[Canvas],
    generator: "torch.Generator",
) -> "torch.Tensor":
    """Return the mean squared error of the velocity over canvases of one grid."""
    import torch

    grid = canvases[0].grid
    device = transformer.device
    clean = torch.stack([table.canvas(grid, canvas.panels) for canvas in canvases]).to(device)
    ids = positions(*clean.shape[2:]).to(device)
    clean = pack(clean)
    noise = torch.randn(clean.shape, generator=generator).to(device)
    time = times(len(clean), generator).to(device)
    text = read([canvas.caption for canvas in canvases], encoder, grid.n_tokens, is_training=True)
    with half_on_cuda(device):
        velocity = transformer(
            hidden_states=noised(clean, noise, time),
            timestep=time,
            encoder_hidden_states=text.states.to(device),
            pooled_projections=text.pooled.to(device),
            img_ids=ids,
            txt_ids=torch.zeros(grid.n_tokens, 3, device=device),
        ).sample
    return torch.nn.functional.mse_loss(velocity.float(), noise - clean)


def half_on_cuda(device: "torch.device") -> "torch.autocast":
    """Compute in bfloat16 where weights are float32, on CUDA alone."""
    import torch

    return torch.autocast("cuda", torch.bfloat16, enabled=device.type == "cuda")


def _places() -> dict[str, int]:
    return {concept.word: place for place, concept in enumerate(concepts())}
