"""Is it easier to learn from a context when one knows already what to look at?

Pictures with labels. One factor of the pictures, their shape, hue or size, decides the labels of a whole
sequence; which one it is only the context tells. Where the map from values to labels is fixed, the weights
learn what the factors are; where it is dealt anew in every sequence, the labels have to be looked up too.

| here | paper | what |
|---|---|---|
| fixed map | D_fix | value v of the hidden factor has label v |
| random map | D_rnd | the labels of the values are dealt anew in every sequence |
| `p_fixed` | D_rnd^fix | share of the sequences whose map is fixed |
| `switch` | | the step from which on every map is random |
| in-weights probe | in-weights score | reads every factor from a picture without context |
| in-context probe | in-context score | reads the value of the hidden factor from the query in its context |
| label probe | | reads the query's label at the same place, before the last block |
| matcher | hand-built Transformer | knows the values: keeps the factors that agree, and looks up |

Source: Fu et al. 2023 (arXiv:2309.06054). Differences: drawn shapes of three factors with four values in
place of Shapes3D; 89,000 parameters; probes are ridge regressions, of the block that serves best.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from lab.training.loop import Schedule
from lab.worlds.exact.matcher import matched
from lab.worlds.items import LAYOUTS, label_word
from lab.worlds.probes import PENALTY, held_out_accuracy
from lab.worlds.settings import Settings, choice, number
from lab.worlds.shapes import N_FACTORS, N_PIXELS, N_PLACES, N_VALUES, name_of, pictures, read_pictures
from lab.worlds.world import Curve, Own, Plain, Preset, Profile, Replies

if TYPE_CHECKING:
    import torch

    from lab.worlds.core.hooks import Cache, Hooks
    from lab.worlds.core.learner import Learner

N_MEASURED = 512
N_PROBED = 2048  # half of them fit a probe, the others judge it
_WIDTH, _N_LAYERS, _N_HEADS, _D_MLP = 48, 3, 4, 128
_MIDDLE = N_PLACES // 2


@dataclass(frozen=True)
class FactorsSettings(Settings):
    """What can be changed in this world."""

    p_fixed: float = number(0.5, 0.0, 1.0, "Fixed maps", "Share of the sequences whose map is fixed.")
    switch: int = number(0, 0, 6000, "Switch", "The step from which on all maps are random; 0: never.")
    n_pairs: int = choice(16, (8, 12, 16), "Pictures", "Of a sequence; the last one is the query.")
    noise: float = number(0.1, 0.0, 0.5, "Noise", "Standard deviation of what is added to a pixel.")
    rate: float = number(5e-3, 1e-4, 1e-2, "Learning rate", "Of AdamW.", is_log=True)
    n_steps: int = number(2000, 100, 6000, "Steps", "Training steps of 48 sequences.")


PRESETS = (
    Preset("Half of the maps fixed", {}, "First the factors are known, then looking up begins."),
    Preset("All maps random", {"p_fixed": 0.0}, "It has to find factors and looking up at once: it waits."),
    Preset("All maps fixed", {"p_fixed": 1.0}, "The factors are known, but random maps stay at chance."),
    Preset(
        "Fixed first, then random",
        {"p_fixed": 1.0, "switch": 500},
        "The factors are known when labels are dealt anew at step 500: now looking up begins within a few "
        "hundred steps, without any fixed map, and gets half of them right.",
    ),
    Preset("A tenth fixed", {"p_fixed": 0.1}, "Are few sequences with fixed maps enough?"),
)


class Shown(NamedTuple):
    """Sequences of pictures with labels; the last picture is the query.

    Args:
        pixels: Shape (n, n_pairs, 432).
        values: Of all factors, shape (n, n_pairs, 3).
        factor: The one that decides, shape (n,).
        labels: Shape (n, n_pairs); the last is the answer.
    """

    pixels: "torch.Tensor"
    values: "torch.Tensor"
    factor: "torch.Tensor"
    labels: "torch.Tensor"

    @property
    def value(self) -> "torch.Tensor":
        """Return the values of the factor that decides, shape (n, n_pairs)."""
        return self.values.gather(2, self.factor[:, None, None].expand(-1, self.values.shape[1], 1))[..., 0]


@dataclass(frozen=True)
class Factors(Plain):
    """The world of pictures that a hidden factor labels."""

    settings: FactorsSettings = FactorsSettings()
    seed: int = 0
    id: ClassVar[str] = "representation"
    questions: ClassVar[Mapping[str, str]] = {
        "random": "labels dealt anew",
        "fixed": "labels as they are known",
        "train": "such as it learns from",
    }
    layouts: ClassVar[Mapping[str, str]] = {
        "drawn": LAYOUTS["drawn"],
        "reversed": LAYOUTS["reversed"],
        "match-first": "pictures with the query's label first",
        "match-last": "pictures with the query's label last",
    }
    plots: ClassVar[Mapping[str, str]] = {"profile": "as the context grows"}
    own: ClassVar[Own | None] = Own(
        "Pictures of your own",
        "Hue size shape=label, the last without label. Hues red, green, blue, yellow; sizes tiny, small, "
        "large, huge; shapes disc, square, triangle, cross; labels a to d.",
        "red tiny disc=b, blue huge disc=a, red large cross=b, blue small square=a, blue tiny triangle",
    )
    n_batch = 48
    curves = (
        Curve("random", "random map", "accuracy", "The last label, looked up: its map is dealt anew."),
        Curve("fixed", "fixed map", "accuracy", "The last label under the map that it knows."),
        Curve("matcher", "matcher, random map", "accuracy", "Of one who knows the values and looks up."),
        Curve("in_weights", "in weights", "probe", "All factors, read from a picture alone; chance is .25."),
        Curve("in_context", "in context", "probe", "Hidden factor's value; .56 if the factor isn't known."),
        Curve("label", "label, in context", "probe", "The query's label, random map, before the last block."),
        Curve("same_value", "best head: query → same value", "attention",
              "On pictures with the query's value of the hidden factor, and on their labels."),
        Curve("even", "even attention", "attention", "What it would be of one who looks at all alike."),
    )  # fmt: skip

    @property
    def schedule(self) -> Schedule:
        """Return AdamW with a warm-up, a plateau and a fall."""
        return Schedule(self.settings.n_steps, self.settings.rate, n_warmup=50)

    def build(self) -> "Learner":
        """Return three layers of four heads; a hidden layer reads the pixels of a picture."""
        from torch import nn

        from lab.worlds.core.learner import Learner, new_body
        from lab.worlds.core.transformer import TransformerConfig

        config = TransformerConfig(_WIDTH, _N_LAYERS, _N_HEADS, _D_MLP, max_length=2 * self.settings.n_pairs)
        picture = nn.Sequential(nn.Linear(N_PIXELS, _WIDTH), nn.GELU(), nn.Linear(_WIDTH, _WIDTH))
        parts = {"picture": picture, "label": nn.Embedding(N_VALUES, _WIDTH)}
        return Learner(parts, new_body(config), nn.Linear(_WIDTH, N_VALUES))

    def sample(self, n: int, generator: "torch.Generator", split: str = "train") -> Shown:
        """Draw sequences; "random" and "fixed" are those maps alone, "train" has a share of fixed ones."""
        import torch

        n_pairs = self.settings.n_pairs
        values = torch.randint(N_VALUES, (n, n_pairs, N_FACTORS), generator=generator)
        factor = torch.randint(N_FACTORS, (n,), generator=generator)
        place = torch.randint(N_PLACES, (n, n_pairs), generator=generator)
        pixels = self._pictures[(*values.unbind(2), place)]
        pixels = pixels + self.settings.noise * torch.randn(pixels.shape, generator=generator)
        dealt = torch.rand(n, N_VALUES, generator=generator).argsort(1)
        share = {"random": 0.0, "fixed": 1.0, "train": self.settings.p_fixed}[split]
        is_fixed = torch.rand(n, 1, generator=generator) < share
        known = Shown(pixels, values, factor, values[..., 0]).value
        return Shown(pixels, values, factor, torch.where(is_fixed, known, dealt.gather(1, known)))

    def met(self, step: int) -> str:
        """Return "random" once it is time to switch."""
        return "random" if 0 < self.settings.switch <= step else "train"

    def scores(
        self, learner: "Learner", batch: Shown, hooks: "Hooks | None" = None, cache: "Cache | None" = None
    ) -> "torch.Tensor":
        """Return a score for each label of every picture, shape (n, n_pairs, 4)."""
        import torch

        shown, said = learner.parts["picture"](batch.pixels), learner.parts["label"](batch.labels)
        laid = torch.stack([shown, said], 2).flatten(1, 2)[:, :-1]  # the last label is the answer
        return learner.answer(laid, hooks, cache, at=slice(None, None, 2))

    def loss(self, learner: "Learner", batch: Shown, hooks: "Hooks | None" = None) -> "torch.Tensor":
        """Return the cross-entropy of every label, each from the pairs before it."""
        from torch.nn.functional import cross_entropy

        return cross_entropy(self.scores(learner, batch, hooks).flatten(0, 1), batch.labels.flatten())

    def by_position(self, learner: "Learner", batch: Shown) -> "dict[str, torch.Tensor]":
        """Return accuracies of the learner and of the matcher, each (n_pairs,)."""
        answers = {
            "learner": self.scores(learner, batch),
            "matcher": matched(batch.values, batch.labels, N_VALUES),
        }
        return {name: (each.argmax(2) == batch.labels).float().mean(0) for name, each in answers.items()}

    def measure(self, learner: "Learner") -> dict[str, float]:
        """Measure accuracies of the last label, and what probes read."""
        random, fixed = (self.by_position(learner, self._measured(split)) for split in ("random", "fixed"))
        return {
            "random": random["learner"][-1].item(),
            "fixed": fixed["learner"][-1].item(),
            "matcher": random["matcher"][-1].item(),
            **self._probed(learner),
        }

    def _probed(self, learner: "Learner") -> dict[str, float]:
        """Return what probes read of the block that serves best, with the query alone and in its context."""
        import torch

        batch = self.sample(N_PROBED, torch.Generator().manual_seed(2), "random")
        alone: Cache = {}
        learner.answer(learner.parts["picture"](batch.pixels[:, -1:]), None, alone)
        within: Cache = {}
        self.scores(learner, batch, None, within)
        in_weights, in_context = [], []
        for layer in range(_N_LAYERS):
            name = f"blocks.{layer}.hook_resid_post"
            read = [
                held_out_accuracy(alone[name][:, 0], each, PENALTY) for each in batch.values[:, -1].unbind(1)
            ]
            in_weights.append(sum(read) / N_FACTORS)
            in_context.append(held_out_accuracy(within[name][:, -1], batch.value[:, -1], PENALTY))
        before_last = within[f"blocks.{_N_LAYERS - 1}.hook_resid_pre"][:, -1]
        label = held_out_accuracy(before_last, batch.labels[:, -1], PENALTY)
        probed = {"in_weights": max(in_weights), "in_context": max(in_context), "label": label}
        return probed | self._looked_at(within, batch)

    def _looked_at(self, cache: "Cache", batch: Shown) -> dict[str, float]:
        """Return how much the query looks at pairs of its value, by the head that does most, and evenly."""
        import torch

        is_same = (batch.value[:, :-1] == batch.value[:, -1:]).repeat_interleave(2, 1).float()
        patterns = [cache[f"blocks.{layer}.attn.hook_pattern"] for layer in range(_N_LAYERS)]
        by_head = torch.cat(patterns, 1)[:, :, -1, :-1]
        on_them = torch.einsum("nhk,nk->nh", by_head, is_same).mean(0)
        return {
            "same_value": on_them.max().item(),
            "even": (is_same.sum(1) / (is_same.shape[1] + 1)).mean().item(),
        }

    def profile(self, learner: "Learner") -> Profile:
        """Draw accuracy over the pairs seen, of the learner and of the matcher, on random maps."""
        found = self.by_position(learner, self._measured("random"))
        title = (
            f"After {self.settings.n_pairs - 1} pairs the learner is right on {found['learner'][-1]:.0%}, "
            f"the matcher on {found['matcher'][-1]:.0%}"
        )
        lines = {name: each.tolist() for name, each in found.items()}
        return Profile(title, "pairs seen", "accuracy", list(range(self.settings.n_pairs)), lines)

    def told(self, learner: "Learner", text: str) -> Profile:
        """Draw what the learner and the matcher say of the last of a person's pictures.

        Raises:
            ValueError: The pictures can't be read; says how they are written.
        """
        import torch

        values, labels = read_pictures(text, self.settings.n_pairs)
        shown = torch.tensor([values])
        pixels = self._pictures[(*shown.unbind(2), torch.full(shown.shape[:2], _MIDDLE))]
        batch = Shown(pixels, shown, torch.zeros(1, dtype=torch.long), torch.tensor([[*labels, 0]]))
        lines = {
            "learner": self.scores(learner, batch)[0, -1].softmax(0).tolist(),
            "matcher": matched(shown, batch.labels, N_VALUES)[0, -1].tolist(),
        }
        best = label_word(max(range(N_VALUES), key=lines["learner"].__getitem__))
        title = f"The learner says {best} for the {name_of(values[-1])}"
        return Profile(title, "label", "probability", [label_word(each) for each in range(N_VALUES)], lines)

    def arranged(self, batch: Shown, layout: str) -> Shown:
        """Move the pairs of every context, each label with its picture; the query stays."""
        import torch

        if layout not in self.layouts:
            raise ValueError(f"layout must be one of {', '.join(self.layouts)}, got {layout!r}")
        n, n_shown = len(batch.labels), batch.labels.shape[1] - 1
        places = torch.arange(n_shown).expand(n, -1)
        if layout == "reversed":
            places = places.flip(1)
        elif layout != "drawn":
            is_match = batch.labels[:, :-1] == batch.labels[:, -1:]
            is_first = is_match if layout == "match-first" else ~is_match
            places = (places + n_shown * ~is_first).argsort(1)
        places = torch.cat([places, torch.full((n, 1), n_shown)], 1)
        deep = places[:, :, None]
        return Shown(
            batch.pixels.gather(1, deep.expand_as(batch.pixels)),
            batch.values.gather(1, deep.expand_as(batch.values)),
            batch.factor,
            batch.labels.gather(1, places),
        )

    def written(self, batch: Shown) -> list[str]:
        """Write sequences such as "red tiny disc=b, blue huge cross=?"."""
        written = []
        for values, labels in zip(batch.values.tolist(), batch.labels.tolist(), strict=True):
            said = [*map(label_word, labels[:-1]), "?"]
            written.append(
                ", ".join(f"{name_of(each)}={word}" for each, word in zip(values, said, strict=True))
            )
        return written

    def positions(self, batch: Shown, row: int) -> list[str]:
        """Name pictures by their values and labels by their letter."""
        names, said = map(name_of, batch.values[row].tolist()), map(label_word, batch.labels[row].tolist())
        return [word for pair in zip(names, said, strict=True) for word in pair][:-1]

    def reply(
        self, learner: "Learner", batch: Shown, hooks: "Hooks | None" = None, cache: "Cache | None" = None
    ) -> Replies:
        """Answer in letters."""
        words = [label_word(label) for label in range(N_VALUES)]
        scores = self.scores(learner, batch, hooks, cache)[:, -1]
        return Replies(
            [words[label] for label in scores.argmax(1).tolist()],
            [words[label] for label in batch.labels[:, -1].tolist()],
            [dict(zip(words, row, strict=True)) for row in scores.log_softmax(1).tolist()],
        )

    def _measured(self, split: str) -> Shown:
        import torch

        return self.sample(N_MEASURED, torch.Generator().manual_seed(1), split)

    @cached_property
    def _pictures(self) -> "torch.Tensor":
        return pictures()
