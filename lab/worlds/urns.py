"""When does a learner know its tasks by heart, and when does it learn from the context?

A sequence is drawn from one of `n_urns` urns; the learner predicts every ball from those before it. It can
know the urns and find out which it is (M), or count and forget about urns (G). Few urns bring the first, many
the second, and between them a learner counts first and knows by heart later.

| here | paper's code | what |
|---|---|---|
| `n_urns` | num_tasks | urns to learn from, drawn once from Dirichlet(1) |
| `n_outcomes` | num_dims | kinds of balls |
| `n_balls` | context_length | balls of a sequence |
| M, G | memorized, generalized | the exact predictors; `lab.worlds.exact.strategies` |
| relative distance | relative_distance | 0 where the learner predicts as M does, 1 where it does as G |

Source: Wurgaft et al. 2025 (arXiv:2506.17859). Differences: 48 balls of 8 kinds for 128 to 320 of 8 to 16,
batches of 32 for 64, a rate of 0.001 for 0.0005 and 1,500 steps for 100,000; our own layers for GPT-NeoX.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from string import ascii_lowercase
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from lab.training.loop import Schedule
from lab.worlds.exact.strategies import (
    counts,
    distance,
    divergence,
    generalising,
    memorising,
    relative_distance,
)
from lab.worlds.settings import Settings, choice, number
from lab.worlds.world import Curve, Own, Plain, Preset, Profile, Replies

if TYPE_CHECKING:
    import torch

    from lab.worlds.core.hooks import Cache, Hooks
    from lab.worlds.core.learner import Learner

N_MEASURED = 128
N_PROFILED = 1000
EXAMPLE = "a a b a c a"
_WIDTH = 64


@dataclass(frozen=True)
class UrnsSettings(Settings):
    """What can be changed in this world."""

    n_urns: int = number(32, 2, 1024, "Urns", "Task diversity: urns to learn from.", is_log=True)
    n_outcomes: int = number(8, 3, 12, "Kinds of balls", "Outcomes of a draw.")
    n_balls: int = number(48, 16, 96, "Balls", "Draws of a sequence.")
    d_mlp: int = choice(128, (32, 128, 512), "MLP width", "Room to know urns by heart.")
    rate: float = number(1e-3, 1e-4, 3e-3, "Learning rate", "Of Adam.", is_log=True)
    n_steps: int = number(1500, 100, 8000, "Steps", "Training steps of 32 sequences.")


PRESETS = (
    Preset("32 urns: first count, then know", {}, "It is first nearer to G, then goes half the way to M."),
    Preset("4 urns: known by heart", {"n_urns": 4}, "It goes to M at once; on new urns it is lost."),
    Preset("512 urns: counted", {"n_urns": 512}, "It stays with G, on known urns and on new ones."),
    Preset("32 urns, four times as long", {"n_steps": 6000}, "Counting is transient: it ends nearer to M."),
    Preset("32 urns, a small MLP", {"d_mlp": 32}, "With less room to know urns it stays nearer to G."),
)


class Draws(NamedTuple):
    """Sequences of balls, (n, n_balls), and the probabilities of the urn of each, (n, n_outcomes)."""

    balls: "torch.Tensor"
    urns: "torch.Tensor"


@dataclass(frozen=True)
class Urns(Plain):
    """The world of balls drawn from urns; all balls but a sequence's last are the context of its query."""

    settings: UrnsSettings = UrnsSettings()
    seed: int = 0
    id: ClassVar[str] = "rational-strategies"
    questions: ClassVar[Mapping[str, str]] = {
        "train": "urns that it learns from",
        "new": "urns that it never met",
    }
    layouts: ClassVar[Mapping[str, str]] = {
        "drawn": "as drawn",
        "reversed": "reversed",
        "sorted": "kind by kind",
        "half": "the first half alone",
    }
    plots: ClassVar[Mapping[str, str]] = {"profile": "as the context grows"}
    own: ClassVar[Own | None] = Own(
        "Balls that you draw",
        "Letters from a on, in the order drawn; a click on a bar draws one.",
        EXAMPLE,
        " {x}",
    )
    n_batch = 32
    curves = (
        Curve("relative", "known urns", "relative distance", "0: predicts as M does, 1: as G does."),
        Curve("relative_new", "new urns", "relative distance", "The same on urns never met."),
        Curve("to_m", "to M, known urns", "distance", "Symmetrised KL to the memorising predictor, nats."),
        Curve("to_g", "to G, known urns", "distance", "That to the generalising predictor."),
        Curve("to_m_new", "to M, new urns", "distance", "To the memorising one on urns never met."),
        Curve("to_g_new", "to G, new urns", "distance", "To the generalising one on urns never met."),
        Curve("loss", "learner", "loss on known urns", "Cross-entropy of the next ball, nats."),
        Curve("loss_m", "M: knows the urns", "loss on known urns", "That of the memorising predictor."),
        Curve("loss_g", "G: counts", "loss on known urns", "That of the generalising predictor."),
    )

    @property
    def schedule(self) -> Schedule:
        """Return Adam at a constant rate."""
        return Schedule(self.settings.n_steps, self.settings.rate, n_warmup=1, flat=1.0, decay=0.0)

    def build(self) -> "Learner":
        """Return one layer of one head and an MLP."""
        from torch import nn

        from lab.worlds.core.learner import Learner, new_body
        from lab.worlds.core.transformer import TransformerConfig

        s = self.settings
        body = new_body(TransformerConfig(_WIDTH, 1, 1, d_mlp=s.d_mlp, max_length=s.n_balls))
        balls = nn.Embedding(s.n_outcomes + 1, _WIDTH)  # the last is the start
        return Learner({"ball": balls}, body, nn.Linear(_WIDTH, s.n_outcomes))

    def sample(self, n: int, generator: "torch.Generator", split: str = "train") -> Draws:
        """Draw sequences.

        Args:
            n: How many.
            generator: Determines them.
            split: "train" draws from the urns to learn from; "new" from an urn of its own each.
        """
        import torch

        if split == "train":
            chosen = torch.randint(self.settings.n_urns, (n,), generator=generator)
            urns = self.known[chosen]
        elif split == "new":
            urns = dirichlet(n, self.settings.n_outcomes, generator)
        else:
            raise ValueError(f"split must be train or new, got {split!r}")
        balls = torch.multinomial(urns, self.settings.n_balls, replacement=True, generator=generator)
        return Draws(balls, urns)

    def predict(
        self,
        learner: "Learner",
        balls: "torch.Tensor",
        hooks: "Hooks | None" = None,
        cache: "Cache | None" = None,
    ) -> "torch.Tensor":
        """Predict the next ball after none, one, two and more.

        Args:
            learner: Who predicts.
            balls: Shape (n, m) with m < n_balls.
            hooks: What is put in the stead of activations.
            cache: Filled with activations.

        Returns:
            Log-probabilities in nats, shape (n, m + 1, n_outcomes).
        """
        from torch.nn.functional import pad

        started = pad(balls, (1, 0), value=self.settings.n_outcomes)
        return learner.answer(learner.parts["ball"](started), hooks, cache).log_softmax(-1)

    def loss(self, learner: "Learner", batch: Draws, hooks: "Hooks | None" = None) -> "torch.Tensor":
        """Return the cross-entropy of every ball given those before it."""
        from torch.nn.functional import nll_loss

        logp = self.predict(learner, batch.balls[:, :-1], hooks)
        return nll_loss(logp.flatten(0, 1), batch.balls.flatten())

    def references(self, balls: "torch.Tensor") -> "dict[str, torch.Tensor]":
        """Predict as M and as G do after none, one, two and more of `balls`, each (n, m + 1, n_outcomes)."""
        seen = counts(balls, self.settings.n_outcomes)
        return {"m": memorising(seen, self.known), "g": generalising(seen)}

    def measure(self, learner: "Learner") -> dict[str, float]:
        """Measure the distances to both predictors, on known and on new urns, and the losses of all three."""
        found = {}
        for suffix, batch, known in self._measured:
            p = self.predict(learner, batch.balls[:, :-1]).exp()
            to_m, to_g = distance(p, known["m"]), distance(p, known["g"])
            apart = distance(known["m"], known["g"])
            found[f"relative{suffix}"] = relative_distance(to_m, to_g, apart)
            found |= {f"to_m{suffix}": to_m, f"to_g{suffix}": to_g}
            if not suffix:
                losses = {"loss": p, "loss_m": known["m"], "loss_g": known["g"]}
                found |= {name: _loss(each, batch.balls) for name, each in losses.items()}
        return found

    def profile(self, learner: "Learner") -> Profile:
        """Draw how far predictions are from the urn as more balls are seen."""
        import torch

        def excess(p: "torch.Tensor", batch: Draws) -> list[float]:
            return divergence(batch.urns[:, None], p).mean(0).tolist()

        batch, new = (
            self.sample(N_PROFILED, torch.Generator().manual_seed(2), split) for split in ("train", "new")
        )
        known = self.references(batch.balls[:, :-1])
        lines = {
            "learner": excess(self.predict(learner, batch.balls[:, :-1]).exp(), batch),
            "M: knows the urns": excess(known["m"], batch),
            "G: counts": excess(known["g"], batch),
            "learner on new urns": excess(self.predict(learner, new.balls[:, :-1]).exp(), new),
        }
        ends = [values[-1] for values in lines.values()]
        title = (
            f"After {self.settings.n_balls - 1} balls the learner is {ends[0]:.3f} nats from the urn, "
            f"M {ends[1]:.3f}, G {ends[2]:.3f}; on new urns it is {ends[3]:.3f}"
        )
        return Profile(title, "balls seen", "nats from the urn", range(self.settings.n_balls), lines)

    def told(self, learner: "Learner", text: str) -> Profile:
        """Draw what learner, M and G expect after balls that a person draws.

        Raises:
            ValueError: A letter is no ball, or the balls are too many.
        """
        import torch

        letters = self.letters
        drawn = [letter for letter in text.lower() if not letter.isspace() and letter != ","]
        strange = sorted(set(drawn) - set(letters))
        if strange:
            raise ValueError(
                f"balls are the letters a to {letters[-1]}, such as {EXAMPLE!r}, got {', '.join(strange)}"
            )
        if len(drawn) >= self.settings.n_balls:
            raise ValueError(f"write at most {self.settings.n_balls - 1} balls, got {len(drawn)}")
        balls = torch.tensor([[letters.index(letter) for letter in drawn]], dtype=torch.long)
        p = {
            "learner": self.predict(learner, balls).exp()[0, -1],
            **{name: each[0, -1] for name, each in self.references(balls).items()},
        }
        to_m, to_g = (divergence(p["learner"], p[name]).item() for name in "mg")
        title = (
            f"After {len(drawn)} balls the learner is {to_m:.3f} nats from M and {to_g:.3f} from G: "
            f"it is nearer to {'M' if to_m < to_g else 'G'}"
        )
        names = {"learner": "learner", "m": "M: knows the urns", "g": "G: counts"}
        lines = {shown: p[name].tolist() for name, shown in names.items()}
        return Profile(title, "next ball", "probability", letters, lines)

    def arranged(self, batch: Draws, layout: str) -> Draws:
        """Reverse the balls before the last, sort them by their kind, or show the first half of them alone.

        To M and to G the order can make no difference.
        """
        import torch

        *_, n = batch.balls[:, :-1].shape
        if layout == "drawn":
            return batch
        if layout == "reversed":
            context = batch.balls[:, :-1].flip(1)
        elif layout == "sorted":
            context = batch.balls[:, :-1].sort(1).values
        elif layout == "half":
            context = batch.balls[:, : (n + 1) // 2]
        else:
            raise ValueError(f"layout must be one of {', '.join(self.layouts)}, got {layout!r}")
        return batch._replace(balls=torch.cat([context, batch.balls[:, -1:]], 1))

    def reply(
        self, learner: "Learner", batch: Draws, hooks: "Hooks | None" = None, cache: "Cache | None" = None
    ) -> Replies:
        """Name the kind that is most likely to be drawn next; right is the one that the urn holds most of."""
        letters = self.letters
        logp = self.predict(learner, batch.balls[:, :-1], hooks, cache)[:, -1]
        return Replies(
            [letters[kind] for kind in logp.argmax(1).tolist()],
            [letters[kind] for kind in batch.urns.argmax(1).tolist()],
            [dict(zip(letters, row, strict=True)) for row in logp.tolist()],
        )

    def written(self, batch: Draws) -> list[str]:
        """Write balls as letters, such as "a a b ?"."""
        return [" ".join([*(self.letters[ball] for ball in row[:-1]), "?"]) for row in batch.balls.tolist()]

    def positions(self, batch: Draws, row: int) -> list[str]:
        """Name the start and the balls before the last."""
        return ["start", *(self.letters[ball] for ball in batch.balls[row, :-1].tolist())]

    @property
    def letters(self) -> list[str]:
        """Name the kinds of balls."""
        return list(ascii_lowercase[: self.settings.n_outcomes])

    @cached_property
    def known(self) -> "torch.Tensor":
        """The urns to learn from, probabilities, shape (n_urns, n_outcomes); fewer are the first of more."""
        import torch

        generator = torch.Generator().manual_seed(self.seed)
        return dirichlet(self.settings.n_urns, self.settings.n_outcomes, generator)

    @cached_property
    def _measured(self) -> "list[tuple[str, Draws, dict[str, torch.Tensor]]]":
        """Hold sequences of known and of new urns, with what M and G predict."""
        import torch

        drawn = []
        for suffix, split in (("", "train"), ("_new", "new")):
            batch = self.sample(N_MEASURED, torch.Generator().manual_seed(1), split)
            drawn.append((suffix, batch, self.references(batch.balls[:, :-1])))
        return drawn


def dirichlet(n: int, n_outcomes: int, generator: "torch.Generator") -> "torch.Tensor":
    """Draw distributions evenly from all there are, Dirichlet(1), shape (n, n_outcomes)."""
    import torch

    shares = torch.empty(n, n_outcomes).exponential_(generator=generator)
    return shares / shares.sum(1, keepdim=True)


def _loss(p: "torch.Tensor", balls: "torch.Tensor") -> float:
    return -p.gather(2, balls[:, :, None]).log().mean().item()
