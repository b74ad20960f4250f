"""What does a layer of attention compute, when it learns linear regression in context?

Points (x, y) of a line through the origin, noisy, then an x alone. With two heads the layer finds a known
algorithm: one head counts up, the other down, and their difference is one step of gradient descent on the
points less their mean. With one head there is nothing to take the mean off with.

| here | paper | what |
|---|---|---|
| `d` | d | numbers that make an x |
| `n_points` | L | points in the context |
| `noise` | σ | standard deviation of what is added to y |
| gradient step | | (η / L) Σ y_i x_i · x_q with the best η |
| debiased step | | (η / L) Σ (y_i - ȳ) x_i · x_q with the best η |
| ridge | | what Bayes answers: β ~ N(0, I/d), so that λ = σ² d |

Source: He et al. 2025 (arXiv:2503.12734), sections 2 to 4.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from lab.training.loop import Schedule
from lab.worlds.points import OfPoints, Points, read_points, replies
from lab.worlds.settings import Settings, number
from lab.worlds.world import Curve, Own, Preset, Profile, Replies, Scatter

if TYPE_CHECKING:
    import torch

    from lab.worlds.core.hooks import Cache, Hooks
    from lab.worlds.core.learner import Learner

N_MEASURED = 4000
N_DOTS = 300
MOST_OWN = 60
_REACH = 3.0  # of the first number of x, where a person's points are drawn
_N_PLACES = 61
PROFILED = (5, 10, 20, 40, 80, 160)
ANSWERS = ("gradient", "debiased", "ridge")


@dataclass(frozen=True)
class LinearSettings(Settings):
    """What can be changed in this world."""

    d: int = number(5, 2, 8, "Dimensions", "Numbers that make an x.")
    n_points: int = number(20, 5, 60, "Points", "Points in the context.")
    n_heads: int = number(2, 1, 4, "Heads", "Attention heads.")
    noise: float = number(0.3, 0.0, 1.0, "Noise", "Standard deviation of what is added to y.")
    condition: float = number(1.0, 1.0, 10.0, "Condition number", "How unequal the spread of x is.")
    rate: float = number(3e-3, 1e-4, 1e-2, "Learning rate", "Of Adam.", is_log=True)
    n_steps: int = number(4000, 200, 8000, "Steps", "Training steps of 256 contexts.")


PRESETS = (
    Preset("Two heads", {}, "The matrices become ± a multiple of one diagonal: a debiased gradient step."),
    Preset("One head", {"n_heads": 1}, "Its loss stays above that of two: nothing takes the mean off."),
    Preset("Four heads", {"n_heads": 4}, "Heads count up, down, or not at all; together they do the same."),
    Preset(
        "Unequal spread", {"condition": 10.0}, "The diagonal is no longer constant: a preconditioned step."
    ),
)


@dataclass(frozen=True)
class Linear(OfPoints):
    """The world of points on a line through the origin.

    To its learner the order of points can make no difference: layouts that only move them are the control.
    """

    settings: LinearSettings = LinearSettings()
    seed: int = 0
    id: ClassVar[str] = "linear-regression"
    questions: ClassVar[Mapping[str, str]] = {"train": "such as it learns from"}
    plots: ClassVar[Mapping[str, str]] = {
        "profile": "as the context grows",
        "beside_step": "answers beside the debiased step",
    }
    own: ClassVar[Own | None] = Own(
        "Points of your own",
        f"x:y, the next after a space, at most {MOST_OWN}; x of several numbers as 1,0,-2:y, those left away "
        "are 0. A click on the drawing adds one.",
        "-1:-0.8 0.5:0.3 1:1.2 2:1.5 -2:-1.7",
        " {x:.1f}:{y:.1f}",
    )
    n_batch = 256

    @property
    def schedule(self) -> Schedule:
        """Return Adam at a constant rate."""
        return Schedule(self.settings.n_steps, self.settings.rate, n_warmup=1, flat=1.0, decay=0.0, clip=100)

    @property
    def curves(self) -> tuple[Curve, ...]:
        """Describe what is measured: errors, what the learner is like, what its matrices have become."""
        heads = range(self.settings.n_heads)
        return (
            Curve("learner", "learner", "squared error", "Mean squared error of the learner."),
            Curve("gradient", "gradient step", "squared error", "That of one best step of gradient descent."),
            Curve("debiased", "debiased step", "squared error", "That of one on points less their mean."),
            Curve("ridge", "ridge (Bayes)", "squared error", "That of the best answer there is."),
            Curve("likeness", "correlation with the debiased step", "likeness", "1: the same answers."),
            Curve(
                "off_diagonal", "KQ off its diagonal", "structure", "Mean size as a share of the diagonal's."
            ),
            Curve("sum", "sum of OV over heads", "structure", "As a share of the largest."),
            Curve("rest", "OV beside its last entry", "structure", "Largest, as a share of the last one."),
            *(Curve(f"kq.{h}", f"head {h}", "KQ diagonal", "Mean of the diagonal for x.") for h in heads),
            *(Curve(f"ov.{h}", f"head {h}", "OV", "What the head multiplies y with.") for h in heads),
        )

    def build(self) -> "Learner":
        """Return one layer of heads, matrices multiplied out."""
        from torch import nn

        from lab.worlds.core.learner import Learner
        from lab.worlds.core.merged import MergedAttention

        return Learner({}, MergedAttention(self.settings.n_heads, self.settings.d + 1), nn.Identity())

    def sample(self, n: int, generator: "torch.Generator", split: str = "train") -> Points:
        """Draw contexts; there is nothing to hold out but the drawing itself."""
        return self.drawn(n, self.settings.n_points, generator)

    def drawn(self, n: int, n_points: int, generator: "torch.Generator") -> Points:
        """Draw contexts of another length."""
        import torch

        d = self.settings.d
        x = torch.randn(n, n_points + 1, d, generator=generator) * self._spread
        slopes = torch.randn(n, d, generator=generator) / math.sqrt(d)
        y = (x @ slopes[:, :, None])[..., 0]
        return Points(x, y + self.settings.noise * torch.randn(y.shape, generator=generator))

    def answer(
        self, learner: "Learner", batch: Points, hooks: "Hooks | None" = None, cache: "Cache | None" = None
    ) -> "torch.Tensor":
        """Return a number a query, shape (n,)."""
        import torch

        tokens = torch.cat([batch.x, batch.y[..., None]], -1)
        query = torch.cat([batch.x[:, -1:], torch.zeros(len(batch.x), 1, 1)], -1)
        return learner.body(tokens[:, :-1], query, hooks, cache)[:, 0]

    def loss(self, learner: "Learner", batch: Points, hooks: "Hooks | None" = None) -> "torch.Tensor":
        """Return the mean squared error."""
        return (self.answer(learner, batch, hooks) - batch.target).square().mean()

    def references(self, batch: Points) -> "dict[str, torch.Tensor]":
        """Answer by gradient step, debiased step and ridge, each (n,); steps are the best for this batch."""
        rates = _best_rates(batch)
        return {name: rates[name] * step for name, step in _steps(batch).items()} | {
            "ridge": self._ridge(batch)
        }

    def _ridge(self, batch: Points) -> "torch.Tensor":
        """Answer as Bayes does, shape (n,)."""
        import torch

        x, y, query = batch.x[:, :-1], batch.y[:, :-1], batch.x[:, -1]
        penalty = self.settings.noise**2 * self.settings.d * torch.eye(self.settings.d)
        slopes = torch.linalg.solve(x.mT @ x + penalty, x.mT @ y[..., None])[..., 0]
        return (slopes * query).sum(-1)

    def measure(self, learner: "Learner") -> dict[str, float]:
        """Measure errors, the likeness to the debiased step, and the structure of the matrices."""
        import torch

        batch = self._measured
        answered, known = self.answer(learner, batch), self._references
        errors = {"learner": answered, **known}
        found = {name: (each - batch.target).square().mean().item() for name, each in errors.items()}
        found["likeness"] = torch.corrcoef(torch.stack([answered, known["debiased"]]))[0, 1].item()
        return found | self.structure(learner)

    def structure(self, learner: "Learner") -> dict[str, float]:
        """Measure how far the matrices are from ± multiples of the identity that sum to nothing."""
        import torch

        from lab.worlds.core.merged import MergedAttention

        d, body = self.settings.d, learner.body
        assert isinstance(body, MergedAttention)
        block, ov = body.kq[:, :d, :d], body.ov
        diagonal = block.diagonal(dim1=1, dim2=2)
        off = (block - torch.diag_embed(diagonal)).abs().sum() / (d - 1)  # as many to a row
        found = {
            "off_diagonal": (off / diagonal.abs().sum()).item(),
            "sum": (ov[:, -1].sum().abs() / ov[:, -1].abs().max()).item(),
            "rest": (ov[:, :-1].abs().max() / ov[:, -1].abs().max()).item(),
        }
        found |= {f"kq.{head}": value for head, value in enumerate(diagonal.mean(1).tolist())}
        return found | {f"ov.{head}": value for head, value in enumerate(ov[:, -1].tolist())}

    def profile(self, learner: "Learner") -> Profile:
        """Draw errors on contexts of other lengths than the one that was trained on."""
        lengths = sorted({*PROFILED, self.settings.n_points})
        rows = self.by_length(learner, lengths)
        names = {
            "learner": "learner",
            "debiased": "debiased step",
            "gradient": "gradient step",
            "ridge": "ridge (Bayes)",
        }
        lines = {shown: [row[name] for row in rows] for name, shown in names.items()}
        title = (
            f"Trained on {self.settings.n_points} points; on {lengths[-1]} its error is "
            f"{rows[-1]['learner']:.2f}, the best answer's {rows[-1]['ridge']:.2f}"
        )
        return Profile(title, "points in the context", "squared error", lengths, lines)

    def beside_step(self, learner: "Learner") -> Scatter:
        """Draw answers to the same contexts beside those of the debiased step."""
        import torch

        ours, step = self.answer(learner, self._measured), self._references["debiased"]
        alike = torch.corrcoef(torch.stack([ours, step]))[0, 1].item()
        few = torch.stack([step, ours], 1)[:N_DOTS].tolist()
        most = max(abs(x) for x, _ in few)
        return Scatter(
            f"Answers of learner and debiased step have a correlation of {alike:.3f} (n = {len(ours):,})",
            "debiased step", "learner", {"a context": [(x, y) for x, y in few]},
            lines={"the same answer": [(-most, -most), (most, most)]},
        )  # fmt: skip

    def told(self, learner: "Learner", text: str) -> Profile:
        """Draw what learner and references answer along the first number of x, after a person's points.

        Raises:
            ValueError: The points can't be read; says how they are written.
        """
        import torch

        given = read_points(text, self.settings.d, MOST_OWN)
        along = torch.linspace(-_REACH, _REACH, _N_PLACES)
        places = torch.nn.functional.pad(along[:, None], (0, self.settings.d - 1))
        asked = Points(
            torch.cat([given.x.expand(_N_PLACES, -1, -1), places[:, None]], 1),
            torch.cat([given.y.expand(_N_PLACES, -1), torch.zeros(_N_PLACES, 1)], 1),
        )
        answers, rates = {"learner": self.answer(learner, asked)}, _best_rates(self._measured)
        answers |= {f"{name} step": rates[name] * step for name, step in _steps(asked).items()}
        answers["ridge (Bayes)"] = self._ridge(asked)
        apart = {
            name: (answers["learner"] - each).square().mean().sqrt().item() for name, each in answers.items()
        }
        nearest = min((name for name in apart if name != "learner"), key=apart.__getitem__)
        title = (
            f"After {given.y.shape[1]} points the learner is nearest to the {nearest}, "
            f"{apart[nearest]:.2f} from it (root mean square)"
        )
        lines = {name: each.tolist() for name, each in answers.items()}
        points = list(zip(given.x[0, :, 0].tolist(), given.y[0].tolist(), strict=True))
        return Profile(title, "first number of x, the others 0", "y", along.tolist(), lines, points)

    def by_length(self, learner: "Learner", lengths: Sequence[int]) -> list[dict[str, float]]:
        """Return the errors of learner and references on contexts of other lengths, a row each."""
        import torch

        rows = []
        for length in lengths:
            batch = self.drawn(N_MEASURED, length, torch.Generator().manual_seed(2))
            answers = {"learner": self.answer(learner, batch), **self.references(batch)}
            errors = {name: (each - batch.target).square().mean().item() for name, each in answers.items()}
            rows.append({"n_points": length, **errors})
        return rows

    def reply(
        self, learner: "Learner", batch: Points, hooks: "Hooks | None" = None, cache: "Cache | None" = None
    ) -> Replies:
        """Answer on which side of 0 the query's y lies."""
        return replies(self.answer(learner, batch, hooks, cache), batch)

    def positions(self, batch: Points, row: int) -> list[str]:
        """Name points by their y."""
        return [f"y={value:.1f}" for value in batch.y[row, :-1].tolist()]

    @cached_property
    def _measured(self) -> Points:
        import torch

        return self.sample(N_MEASURED, torch.Generator().manual_seed(1))

    @cached_property
    def _references(self) -> "dict[str, torch.Tensor]":
        return self.references(self._measured)

    @cached_property
    def _spread(self) -> "torch.Tensor":
        """Return the standard deviation of each number of an x; their squares have the mean 1."""
        import torch

        variances = torch.logspace(0, math.log10(self.settings.condition), self.settings.d)
        return (variances / variances.mean()).sqrt()


def _steps(batch: Points) -> "dict[str, torch.Tensor]":
    """Return one step of gradient descent, on points and on points less their mean, at the rate 1: (n,)."""
    import torch

    x, y, query = batch.x[:, :-1], batch.y[:, :-1], batch.x[:, -1]
    centred = y - y.mean(1, keepdim=True)
    return {
        name: torch.einsum("bnd,bn,bd->b", x, values, query) / x.shape[1]
        for name, values in (("gradient", y), ("debiased", centred))
    }


def _best_rates(batch: Points) -> "dict[str, torch.Tensor]":
    """Return the rates of both steps at which their squared error on a batch is least."""
    return {name: (step * batch.target).mean() / step.square().mean() for name, step in _steps(batch).items()}
