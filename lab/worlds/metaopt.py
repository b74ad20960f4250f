"""Do demonstrations act on a learner as gradient descent on them would?

Items with labels that are dealt anew in every sequence, then a mark and an item: which label? What the
context changes in attention is compared with what fine-tuning on the same pairs changes. The idea is exact
where attention has no softmax (`dual_form`); how much of it a trained learner shows is measured (`tuning`),
and what an untrained one shows, which can't have learned it.

| here | paper | what |
|---|---|---|
| pairs | demonstrations | item and label, in turn |
| alone, in context, tuned | ZSL, ICL, FT | how a query, the mark and an item, is asked |
| `tuning_rate` | | of the steps on W_K and W_V, one a pair: the mark, its item, and the label to be said |
| `momentum` | η | attention also gathers Σ η^(t-i) v_i: equation 13 |
| nearest item | | answers the label of the pair whose item is nearest to the query's |

Source: Dai et al. 2023 (arXiv:2212.10559). The paper compares in language models of 1.3 and 2.7 billion
parameters, on six data sets; this is a classifier of 40,000 that is trained to look labels up.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lab.training.loop import Schedule
from lab.worlds.items import OfPairs, Sequences, directions, distinct_labels, label_word, noised, replies
from lab.worlds.probes import principal_plane
from lab.worlds.settings import Settings, choice, number
from lab.worlds.tuning import Compared, ask, joined, tuned
from lab.worlds.world import Curve, Own, Preset, Profile, Replies, Scatter

if TYPE_CHECKING:
    import torch

    from lab.worlds.core.hooks import Cache, Hooks
    from lab.worlds.core.learner import Learner

N_ITEM = 32  # numbers that make an item
N_NEW = 100  # classes that are never trained on
N_MEASURED = 500
N_COMPARED = 24  # prompts that are tuned on while it trains; the check takes more
N_PROFILED = 60
N_PULLS = 6
N_OWN = 2  # tokens of a query: the mark and its item
MAX_PAIRS = 12
N_LAYERS = 2
_WIDTH = 64
_EXAMPLE = "7=b 3=d 12=a 9=f 4=c 15=k 1=e 6=h 3=?"


@dataclass(frozen=True)
class MetaOptSettings(Settings):
    """What can be changed in this world."""

    n_pairs: int = number(8, 2, MAX_PAIRS, "Pairs", "Items with labels in a context.")
    n_labels: int = number(32, 12, 48, "Labels", "Different ones are dealt to the items of each sequence.")
    n_classes: int = number(256, 16, 1024, "Classes", "Kinds of items to learn from.", is_log=True)
    noise: float = number(0.1, 0.0, 1.0, "Noise", "How much items of a class differ.")
    n_heads: int = choice(1, (1, 2, 4), "Heads", "Attention heads in each of the two layers.")
    attention: str = choice("softmax", ("softmax", "linear"), "Attention", "Linear: without its softmax.")
    momentum: float = number(0.0, 0.0, 0.9, "Momentum", "η: how much of earlier values attention adds.")
    tuning_rate: float = number(1.0, 0.01, 10.0, "Tuning rate", "Of the steps compared with.", is_log=True)
    rate: float = number(3e-3, 1e-4, 1e-2, "Learning rate", "Of AdamW.", is_log=True)
    n_steps: int = number(600, 100, 4000, "Steps", "Training steps of 128 sequences.")


PRESETS = (
    Preset(
        "Context and tuning",
        {},
        "SimAOU is highest while it only guesses among the labels shown, as a tuned learner does, and falls "
        "as it learns to look up; some of it is there at step 0, before any training.",
    ),
    Preset(
        "Two pairs",
        {"n_pairs": 2, "n_steps": 400},
        "For hundreds of steps it guesses between the two labels shown, right half of the time, as after "
        "tuning.",
    ),
    Preset("Momentum", {"momentum": 0.5}, "Earlier values come for free: it looks up after fewer steps."),
    Preset(
        "Linear attention",
        {"attention": "linear"},
        "The form in which the idea is exact: in 600 steps it does not get past guessing among labels shown.",
    ),
)


@dataclass(frozen=True)
class MetaOpt(OfPairs):
    """The world of items whose labels are dealt anew, asked alone, in context, and after tuning."""

    settings: MetaOptSettings = MetaOptSettings()
    seed: int = 0
    id: ClassVar[str] = "meta-optimizer"
    questions: ClassVar[Mapping[str, str]] = {
        "train": "such as it learns from",
        "classes": "classes that it never met",
    }
    plots: ClassVar[Mapping[str, str]] = {
        "profile": "as the context grows",
        "by_layer": "likeness by layer",
        "pulls": "where context and tuning pull",
    }
    own: ClassVar[Own | None] = Own(
        "Pairs of your own",
        "Classes are numbers, labels letters; the last is asked, as in the sequences behind the cells.",
        _EXAMPLE,
    )
    n_batch = 128

    @property
    def schedule(self) -> Schedule:
        """Return AdamW at a constant rate."""
        return Schedule(self.settings.n_steps, self.settings.rate, n_warmup=50, flat=1.0, clip=1.0)

    @property
    def curves(self) -> tuple[Curve, ...]:
        """Describe what is measured: accuracies, loss, and how like tuning a context acts."""
        layers = range(N_LAYERS)
        return (
            Curve("in_context", "in context", "accuracy", "Right after the pairs."),
            Curve("new_classes", "in context, new classes", "accuracy", "The same on items never met."),
            Curve("alone", "alone", "accuracy", "Right without any pair: chance."),
            Curve("tuned", "tuned", "accuracy", "Right alone, after tuning on the pairs."),
            Curve("nearest", "nearest item", "accuracy", "The label of the nearest item shown."),
            Curve("guess", "guess among labels shown", "accuracy", "Right by a guess that asks no pair."),
            Curve("loss", "in context", "loss (nats)", "Cross-entropy of the query's label."),
            *(
                Curve(f"output.{layer}", f"layer {layer}", "SimAOU",
                      "Cosine of what the context and what tuning changes in the attention output.")
                for layer in layers
            ),
            Curve("output_random", "random update", "SimAOU", "With a random direction in tuning's place."),
            Curve("attention", "with the tuned", "SimAM", "Cosine of scores in context with the tuned's."),
            Curve("attention_alone", "with those alone", "SimAM", "With those before tuning (ZSL SimAM)."),
        )  # fmt: skip

    def build(self) -> "Learner":
        """Return two layers of attention alone."""
        from torch import nn

        from lab.worlds.core.learner import Learner, new_body
        from lab.worlds.core.transformer import TransformerConfig

        settings = self.settings
        parts = {
            "item": nn.Linear(N_ITEM, _WIDTH),
            "label": nn.Embedding(settings.n_labels, _WIDTH),
            "mark": nn.Embedding(1, _WIDTH),
        }
        config = TransformerConfig(
            _WIDTH,
            N_LAYERS,
            settings.n_heads,
            is_linear=settings.attention == "linear",
            momentum=settings.momentum,
            max_length=2 * MAX_PAIRS + N_OWN,
        )
        return Learner(parts, new_body(config), nn.Linear(_WIDTH, settings.n_labels))

    def sample(self, n: int, generator: "torch.Generator", split: str = "train") -> Sequences:
        """Draw sequences; "classes" shows classes that training never shows."""
        import torch

        settings = self.settings
        first, n_known = (settings.n_classes, N_NEW) if split == "classes" else (0, settings.n_classes)
        classes = first + distinct_labels(n, settings.n_pairs, n_known, generator)
        labels = distinct_labels(n, settings.n_pairs, settings.n_labels, generator)
        asked = torch.randint(settings.n_pairs, (n, 1), generator=generator)
        classes = torch.cat([classes, classes.gather(1, asked)], 1)
        items = noised(self._classes[classes], settings.noise, generator)
        return Sequences(items, classes, labels, labels.gather(1, asked)[:, 0])

    def encode(self, learner: "Learner", batch: Sequences) -> "torch.Tensor":
        """Lay items and labels in turn, then mark and query, shape (n, 2 n_pairs + 2, d_model)."""
        import torch

        items, labels = learner.parts["item"](batch.items[:, :-1]), learner.parts["label"](batch.labels)
        pairs = torch.stack([items, labels], 2).flatten(1, 2)
        return torch.cat([pairs, self.alone(learner, batch.items[:, -1])], 1)

    def alone(self, learner: "Learner", items: "torch.Tensor") -> "torch.Tensor":
        """Lay mark and item, each as a sequence of its own: (..., N_ITEM) becomes (..., 2, d_model)."""
        import torch

        mark = learner.parts["mark"](torch.zeros(items.shape[:-1], dtype=torch.long))
        return torch.stack([mark, learner.parts["item"](items)], -2)

    def answer(
        self, learner: "Learner", batch: Sequences, hooks: "Hooks | None" = None, cache: "Cache | None" = None
    ) -> "torch.Tensor":
        """Return a score a label for the query, shape (n, n_labels)."""
        return learner.answer(self.encode(learner, batch), hooks, cache, at=-1)

    def loss(self, learner: "Learner", batch: Sequences, hooks: "Hooks | None" = None) -> "torch.Tensor":
        """Return the cross-entropy of the query's label, and a quarter of that alone, which is but chance."""
        from torch.nn.functional import cross_entropy

        alone = learner.answer(self.alone(learner, batch.items[:, -1]), hooks, at=-1)
        in_context = cross_entropy(self.answer(learner, batch, hooks), batch.target)
        return in_context + 0.25 * cross_entropy(alone, batch.target)

    def compared(self, learner: "Learner", batch: Sequences, n_moved: int = 0) -> Compared:
        """Ask the queries of a batch alone, in context, and after tuning on the context of each.

        Args:
            learner: Stays as it is.
            batch: The sequences.
            n_moved: By how many places the labels that it is tuned on are moved, so that they stand with
                other items: a control in which tuning can learn which labels there are, but no pair.
        """
        own = self.alone(learner, batch.items).detach()
        by_one = []
        for examples, labels in zip(own, batch.labels.roll(n_moved, 1), strict=True):
            *_, last = tuned(learner, examples[:-1], labels, self.settings.tuning_rate)
            by_one.append(ask(last, examples[-1:], N_OWN))
        in_context = ask(learner, self.encode(learner, batch), N_OWN)
        return Compared(ask(learner, own[:, -1], N_OWN), in_context, joined(by_one))

    def measure(self, learner: "Learner") -> dict[str, float]:
        """Measure accuracies, loss, and on a few prompts how like tuning their contexts act."""
        from torch.nn.functional import cross_entropy

        batch, few = self.drawn("train", N_MEASURED), self.drawn("train", N_COMPARED, 2)
        new = self.drawn("classes", N_MEASURED)
        scores = self.answer(learner, batch)
        compared = self.compared(learner, few)
        target = few.target.numpy()
        with_tuned, with_alone = compared.attention_likeness()
        outputs = compared.output_likeness().mean(0)
        return {
            "in_context": _share(scores.argmax(1), batch.target),
            "new_classes": _share(self.answer(learner, new).argmax(1), new.target),
            "alone": _share(compared.alone.answers, target),
            "tuned": _share(compared.tuned.answers, target),
            "nearest": _share(nearest(batch), batch.target),
            "guess": 1 / self.settings.n_pairs,
            "loss": cross_entropy(scores, batch.target).item(),
            **{f"output.{layer}": float(value) for layer, value in enumerate(outputs)},
            "output_random": float(compared.random_likeness(self.seed).mean()),
            "attention": float(with_tuned.mean()),
            "attention_alone": float(with_alone.mean()),
        }

    def profile(self, learner: "Learner") -> Profile:
        """Draw accuracies over how many pairs are shown, or tuned on."""
        batch = self.drawn("train", N_PROFILED, 3)
        counts = list(range(1, self.settings.n_pairs + 1))
        own = self.alone(learner, batch.items).detach()
        by_tuning = np.zeros(len(counts))
        for examples, labels, target in zip(own, batch.labels, batch.target.tolist(), strict=True):
            steps = tuned(learner, examples[:-1], labels, self.settings.tuning_rate)
            by_tuning += [ask(each, examples[-1:], N_OWN).answers[0] == target for each in steps]
        shown = [first_pairs(batch, count) for count in counts]
        lines = {
            "in context": [_share(self.answer(learner, each).argmax(1), each.target) for each in shown],
            "tuned": (by_tuning / N_PROFILED).tolist(),
            "nearest item": [_share(nearest(each), each.target) for each in shown],
        }
        title = (
            f"After {counts[-1]} pairs {lines['in context'][-1]:.0%} are right in context, "
            f"{lines['tuned'][-1]:.0%} after tuning"
        )
        return Profile(title, "pairs shown or tuned on", "share right", counts, lines)

    def by_layer(self, learner: "Learner") -> Profile:
        """Draw how like tuning the context acts in each layer, beside chance and an untrained learner."""
        import torch

        batch = self.drawn("train", N_COMPARED, 2)
        found = self.compared(learner, batch)
        with torch.random.fork_rng():
            torch.manual_seed(self.seed)
            before = self.compared(self.build().eval(), batch).output_likeness()
        lines = {
            "this learner": found.output_likeness(),
            "untrained": before,
            "a random direction": found.random_likeness(self.seed),
        }
        by_layer = {name: each.mean(0).tolist() for name, each in lines.items()}
        ends = [values[-1] for values in by_layer.values()]
        title = (
            f"In the last layer context and tuning change attention alike by {ends[0]:.2f}; untrained by "
            f"{ends[1]:.2f}, by chance {ends[2]:.2f} (n = {N_COMPARED})"
        )
        names = [f"layer {layer}" for layer in range(N_LAYERS)]
        return Profile(title, "layer", "SimAOU (cosine)", names, by_layer)

    def pulls(self, learner: "Learner") -> Scatter:
        """Draw where context and tuning pull the last layer's attention, in the plane of most change."""
        import torch

        found = self.compared(learner, self.drawn("train", N_PULLS, 2))
        by_context, by_tuning = (torch.from_numpy(each[:, -1]) for each in found.changes())
        places, share = principal_plane(torch.cat([by_context, by_tuning]))
        ends = [(x, y) for x, y in places.tolist()]
        alike = found.output_likeness()[:, -1].mean()
        title = (
            f"What context and tuning change has a mean cosine of {alike:.2f}; "
            f"this plane keeps {share:.0%} of it ({N_PULLS} prompts)"
        )
        return Scatter(
            title, "first direction of change", "second", {},
            {name: [f"prompt {each + 1}" for each in range(N_PULLS)] for name in ("context", "tuning")},
            {"context": ends[:N_PULLS], "tuning": ends[N_PULLS:]},
        )  # fmt: skip

    def told(self, learner: "Learner", text: str) -> Profile:
        """Draw what is said to pairs of a person's own, in context, tuned on them, and alone."""
        batch = self.read(text)
        own = self.alone(learner, batch.items)[0].detach()
        *_, last = tuned(learner, own[:-1], batch.labels[0], self.settings.tuning_rate)
        scores = {
            "in context": self.answer(learner, batch),
            "tuned": last.answer(own[-1:], at=-1),
            "alone": learner.answer(own[-1:], at=-1),
        }
        labels = list(dict.fromkeys(batch.labels[0].tolist()))
        lines = {name: each.softmax(1)[0, labels].tolist() for name, each in scores.items()}
        said = {name: label_word(int(each.argmax())) for name, each in scores.items()}
        title = f"In context it says {said['in context']}, after tuning on the pairs {said['tuned']}"
        return Profile(title, "labels shown", "probability", [label_word(each) for each in labels], lines)

    def read(self, text: str) -> Sequences:
        """Read a sequence as it is written, without noise on its items.

        Raises:
            ValueError: It isn't written so, or names a class or label that there is not.
        """
        import torch

        words = {label_word(label): label for label in range(self.settings.n_labels)}
        found = re.fullmatch(r"((?:\d+=[a-z]+\s+)+)(\d+)=\?", text.strip())
        pairs = [pair.split("=") for pair in found[1].split()] if found else []
        if not found or len(pairs) > MAX_PAIRS or any(word not in words for _, word in pairs):
            raise ValueError(
                f"write 1 to {MAX_PAIRS} pairs and a query, such as {_EXAMPLE}, with "
                f"labels a to {label_word(self.settings.n_labels - 1)}; got {text!r}"
            )
        classes = torch.tensor([[int(item) for item, _ in pairs] + [int(found[2])]])
        if classes.max() >= self.settings.n_classes:
            raise ValueError(f"classes are 0 to {self.settings.n_classes - 1}, got {int(classes.max())}")
        labels = torch.tensor([[words[word] for _, word in pairs]])
        return Sequences(
            self._classes[classes], classes, labels, labels[:, 0]
        )  # any target: none is asked for

    def reply(
        self, learner: "Learner", batch: Sequences, hooks: "Hooks | None" = None, cache: "Cache | None" = None
    ) -> Replies:
        """Answer in letters."""
        return replies(self.answer(learner, batch, hooks, cache), batch)

    def positions(self, batch: Sequences, row: int) -> list[str]:
        """Name items by their class and labels by their letter; a mark stands before the query."""
        *pairs, query = super().positions(batch, row)
        return [*pairs, "?", query]

    def drawn(self, split: str, n: int, seed: int = 1) -> Sequences:
        """Draw the sequences of a fixed seed."""
        import torch

        return self.sample(n, torch.Generator().manual_seed(seed), split)

    @cached_property
    def _classes(self) -> "torch.Tensor":
        import torch

        n = self.settings.n_classes + N_NEW
        return directions(n, N_ITEM, torch.Generator().manual_seed(self.seed))


def nearest(batch: Sequences) -> "torch.Tensor":
    """Return the label of the item that is nearest to the query, shape (n,)."""
    apart = (batch.items[:, :-1] - batch.items[:, -1:]).norm(dim=2)
    return batch.labels.gather(1, apart.argmin(1, keepdim=True))[:, 0]


def first_pairs(batch: Sequences, n: int) -> Sequences:
    """Keep the first pairs of every context, and the query."""
    import torch

    items, classes = (torch.cat([each[:, :n], each[:, -1:]], 1) for each in (batch.items, batch.classes))
    return Sequences(items, classes, batch.labels[:, :n], batch.target)


def _share(answers: Any, target: Any) -> float:
    return float((answers == target).sum() / len(target))
