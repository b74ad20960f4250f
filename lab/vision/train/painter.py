"""Train Painter's network on pairs of pictures of shapes, by operations that are not held out."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lab.training.ahead import drawing
from lab.training.loop import Schedule, Step, train
from lab.vision.backbone import centred
from lab.vision.operations import Operation, fitting_view, operations, random_palette, telling_view
from lab.vision.painter import PATCH, Pair, new_painter
from lab.vision.shapes import SIDE

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Stage:
    """A stage of the training.

    Args:
        schedule: Steps and rates.
        n_shown: Pairs, each with a picture, that a worker draws for a step.
        n_workers: See `train`.
        p_segment: Share of operations that segment.
        moves: How many times as often as another change one is drawn that moves what a picture shows.
        p_telling: Share of pairs that are staged to tell their operation, and of pictures that are asked of.
        p_scattered: Share of steps in which patches of both outputs are hidden at random, as in the paper.
        emphasis: How much more a pixel counts that stands out from its picture's ground; 0 as in the paper.
        is_both_ways: Whether what is asked is then shown as the pair, and the pair is asked.
    """

    schedule: Schedule
    n_shown: int = 128
    n_workers: int = 1
    p_segment: float = 0.6
    moves: int = 1
    p_telling: tuple[float, float] = (0.8, 0.0)
    p_scattered: float = 0.25
    emphasis: float = 0.0
    is_both_ways: bool = False


PLAIN = Stage(Schedule(n_steps=9_000, rate=1e-3, n_warmup=400, flat=0.4, decay=0.05, ema=0.999))
"""Every pixel counts the same, as in the paper: colours and tones are learnt, small things are left out."""
EMPHASISED = Stage(
    Schedule(n_steps=1_300, rate=8e-4, n_warmup=100, flat=0.3, decay=0.05, ema=0.997),
    p_segment=0.7, moves=4, p_telling=(0.7, 0.5), p_scattered=0.1, emphasis=6.0, is_both_ways=True,
)  # fmt: skip
"""What stands out from the ground counts more."""
LONGER = replace(
    EMPHASISED, schedule=replace(EMPHASISED.schedule, n_steps=7_800, n_warmup=200, flat=0.45, ema=0.998)
)
LAST = replace(LONGER, schedule=replace(LONGER.schedule, n_steps=2_800, rate=6e-4, n_warmup=150, flat=0.2))
"""Both go on in the same way, with other pictures."""
MOVES = ("mirror", "flip", "turn")
_P_COMBINED = 0.25  # of operations that segment: a shape and a colour at once
_SHARE_SCATTERED = 0.6


def on_two_cores(stage: Stage) -> Stage:
    """Return a stage with as many steps that are shown a quarter."""
    return replace(stage, n_shown=16, n_workers=2)


class Shown(NamedTuple):
    """A pair, and a picture with what should become of it."""

    pair: Pair
    query: Pair


class Batch(NamedTuple):
    """What a step shows: pictures, uint8, shape (n, 64, 64, 3) each, and what of both outputs is hidden.

    Args:
        before: Of the pairs.
        after: What became of them.
        picture: What is asked.
        answer: What should become of it.
        hidden: By patch of the pair's output, then of the answer, bool, shape (n, 2 × 64).
    """

    before: np.ndarray
    after: np.ndarray
    picture: np.ndarray
    answer: np.ndarray
    hidden: np.ndarray


def train_painter(
    checkpoint: Path | None,
    seed: int = 0,
    stage: Stage = PLAIN,
    network: Any = None,
    device: str = "cpu",
    n_processes: int = 0,
) -> tuple[Any, Iterator[Step]]:
    """Return a network and the steps that train it; read the steps to the end before using it.

    Args:
        checkpoint: Where the state is kept; None keeps nothing.
        seed: Seeds weights and pictures.
        stage: How it is trained.
        network: None takes a new one.
        device: Where it is trained.
        n_processes: Processes that draw the pictures, for a stage of one worker; what they draw does not
            depend on it.

    Raises:
        ValueError: Processes are to draw for several workers.
    """
    if n_processes and stage.n_workers > 1:
        raise ValueError(f"processes draw for one worker, got {stage.n_workers}: set n_workers to 1")
    import torch

    torch.manual_seed(seed)
    chosen = (network if network is not None else new_painter()).to(device)

    def steps() -> Iterator[Step]:
        with drawing(partial(draw, stage), seed, n_processes) as ahead:

            def loss_of(step: int, generator: torch.Generator) -> torch.Tensor:
                return painter_loss(chosen, ahead.of(step, generator), stage.emphasis)

            modules = {"painter": chosen}
            yield from train(modules, loss_of, stage.schedule, seed, checkpoint, n_workers=stage.n_workers)

    return chosen, steps()


def draw(stage: Stage, seed: int) -> Batch:
    """Draw what a step shows."""
    random = np.random.default_rng(seed)
    found = [shown(drawn_operation(random, stage), random, stage) for _ in range(stage.n_shown)]
    n = stage.n_shown * (2 if stage.is_both_ways else 1)
    n_patches = 2 * (SIDE // PATCH) ** 2
    hidden = np.zeros((n, n_patches), bool)
    if random.random() < stage.p_scattered:
        hidden[:] = random.random(hidden.shape) < _SHARE_SCATTERED
    else:
        hidden[:, n_patches // 2 :] = True
    found += [Shown(each.query, each.pair) for each in found] if stage.is_both_ways else []
    return Batch(
        before=np.stack([each.pair.before for each in found]),
        after=np.stack([each.pair.after for each in found]),
        picture=np.stack([each.query.before for each in found]),
        answer=np.stack([each.query.after for each in found]),
        hidden=hidden,
    )


def drawn_operation(random: np.random.Generator, stage: Stage = PLAIN) -> Operation:
    """Draw an operation that is not held out."""
    seen = [each for each in operations() if not each.is_held_out]
    is_segmenting = random.random() < stage.p_segment
    kind = [each for each in seen if (each.kind == "segment") == is_segmenting]
    if is_segmenting:
        is_combined = random.random() < _P_COMBINED
        kind = [each for each in kind if (len(each.wanted) == 2) == is_combined]
    else:
        kind += [each for each in kind if each.id in MOVES] * (stage.moves - 1)
    return kind[random.integers(len(kind))]


def shown(operation: Operation, random: np.random.Generator, stage: Stage = PLAIN) -> Shown:
    """Draw a pair that shows an operation, and a picture that it is asked of, painted in the same colours."""
    palette = random_palette(random)
    views = [
        (telling_view if random.random() < chance else fitting_view)(operation, random)
        for chance in stage.p_telling
    ]
    pair, query = (Pair(*operation.pair(view, palette, random)) for view in views)
    return Shown(pair, query)


def painter_loss(network: Any, batch: Batch, emphasis: float = 0.0) -> "torch.Tensor":
    """Return the smooth L1 distance over what is hidden: all of what is asked, or patches of both outputs.

    Args:
        network: From `new_painter`.
        batch: What is shown, asked and hidden.
        emphasis: How much more a pixel counts that stands out from the ground of the output, and half as much
            one that does in the input. A picture's ground has the colour of its corner.
    """
    import torch
    from torch.nn.functional import smooth_l1_loss

    inputs, outputs = (
        [centred(pictures, network.device) for pictures in both]
        for both in ((batch.before, batch.picture), (batch.after, batch.answer))
    )
    hidden = torch.from_numpy(batch.hidden).to(network.device)
    painted = network(
        pixel_values=inputs[1],
        prompt_pixel_values=inputs[0],
        prompt_masks=outputs[0],
        labels=outputs[1],
        bool_masked_pos=hidden,
    ).pred_masks
    side = SIDE // PATCH
    weights = (
        hidden.view(-1, 1, 2 * side, side).repeat_interleave(PATCH, 2).repeat_interleave(PATCH, 3).float()
    )
    if emphasis:
        told, asked = (torch.cat([_stands_out(each) for each in both], dim=2) for both in (outputs, inputs))
        weights = weights * (1 + emphasis * (told + asked / 2))
    distance = smooth_l1_loss(painted, torch.cat(outputs, dim=2), reduction="none", beta=network.config.beta)
    return (distance * weights).sum() / (3 * weights.sum())


def _stands_out(pictures: "torch.Tensor") -> "torch.Tensor":
    """Return 1 where a picture has not the colour of its corner, shape (n, 1, height, width)."""
    return (pictures != pictures[:, :, :1, :1]).any(dim=1, keepdim=True).float()
