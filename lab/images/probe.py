"""Which concept does a panel show, and in which style? A small network that reads pictures and judges them.

It is trained on drawings of every concept in every style, also on what the base model never sees, so that it
favours nothing that was trained. Its own accuracy stands in `assets/images/probe/training.json`: no figure
that it gives can be better known than that.

One head ranks concepts and gives all styles of a concept one direction; another ranks the 800 drawings, and
the probability of a style is the sum over its drawings. Source of both: Wang et al. 2018, CosFace
(arXiv:1801.09414), cosines with one learnt direction a class, without a margin.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lab.images.concepts import ASSETS, STYLES, concepts
from lab.images.panels import SIDE
from lab.weights import WeightsError

if TYPE_CHECKING:
    import torch

PROBE = ASSETS / "probe"
N_EMBEDDING = 128
_WIDTHS = (
    (24, 2),
    (48, 2),
    (48, 1),
    (96, 2),
    (96, 1),
    (192, 2),
    (192, 1),
)  # channels and stride, 64 to 4 pixels
_SHARPNESS = 20.0  # turns cosines into logits: s of CosFace
_GROUPS = 8  # normalises a picture by itself: no running averages, a batch of one reads like a batch of many


class Outputs(NamedTuple):
    """What the network says of n panels, as tensors."""

    similarity: "torch.Tensor"  # (n, n_concepts), cosines
    logp_drawing: "torch.Tensor"  # (n, n_concepts, n_styles), nats
    logp_style: "torch.Tensor"  # (n, n_styles), nats
    logit_empty: "torch.Tensor"  # (n,)
    embedding: "torch.Tensor"  # (n, n_embedding), of length 1


@dataclass(frozen=True)
class Reading:
    """What n panels show.

    Args:
        similarity: Cosines with concepts' prototypes, -1..1, shape (n, n_concepts), ordered as `concepts`.
        logp_style: Log-probabilities in nats, shape (n, n_styles), ordered as `STYLES`.
        p_empty: Probability that a panel shows nothing but a background, shape (n,).
        embedding: Of length 1, shape (n, n_embedding); alike for one concept in all styles.
    """

    similarity: np.ndarray
    logp_style: np.ndarray
    p_empty: np.ndarray
    embedding: np.ndarray

    def __len__(self) -> int:
        return len(self.p_empty)

    @cached_property
    def ranked(self) -> np.ndarray:
        """Concepts from the likeliest on, their places in `concepts`, shape (n, n_concepts)."""
        return np.argsort(-self.similarity, axis=1, kind="stable")

    @property
    def words(self) -> list[str]:
        """The likeliest concept of each panel."""
        return [concepts()[place].word for place in self.ranked[:, 0]]

    @property
    def styles(self) -> list[str]:
        """The likeliest style of each panel."""
        return [STYLES[place] for place in self.logp_style.argmax(axis=1)]


def new_probe() -> "torch.nn.ModuleDict":
    """Return an untrained probe of 0.8 M parameters."""
    from torch import nn

    blocks, n_in = [], 3
    for n_out, stride in _WIDTHS:
        layers = nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False), nn.GroupNorm(_GROUPS, n_out), nn.SiLU()
        blocks.append(nn.Sequential(*layers))
        n_in = n_out
    return nn.ModuleDict(
        {
            "blocks": nn.ModuleList(blocks),
            "embedding": nn.Linear(2 * n_in, N_EMBEDDING),
            "prototypes": nn.Linear(N_EMBEDDING, len(concepts()), bias=False),
            "detail": nn.Linear(2 * n_in, N_EMBEDDING),
            "drawings": nn.Linear(N_EMBEDDING, len(concepts()) * len(STYLES), bias=False),
            "empty": nn.Linear(2 * n_in, 1),
        }
    )


def outputs_of(probe: "torch.nn.ModuleDict", pixels: "torch.Tensor") -> Outputs:
    """Run the network on panels in -1..1, shape (n, 3, 64, 64)."""
    import torch
    from torch.nn.functional import log_softmax, normalize

    for block in probe["blocks"].children():
        found = block(pixels)
        pixels = pixels + found if found.shape == pixels.shape else found
    pooled = torch.cat([pixels.mean(dim=(2, 3)), pixels.amax(dim=(2, 3))], dim=1)  # (n, 2 · 192)

    embedding = normalize(probe["embedding"](pooled), dim=1)
    detail = normalize(probe["detail"](pooled), dim=1)
    prototypes, drawings = (
        normalize(probe.get_parameter(f"{name}.weight"), dim=1) for name in ("prototypes", "drawings")
    )
    logp_drawing = log_softmax(_SHARPNESS * detail @ drawings.T, dim=1).unflatten(1, (-1, len(STYLES)))
    return Outputs(
        embedding @ prototypes.T,
        logp_drawing,
        logp_drawing.logsumexp(dim=1),
        probe["empty"](pooled)[:, 0],
        embedding,
    )


def identity_logits(outputs: Outputs) -> "torch.Tensor":
    """Sharpen cosines into logits over concepts, shape (n, n_concepts), for a softmax."""
    return _SHARPNESS * outputs.similarity


def as_values(panels: np.ndarray) -> "torch.Tensor":
    """Turn panels, uint8, shape (n, h, w, 3), into values in -1..1, shape (n, 3, h, w)."""
    import torch

    return torch.from_numpy(np.ascontiguousarray(panels)).permute(0, 3, 1, 2).float() / 127.5 - 1


def load_probe(device: str = "cpu", folder: Path = PROBE) -> "torch.nn.ModuleDict":
    """Return the probe that comes with the lab.

    Args:
        device: "cpu", "cuda" or "mps".
        folder: Where its weights lie.

    Raises:
        WeightsError: There are no weights, or they belong to another network; the message names the remedy.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = folder / "model.safetensors"
    remedy = "Restore it from the repository, or train it: python -m lab.images.train probe."
    if not path.is_file():
        raise WeightsError(f"the probe that reads panels is missing: no {path}. {remedy}")
    probe = new_probe()
    try:
        probe.load_state_dict({name: tensor.float() for name, tensor in load_file(path).items()})
    except (SafetensorError, RuntimeError) as error:
        raise WeightsError(f"{path} does not hold this version's probe. {remedy}") from error
    return probe.to(device).eval()


def read_panels(
    panels: np.ndarray, probe: "torch.nn.ModuleDict | None" = None, n_batch: int = 256
) -> Reading:
    """Read what panels show.

    Args:
        panels: RGB, uint8, shape (n, 64, 64, 3); none at all is allowed.
        probe: By default the one that comes with the lab; it works on the device where it is.
        n_batch: Panels at once; the reading does not depend on it.

    Raises:
        ValueError: The panels have another shape or type.
        WeightsError: The probe's weights are missing.
    """
    import torch

    panels = np.asarray(panels)
    if panels.dtype != np.uint8 or panels.ndim != 4 or panels.shape[1:] != (SIDE, SIDE, 3):
        raise ValueError(
            f"panels must be uint8 of shape (n, {SIDE}, {SIDE}, 3), got {panels.dtype} of {panels.shape}"
        )
    probe = load_probe() if probe is None else probe
    device = next(probe.parameters()).device
    parts = []
    with torch.inference_mode():
        for start in range(0, max(1, len(panels)), n_batch):
            found = outputs_of(probe, as_values(panels[start : start + n_batch]).to(device))
            kept = found.similarity, found.logp_style, found.logit_empty, found.embedding
            parts.append([tensor.float().cpu().numpy() for tensor in kept])
    similarity, logp_style, logit_empty, embedding = (
        np.concatenate(part) for part in zip(*parts, strict=True)
    )
    return Reading(similarity, logp_style, 1 / (1 + np.exp(-logit_empty)), embedding)
