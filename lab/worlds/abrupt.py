"""Why does in-context learning come all at once, and when do the weights win instead?

Eight items with their labels, then a query. Each class has a label for good, so that a learner may know it by
heart; and when the query's class stands in the context, it may as well be looked up there. Which of the two
is learned depends on the data: many classes and bursty contexts bring the circuit that looks up, few classes
the memory.

| here | paper | what |
|---|---|---|
| `n_classes`, `n_labels` | K, L | class k has label k mod L |
| `burstiness` | B | how often each class of a bursty context stands in it |
| `p_bursty` | p_B | share of sequences whose query's class stands in the context |
| `zipf` | α | class k is met in proportion to k^-α |
| `noise` | ε | an item is (μ_k + ε η) / √(1 + ε²) |
| item-label association | ILA | attention of labels to the item before them, first layer |
| target-label association | TLA1, TLA2 | attention of the query to labels, to the right ones, second layer |

Source: Reddy 2023 (arXiv:2312.03002). Differences: rotary positions and layer norm in place of one-hot
positions, AdamW in place of SGD, 32 numbers an item in place of 63.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from lab.worlds.items import Sequences, directions, distinct_labels, drawn, noised, shuffled, zipf
from lab.worlds.settings import Settings, choice, number
from lab.worlds.vectors import N_ITEM, N_LABELS, N_PAIRS, OfVectors, associations
from lab.worlds.world import Curve, Preset, Profile

if TYPE_CHECKING:
    import torch

    from lab.worlds.core.hooks import Cache
    from lab.worlds.core.learner import Learner

N_MEASURED = 512


@dataclass(frozen=True)
class AbruptSettings(Settings):
    """What can be changed in this world."""

    n_classes: int = number(2048, 32, 4096, "Classes", "Kinds of items; 32 labels are shared.", is_log=True)
    burstiness: int = choice(1, (1, 2, 4), "Burstiness", "Times that each class stands in a bursty context.")
    p_bursty: float = number(
        1.0, 0.0, 1.0, "Bursty share", "Sequences whose context shows the query's class."
    )
    zipf: float = number(0.0, 0.0, 2.0, "Zipf exponent", "0: all classes alike; 1: a few are met very often.")
    noise: float = number(0.1, 0.0, 1.0, "Noise", "How much items of a class differ.")
    rate: float = number(1e-3, 1e-4, 3e-3, "Learning rate", "Of AdamW.", is_log=True)
    n_steps: int = number(1000, 100, 6000, "Steps", "Training steps of 128 sequences.")


PRESETS = (
    Preset(
        "Context wins",
        {},
        "Nothing, nothing, then all at once: new classes are answered, and only the context is used.",
    ),
    Preset(
        "Weights win",
        {"n_classes": 64, "p_bursty": 0.0, "n_steps": 500},
        "Known classes are answered without any help from the context, new ones not at all.",
    ),
    Preset(
        "First one, then the other",
        {"p_bursty": 0.75, "n_steps": 4500},
        "Looking up comes first; then memory grows and it fades.",
    ),
)


@dataclass(frozen=True)
class Abrupt(OfVectors):
    """The world of eight pairs and a query."""

    settings: AbruptSettings = AbruptSettings()
    seed: int = 0
    id: ClassVar[str] = "abrupt-learning"
    questions: ClassVar[Mapping[str, str]] = {
        "new_classes": "classes that it never met",
        "swapped": "known classes, their labels swapped",
        "train": "such as it learns from",
        "absent": "known classes that the context does not show",
    }
    curves = (
        Curve("new_classes", "new classes (context only)", "accuracy", "Right on classes never met."),
        Curve("swapped", "swapped labels (context only)", "accuracy",
              "Known classes under other labels: right if the context is believed."),
        Curve("absent", "class absent (weights only)", "accuracy",
              "Known classes that the context does not show."),
        Curve("item_label", "label → its item", "attention", "Item-label association, first layer."),
        Curve("target_label", "query → any label", "attention", "Target-label association, second layer."),
        Curve("target_right", "query → right label", "attention", "The part of it on the right labels."),
    )  # fmt: skip

    def sample(self, n: int, generator: "torch.Generator", split: str = "train") -> Sequences:
        """Draw sequences.

        Args:
            n: How many.
            generator: Determines them.
            split: "train"; "new_classes" with labels dealt anew; "swapped", known classes with all labels
                moved on by as much; "absent", known classes whose label the context does not show.
        """
        import torch

        copies, known = self.settings.burstiness, self.settings.n_classes
        weights = zipf(known, self.settings.zipf)
        together = shuffled(drawn(weights, (n, N_PAIRS // copies), generator).repeat(1, copies), generator)
        asked = together.gather(1, torch.randint(N_PAIRS, (n, 1), generator=generator))[:, 0]
        if split == "new_classes":
            places = shuffled(torch.arange(N_PAIRS // copies).repeat(copies).expand(n, -1), generator)
            dealt = distinct_labels(n, N_PAIRS // copies, N_LABELS, generator)
            context, labels = known + places, dealt.gather(1, places)
            place = torch.randint(N_PAIRS, (n, 1), generator=generator)
            vectors = directions(n * (N_PAIRS // copies), N_ITEM, generator).view(n, -1, N_ITEM)
            shown = torch.cat([places, places.gather(1, place)], 1)
            items = vectors.gather(1, shown[:, :, None].expand(-1, -1, N_ITEM))
            classes = torch.cat([context, context.gather(1, place)], 1)
            target = labels.gather(1, place)[:, 0]
            return Sequences(noised(items, self.settings.noise, generator), classes, labels, target)
        context, moved = together, torch.zeros(n, 1, dtype=torch.long)
        if split == "swapped":
            moved = torch.randint(1, N_LABELS, (n, 1), generator=generator)
        elif split == "absent":
            context, asked = drawn(weights, (n, N_PAIRS), generator), drawn(weights, (n,), generator)
            is_shown = context % N_LABELS == asked[:, None] % N_LABELS
            context = torch.where(is_shown, (context + 1) % known, context)
        elif split == "train":
            is_bursty = torch.rand(n, generator=generator) < self.settings.p_bursty
            apart, alone = drawn(weights, (n, N_PAIRS), generator), drawn(weights, (n,), generator)
            context = torch.where(is_bursty[:, None], together, apart)
            asked = torch.where(is_bursty, asked, alone)
        else:
            raise ValueError(f"split must be train, new_classes, swapped or absent, got {split!r}")
        classes = torch.cat([context, asked[:, None]], 1)
        labels = (classes + moved) % N_LABELS
        items = noised(self.class_vectors[classes], self.settings.noise, generator)
        return Sequences(items, classes, labels[:, :-1], labels[:, -1])

    def toy(self) -> Profile:
        """Draw how the circuit learns as three numbers: for thousands of steps next to nothing, then all."""
        from lab.worlds.exact.toys import three_numbers

        path = three_numbers(N_PAIRS, self.settings.burstiness, N_LABELS)
        steps = range(0, len(path.loss), 40)
        lines = {
            "loss (nats)": path.loss,
            "β1: label → its item": path.before,
            "β2: query → its match": path.match,
            "ξ: how far the answer follows": path.follow,
        }
        halfway = int((path.loss < path.loss[0] / 2).argmax())
        title = f"Three numbers show it too: step {halfway:,} of {len(path.loss) - 1:,} has half of the loss"
        drawn = {name: [float(line[step]) for step in steps] for name, line in lines.items()}
        return Profile(title, "steps of gradient descent", "value", list(steps), drawn)

    def measure(self, learner: "Learner") -> dict[str, float]:
        """Measure the three accuracies, and on new classes what both heads look at."""
        import torch

        found = {}
        for split in ("new_classes", "swapped", "absent"):
            batch = self.sample(N_MEASURED, torch.Generator().manual_seed(1), split)
            cache: Cache = {}
            scores = self.answer(learner, batch, None, cache)
            found[split] = (scores.argmax(1) == batch.target).float().mean().item()
            if split == "new_classes":
                found |= associations(cache, batch)
        return found
