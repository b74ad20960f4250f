"""Denoise canvases from captions, step by step, with some panels given or none.

The steps are those of a FluxPipeline: the same schedule, the same guidance, the same noise from the same seed
(a test compares the two). Written out, because a preview, a stop and the given panels need every step.

Three ways to condition on given panels, none of which the published In-Context LoRA code offers:

| mode | what happens to the given panels | like | needs |
|---|---|---|---|
| blend | after each step they become the truth, noised to its time | FluxInpaintPipeline, strength 1 | |
| context | they stay clean all the while, marked by position axis 0 = 1 | | a LoRA tuned with clean context |
| fill | the truth and a mask are further channels of every token | FluxFillPipeline | the fill branch |
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from lab.images.fill import fill_channels
from lab.images.flow import positions
from lab.images.grid import Grid
from lab.images.model import ImageModel, Text

if TYPE_CHECKING:
    import torch

Mode = Literal["blend", "context", "fill"]
MODES: tuple[Mode, ...] = ("blend", "context", "fill")
Ids = Literal["canvas", "panel"]


@dataclass(frozen=True)
class Settings:
    """How to denoise.

    Args:
        n_steps: Euler steps, 1 to 100.
        guidance: How far to go beyond the unprompted velocity; 1 does without.
        ids: Positions of the tokens: over the whole "canvas", or within each "panel", whose number is axis 0.
    """

    n_steps: int = 20
    guidance: float = 3.0
    ids: Ids = "canvas"

    def __post_init__(self):
        if not 1 <= self.n_steps <= 100:
            raise ValueError(f"n_steps must be 1 to 100, got {self.n_steps}")
        if not 0 <= self.guidance <= 30:
            raise ValueError(f"guidance must be 0 to 30, got {self.guidance}")
        if self.ids not in ("canvas", "panel"):
            raise ValueError(f"ids must be canvas or panel, got {self.ids!r}")


DEFAULT = Settings()


@dataclass(frozen=True)
class Given:
    """What is not to be drawn but kept: panels, and with a mask also parts of the other panels.

    Args:
        canvases: Pictures with the given panels in their places, uint8, shape (n, height, width, 3); what
            lies elsewhere does not count.
        is_given: Which panels, a truth value each, in reading order; not all of them.
        mode: How they enter.
        mask: For mode fill: which pixels of the other panels are to be drawn, bool, shape (height, width);
            the rest of them is shown to the model too. None draws them whole.

    Raises:
        ValueError: Nothing is left to draw, or the mask does not suit.
    """

    canvases: np.ndarray
    is_given: tuple[bool, ...]
    mode: Mode = "blend"
    mask: np.ndarray | None = None

    def __post_init__(self):
        if self.mode not in MODES:
            raise ValueError(f"mode must be one of {', '.join(MODES)}, got {self.mode!r}")
        if all(self.is_given):
            raise ValueError("every panel is given and none is left to draw: leave at least one out")
        if self.mask is None:
            return
        if self.mode != "fill":
            raise ValueError(f"a mask of pixels needs the mode fill, got {self.mode!r}; or give whole panels")
        if self.mask.dtype != bool or self.mask.ndim != 2:
            raise ValueError(
                f"mask must be bool of shape (height, width), got {self.mask.dtype} of {self.mask.shape}"
            )
        if not self.mask.any():
            raise ValueError("the mask is empty and nothing is left to draw: mark at least one pixel")

    def is_drawn(self, grid: Grid, side: int) -> np.ndarray:
        """Tell for every pixel of the canvas whether it is to be drawn, shape (height, width).

        Raises:
            ValueError: The mask has another shape, or marks pixels of a given panel.
        """
        panels = np.broadcast_to(
            ~np.array(self.is_given)[:, None, None, None], (grid.n_panels, side, side, 1)
        )
        others = grid.join(panels)[..., 0]
        if self.mask is None:
            return others
        if self.mask.shape != others.shape:
            raise ValueError(f"mask must have the canvas's shape {others.shape}, got {self.mask.shape}")
        if (self.mask & ~others).any():
            raise ValueError(
                "the mask marks pixels of a given panel: mark only the panels that are to be drawn"
            )
        return self.mask


@dataclass(frozen=True)
class Denoised:
    """A step of the sampler.

    Args:
        step: Steps done, from 1.
        n_steps: Steps in all.
        packed: The canvases as they would be if the rest of the way were straight, packed latents.
    """

    step: int
    n_steps: int
    packed: "torch.Tensor"


def sample(
    model: ImageModel,
    text: Text,
    grid: Grid,
    seeds: Sequence[int],
    settings: Settings = DEFAULT,
    given: Given | None = None,
    nothing: Text | None = None,
) -> Iterator[Denoised]:
    """Denoise one canvas a seed; the last yield holds the pictures.

    Args:
        model: The pipeline; its active adapters count.
        text: Captions, one a seed, or one for all.
        grid: The canvas.
        seeds: Each makes the noise of one canvas, whatever else is in the batch.
        settings: Steps, guidance, positions.
        given: Panels to keep.
        nothing: The empty caption, if the caller has it encoded already.

    Raises:
        ValueError: A number of captions, panels or canvases, or a mask, that does not fit; mode fill with a
            model that has no fill branch.
    """
    import torch

    n = len(seeds)
    text = _repeated(text, n)
    height, width = model.latent_size(grid)
    noise = _noise(model, grid, seeds)
    ids = token_positions(grid, height, width, settings.ids).to(model.device)
    kept = seen = None
    if given is not None:
        if len(given.is_given) != grid.n_panels:
            raise ValueError(f"{grid.n_panels} panels need as many marks, got {len(given.is_given)}")
        if len(given.canvases) not in (1, n):
            raise ValueError(f"{n} canvases need as many given pictures, got {len(given.canvases)}")
        if given.mode == "fill":
            is_drawn = np.broadcast_to(given.is_drawn(grid, model.side), given.canvases.shape[:3])
            seen = fill_channels(model, given.canvases, is_drawn).expand(n, -1, -1)
        else:
            clean = model.to_latents(given.canvases).expand(n, -1, -1)
            is_kept = tokens_of(grid, height, width, given.is_given).to(model.device)
            kept = _Kept(is_kept, clean, noise, given.mode == "context")
    is_guided = settings.guidance != 1 and not model.is_guidance_embedded
    if is_guided:
        empty = _repeated(nothing or model.encode_text([""], grid), n)
        both = Text(
            torch.cat([text.states, empty.states]), torch.cat([text.pooled, empty.pooled]), text.positions
        )
    else:
        both = text
    if kept is not None and kept.is_context:
        ids = ids.clone()
        ids[kept.is_kept, 0] = 1
    velocity_of = _velocity(model, both, ids, settings, is_guided, seen)
    x = noise
    times = _times(model, settings.n_steps, x.shape[1])
    with torch.no_grad():
        for step, (now, then) in enumerate(pairwise(times), start=1):
            if kept is not None:
                x = kept.held(x, now)
            velocity = velocity_of(x, now)
            ahead = x - now * velocity  # after the last step, which goes to time 0, the same as x
            x = x + (then - now) * velocity
            yield Denoised(step, settings.n_steps, ahead if kept is None else kept.shown(ahead))


def draw(
    model: ImageModel,
    captions: Sequence[str],
    grid: Grid,
    seeds: Sequence[int],
    settings: Settings = DEFAULT,
    given: Given | None = None,
    batch: int = 16,
) -> np.ndarray:
    """Draw one canvas a caption and seed, uint8, shape (n, n_panels, side, side, 3)."""
    drawn = []
    nothing = model.encode_text([""], grid)
    for start in range(0, len(seeds), batch):
        part = slice(start, start + batch)
        here = given
        if given is not None and len(given.canvases) > 1:
            here = replace(given, canvases=given.canvases[part])
        text = model.encode_text(list(captions[part]), grid)
        *_, last = sample(model, text, grid, seeds[part], settings, here, nothing)
        drawn.append(grid.split(model.to_pixels(last.packed, grid)))
    return np.concatenate(drawn)


def token_positions(grid: Grid, height: int, width: int, ids: Ids = "canvas") -> "torch.Tensor":
    """Return the position of every token of a canvas of height × width latents, shape (tokens, 3)."""
    whole = positions(height, width)
    if ids == "canvas":
        return whole
    rows, columns = height // 2 // grid.rows, width // 2 // grid.columns
    panel = (whole[:, 1] // rows) * grid.columns + whole[:, 2] // columns
    whole[:, 0] = panel
    whole[:, 1] %= rows
    whole[:, 2] %= columns
    return whole


def tokens_of(grid: Grid, height: int, width: int, is_chosen: Sequence[bool]) -> "torch.Tensor":
    """Mark the tokens of the chosen panels, bool, shape (tokens,)."""
    import torch

    panel = token_positions(grid, height, width, "panel")[:, 0].long()
    return torch.tensor(list(is_chosen))[panel]


class _Kept(NamedTuple):
    """Tokens of given panels: as context they stay clean, else they are as noisy as the rest."""

    is_kept: "torch.Tensor"  # (tokens,)
    clean: "torch.Tensor"  # (n, tokens, channels)
    noise: "torch.Tensor"  # same shape
    is_context: bool

    def held(self, x: "torch.Tensor", time: float) -> "torch.Tensor":
        import torch

        held = self.clean if self.is_context else (1 - time) * self.clean + time * self.noise
        return torch.where(self.is_kept[:, None], held, x)

    def shown(self, ahead: "torch.Tensor") -> "torch.Tensor":
        import torch

        return torch.where(self.is_kept[:, None], self.clean, ahead)


def _velocity(model: ImageModel, text: Text, ids, settings: Settings, is_guided: bool, seen=None):
    import torch

    transformer = model.transformer if seen is None else model.fill_transformer
    n = len(text.states)
    guidance = None
    if model.is_guidance_embedded:
        guidance = torch.full([n], settings.guidance, device=model.device, dtype=torch.float32)

    def velocity_of(x: torch.Tensor, time: float) -> torch.Tensor:
        tokens = x if seen is None else torch.cat([x, seen], dim=2)
        tokens = torch.cat([tokens, tokens]) if is_guided else tokens
        answer = transformer(
            hidden_states=tokens,
            timestep=torch.full([n], time, device=x.device, dtype=x.dtype),
            guidance=guidance,
            encoder_hidden_states=text.states,
            pooled_projections=text.pooled,
            img_ids=ids,
            txt_ids=text.positions,
        ).sample
        if not is_guided:
            return answer
        prompted, plain = answer.chunk(2)
        return plain + settings.guidance * (prompted - plain)

    return velocity_of


def _times(model: ImageModel, n_steps: int, n_tokens: int) -> list[float]:
    """Return the times of the steps from 1 to 0, as the pipeline's scheduler sets them."""
    from diffusers.pipelines.flux.pipeline_flux import calculate_shift

    scheduler = model.pipeline.scheduler
    config = scheduler.config
    shift = calculate_shift(
        n_tokens, config.base_image_seq_len, config.max_image_seq_len, config.base_shift, config.max_shift
    )
    scheduler.set_timesteps(sigmas=np.linspace(1.0, 1 / n_steps, n_steps), device="cpu", mu=shift)
    return [float(sigma) for sigma in scheduler.sigmas]


def _noise(model: ImageModel, grid: Grid, seeds: Sequence[int]):
    import torch

    from lab.images.flow import pack

    n_channels = model.pipeline.vae.config.latent_channels
    shape = (1, n_channels, *model.latent_size(grid))
    drawn = [torch.randn(shape, generator=torch.Generator().manual_seed(int(seed))) for seed in seeds]
    return pack(torch.cat(drawn)).to(model.device, model.dtype)


def _repeated(text: Text, n: int) -> Text:
    if len(text.states) == n:
        return text
    if len(text.states) != 1:
        raise ValueError(f"{n} canvases need as many captions, got {len(text.states)}")
    return Text(text.states.expand(n, -1, -1), text.pooled.expand(n, -1), text.positions)
