"""Tune a LoRA on a few dozen sets: the whole of In-Context LoRA's method is in what a canvas shows.

Each set is one canvas with one joint caption; a low-rank adapter of the transformer learns to draw such
canvases. With clean context, half of the steps keep some panels clean and mark them (position axis 0 = 1), so
that the adapter also learns to complete sets whose first panels are given.

Source: Huang et al. 2024 (arXiv:2410.23775), section 3.3; its released configuration: rank 16, alpha 16,
caption dropout 0.05, moving average 0.99.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lab.images.flow import noised, times
from lab.images.model import ImageModel, Text
from lab.images.sampler import token_positions
from lab.images.sets import ImageSet
from lab.training.loop import Schedule, Step, train

if TYPE_CHECKING:
    import torch

TARGETS = (
    r".*(attn\.(to_q|to_k|to_v|to_out\.0|add_q_proj|add_k_proj|add_v_proj|to_add_out)"
    r"|ff(_context)?\.net\.(0\.proj|2)|blocks\.\d+\.(proj_mlp|proj_out))$"
)
"""Every linear layer of the blocks; the transformer's own last `proj_out` is left alone, hence the digits."""
MIN_SETS, MAX_SETS = 5, 100

AddAdapter = Callable[[ImageModel, str, int, int], None]
"""Adds an adapter to a model under a name, given rank and seed; what then asks for gradients is trained."""


@dataclass(frozen=True)
class TuneSettings:
    """How to tune.

    Args:
        rank: Rank of the adapter, 1 to 64; its alpha is the same, so that strength 1 means as tuned.
        n_steps: Optimiser steps, 1 to 5000.
        rate: Learning rate at the start; it falls linearly.
        batch: Canvases a step, 1 to 64.
        p_dropout: How often a caption is left out.
        p_clean: How often some panels are kept clean as context; 0 tunes as published.
        seed: Seeds the adapter, batches and noise.
    """

    rank: int = 16
    n_steps: int = 300
    rate: float = 2e-3
    batch: int = 8
    p_dropout: float = 0.05
    p_clean: float = 0.5
    seed: int = 0

    def __post_init__(self):
        for name, low, high in (("rank", 1, 64), ("n_steps", 1, 5000), ("batch", 1, 64)):
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} must be {low} to {high}, got {getattr(self, name)}")
        if not 0 < self.rate <= 0.1:
            raise ValueError(f"rate must be above 0 and at most 0.1, got {self.rate}")
        for name in ("p_dropout", "p_clean"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be 0 to 1, got {getattr(self, name)}")

    @property
    def schedule(self) -> Schedule:
        """Warm up over a twentieth of the steps, then fall linearly to a twentieth of the rate."""
        warmup = max(1, self.n_steps // 20)
        return Schedule(self.n_steps, self.rate, warmup, flat=0.0, floor=0.05, decay=0.0, ema=0.98)


@dataclass(frozen=True)
class Prepared:
    """Sets as the transformer sees them: encoded once, before the first step."""

    clean: "torch.Tensor"
    text: Text
    nothing: Text
    positions: "torch.Tensor"
    panel_of_token: "torch.Tensor"


def prepare(model: ImageModel, sets: Sequence[ImageSet]) -> Prepared:
    """Encode sets of one grid.

    Raises:
        ValueError: No set, or sets of several grids.
    """
    if not sets:
        raise ValueError("there is no set to tune on; add at least one")
    grid = sets[0].grid
    if any(each.grid != grid for each in sets):
        raise ValueError("the sets have different grids; tune on sets of one grid")
    height, width = model.latent_size(grid)
    return Prepared(
        clean=model.to_latents(np.stack([each.canvas for each in sets])),
        text=model.encode_text([each.caption for each in sets], grid),
        nothing=model.encode_text([""], grid),
        positions=token_positions(grid, height, width).to(model.device),
        panel_of_token=token_positions(grid, height, width, "panel")[:, 0].long().to(model.device),
    )


def tune(
    model: ImageModel,
    sets: Sequence[ImageSet],
    settings: TuneSettings,
    name: str,
    checkpoint=None,
    add: "AddAdapter | None" = None,
) -> Iterator[Step]:
    """Add an adapter called `name` to the model and train it, a step a yield; stopping early keeps it.

    Args:
        model: A model; its own weights stay as they are.
        sets: Sets of one grid.
        settings: Rank, steps, rates.
        name: The adapter's name, not one that the model already has.
        checkpoint: Where to keep the state, to go on from after a break; None keeps nothing.
        add: What adds the adapter; None takes `add_adapter`.

    Raises:
        ValueError: The name is taken, or the sets do not fit together.
        FloatingPointError: The loss is no longer finite.
    """
    import torch

    prepared = prepare(model, sets)
    (add or add_adapter)(model, name, settings.rank, settings.seed)
    transformer = model.transformer
    n = len(prepared.clean)
    n_panels = int(prepared.panel_of_token.max()) + 1

    def loss_of(step: int, generator: torch.Generator) -> torch.Tensor:
        rows = torch.randint(n, (settings.batch,), generator=generator)
        clean = prepared.clean[rows]
        noise = torch.randn(clean.shape, generator=generator).to(clean)
        time = times(len(rows), generator).to(clean)
        mixed, ids = noised(clean, noise, time), prepared.positions
        counts = torch.ones(len(ids), dtype=torch.bool, device=clean.device)
        if n_panels > 1 and torch.rand(1, generator=generator).item() < settings.p_clean:
            given = _some_but_not_all(n_panels, generator).to(clean.device)[prepared.panel_of_token]
            mixed = torch.where(given[:, None], clean, mixed)
            ids = ids.clone()
            ids[given, 0] = 1
            counts = ~given
        states, pooled = prepared.text.states[rows], prepared.text.pooled[rows]
        is_dropped = (torch.rand(len(rows), generator=generator) < settings.p_dropout).to(clean.device)
        states = torch.where(is_dropped[:, None, None], prepared.nothing.states, states)
        pooled = torch.where(is_dropped[:, None], prepared.nothing.pooled, pooled)
        velocity = transformer(
            hidden_states=mixed,
            timestep=time,
            encoder_hidden_states=states,
            pooled_projections=pooled,
            img_ids=ids,
            txt_ids=prepared.text.positions,
            guidance=torch.ones_like(time) if model.is_guidance_embedded else None,
        ).sample
        return ((velocity.float() - (noise - clean).float()) ** 2)[:, counts].mean()

    return train({"transformer": transformer}, loss_of, settings.schedule, settings.seed, checkpoint)


def add_adapter(model: ImageModel, name: str, rank: int, seed: int = 0) -> None:
    """Add a fresh adapter (B = 0, so that it changes nothing yet) and make it the only active one."""
    import torch
    from peft import LoraConfig

    transformer = model.transformer
    if name in getattr(transformer, "peft_config", {}):
        raise ValueError(f"there is already an adapter called {name!r}; choose another name")
    torch.manual_seed(seed)
    transformer.requires_grad_(False)
    transformer.add_adapter(
        LoraConfig(r=rank, lora_alpha=rank, init_lora_weights="gaussian", target_modules=TARGETS), name
    )
    transformer.set_adapter(name)
    transformer.enable_adapters()  # they may have been switched off to draw with the base alone
    for key, parameter in transformer.named_parameters():
        parameter.requires_grad_(f".{name}." in key)
        if parameter.requires_grad:
            parameter.data = parameter.data.float()  # small steps vanish in bfloat16


def _some_but_not_all(n_panels: int, generator: "torch.Generator") -> "torch.Tensor":
    import torch

    given = torch.rand(n_panels, generator=generator) < 0.5
    free = torch.randint(n_panels, (1,), generator=generator)
    given[(free + 1) % n_panels] = True
    given[free] = False
    return given
