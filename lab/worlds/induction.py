"""What needs to go right for an induction head?

A sequence shows two items with their labels, then one of the items again: x1 l1 x2 l2 x1. Labels are dealt
anew in every sequence, so that only the context can tell. Three subcircuits have to come together, and each
can be clamped, that is, given for free while the rest learns:

| here | paper | what |
|---|---|---|
| previous token | A | a head of the first layer tells each label which item stood before it |
| match | B | a head of the second layer looks from the query to the label whose item it is |
| copy | C | what that head looks at becomes the answer |

Source: Singh et al. 2024 (arXiv:2404.07129). Differences: Gaussian items for Omniglot features, a learning
rate 30 to 100 times the paper's; the order of the effects is the claim, not their step counts.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from lab.training.loop import Schedule
from lab.worlds.items import OfPairs, Sequences, directions, replies
from lab.worlds.settings import Settings, choice, number
from lab.worlds.world import Curve, Preset, Profile, Replies

if TYPE_CHECKING:
    import torch

    from lab.worlds.core.hooks import Cache, Hooks
    from lab.worlds.core.learner import Learner

N_ITEM = 64  # numbers that make an item
N_NEW = 100  # classes that are never trained on
N_MEASURED = 1000
QUERY = 4  # its position among the five
CLAMPS = ("none", "previous", "match", "copy", "previous+match", "previous+copy")


@dataclass(frozen=True)
class InductionSettings(Settings):
    """What can be changed in this world."""

    n_classes: int = number(50, 10, 400, "Classes", "Items to learn from; each is one vector.", is_log=True)
    n_labels: int = number(5, 2, 10, "Labels", "Labels that are dealt to the items of each sequence.")
    n_heads: int = choice(8, (1, 2, 4, 8), "Heads", "Attention heads in each of the two layers.")
    clamp: str = choice("none", CLAMPS, "Clamp", "The subcircuit that is given while the rest learns.")
    rate: float = number(1e-3, 1e-4, 3e-3, "Learning rate", "Of Adam.", is_log=True)
    n_steps: int = number(1000, 100, 4000, "Steps", "Training steps of 128 sequences.")


PRESETS = (
    Preset("A phase change", {}, "The loss rests on a plateau, then falls at once, as induction heads form."),
    Preset(
        "One head each",
        {"n_heads": 1, "rate": 3e-4, "n_steps": 1500},
        "A single head in each layer learns it too, only later.",
    ),
    Preset(
        "Match given",
        {"n_heads": 1, "rate": 3e-4, "n_steps": 1500, "clamp": "match"},
        "With the query looking at the right label from the start, the plateau is gone.",
    ),
    Preset(
        "Previous token given",
        {"n_heads": 1, "rate": 3e-4, "n_steps": 1500, "clamp": "previous"},
        "One subcircuit less to find: the plateau is shorter.",
    ),
    Preset("More classes", {"n_classes": 400}, "The gap between known and new classes closes."),
)


@dataclass(frozen=True)
class Induction(OfPairs):
    """The world of `x1 l1 x2 l2 x?`."""

    settings: InductionSettings = InductionSettings()
    seed: int = 0
    id: ClassVar[str] = "induction-heads"
    questions: ClassVar[Mapping[str, str]] = {
        "train": "such as it learns from",
        "classes": "classes that it never met",
    }
    n_batch = 128

    @property
    def schedule(self) -> Schedule:
        """Return Adam at a constant rate."""
        return Schedule(self.settings.n_steps, self.settings.rate, n_warmup=1, flat=1.0, decay=0.0, clip=100)

    @property
    def curves(self) -> tuple[Curve, ...]:
        """Describe what is measured: accuracies, and two scores a head."""
        heads = range(self.settings.n_heads)
        pairs = Curve("held_out_pairs", "held-out label pairs", "accuracy", "Right on pairs not met.")
        return (
            Curve("accuracy", "known classes", "accuracy", "Right on sequences such as it learns from."),
            *([pairs] if self._has_held_out_pairs else []),
            Curve("new_classes", "new classes", "accuracy", "Right on items never met."),
            *(
                Curve(f"previous_token.{head}", f"head 0.{head}", "previous token",
                      "Attention of labels to the item before them, first layer.")
                for head in heads
            ),
            *(
                Curve(f"induction.{head}", f"head 1.{head}", "induction strength",
                      "Attention of the query to the right label less that to the wrong one.")
                for head in heads
            ),
        )  # fmt: skip

    def build(self) -> "Learner":
        """Return two layers of attention alone, as wide as an item."""
        from torch import nn

        from lab.worlds.core.learner import Learner, new_body
        from lab.worlds.core.transformer import TransformerConfig

        width = 64
        parts = {"item": nn.Linear(N_ITEM, width), "label": nn.Embedding(self.settings.n_labels, width)}
        body = new_body(TransformerConfig(width, 2, self.settings.n_heads, max_length=QUERY + 1))
        return Learner(parts, body, nn.Linear(width, self.settings.n_labels))

    def sample(self, n: int, generator: "torch.Generator", split: str = "train") -> Sequences:
        """Draw sequences.

        Args:
            n: How many.
            generator: Determines them.
            split: "train"; "pairs" deals only pairs of labels that training never deals, "classes" shows
                classes that it never shows.

        Raises:
            ValueError: No pairs are held out, because there are fewer than five.
        """
        import torch

        first, n_classes = (
            (self.settings.n_classes, N_NEW) if split == "classes" else (0, self.settings.n_classes)
        )
        one = torch.randint(n_classes, (n,), generator=generator)
        other = (one + torch.randint(1, n_classes, (n,), generator=generator)) % n_classes
        classes = first + torch.stack([one, other], 1)
        dealt = self._pairs[1 if split == "pairs" else 0]
        if not len(dealt):
            raise ValueError(f"no pair of {self.settings.n_labels} labels is held out: use 4 labels or more")
        labels = dealt[torch.randint(len(dealt), (n,), generator=generator)]
        asked = torch.randint(2, (n, 1), generator=generator)
        classes = torch.cat([classes, classes.gather(1, asked)], 1)
        return Sequences(self._classes[classes], classes, labels, labels.gather(1, asked)[:, 0])

    def encode(self, learner: "Learner", batch: Sequences) -> "torch.Tensor":
        """Lay items and labels in turn, shape (n, 5, d_model)."""
        import torch

        items, labels = learner.parts["item"](batch.items), learner.parts["label"](batch.labels)
        return torch.stack([items[:, 0], labels[:, 0], items[:, 1], labels[:, 1], items[:, 2]], 1)

    def answer(
        self, learner: "Learner", batch: Sequences, hooks: "Hooks | None" = None, cache: "Cache | None" = None
    ) -> "torch.Tensor":
        """Return a score a label for the query, shape (n, n_labels)."""
        return learner.answer(self.encode(learner, batch), hooks, cache, at=QUERY)

    def loss(self, learner: "Learner", batch: Sequences, hooks: "Hooks | None" = None) -> "torch.Tensor":
        """Return the cross-entropy of the query's label; a clamped copy has the match itself answer."""
        from torch.nn.functional import cross_entropy

        return cross_entropy(self._clamped_answer(learner, batch, hooks), batch.target)

    def clamps(self, batch: Sequences) -> "Hooks":
        """Return hooks on head 0 of either layer for what the settings give away."""
        from lab.worlds.core.surgery import looking, previous_token, together

        hooks: Hooks = {}
        if "previous" in self.settings.clamp:
            hooks = together(hooks, looking(0, previous_token(QUERY + 1), slice(0, 1)))
        if "match" in self.settings.clamp:
            hooks = together(hooks, looking(1, _matched(batch), slice(0, 1)))
        return hooks

    def toy(self) -> Profile:
        """Draw how a product of three vectors is learned, with none, one or two of them given."""
        from lab.worlds.exact.toys import fit_tensor

        arms = {"nothing given": (), "c given": ("c",), "b and c given": ("b", "c")}
        losses = {name: fit_tensor(given) for name, given in arms.items()}
        reached = [int((loss < loss[0] / 2).argmax()) for loss in losses.values()]
        title = "Three factors that only help together: half of the loss is left after {}, {} and {} steps"
        lines = {name: loss.tolist() for name, loss in losses.items()}
        x = list(range(len(next(iter(losses.values())))))
        return Profile(title.format(*reached), "steps of gradient descent", "loss", x, lines)

    def measure(self, learner: "Learner") -> dict[str, float]:
        """Measure accuracies on known and new material, and what every head looks at, clamps in force."""
        import torch

        found = {}
        for name, split in (("accuracy", "train"), ("held_out_pairs", "pairs"), ("new_classes", "classes")):
            if split == "pairs" and not self._has_held_out_pairs:
                continue
            batch = self.sample(N_MEASURED, torch.Generator().manual_seed(1), split)
            cache: Cache = {}
            scores = self._clamped_answer(learner, batch, self.clamps(batch), cache)
            found[name] = (scores.argmax(1) == batch.target).float().mean().item()
            if split == "train":
                found |= _head_scores(cache, batch)
        return found

    def reply(
        self, learner: "Learner", batch: Sequences, hooks: "Hooks | None" = None, cache: "Cache | None" = None
    ) -> Replies:
        """Answer in letters, clamps in force."""
        from lab.worlds.core.surgery import together

        hooks = together(self.clamps(batch), hooks or {})
        return replies(self._clamped_answer(learner, batch, hooks, cache), batch)

    def _clamped_answer(
        self, learner: "Learner", batch: Sequences, hooks: "Hooks | None", cache: "Cache | None" = None
    ) -> "torch.Tensor":
        if "copy" not in self.settings.clamp:
            return self.answer(learner, batch, hooks, cache)
        cache = {} if cache is None else cache
        self.answer(learner, batch, hooks, cache)
        looked = cache["blocks.1.attn.hook_attn_scores"][:, 0, QUERY, 1:QUERY:2]  # at both labels
        scores = looked.new_full((len(looked), self.settings.n_labels), -1e4)
        return scores.scatter(1, batch.labels, looked)

    @property
    def _has_held_out_pairs(self) -> bool:
        return math.comb(self.settings.n_labels, 2) >= 5

    @cached_property
    def _classes(self) -> "torch.Tensor":
        import torch

        n = self.settings.n_classes + N_NEW
        return directions(n, N_ITEM, torch.Generator().manual_seed(self.seed))

    @cached_property
    def _pairs(self) -> "tuple[torch.Tensor, torch.Tensor]":
        """Split the pairs of labels, both orders of a pair together: four fifths to learn from, one not."""
        import torch

        pairs = torch.combinations(torch.arange(self.settings.n_labels))
        generator = torch.Generator().manual_seed(self.seed)
        pairs = pairs[torch.randperm(len(pairs), generator=generator)]
        n_held = len(pairs) // 5
        kept, held = pairs[n_held:], pairs[:n_held]
        return torch.cat([kept, kept.flip(1)]), torch.cat([held, held.flip(1)])


def _matched(batch: Sequences) -> "torch.Tensor":
    """Return the attention in which the query looks at the right label; NaN leaves other rows alone."""
    import torch

    pattern = torch.full((len(batch.target), QUERY + 1, QUERY + 1), math.nan)
    pattern[:, QUERY] = 0
    pattern[:, QUERY, 1:QUERY:2] = batch.is_match.float()
    return pattern


def _head_scores(cache: "Cache", batch: Sequences) -> dict[str, float]:
    first, second = (cache[f"blocks.{layer}.attn.hook_pattern"] for layer in (0, 1))
    before = (first[:, :, 1, 0] + first[:, :, 3, 2]).mean(0) / 2
    sign = 2 * batch.is_match.float() - 1  # of both labels: 1 the right one, -1 the wrong one
    strengths = (second[:, :, QUERY, 1:QUERY:2] * sign[:, None]).sum(2).mean(0)
    scores = {f"previous_token.{head}": value for head, value in enumerate(before.tolist())}
    return scores | {f"induction.{head}": value for head, value in enumerate(strengths.tolist())}
