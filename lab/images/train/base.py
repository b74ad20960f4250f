"""Train the base: the transformer, on canvases of independent panels."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lab.images.components import new_transformer
from lab.images.concepts import STYLES, concepts
from lab.images.emoji import Atlas
from lab.images.flow import noised, pack, positions, times
from lab.images.grid import Grid
from lab.images.panels import BACKGROUNDS, SIZES, Panel, draw
from lab.images.text import read
from lab.images.train.contents import PANELS_PER_WORKER, Canvas, grid_of, independent_canvas
from lab.images.train.loop import Schedule, Step, train

if TYPE_CHECKING:
    import torch

N_WORKERS = 2
SCHEDULE = Schedule(n_steps=9_000, rate=2e-3, n_warmup=150, flat=0.45, ema=0.999)


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
    table: LatentTable,
    encoder: "torch.nn.Module",
    checkpoint: Path,
    seed: int = 0,
    schedule: Schedule = SCHEDULE,
) -> tuple[Any, Iterator[Step]]:
    """Return the transformer and the steps that train it.

    Args:
        table: Latents of the panels.
        encoder: Reads the captions; it stays as it is.
        checkpoint: Where the state is kept.
        seed: Seeds weights, batches and noise.
        schedule: Steps and rates.
    """
    import torch

    torch.manual_seed(seed)
    transformer: Any = new_transformer()

    def loss_of(step: int, generator: torch.Generator) -> torch.Tensor:
        random = np.random.default_rng(generator.initial_seed())
        grid = grid_of(random, step / schedule.n_steps)
        canvases = [independent_canvas(grid, random) for _ in range(round(PANELS_PER_WORKER / grid.n_panels))]
        return flow_loss(transformer, encoder, table, canvases, generator)

    modules = {"transformer": transformer}
    return transformer, train(modules, loss_of, schedule, seed, checkpoint, n_workers=N_WORKERS)


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
    clean = torch.stack([table.canvas(grid, canvas.panels) for canvas in canvases])
    ids = positions(*clean.shape[2:])
    clean = pack(clean)
    noise = torch.randn(clean.shape, generator=generator)
    time = times(len(clean), generator)
    text = read([canvas.caption for canvas in canvases], encoder, grid.n_tokens, is_training=True)
    velocity = transformer(
        hidden_states=noised(clean, noise, time),
        timestep=time,
        encoder_hidden_states=text.states,
        pooled_projections=text.pooled,
        img_ids=ids,
        txt_ids=torch.zeros(grid.n_tokens, 3),
    ).sample
    return torch.nn.functional.mse_loss(velocity, noise - clean)


def shortened(schedule: Schedule, n_steps: int) -> Schedule:
    """Return the same schedule over fewer steps."""
    return replace(schedule, n_steps=n_steps, n_warmup=min(schedule.n_warmup, max(1, n_steps // 10)))


def _places() -> dict[str, int]:
    return {concept.word: place for place, concept in enumerate(concepts())}
