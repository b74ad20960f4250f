"""Tiny worlds: steps of training a second, beside what operations and peak allow and a plain PyTorch loop.

All on one thread, as learners are trained in the app. The plain loop trains `nn.TransformerEncoder` of the
same width, depth and heads on the same batches: what a person would write first.
"""

import statistics
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from benchmarks.peak import peak_flops
from lab.ui.worlds.rooms import ROOMS, Room
from lab.worlds.growth import N_MEASURED, Growth, one_thread
from lab.worlds.world import World

if TYPE_CHECKING:
    import torch

    from lab.worlds.core.learner import Learner

N_TURNS, N_STEPS = 6, 20  # both loops take turns, so that what else the machine does falls on both


def measure(_n_queries: int) -> dict[str, dict]:
    """Measure the first preset of every world, and what the others' steps add up to."""
    import torch

    with one_thread():
        peak = peak_flops(torch.float32, "cpu")
        found = {}
        for room in ROOMS:
            found |= _of_room(room, peak)
    for figure in found.values():
        figure["detail"] |= {"peak_gflops": peak / 1e9, "threads": 1}
    return found


def _of_room(room: Room, peak: float) -> dict[str, dict]:
    import torch

    world = room.world(room.settings())
    growth = Growth(world, 0)
    ours, plain = _advance(growth), _plain_steps(world) if room.has_heads else None
    seconds: dict[str, list[float]] = {"ours": [], "plain": []}
    for _ in range(N_TURNS + 1):
        for name, steps in (("ours", ours), ("plain", plain)):
            if steps is not None:
                started = time.perf_counter()
                for _ in range(N_STEPS):
                    next(steps)
                seconds[name].append((time.perf_counter() - started) / N_STEPS)
    a_step = statistics.median(seconds["ours"][1:])  # the first turn warms up
    bound = peak / flops_a_step(world, growth.learner)
    started = time.perf_counter()
    with torch.no_grad():
        world.measure(growth.learner)
    a_measure = time.perf_counter() - started
    whole = max(
        room.settings(**preset.settings).n_steps * a_step + N_MEASURED * a_measure  # type: ignore[attr-defined]
        for preset in room.presets
    )
    detail = {"seconds_a_step": seconds["ours"][1:], "n": N_TURNS * N_STEPS, "bound": bound}
    found = {
        f"{room.id}.steps_a_second": {
            "value": 1 / a_step,
            "unit": "steps/s",
            "goal": None,
            "detail": detail | {"share_of_bound": 1 / a_step / bound},
        },
        f"{room.id}.longest_preset_seconds": {
            "value": whole,
            "unit": "s, estimated from steps and measures",
            "goal": 180,
            "detail": {"seconds_a_measure": a_measure},
        },
    }
    if plain is not None:
        ratio = statistics.median(
            theirs / mine for theirs, mine in zip(seconds["plain"][1:], seconds["ours"][1:], strict=True)
        )
        found[f"{room.id}.against_plain_loop"] = {
            "value": ratio,
            "unit": "× as fast",
            "goal": 1.0,
            "detail": {"seconds_a_step": seconds["plain"][1:]},
        }
    return found


def flops_a_step(world: World, learner: "Learner") -> float:
    """Count the operations of a step: products of matrices, forward and backward."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    batch = world.sample(world.n_batch, torch.Generator().manual_seed(0))
    # a watched pattern is computed in products that the counter knows
    watched = {name: _same for name in learner.body.hook_names if name.endswith("hook_pattern")}  # type: ignore[union-attr]
    with FlopCounterMode(display=False) as counter:
        world.loss(learner, batch, watched).backward()
    learner.zero_grad()
    return counter.get_total_flops()


def _same(value: "torch.Tensor") -> "torch.Tensor":
    return value


def _advance(growth: Growth) -> Iterator[None]:
    for _ in growth._steps():
        yield


def _plain_steps(world: World) -> Iterator[None]:
    """Train PyTorch's own encoder in the place of a world's body, step by step."""
    import torch
    from torch import nn

    learner = world.build()
    config = learner.body.config  # type: ignore[union-attr]
    layer = nn.TransformerEncoderLayer(
        config.d_model, config.n_heads, config.d_mlp or 1, 0.0, "gelu", batch_first=True, norm_first=True
    )

    class Body(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = nn.TransformerEncoder(layer, config.n_layers, nn.LayerNorm(config.d_model), False)

        def forward(self, x, hooks=None, cache=None, at=slice(None)):
            mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1])
            return self.encoder(x, mask if config.is_causal else None, is_causal=config.is_causal)[:, at]

    learner.body = Body()
    schedule = world.schedule
    optimiser = torch.optim.AdamW(learner.parameters(), schedule.rate, weight_decay=schedule.decay)
    generator = torch.Generator().manual_seed(0)
    learner.train()
    while True:
        batch = world.sample(world.n_batch, generator)
        optimiser.zero_grad()
        world.loss(learner, batch, {}).backward()
        nn.utils.clip_grad_norm_(learner.parameters(), schedule.clip)
        optimiser.step()
        yield
