"""ImageStacker: a picture is described together with a pair that shows how it may have been disguised.

| here | paper | what |
|---|---|---|
| query | q | a picture that may be a copy |
| replica, original | support pair | another picture, and what the same disguise made of it |
| stack | | query, replica and original as nine channels of one input |
| descriptor | | a unit vector; copies of one original lie near each other |

References are stacked with themselves, and so is a query without a prompt. `is_late` gives the arm that it is
compared with: each of the three pictures is described by itself, and the descriptions are concatenated.

Source: Wang et al. 2024, AnyPattern (arXiv:2404.13788), section 5. Differences: a convolutional network of
1.0 M parameters on 64 pixels, whose maps scale and shift their channels, and copies are told apart within a
batch (InfoNCE) where the paper classifies instances.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lab.vision.backbone import centred, scaled, unit
from lab.weights import WeightsError

if TYPE_CHECKING:
    import torch

FOLDER = Path(__file__).parents[2] / "assets" / "vision" / "stacker"
LATE = FOLDER / "late"
"""Of the arm that describes the three pictures apart."""
SIDE = 64
N_DESCRIPTOR = 128
_WIDTHS = (32, 64, 128, 192)


class Prompt(NamedTuple):
    """A pair that shows a disguise, RGB, uint8, shape (height, width, 3) each."""

    replica: np.ndarray
    original: np.ndarray


class Described(NamedTuple):
    """Unit vectors, float32: of what a picture shows (n, 128), and of how it is disguised (n, n_patterns)."""

    descriptor: np.ndarray
    pattern: np.ndarray


def new_stacker(n_patterns: int, is_late: bool = False) -> "torch.nn.Module":
    """Return an untrained network; its forward takes (n, 9, 64, 64), returns descriptors and pattern logits.

    Args:
        n_patterns: Patterns that its second head tells apart.
        is_late: Whether the three pictures meet only at the end, each described by the same weights.
    """
    import torch
    from torch import nn
    from torch.nn.functional import normalize

    class Block(nn.Module):
        """Two convolutions beside a shortcut, halving the side; the whole map scales and shifts its channels.

        That is how a disguise that shows between replica and original in one place counts in every place;
        the paper's transformer sees all places from its first layer on.
        """

        def __init__(self, n_in: int, n_out: int) -> None:
            super().__init__()
            self.inner = nn.Sequential(
                nn.Conv2d(n_in, n_out, 3, 2, 1, bias=False), nn.GroupNorm(8, n_out), nn.GELU(),
                nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False), nn.GroupNorm(8, n_out),
            )  # fmt: skip
            self.gate = nn.Sequential(
                nn.Linear(n_out, n_out // 2), nn.GELU(), nn.Linear(n_out // 2, 2 * n_out)
            )
            self.shortcut = nn.Conv2d(n_in, n_out, 1, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            inner = self.inner(x)
            scale, shift = self.gate(inner.mean((2, 3)))[..., None, None].chunk(2, dim=1)
            return nn.functional.gelu(inner * (1 + scale) + shift + self.shortcut(x))

    class Stacker(nn.Module):
        """See `new_stacker`."""

        def __init__(self) -> None:
            super().__init__()
            n_in = 3 if is_late else 9
            self.trunk = nn.Sequential(
                *(Block(n, n_next) for n, n_next in zip((n_in, *_WIDTHS[:-1]), _WIDTHS, strict=True))
            )
            n_seen = _WIDTHS[-1] * (3 if is_late else 1) * 2
            self.describe = nn.Linear(n_seen, N_DESCRIPTOR)
            self.tell = nn.Linear(n_seen, n_patterns)

        def forward(self, stacks: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            if is_late:
                parts = self.trunk(stacks.unflatten(1, (3, 3)).flatten(0, 1)).unflatten(0, (len(stacks), 3))
                maps = parts.flatten(1, 2)
            else:
                maps = self.trunk(stacks)
            seen = torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], dim=1)
            return normalize(self.describe(seen), dim=1), self.tell(seen)

    return Stacker()


def stacked(pictures: Sequence[np.ndarray], prompts: Sequence[Prompt | None]) -> np.ndarray:
    """Stack pictures with their prompts, or with themselves where there is none, uint8, (n, 64, 64, 9)."""
    rows = []
    for picture, prompt in zip(pictures, prompts, strict=True):
        three = (picture, *prompt) if prompt is not None else (picture,) * 3
        rows.append(np.concatenate([scaled(each, SIDE) for each in three], axis=2))
    return np.stack(rows)


def described(
    pictures: Sequence[np.ndarray],
    prompts: Sequence[Prompt | None],
    network: Any = None,
    n_batch: int = 128,
) -> Described:
    """Describe pictures, each with a prompt of its own or none."""
    import torch

    network = network if network is not None else load_stacker()
    found = []
    with torch.inference_mode():
        for start in range(0, len(pictures), n_batch):
            part = slice(start, start + n_batch)
            found.append(network(centred(stacked(pictures[part], prompts[part]))))
    descriptors, patterns = (torch.cat(each).float().numpy() for each in zip(*found, strict=True))
    return Described(descriptors, unit(patterns))


def retrieved(pictures: Sequence[np.ndarray], pool: Sequence[Prompt], network: Any = None) -> list[Prompt]:
    """Find for each picture the prompt whose replica seems disguised in the same way.

    Args:
        pictures: Stacked with themselves, since nothing is known of them yet.
        pool: Prompts to choose from.
        network: None takes the one that comes with the lab.
    """
    if not pool:
        raise ValueError("the pool of prompts is empty: add at least one pair")
    asked = described(pictures, [None] * len(pictures), network).pattern
    known = described([each.replica for each in pool], [None] * len(pool), network).pattern
    return [pool[place] for place in (asked @ known.T).argmax(axis=1)]


@cache
def load_stacker(folder: Path = FOLDER) -> Any:
    """Load the network that comes with the lab.

    Raises:
        WeightsError: It is not there, or of another version; the message names the remedy.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    remedy = "Restore it from the repository, or train it: python -m lab.vision.train stacker"
    path = folder / "model.safetensors"
    if not path.is_file():
        raise WeightsError(
            f"ImageStacker's network is missing: no {path.name} in assets/vision/stacker. {remedy}"
        )
    try:
        state = {name: tensor.float() for name, tensor in load_file(path).items()}
        n_seen, n_patterns = state["tell.weight"].shape[1], len(state["tell.bias"])
        network = new_stacker(n_patterns, is_late=n_seen == 3 * 2 * _WIDTHS[-1])
        network.load_state_dict(state)
    except (SafetensorError, KeyError, RuntimeError) as error:
        raise WeightsError(f"{path.name} does not hold this version's network. {remedy}") from error
    return network.eval().requires_grad_(False)
