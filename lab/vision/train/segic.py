"""Train SEGIC's decoder on composed scenes: examples in some styles, the query in another.

Scenes are described once by the frozen backbone and kept; every step draws episodes from them. An episode
shows one to four examples of a class; now and then the query shows none of it, and the decoder learns to say
so. Each instruction is left out now and then, so that it can be switched off.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lab.images.emoji import Atlas
from lab.training.loop import Schedule, Step, train
from lab.vision.backbone import Backbone, scaled
from lab.vision.bank import bank_of
from lab.vision.composites import STYLES_SHOWN, classes, scene
from lab.vision.example import Example
from lab.vision.segic import FINER, instructions, new_decoder, tensors

if TYPE_CHECKING:
    import torch

SCHEDULE = Schedule(n_steps=3_000, rate=1e-3, n_warmup=100, flat=0.4, decay=0.01, ema=0.995)
BATCH = 8
N_SCENES = 4
"""Scenes of each class and style that are composed and described before the first step."""
_MAX_EXAMPLES = 4
_P_ABSENT = 0.1
_P_OFF = 0.2  # of each instruction, never of all three


@dataclass(frozen=True)
class Episode:
    """What one row of a batch is made of."""

    examples: tuple[Example, ...]
    query: Example
    name: str


class Kept:
    """A backbone that answers for known pictures from memory, in half precision."""

    def __init__(self, backbone: Backbone, scenes: list[Example]):
        self.of: dict[int, np.ndarray] = {
            id(each.picture): backbone.features(each.picture).astype(np.float16) for each in scenes
        }

    def features(self, picture: np.ndarray) -> np.ndarray:
        """Return what the backbone said of this very array."""
        return self.of[id(picture)].astype(np.float32)


def compose(drawings: Atlas, seed: int, n_scenes: int = N_SCENES) -> dict[str, dict[str, list[Example]]]:
    """Compose the scenes of all classes for training: word -> style -> scenes."""
    known = classes(is_held_out=False)
    made: dict[str, dict[str, list[Example]]] = {}
    for number, concept in enumerate(known):
        made[concept.word] = {
            style: [
                scene(concept, style, known, drawings, np.random.default_rng((seed, number, place, which)))
                for which in range(n_scenes)
            ]
            for place, style in enumerate(STYLES_SHOWN)
        }
    return made


def train_segic(
    scenes: dict[str, dict[str, list[Example]]],
    kept: Kept,
    checkpoint: Path | None,
    seed: int = 0,
    schedule: Schedule = SCHEDULE,
) -> "tuple[torch.nn.Module, Iterator[Step]]":
    """Return a decoder and the steps that train it; read the steps to the end before using it.

    Args:
        scenes: From `compose`.
        kept: Describes these scenes.
        checkpoint: Where the state is kept; None keeps nothing.
        seed: Seeds weights and episodes.
        schedule: Steps and rates.
    """
    import torch

    torch.manual_seed(seed)
    decoder = new_decoder()

    def loss_of(step: int, generator: "torch.Generator") -> "torch.Tensor":
        random = np.random.default_rng(generator.initial_seed())
        return segic_loss(decoder, [episode_of(scenes, random) for _ in range(BATCH)], kept, random)

    return decoder, train({"segic": decoder}, loss_of, schedule, seed, checkpoint)


def episode_of(scenes: dict[str, dict[str, list[Example]]], random: np.random.Generator) -> Episode:
    """Draw examples and a query of one class in different styles, or a query without the class."""
    words = list(scenes)
    word = words[random.integers(len(words))]
    styles = [STYLES_SHOWN[place] for place in random.permutation(len(STYLES_SHOWN))]
    query = _one(scenes[word][styles[0]], random)
    if random.random() < _P_ABSENT:
        other = words[random.integers(len(words))]
        found = _one(scenes[other][styles[0]], random)
        if other != word:
            query = Example(found.name, found.picture, np.zeros_like(found.marks))
    n = int(random.integers(1, _MAX_EXAMPLES + 1))
    shown = tuple(_one(scenes[word][styles[1 + place % (len(styles) - 1)]], random) for place in range(n))
    return Episode(shown, query, word)


def segic_loss(
    decoder: "torch.nn.Module", episodes: list[Episode], kept: Any, random: np.random.Generator
) -> "torch.Tensor":
    """Return the loss of masks (cross-entropy and Dice, as in the paper) and of presence."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits

    features = [kept.features(each.query.picture) for each in episodes]
    told, counts = [], []
    for episode, found in zip(episodes, features, strict=True):
        bank = bank_of(episode.examples, kept, with_mirrored=False)
        told.append(instructions(bank, found, 1, episode.name))
        counts.append(_switched(random))
    inputs = tensors(features, [each.query.picture for each in episodes], told, counts)
    logits, presence = decoder(*inputs)
    size = FINER * features[0].shape[0]
    truth = torch.from_numpy(np.stack([_truth(each.query.marks, size) for each in episodes]))
    is_there = truth.flatten(1).amax(1) > 0.5
    share = torch.sigmoid(logits)
    overlap = (share * truth).flatten(1).sum(1)
    dice = 1 - (2 * overlap + 1) / (share.flatten(1).sum(1) + truth.flatten(1).sum(1) + 1)
    mask = binary_cross_entropy_with_logits(logits, truth) * 4 + (dice * is_there).mean()
    return mask + 0.25 * binary_cross_entropy_with_logits(presence, is_there.float())


def _switched(random: np.random.Generator) -> list[bool]:
    while True:
        counts = [bool(random.random() >= _P_OFF) for _ in range(3)]
        if any(counts[:2]):  # a name alone is what a class seen in training could be learnt by heart from
            return counts


def _truth(marks: np.ndarray, size: int) -> np.ndarray:
    painted = np.repeat((marks > 0).astype(np.uint8)[..., None] * 255, 3, axis=2)
    return scaled(painted, size)[..., 0].astype(np.float32) / 255


def _one(scenes: list[Example], random: np.random.Generator) -> Example:
    return scenes[random.integers(len(scenes))]
