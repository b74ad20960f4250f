"""SEGIC: what examples say of a picture becomes instructions, and a small decoder turns these into a mask.

| here | paper | what |
|---|---|---|
| `geometric` | geometric instruction | where the examples' marks land by correspondence, and where in them |
| `visual` | visual instruction | the mean features of what is marked, and of what is not |
| `meta` | meta instruction | the embedding of the class's name |

The backbone stays frozen; the decoder alone is trained (`python -m lab.vision.train segic`). Each instruction
can be switched off: in training each was, now and then.

Source: Meng et al. 2024, SEGIC (arXiv:2311.14671), sections 3.2 and 3.3. Differences: a small convolutional
backbone, a decoder of 0.6 M parameters with two-way attention as in SAM, and a head that says whether the
class is there at all.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lab.vision.backbone import centred, scaled
from lab.vision.bank import Bank
from lab.vision.propagate import weighed
from lab.vision.question import Question
from lab.weights import WeightsError

if TYPE_CHECKING:
    import torch

FOLDER = Path(__file__).parents[2] / "assets" / "vision" / "segic"
N_GEOMETRIC = 5
N_CHANNELS, N_WIDTH, N_NAME = 432, 96, 384
_N_LAYERS, _N_HEADS = 3, 4
FINER = 4
"""A mask has this many pixels a side for each place of the backbone's grid."""


@dataclass(frozen=True)
class Switches:
    """Which instructions the decoder gets."""

    geometric: bool = True
    visual: bool = True
    meta: bool = True


class Instructions(NamedTuple):
    """What examples say of a class in a picture.

    Args:
        geometric: Float32, shape (rows, columns, 5): propagated share, cosine with the nearest marked place
            and with the nearest other place, and how far from the middle of the mark the match lies, down and
            across.
        visual: Mean features of the marked places and of the others, float32, shape (2, channels).
        meta: Embedding of the class's name, float32, shape (384,); 0 without a name.
    """

    geometric: np.ndarray
    visual: np.ndarray
    meta: np.ndarray


def instructions(bank: Bank, features: np.ndarray, label: int, name: str = "") -> Instructions:
    """Turn correspondence into instructions.

    Args:
        bank: Of the examples.
        features: Of the picture, shape (rows, columns, channels).
        label: The class, from 1.
        name: What the class is called; "" gives no meta instruction.
    """
    rows, columns, _ = features.shape
    is_marked = bank.labels[:, label] > 0.5
    if not is_marked.any():
        is_marked = bank.labels[:, label] >= bank.labels[:, label].max()
    similarity = features.reshape(rows * columns, -1) @ bank.keys.T
    nearest, weights = weighed(similarity)
    share = np.einsum("pn,pn->p", weights, bank.labels[nearest, label])
    offset = np.einsum("pn,pnd->pd", weights, bank.offset[nearest, label - 1])
    cosines = np.stack([_best(similarity[:, is_marked]), _best(similarity[:, ~is_marked])], axis=1)
    geometric = np.column_stack([share, cosines, offset]).reshape(rows, columns, N_GEOMETRIC)
    weight = bank.labels[:, label : label + 1]
    means = [(bank.keys * each).sum(axis=0) / max(float(each.sum()), 1e-6) for each in (weight, 1 - weight)]
    meta = _embedded(name) if name else np.zeros(N_NAME, np.float32)
    return Instructions(geometric.astype(np.float32), np.stack(means).astype(np.float32), meta)


def new_decoder(n_channels: int = N_CHANNELS, width: int = N_WIDTH) -> "torch.nn.Module":
    """Return an untrained decoder.

    Its forward takes features (n, rows, columns, channels), pictures in -1..1 (n, 3, 4 · rows, 4 · columns),
    geometric (n, rows, columns, 5), visual (n, 2, channels), meta (n, 384) and which instructions count
    (n, 3), and returns logits of the mask (n, 4 · rows, 4 · columns) and of presence (n,).
    """
    import torch
    from torch import nn

    class TwoWay(nn.Module):
        """Tokens look at themselves, then at the places; then the places look at the tokens."""

        def __init__(self) -> None:
            super().__init__()
            self.among, self.into, self.back = (
                nn.MultiheadAttention(width, _N_HEADS, batch_first=True) for _ in range(3)
            )
            self.wide = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
            self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(4))

        def forward(self, tokens: torch.Tensor, places: torch.Tensor, where: torch.Tensor) -> Any:
            known = places + where
            tokens = self.norms[0](tokens + self.among(tokens, tokens, tokens, need_weights=False)[0])
            tokens = self.norms[1](tokens + self.into(tokens, known, places, need_weights=False)[0])
            tokens = self.norms[2](tokens + self.wide(tokens))
            places = self.norms[3](places + self.back(known, tokens, tokens, need_weights=False)[0])
            return tokens, places

    class Decoder(nn.Module):
        """See `new_decoder`."""

        def __init__(self) -> None:
            super().__init__()
            self.of_features = nn.Linear(n_channels, width)
            self.of_geometric = nn.Sequential(
                nn.Linear(N_GEOMETRIC, width), nn.GELU(), nn.Linear(width, width)
            )
            self.of_visual = nn.Linear(n_channels, width)
            self.of_meta = nn.Linear(N_NAME, width)
            self.own = nn.Parameter(0.02 * torch.randn(2, width))  # for the mask, for presence
            self.kinds = nn.Parameter(0.02 * torch.randn(3, width))  # marked, not marked, name
            self.absent = nn.Parameter(0.02 * torch.randn(3, width))
            self.layers = nn.ModuleList(TwoWay() for _ in range(_N_LAYERS))
            self.of_picture = nn.Sequential(
                nn.Conv2d(3, 24, 3, padding=1), nn.GELU(), nn.Conv2d(24, width // 4, 3, padding=1)
            )
            self.finer = nn.Sequential(
                nn.ConvTranspose2d(width, width // 2, 2, 2), nn.GELU(),
                nn.ConvTranspose2d(width // 2, width // 4, 2, 2),
            )  # fmt: skip
            self.mixed = nn.Sequential(
                nn.Conv2d(width // 2, width // 4, 3, padding=1), nn.GELU(),
                nn.Conv2d(width // 4, width // 4, 3, padding=1),
            )  # fmt: skip
            self.of_mask = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, width // 4))
            self.of_presence = nn.Linear(width, 1)

        def forward(
            self,
            features: torch.Tensor,
            pictures: torch.Tensor,
            geometric: torch.Tensor,
            visual: torch.Tensor,
            meta: torch.Tensor,
            counts: torch.Tensor,
        ) -> tuple[torch.Tensor, torch.Tensor]:
            n, rows, columns, _ = features.shape
            has = counts.to(features.dtype)[:, :, None]  # (n, 3, 1)
            landed = (
                has[:, :1] * self.of_geometric(geometric.flatten(1, 2)) + (1 - has[:, :1]) * self.absent[0]
            )
            places = self.of_features(features.flatten(1, 2)) + landed
            shown = has[:, 1:2] * self.of_visual(visual) + (1 - has[:, 1:2]) * self.absent[1]
            named = has[:, 2:] * self.of_meta(meta)[:, None] + (1 - has[:, 2:]) * self.absent[2]
            tokens = torch.cat([self.own.expand(n, -1, -1), torch.cat([shown, named], 1) + self.kinds], 1)
            where = _waves(rows, columns, width).to(features)
            for layer in self.layers:
                tokens, places = layer(tokens, places, where)
            laid = places.transpose(1, 2).unflatten(2, (rows, columns))
            fine = self.mixed(torch.cat([self.finer(laid), self.of_picture(pictures)], dim=1))
            logits = torch.einsum("nc,nchw->nhw", self.of_mask(tokens[:, 0]), fine)
            return logits, self.of_presence(tokens[:, 1])[:, 0]

    return Decoder()


def answer(question: Question, switches: Switches = Switches()) -> np.ndarray:
    """Answer with the decoder that comes with the lab, each class for itself.

    Args:
        question: Its backbone is the default one; classes without a name get no meta instruction.
        switches: Which instructions count.

    Returns:
        Shares, float32, shape (4 · rows, 4 · columns, n_classes + 1).

    Raises:
        ValueError: The decoder was trained on another backbone.
        WeightsError: The decoder is not there.
    """
    classes = np.stack([mask * present for mask, present in _decoded(question, switches)], axis=-1)
    none = np.clip(1 - classes.max(axis=-1, keepdims=True), 0, 1)
    joined = np.concatenate([none, classes], axis=-1)
    return joined / joined.sum(axis=-1, keepdims=True)


def presence(question: Question, switches: Switches = Switches()) -> np.ndarray:
    """Say how likely it is that each class is in the picture at all, shape (n_classes,); see `answer`."""
    return np.array([present for _, present in _decoded(question, switches)])


def _decoded(question: Question, switches: Switches) -> Iterator[tuple[np.ndarray, float]]:
    """Yield for each class its mask, shares of shape (4 · rows, 4 · columns), and how likely it is there."""
    import torch

    if question.features.shape[-1] != N_CHANNELS:
        raise ValueError("SEGIC's decoder was trained on the backbone lite0: choose that one")
    decoder = load_decoder()
    for label in range(1, question.bank.labels.shape[1]):
        name = question.names[label - 1] if label <= len(question.names) else ""
        told = instructions(question.bank, question.features, label, name)
        counts = [switches.geometric, switches.visual, switches.meta and bool(name)]
        with torch.inference_mode():
            logits, present = decoder(*tensors([question.features], [question.picture], [told], [counts]))
        yield torch.sigmoid(logits[0]).numpy(), float(torch.sigmoid(present[0]))


def tensors(features, pictures, told, counts) -> "tuple[torch.Tensor, ...]":
    """Put questions together as the decoder takes them; see `new_decoder`."""
    import torch

    rows = features[0].shape[0]
    small = np.stack([scaled(picture, FINER * rows) for picture in pictures])
    stacked = [torch.from_numpy(np.stack(each)) for each in zip(*told, strict=True)]
    return (torch.from_numpy(np.stack(features)), centred(small), *stacked, torch.tensor(counts))


@cache
def load_decoder(folder: Path = FOLDER) -> "torch.nn.Module":
    """Load the decoder that comes with the lab.

    Raises:
        WeightsError: It is not there, or of another version; the message names the remedy.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    remedy = "Restore it from the repository, or train it: python -m lab.vision.train segic"
    path = folder / "model.safetensors"
    if not path.is_file():
        raise WeightsError(f"SEGIC's decoder is missing: no {path.name} in assets/vision/segic. {remedy}")
    decoder = new_decoder()
    try:
        decoder.load_state_dict({name: tensor.float() for name, tensor in load_file(path).items()})
    except (SafetensorError, RuntimeError) as error:
        raise WeightsError(f"{path.name} does not hold this version's decoder. {remedy}") from error
    return decoder.eval().requires_grad_(False)


def _best(similarity: np.ndarray) -> np.ndarray:
    return similarity.max(axis=1) if similarity.shape[1] else np.full(len(similarity), -1.0, np.float32)


@cache
def _embedded(name: str) -> np.ndarray:
    from lab.learners.embedder import embed

    return embed([name])[0]


@cache
def _waves(rows: int, columns: int, width: int) -> "torch.Tensor":
    """Return sines and cosines of each place's row and column, shape (rows · columns, width)."""
    import torch

    frequencies = torch.pi * 2.0 ** torch.linspace(0, 4.5, width // 4)
    down, across = torch.meshgrid(torch.linspace(0, 1, rows), torch.linspace(0, 1, columns), indexing="ij")
    parts = [wave(at[..., None] * frequencies) for at in (down, across) for wave in (torch.sin, torch.cos)]
    return torch.cat(parts, dim=-1).flatten(0, 1)
