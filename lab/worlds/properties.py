"""Which properties of the data make a learner use its context, and which make it learn by heart?

Eight items with their labels, then a query, as in natural data: what is talked about comes in bursts, most
kinds of things are rare, things of a kind differ, words have several senses. Each can be turned up and down,
and a recurrent learner can take the transformer's place.

| here | paper | what |
|---|---|---|
| `p_bursty` | P(bursty) | share of sequences with the query's class and another three times each |
| `n_classes` | number of classes | kinds of items; class k has label k mod 32, and its other senses |
| `zipf` | Zipf exponent | class k is met in proportion to k^-α |
| `noise` | within-class variation | how much items of a class differ |
| `n_senses` | multiplicity of labels | labels of a class, one of which it has throughout a sequence |
| holdout | in-context learning | two classes never met, four times each, their labels dealt anew |
| absent | in-weights learning | a known class whose labels the context does not show |

Source: Chan et al. 2022 (arXiv:2205.05055), sections 2 and 3. Differences: Gaussian vectors in place of
Omniglot characters and their ResNet, 32 labels that classes share in place of one each, two layers of one
head in place of twelve of eight, rotary positions, AdamW at a constant rate.
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

N_MEASURED = 1000
N_COMMON = 64
_BURST = (0, 0, 0, 1, 1, 1, 2, 3)
_SENSE_APART = 11  # labels between two senses of a class; coprime to 32, so that senses differ


@dataclass(frozen=True)
class PropertiesSettings(Settings):
    """What can be changed in this world."""

    n_classes: int = number(2048, 32, 4096, "Classes", "Kinds of items; 32 labels are shared.", is_log=True)
    p_bursty: float = number(
        0.9, 0.0, 1.0, "Bursty share", "Sequences that show the query's class three times."
    )
    zipf: float = number(0.0, 0.0, 2.0, "Zipf exponent", "0: all classes alike; 1: a few are met very often.")
    noise: float = number(0.1, 0.0, 1.0, "Noise", "How much items of a class differ.")
    n_senses: int = choice(1, (1, 2, 4), "Senses", "Labels of a class; a sequence keeps to one of them.")
    architecture: str = choice(
        "transformer", ("transformer", "GRU"), "Learner", "The recurrent one has as many parameters."
    )
    rate: float = number(1e-3, 1e-4, 3e-3, "Learning rate", "Of AdamW.", is_log=True)
    n_steps: int = number(1500, 100, 6000, "Steps", "Training steps of 128 sequences.")


PRESETS = (
    Preset("Bursty data", {}, "New classes are answered from the context; little is known by heart."),
    Preset(
        "No bursts",
        {"p_bursty": 0.0, "n_classes": 256},
        "The context tells nothing of the query: classes are learned by heart, new ones are not answered.",
    ),
    Preset(
        "Both",
        {"p_bursty": 0.75, "zipf": 1.0, "n_steps": 4500},
        "A few classes are met very often: those are learned by heart, and new ones are still looked up.",
    ),
    Preset(
        "Memory grows slowly",
        {"p_bursty": 0.75, "n_steps": 4500},
        "Some queries can't be looked up; with all classes alike, half of them are known at the end.",
    ),
    Preset(
        "Recurrent",
        {"architecture": "GRU"},
        "The same data, as many parameters, no attention: how far does it get with new classes?",
    ),
)


@dataclass(frozen=True)
class Properties(OfVectors):
    """The world of bursts, rare classes and several senses."""

    settings: PropertiesSettings = PropertiesSettings()
    seed: int = 0
    id: ClassVar[str] = "data-properties"
    questions: ClassVar[Mapping[str, str]] = {
        "holdout": "classes that it never met",
        "train": "such as it learns from",
        "absent": "known classes that the context does not show",
    }

    plots: ClassVar[Mapping[str, str]] = {"profile": "as the query's class is shown more often"}

    @property
    def curves(self) -> tuple[Curve, ...]:
        """Describe what is measured: the two ways to answer, and what a transformer looks at."""
        accuracies = (
            Curve("holdout", "in context: classes never met", "accuracy",
                  "Right on two new classes, four of each shown."),
            Curve("absent", "in weights: class not shown", "accuracy",
                  "One of the labels of a known class that the context does not show."),
            Curve("common", "in weights: the 64 most common", "accuracy",
                  "The same for those met most often."),
        )  # fmt: skip
        looks = (
            Curve("item_label", "label → its item", "attention", "First layer."),
            Curve("target_label", "query → any label", "attention", "Second layer."),
            Curve("target_right", "query → right label", "attention", "The part of it on the right labels."),
        )
        return accuracies if self.is_recurrent else accuracies + looks

    @property
    def is_recurrent(self) -> bool:
        """Tell whether a GRU learns here."""
        return self.settings.architecture == "GRU"

    def sample(self, n: int, generator: "torch.Generator", split: str = "train") -> Sequences:
        """Draw sequences.

        Args:
            n: How many.
            generator: Determines them.
            split: "train"; "holdout", two new classes four times each with labels dealt anew; "absent", known
                classes none of whose labels the context shows; "common", the same for the 64 met most.
        """
        import torch

        if split == "holdout":
            return self.holdout(n, N_PAIRS // 2, generator)
        known = self.settings.n_classes
        weights = zipf(known, self.settings.zipf)
        context = drawn(weights, (n, N_PAIRS), generator)
        asked = drawn(weights, (n,), generator)
        if split == "train":
            kinds = torch.multinomial(weights.expand(n, -1), 4, generator=generator)
            burst = shuffled(kinds[:, list(_BURST)], generator)
            is_bursty = torch.rand(n, generator=generator) < self.settings.p_bursty
            context = torch.where(is_bursty[:, None], burst, context)
            asked = torch.where(is_bursty, kinds[:, 0], asked)
        elif split in ("absent", "common"):
            if split == "common":
                asked = torch.randint(min(N_COMMON, known), (n,), generator=generator)
            while (is_shown := self._shares_a_label(context, asked)).any():
                context = torch.where(is_shown, (context + 1) % known, context)
        else:
            raise ValueError(f"split must be train, holdout, absent or common, got {split!r}")
        classes = torch.cat([context, asked[:, None]], 1)
        first = (classes[:, :, None] == classes[:, None, :]).float().argmax(2)
        sense = torch.randint(self.settings.n_senses, classes.shape, generator=generator).gather(1, first)
        labels = self.senses[classes].gather(2, sense[:, :, None])[..., 0]
        items = noised(self.class_vectors[classes], self.settings.noise, generator)
        return Sequences(items, classes, labels[:, :-1], labels[:, -1])

    def holdout(self, n: int, n_shown: int, generator: "torch.Generator") -> Sequences:
        """Draw sequences of two classes never met.

        Args:
            n: How many.
            n_shown: How many of the eight pairs show the query's class, 1 to 7.
            generator: Determines them.
        """
        import torch

        places = shuffled((torch.arange(N_PAIRS) >= n_shown).long().expand(n, -1), generator)
        places = torch.cat([places, torch.zeros(n, 1, dtype=torch.long)], 1)
        vectors = directions(2 * n, N_ITEM, generator).view(n, 2, N_ITEM)
        items = vectors.gather(1, places[:, :, None].expand(-1, -1, N_ITEM))
        labels = distinct_labels(n, 2, N_LABELS, generator).gather(1, places)
        return Sequences(
            noised(items, self.settings.noise, generator),
            self.settings.n_classes + places,
            labels[:, :-1],
            labels[:, -1],
        )

    def measure(self, learner: "Learner") -> dict[str, float]:
        """Measure both ways to answer, and on new classes what a transformer looks at."""
        import torch

        found = {}
        for split in ("holdout", "absent", "common"):
            batch = self.sample(N_MEASURED, torch.Generator().manual_seed(1), split)
            cache: Cache = {}
            found[split] = self.share_right(learner, batch, cache)
            if split == "holdout" and not self.is_recurrent:
                found |= associations(cache, batch)
        return found

    def share_right(self, learner: "Learner", batch: Sequences, cache: "Cache | None" = None) -> float:
        """Return the share of queries answered right; of a known class each of its labels is."""
        said = self.answer(learner, batch, None, cache).argmax(1)
        asked = batch.classes[:, -1]
        if (asked >= self.settings.n_classes).all():
            return (said == batch.target).float().mean().item()
        return (self.senses[asked] == said[:, None]).any(1).float().mean().item()

    def profile(self, learner: "Learner") -> Profile:
        """Draw how often new classes are answered right, by how often the context shows the query's class."""
        import torch

        shots = list(range(1, N_PAIRS))
        generator = torch.Generator().manual_seed(2)
        right = [self.share_right(learner, self.holdout(N_MEASURED, shot, generator)) for shot in shots]
        lines = {"learner": right, "the commoner of the two labels": [float(2 * s > N_PAIRS) for s in shots]}
        lines["the commoner of the two labels"][N_PAIRS // 2 - 1] = 0.5
        title = f"Shown once among eight, a new class is answered right {right[0]:.0%} of the time"
        return Profile(
            title, "times that the context shows the query's class", "answered right", shots, lines
        )

    def _shares_a_label(self, context: "torch.Tensor", asked: "torch.Tensor") -> "torch.Tensor":
        return (self.senses[context][..., None] == self.senses[asked][:, None, None]).any(2).any(2)

    @property
    def senses(self) -> "torch.Tensor":
        """Return the labels of every class, shape (n_classes, n_senses)."""
        import torch

        first = torch.arange(self.settings.n_classes)[:, None]
        return (first + _SENSE_APART * torch.arange(self.settings.n_senses)) % N_LABELS
