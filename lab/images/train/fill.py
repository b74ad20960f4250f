"""Train the fill branch: the base's transformer, widened to see a canvas with holes, learns to fill them.

It is shown canvases of independent panels, as the base was, and in between some on which one thing stands in
every panel, as things come again in photographs. Their captions do not differ, so that only the panels that
are seen tell which kind it is. That does not teach it to look: three branches that saw ever more repetition
(none, on 29 % and on 60 % of canvases of several panels) drew the subject in at most 2 of 48 pairs. So it
goes on with canvases of two panels, most of which hold one thing twice while the caption does not name it;
it learns to copy, though well only what is large, and goes on with things of all sizes (`train_copying`).

Source of the channels: FluxFillPipeline of diffusers, see `lab.images.fill`.
"""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lab.images.components import N_FILL
from lab.images.cutout import SHAPES, mask_of
from lab.images.emoji import Atlas
from lab.images.fill import fill_channels
from lab.images.flow import noised, positions, times
from lab.images.grid import STACK, Grid
from lab.images.model import ImageModel
from lab.images.panels import draw
from lab.images.text import read
from lab.images.train.base import N_WORKERS, half_on_cuda
from lab.images.train.contents import (
    PANELS_PER_WORKER,
    Canvas,
    grid_of,
    independent_canvas,
    repeating_canvas,
)
from lab.training.loop import Schedule, Step, train

if TYPE_CHECKING:
    import torch

SCHEDULE = Schedule(n_steps=2_000, rate=1e-3, n_warmup=100, flat=0.5, ema=0.998)
COPYING = Schedule(n_steps=600, rate=1e-3, n_warmup=20, flat=0.6, ema=0.99)
RESIZING = Schedule(n_steps=900, rate=1e-3, n_warmup=20, flat=0.5, ema=0.99)
N_COPYING = 12  # canvases a step
_P_COPYING = 0.7  # of them: the thing in the hole is the one in the other panel
_P_COPY_SIZE = {False: 0.4, True: 0.6}  # of these: in the same size, by whether all sizes are as frequent
_P_REPEATING = 0.6  # of canvases of several panels
_P_SAME = 0.7  # of panels' texts: "the same thing" for what is shown
_P_STACK = 0.5  # of batches: the grid that the brush draws on
_P_ALL = 0.15  # of masks: a hole in every panel
_P_WHOLE = 0.4  # of masks: whole panels; the others are boxes and ellipses
_SMALLEST, _LARGEST = 25.0, 90.0  # width and height of these in percent of the panel's


class Holed(NamedTuple):
    """Canvases of one grid, their captions, and what of them is to be drawn."""

    grid: Grid
    canvases: np.ndarray  # uint8, (n, height, width, 3)
    captions: list[str]
    is_drawn: np.ndarray  # bool, (n, height, width)


def widened(transformer: Any) -> Any:
    """Return a copy of a FluxTransformer2DModel that takes the fill branch's channels.

    The weights of the further channels are zero: whatever these hold, it predicts what the original does.
    """
    import torch
    from torch import nn

    wide = copy.deepcopy(transformer)
    narrow = wide.x_embedder
    wide.x_embedder = nn.Linear(N_FILL, narrow.out_features).to(narrow.weight)
    with torch.no_grad():
        wide.x_embedder.weight.zero_()
        wide.x_embedder.weight[:, : narrow.in_features] = narrow.weight
        wide.x_embedder.bias.copy_(narrow.bias)
    # where none is set, out_channels means in_channels, which no longer holds
    wide.register_to_config(in_channels=N_FILL, out_channels=wide.out_channels)
    return wide.requires_grad_(True)


def train_fill(
    model: ImageModel, drawings: Atlas, checkpoint: Path | None, seed: int = 0, schedule: Schedule = SCHEDULE
) -> tuple[Any, Iterator[Step]]:
    """Return the fill transformer and the steps that train it.

    Args:
        model: The trained base; it stays as it is, its autoencoder and text encoder encode.
        drawings: What panels are made of.
        checkpoint: Where the state is kept; None keeps nothing.
        seed: Seeds batches, masks and noise.
        schedule: Steps and rates.
    """
    wide = widened(model.transformer).float()

    def loss_of(step: int, generator: "torch.Generator") -> "torch.Tensor":
        batch = random_batch(drawings, np.random.default_rng(generator.initial_seed()))
        return fill_loss(wide, model, batch, generator)

    return wide, train({"fill": wide}, loss_of, schedule, seed, checkpoint, n_workers=N_WORKERS)


def train_copying(
    model: ImageModel,
    drawings: Atlas,
    checkpoint: Path | None,
    seed: int = 0,
    schedule: Schedule = COPYING,
    is_any_size: bool = False,
) -> tuple[Any, Iterator[Step]]:
    """Return a copy of a model's fill branch and the steps that teach it to look at the other panel."""
    wide = copy.deepcopy(model.fill_transformer).float().requires_grad_(True)

    def loss_of(step: int, generator: "torch.Generator") -> "torch.Tensor":
        batch = copying_batch(drawings, np.random.default_rng(generator.initial_seed()), is_any_size)
        return fill_loss(wide, model, batch, generator, is_hole_stressed=True)

    return wide, train({"fill": wide}, loss_of, schedule, seed, checkpoint)


def copying_batch(drawings: Atlas, random: np.random.Generator, is_any_size: bool = False) -> Holed:
    """Draw stacks of two with a hole in one panel; in most of them the other shows what belongs there."""
    made = [
        repeating_canvas(STACK, random, 1.0, 1.0, _P_COPY_SIZE[is_any_size], is_any_size)
        if random.random() < _P_COPYING
        else independent_canvas(STACK, random, 0.0)
        for _ in range(N_COPYING)
    ]
    return _holed(STACK, made, drawings, random, p_all=0.0)


def fill_loss(
    transformer: Any,
    model: ImageModel,
    batch: Holed,
    generator: "torch.Generator",
    is_hole_stressed: bool = False,
) -> "torch.Tensor":
    """Return the mean squared error of the velocity, of what is seen as of what is to be drawn.

    Args:
        transformer: The fill branch.
        model: Encodes pictures and captions.
        batch: What is learned from.
        generator: Draws noise and times.
        is_hole_stressed: Whether the mean over what is to be drawn is added once more.
    """
    import torch

    device = transformer.device
    clean = model.to_latents(batch.canvases).to(device).float()
    noise = torch.randn(clean.shape, generator=generator).to(device)
    time = times(len(clean), generator).to(device)
    seen = fill_channels(model, batch.canvases, batch.is_drawn).to(clean)
    text = read(batch.captions, model.pipeline.text_encoder, batch.grid.n_tokens, is_training=True)
    with half_on_cuda(device):
        velocity = transformer(
            hidden_states=torch.cat([noised(clean, noise, time), seen], dim=2),
            timestep=time,
            encoder_hidden_states=text.states.to(clean),
            pooled_projections=text.pooled.to(clean),
            img_ids=positions(*model.latent_size(batch.grid)).to(device),
            txt_ids=torch.zeros(batch.grid.n_tokens, 3, device=device),
        ).sample
    errors = (velocity.float() - (noise - clean)).square().mean(2)
    if not is_hole_stressed:
        return errors.mean()
    holes = _tokens_of(batch.is_drawn, model).to(errors)
    return errors.mean() + (errors * holes).sum() / holes.sum()


def _tokens_of(is_drawn: np.ndarray, model: ImageModel) -> "torch.Tensor":
    """Tell which tokens hold a pixel of masks (n, height, width), 0 or 1, shape (n, tokens)."""
    import torch

    side = 2 * model.pipeline.vae_scale_factor
    n, height, width = is_drawn.shape
    cells = is_drawn.reshape(n, height // side, side, width // side, side).any((2, 4))
    return torch.from_numpy(cells.reshape(n, -1))


def random_batch(drawings: Atlas, random: np.random.Generator) -> Holed:
    """Draw canvases of one grid and a mask for each."""
    grid = STACK if random.random() < _P_STACK else grid_of(random)
    made = [_canvas(grid, random) for _ in range(round(PANELS_PER_WORKER / grid.n_panels))]
    return _holed(grid, made, drawings, random, _P_ALL)


def _holed(
    grid: Grid, made: list[Canvas], drawings: Atlas, random: np.random.Generator, p_all: float
) -> Holed:
    pixels = np.stack([[draw(panel, drawings) for panel in canvas.panels] for canvas in made])
    masks = np.stack([random_mask(grid, pixels.shape[2], random, p_all) for _ in made])
    return Holed(grid, grid.join(pixels), [canvas.caption for canvas in made], masks)


def random_mask(grid: Grid, side: int, random: np.random.Generator, p_all: float = _P_ALL) -> np.ndarray:
    """Draw what is to be filled: some panels, now and then all, each whole, or a box or an ellipse in it.

    Returns:
        Bool, shape (height, width), true somewhere.
    """
    is_all = grid.n_panels == 1 or random.random() < p_all
    n_chosen = grid.n_panels if is_all else random.integers(1, grid.n_panels)
    panels = np.zeros((grid.n_panels, side, side, 1), bool)
    is_whole = random.random() < _P_WHOLE
    for place in random.permutation(grid.n_panels)[:n_chosen]:
        panels[place, ..., 0] = True if is_whole else _random_shape(side, random)
    return grid.join(panels)[..., 0]


def _canvas(grid: Grid, random: np.random.Generator) -> Canvas:
    is_repeating = grid.n_panels > 1 and random.random() < _P_REPEATING
    return (repeating_canvas if is_repeating else independent_canvas)(grid, random, _P_SAME)


def _random_shape(side: int, random: np.random.Generator) -> np.ndarray:
    width, height = random.uniform(_SMALLEST, _LARGEST, 2)
    left, top = random.uniform(0, 100 - width), random.uniform(0, 100 - height)
    return mask_of(str(random.choice(SHAPES)), left, top, width, height, side)
