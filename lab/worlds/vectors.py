"""Worlds of labelled pairs in which items and labels are vectors of one space, read in turn."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from lab.training.loop import Schedule
from lab.worlds.items import OfPairs, Sequences, directions, replies
from lab.worlds.world import Replies

if TYPE_CHECKING:
    import torch

    from lab.worlds.core.hooks import Cache, Hooks
    from lab.worlds.core.learner import Learner

N_PAIRS = 8
N_LABELS = 32
N_ITEM = 32
_WIDTH = 64


class OfVectors(OfPairs):
    """What worlds of eight pairs and a query have in common; their settings name classes, rate and steps."""

    settings: Any
    seed: int
    n_batch = 128

    @property
    def schedule(self) -> Schedule:
        """Return AdamW at a constant rate."""
        return Schedule(self.settings.n_steps, self.settings.rate, n_warmup=1, flat=1.0, clip=100)

    @property
    def is_recurrent(self) -> bool:
        """Tell whether learners are recurrent; here they attend."""
        return False

    def build(self) -> "Learner":
        """Return two layers of one head each without MLP, and a readout of two hidden layers."""
        from torch import nn

        from lab.worlds.core.learner import Learner, new_body
        from lab.worlds.core.transformer import TransformerConfig

        body = new_body(TransformerConfig(_WIDTH, 2, 1, max_length=2 * N_PAIRS + 1), self.is_recurrent)
        readout = nn.Sequential(
            nn.Linear(_WIDTH, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, N_LABELS)
        )
        return Learner({"token": nn.Linear(N_ITEM, _WIDTH)}, body, readout)

    def encode(self, learner: "Learner", batch: Sequences) -> "torch.Tensor":
        """Lay items and labels in turn, both as vectors of one space, shape (n, 17, d_model)."""
        import torch

        n = len(batch.target)
        laid = torch.empty(n, 2 * N_PAIRS + 1, N_ITEM)
        laid[:, ::2], laid[:, 1::2] = batch.items, self.label_vectors[batch.labels]
        return learner.parts["token"](laid)

    def answer(
        self, learner: "Learner", batch: Sequences, hooks: "Hooks | None" = None, cache: "Cache | None" = None
    ) -> "torch.Tensor":
        """Return a score a label for the query, shape (n, 32)."""
        return learner.answer(self.encode(learner, batch), hooks, cache, at=-1)

    def loss(self, learner: "Learner", batch: Sequences, hooks: "Hooks | None" = None) -> "torch.Tensor":
        """Return the cross-entropy of the query's label."""
        from torch.nn.functional import cross_entropy

        return cross_entropy(self.answer(learner, batch, hooks), batch.target)

    def reply(
        self, learner: "Learner", batch: Sequences, hooks: "Hooks | None" = None, cache: "Cache | None" = None
    ) -> Replies:
        """Answer in letters."""
        return replies(self.answer(learner, batch, hooks, cache), batch)

    @cached_property
    def class_vectors(self) -> "torch.Tensor":
        """Return what items of each class are near, shape (n_classes, 32)."""
        import torch

        return directions(self.settings.n_classes, N_ITEM, torch.Generator().manual_seed(self.seed))

    @cached_property
    def label_vectors(self) -> "torch.Tensor":
        """Return what each label looks like, shape (32, 32)."""
        import torch

        return directions(N_LABELS, N_ITEM, torch.Generator().manual_seed(self.seed + 1))


def associations(cache: "Cache", batch: Sequences) -> dict[str, float]:
    """Return what labels see of their items, and what the query sees of labels and of the right ones."""
    import torch

    first, second = (cache[f"blocks.{layer}.attn.hook_pattern"].mean(1) for layer in (0, 1))
    labels = torch.arange(1, 2 * N_PAIRS, 2)
    to_labels = second[:, -1, labels]
    return {
        "item_label": first[:, labels, labels - 1].mean().item(),
        "target_label": to_labels.sum(1).mean().item(),
        "target_right": (to_labels * batch.is_match).sum(1).mean().item(),
    }
