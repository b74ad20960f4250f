"""Can a transformer learn functions of a sequence in context?

Pairs (x, y) follow one another, and each y depends on the last few x, not on its own alone: y = f(w · (x_i,
x_i-1, ...)) with weights w of this sequence. Who takes the pairs as a set can't foretell them.

| here | paper | what |
|---|---|---|
| `window` | sliding window | how many x, the last one first, a y depends on |
| `function` | linear, and with a nonlinearity | f |
| `random_share` | random labels | share of the shown y that say nothing, when "random" is asked |
| windowed ridge | | Bayes for the linear f: w ~ N(0, I / window) |
| ridge without window | | the same from x_i alone, its best penalty; mean of y: from no x at all |

The layouts leave the query with the x that its own y depends on, and move the pairs before: reversed or
shuffled, every y stands behind x that it does not depend on.

Source: Campbell et al. 2023 (arXiv:2312.12655). Differences: 59,000 parameters; x of one number; a pair and
the x after it are one token. The random labels are those of the pairs shown, the query's y stays right.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from lab.training.loop import Schedule
from lab.worlds.exact.prism_bayes import Posterior, Prior, posterior
from lab.worlds.points import OfPoints, Points, read_points, replies, tokens
from lab.worlds.settings import Settings, choice, number
from lab.worlds.world import Curve, Own, Preset, Profile, Replies

if TYPE_CHECKING:
    import torch

    from lab.worlds.core.hooks import Cache, Hooks
    from lab.worlds.core.learner import Learner

N_POINTS = 20
N_MEASURED = 500
N_LOOKED = 100  # sequences whose attention is measured
N_PLACES = 61
_WIDTH = 48
_N_LAYERS = 3
_MORE_LAGS = 4  # that are drawn beyond the window
_REACH = 3.0  # a function is drawn from minus to plus this
_ANSWERS = {
    "learner": "learner",
    "windowed": "windowed ridge",
    "windowless": "ridge without window",
    "mean": "mean of y",
}


@dataclass(frozen=True)
class WindowSettings(Settings):
    """What can be changed in this world."""

    window: int = number(3, 1, 5, "Window", "How many of the last x a y depends on.")
    function: str = choice("linear", ("linear", "relu", "sin"), "Function", "Of the weighted sum of those x.")
    noise: float = number(0.1, 0.05, 1.0, "Noise", "Standard deviation of what is added to y.")
    random_share: float = number(
        0.5, 0.0, 1.0, "Random labels", "Share of the y shown that say nothing, where these are asked."
    )
    rate: float = number(4e-3, 1e-4, 5e-3, "Learning rate", "Of AdamW.", is_log=True)
    n_steps: int = number(6000, 100, 40000, "Steps", "Training steps of 32 sequences.")


PRESETS = (
    Preset("Window of three", {}, "The error falls under what ridge without a window can reach, then on."),
    Preset("Longer", {"n_steps": 11000}, "Nearly twice the training brings it nearer to the windowed ridge."),
    Preset("No window", {"window": 1}, "Each y depends on its own x: shuffling costs nothing any more."),
    Preset(
        "Only what is positive", {"function": "relu"}, "Ridge is not the best answer here: who is better?"
    ),
    Preset("Waves", {"function": "sin"}, "The same window, bent: how much of it does the learner read?"),
)


@dataclass(frozen=True)
class Window(OfPoints):
    """The world of sequences whose y depend on the last few x."""

    settings: WindowSettings = WindowSettings()
    seed: int = 0
    id: ClassVar[str] = "sequential-functions"
    questions: ClassVar[Mapping[str, str]] = {
        "train": "such as it learns from",
        "random": "some of the labels random",
    }
    layouts: ClassVar[Mapping[str, str]] = {
        "drawn": "as drawn",
        "reversed": "reversed",
        "shuffled": "shuffled",
        "half": "the last half alone",
    }
    plots: ClassVar[Mapping[str, str]] = {"profile": "as the context grows", "lags": "how far back it looks"}
    own: ClassVar[Own | None] = Own(
        "A sequence of your own",
        "x:y, the next after a space, in the order in which they come; at most 19.",
        "1:0.9 -0.5:0.4 0.8:0.3 1.5:1.6 -1:0.2 0.2:-0.5",
    )
    n_batch = 32

    @property
    def schedule(self) -> Schedule:
        """Return AdamW with a warm-up, and a long fall."""
        return Schedule(
            self.settings.n_steps, self.settings.rate, n_warmup=200, flat=0.3, floor=0.01, decay=0.0
        )

    @property
    def curves(self) -> tuple[Curve, ...]:
        """Describe what is measured: errors at the last position, and how far back the first layer looks."""
        what = {
            "learner": "Of the learner, at the last position.",
            "windowed": "Of ridge that knows the window: Bayes for the linear function.",
            "windowless": "Of ridge that knows no window.",
            "mean": "Of the mean of the y before.",
        }
        group = "squared error, last position"
        return (
            *(Curve(name, label, group, what[name]) for name, label in _ANSWERS.items()),
            Curve("shuffled", "learner, shuffled", group, "Of the learner where the pairs are shuffled."),
            *(
                Curve(f"lag.{lag}", f"{lag} back", "attention", "First layer, mean of its heads.")
                for lag in range(self.settings.window + 1)
            ),
        )

    def build(self) -> "Learner":
        """Return three layers of four heads with rotary positions; a token is read by a hidden layer."""
        from torch import nn

        from lab.worlds.core.learner import Learner, new_body
        from lab.worlds.core.transformer import TransformerConfig

        token = nn.Sequential(nn.Linear(4, _WIDTH), nn.GELU(), nn.Linear(_WIDTH, _WIDTH))
        body = new_body(TransformerConfig(_WIDTH, _N_LAYERS, 4, 2 * _WIDTH, max_length=N_POINTS))
        return Learner({"token": token}, body, nn.Linear(_WIDTH, 1))

    def sample(self, n: int, generator: "torch.Generator", split: str = "train") -> Points:
        """Draw sequences; "random" replaces `random_share` of the y before the query."""
        batch = self.drawn(n, generator)
        if split == "random":
            return randomised(batch, self.settings.random_share, generator)
        return batch

    def drawn(self, n: int, generator: "torch.Generator") -> Points:
        """Draw sequences all of whose y are right."""
        import torch

        x = torch.randn(n, N_POINTS, 1, generator=generator)
        weights = torch.randn(n, self.settings.window, generator=generator) / math.sqrt(self.settings.window)
        summed = (windows(x, self.settings.window) @ weights[:, :, None])[..., 0]
        y = {"linear": lambda: summed, "relu": summed.relu, "sin": summed.sin}[self.settings.function]()
        return Points(x, y + self.settings.noise * torch.randn(y.shape, generator=generator))

    def answer(
        self, learner: "Learner", batch: Points, hooks: "Hooks | None" = None, cache: "Cache | None" = None
    ) -> "torch.Tensor":
        """Foretell y at every x from the pairs before it, shape (n, n_points)."""
        return learner.answer(learner.parts["token"](tokens(batch, 1.0, 1.0)), hooks, cache)[..., 0]

    def loss(self, learner: "Learner", batch: Points, hooks: "Hooks | None" = None) -> "torch.Tensor":
        """Return the mean squared error."""
        return (self.answer(learner, batch, hooks) - batch.y).square().mean()

    def exact(self, batch: Points) -> "dict[str, torch.Tensor]":
        """Answer by ridge with and without the window, and by the mean of y so far, each (n, n_points)."""
        import torch

        found = {
            name: believed.of_mixture(features) for name, (features, believed) in self._ridges(batch).items()
        }
        n_seen = torch.arange(batch.y.shape[1]).clamp_min(1)
        return found | {"mean": (batch.y.cumsum(1) - batch.y) / n_seen}

    def _ridges(self, batch: Points) -> "dict[str, tuple[torch.Tensor, Posterior]]":
        """Return features, and what is believed of their weights, of ridge with and without the window.

        To the one that knows no window what the other x bring is noise.
        """
        k, noise = self.settings.window, self.settings.noise
        hidden = {"windowed": 0.0, "windowless": (k - 1) / k}
        found = {}
        for name, width in (("windowed", k), ("windowless", 1)):
            features = windows(batch.x, width)
            noise_here = math.sqrt(noise**2 + hidden[name])
            found[name] = (features, posterior(_prior(width, 1 / k), features, batch.y, noise_here))
        return found

    def by_position(
        self, learner: "Learner", batch: Points, exact: "Mapping[str, torch.Tensor] | None" = None
    ) -> "dict[str, torch.Tensor]":
        """Return the squared errors of the learner and of exact answers, each (n_points,)."""
        answers = {"learner": self.answer(learner, batch), **(exact or self.exact(batch))}
        return {name: (each - batch.y).square().mean(0) for name, each in answers.items()}

    def measure(self, learner: "Learner") -> dict[str, float]:
        """Measure errors at the last position, drawn and shuffled, and how far back the first layer looks."""
        batch = self._measured
        errors = self.by_position(learner, batch, self._exact)
        found = {name: each[-1].item() for name, each in errors.items()}
        shuffled = self.answer(learner, self.arranged(batch, "shuffled"))[:, -1]
        found["shuffled"] = (shuffled - batch.target).square().mean().item()
        first = self._looked_back(learner, self.settings.window + 1)[0]
        return found | {f"lag.{lag}": share for lag, share in enumerate(first)}

    def _looked_back(self, learner: "Learner", n_lags: int) -> list[list[float]]:
        """Return the attention of each layer, mean of its heads, on what stands 0, 1, 2 and more back."""
        cache: Cache = {}
        self.answer(learner, Points(self._measured.x[:N_LOOKED], self._measured.y[:N_LOOKED]), None, cache)
        found = []
        for layer in range(_N_LAYERS):
            pattern = cache[f"blocks.{layer}.attn.hook_pattern"].mean((0, 1))  # (query, key)
            lags = [pattern.diagonal(-lag)[self.settings.window :].mean().item() for lag in range(n_lags)]
            found.append(lags)
        return found

    def lags(self, learner: "Learner") -> Profile:
        """Draw how far back every layer looks."""
        window = self.settings.window
        by_layer = self._looked_back(learner, window + _MORE_LAGS)
        within = [sum(each[:window]) for each in by_layer]
        title = (
            f"The first layer has {within[0]:.0%} of its attention on the last {window}, which make y; "
            f"the last layer {within[-1]:.0%}"
        )
        names = [f"{lag} back" for lag in range(window + _MORE_LAGS)]
        lines = {f"layer {layer}": each for layer, each in enumerate(by_layer)}
        return Profile(title, "looked at", "attention, mean of heads", names, lines)

    def profile(self, learner: "Learner") -> Profile:
        """Draw errors as pairs are seen."""
        found = self.by_position(learner, self._measured, self._exact)
        title = (
            f"After {N_POINTS - 1} pairs its error is {found['learner'][-1]:.3f}, that of windowed ridge "
            f"{found['windowed'][-1]:.3f}"
        )
        lines = {label: found[name].tolist() for name, label in _ANSWERS.items()}
        return Profile(title, "pairs seen", "squared error", list(range(N_POINTS)), lines)

    def told(self, learner: "Learner", text: str) -> Profile:
        """Draw what the next y would be over the next x, after a person's pairs.

        Raises:
            ValueError: The pairs can't be read; says how they are written.
        """
        import torch

        given = read_points(text, 1, N_POINTS - 1)
        along = torch.linspace(-_REACH, _REACH, N_PLACES)
        x = torch.cat([given.x.expand(N_PLACES, -1, -1), along[:, None, None]], 1)
        asked = Points(x, torch.cat([given.y.expand(N_PLACES, -1), torch.zeros(N_PLACES, 1)], 1))
        answers = {"learner": self.answer(learner, asked), **self.exact(asked)}
        lines = {label: answers[name][:, -1].tolist() for name, label in _ANSWERS.items()}
        apart = (answers["learner"] - answers["windowed"])[:, -1].square().mean().sqrt()
        weights = self._ridges(given)["windowed"][1].means[0, -1, 0].tolist()
        title = (
            f"Windowed ridge weighs the last x by {', '.join(f'{each:.2f}' for each in weights)}, the latest "
            f"first; the learner is {apart:.2f} from it (root mean square)"
        )
        points = list(zip(given.x[0, :, 0].tolist(), given.y[0].tolist(), strict=True))
        return Profile(title, "the next x", "y", along.tolist(), lines, points)

    def arranged(self, batch: Points, layout: str) -> Points:
        """Reverse or shuffle the pairs before the query's window, or show the last half alone.

        The same shuffling is that of every sequence.
        """
        import torch

        n_points = batch.y.shape[1] - 1
        n_moved = n_points - (self.settings.window - 1)  # the query's y depends on those after
        places = torch.arange(n_points)
        if layout == "reversed":
            places[:n_moved] = places[:n_moved].flip(0)
        elif layout == "shuffled":
            places[:n_moved] = torch.randperm(n_moved, generator=torch.Generator().manual_seed(0))
        elif layout == "half":
            places = places[n_points // 2 :]
        elif layout != "drawn":
            raise ValueError(f"layout must be one of {', '.join(self.layouts)}, got {layout!r}")
        return batch.at(places.expand(len(batch.y), -1))

    def reply(
        self, learner: "Learner", batch: Points, hooks: "Hooks | None" = None, cache: "Cache | None" = None
    ) -> Replies:
        """Answer on which side of 0 the query's y lies."""
        return replies(self.answer(learner, batch, hooks, cache)[:, -1], batch)

    @cached_property
    def _measured(self) -> Points:
        import torch

        return self.drawn(N_MEASURED, torch.Generator().manual_seed(1))

    @cached_property
    def _exact(self) -> "dict[str, torch.Tensor]":
        return self.exact(self._measured)


def windows(x: "torch.Tensor", width: int) -> "torch.Tensor":
    """Return each x with those before it, the last first; 0 before the start.

    Args:
        x: Shape (n, n_points, 1).
        width: How many x of each.

    Returns:
        Shape (n, n_points, width).
    """
    import torch

    padded = torch.nn.functional.pad(x[..., 0], (width - 1, 0))
    return padded.unfold(1, width, 1).flip(-1)


def randomised(batch: Points, share: float, generator: "torch.Generator") -> Points:
    """Replace a share of the y before the query by those of other sequences, where they say nothing."""
    import torch

    other = batch.y[torch.randperm(len(batch.y), generator=generator)]
    is_random = torch.rand(batch.y.shape, generator=generator) < share
    is_random[:, -1] = False
    return Points(batch.x, torch.where(is_random, other, batch.y))


def _prior(n: int, variance: float) -> Prior:
    import torch

    return Prior(("ridge",), torch.zeros(1, n), torch.full((1, n), variance), torch.ones(1))
