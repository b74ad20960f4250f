"""Does attention answer a softmax regression as a step of gradient descent would?

A hidden vector x gives every row a of a matrix A its share b of softmax(A x). The learner is shown rows with
their shares, then rows alone: which share has each? Shares sum to 1, so that the first step of gradient
descent from 0 is already taken on rows less their mean, on the square loss and the cross-entropy alike. One
layer of softmax attention comes to answer much as that step does. The paper proves something else, that
weights and data move a prediction by at most M times their shift; here its bound is held beside both.

| here | paper | what |
|---|---|---|
| `d`, `n_rows` | d, n | numbers a row, rows shown |
| `spread` | | standard deviation of the numbers that make x |
| token | | (a, n b - 1): a share above its mean counts up, one below counts down |
| one step | x_{t+1} from x_t = 0 | x = (η / n) Σ (a_j - ā)(b_j - 1/n), with the η best for all prompts |
| many steps | | 40 steps on the cross-entropy, from 0 |
| entropy | | what no answer's cross-entropy is below |
| `radius` | R | norms for which the bound is held: see `shift_bounds` |

Source: Li et al. 2023 (arXiv:2304.13276), definition 1.2 and theorem 1.3. The paper trains nothing: learner,
prompts and the comparison with a step are ours, after von Oswald et al. 2022 (arXiv:2212.07677).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from lab.training.loop import Schedule
from lab.worlds.exact.shift_bounds import SHIFTS, Shifts, elementary, proved
from lab.worlds.exact.softmax_descent import (
    MANY,
    best_rate,
    compared,
    cross_entropy,
    logits,
    many_steps,
    one_step,
    total_variation,
)
from lab.worlds.settings import Settings, number
from lab.worlds.world import Curve, Own, Plain, Preset, Profile, Replies, Scatter

if TYPE_CHECKING:
    import torch

    from lab.worlds.core.hooks import Cache, Hooks
    from lab.worlds.core.learner import Learner

N_QUERIES = 12  # rows that are asked for in every prompt
N_MEASURED = 1000
N_DRAWS = 500  # shifts that the bound is held beside
PROFILED = (6, 12, 24, 48, 96)
LARGEST = 10.0  # number that a person may write
CROSS_ENTROPY = "cross-entropy (nats)"
WORDS = tuple(f"row {place + 1}" for place in range(N_QUERIES))


@dataclass(frozen=True)
class SoftmaxSettings(Settings):
    """What can be changed in this world."""

    d: int = number(4, 2, 8, "Dimensions", "Numbers that make a row.")
    n_rows: int = number(24, 6, 60, "Rows", "Rows that are shown with their shares.")
    n_heads: int = number(4, 1, 6, "Heads", "Attention heads.")
    spread: float = number(0.7, 0.1, 2.0, "Spread of x", "The larger, the fewer rows share nearly all.")
    radius: float = number(1.0, 0.25, 4.0, "Norms in the bound", "R, of A and x; the learner ignores it.")
    rate: float = number(5e-3, 5e-4, 2e-2, "Learning rate", "Of Adam.", is_log=True)
    n_steps: int = number(1500, 100, 6000, "Steps", "Training steps of 128 prompts.")


PRESETS = (
    Preset(
        "Four heads", {}, "Its answers turn toward those of one gradient step, as good or a little better."
    ),
    Preset(
        "One head",
        {"n_heads": 1},
        "It looks at rows like the query (OV above 0), and stays behind the step; with seed 2 it looks at "
        "those unlike it, and does not.",
    ),
    Preset(
        "Gentle shares", {"spread": 0.2}, "Softmax is nearly linear: a step, and the learner, say it all."
    ),
    Preset("Steep shares", {"spread": 1.5}, "One step is far from the answer now; many steps are not."),
    Preset("Larger norms", {"radius": 2.0}, "The bound holds still, further from what is measured."),
)


class Prompts(NamedTuple):
    """Rows with shares, and rows that are asked for.

    Args:
        rows: Shape (n, n_rows, d).
        shares: Of the rows, shape (n, n_rows); each prompt's sum to 1.
        queries: Shape (n, 12, d).
        target: Shares of the queries, shape (n, 12); each prompt's sum to 1.
    """

    rows: "torch.Tensor"
    shares: "torch.Tensor"
    queries: "torch.Tensor"
    target: "torch.Tensor"


@dataclass(frozen=True)
class Softmax(Plain):
    """The world of rows that share softmax(A x)."""

    settings: SoftmaxSettings = SoftmaxSettings()
    seed: int = 0
    id: ClassVar[str] = "softmax-regression"
    questions: ClassVar[Mapping[str, str]] = {"train": "such as it learns from"}
    layouts: ClassVar[Mapping[str, str]] = {
        "drawn": "as drawn",
        "reversed": "reversed",
        "half": "the first half alone",
        "mispaired": "each row with the next one's share",
    }
    plots: ClassVar[Mapping[str, str]] = {
        "profile": "as the context grows",
        "bounds": "shifts beside the bound",
    }
    own: ClassVar[Own | None] = Own(
        "An x of your own", "As many numbers as there are dimensions, from -10 to 10.", "1 -0.5 0 0.8"
    )
    n_batch = 128

    @property
    def schedule(self) -> Schedule:
        """Return Adam at a constant rate."""
        return Schedule(self.settings.n_steps, self.settings.rate, n_warmup=1, flat=1.0, decay=0.0, clip=100)

    @property
    def curves(self) -> tuple[Curve, ...]:
        """Describe what is measured: errors, nearness to gradient descent, matrices, and the bound."""
        heads = range(self.settings.n_heads)
        ce, likeness, tv = CROSS_ENTROPY, "cosine", "total variation"
        return (
            Curve("learner", "learner", ce, "Of its answer with the right shares."),
            Curve("one", "one step", ce, "That of the best single step of gradient descent."),
            Curve("many", f"{MANY} steps", ce, "That of many steps."),
            Curve("entropy", "entropy (floor)", ce, "That of the right answer."),
            Curve("uniform", "all alike", ce, "That of equal shares."),
            Curve("cosine_one", "learner and one step", likeness, "Of their logits less their mean."),
            Curve("cosine_many", f"learner and {MANY} steps", likeness, "Of their logits less their mean."),
            Curve("tv_one", "learner to one step", tv, "Half the sum of differences; 0: the same shares."),
            Curve("tv_right", "learner to the right shares", tv, "What it still misses."),
            Curve("tv_step", "one step to the right shares", tv, "What the step misses."),
            *(Curve(f"kq.{h}", f"head {h}", "KQ diagonal", "Mean of the diagonal for a.") for h in heads),
            *(Curve(f"ov.{h}", f"head {h}", "OV", "What the head multiplies n b - 1 with.") for h in heads),
            *(
                Curve(f"bound.{name}", f"{name} shift", "decades below the bound",
                      "Powers of ten between M times the shift and the change, the median of draws.")
                for name in SHIFTS
            ),
        )  # fmt: skip

    def build(self) -> "Learner":
        """Return one layer of heads, matrices multiplied out."""
        from torch import nn

        from lab.worlds.core.learner import Learner
        from lab.worlds.core.merged import MergedAttention

        return Learner({}, MergedAttention(self.settings.n_heads, self.settings.d + 1), nn.Identity())

    def sample(self, n: int, generator: "torch.Generator", split: str = "train") -> Prompts:
        """Draw prompts; there is nothing to hold out but the drawing itself."""
        return self.drawn(n, self.settings.n_rows, generator)

    def drawn(self, n: int, n_rows: int, generator: "torch.Generator") -> Prompts:
        """Draw prompts of another length."""
        import torch

        x = self.settings.spread * torch.randn(n, self.settings.d, generator=generator)
        return self.of(x, n_rows, generator)

    def of(self, x: "torch.Tensor", n_rows: int, generator: "torch.Generator") -> Prompts:
        """Draw rows and queries for given x, shape (n, d)."""
        import torch

        rows = torch.randn(len(x), n_rows, self.settings.d, generator=generator)
        queries = torch.randn(len(x), N_QUERIES, self.settings.d, generator=generator)
        return Prompts(rows, logits(rows, x).softmax(1), queries, logits(queries, x).softmax(1))

    def answer(
        self, learner: "Learner", batch: Prompts, hooks: "Hooks | None" = None, cache: "Cache | None" = None
    ) -> "torch.Tensor":
        """Return a logit a query, shape (n, 12)."""
        import torch

        excess = batch.shares.shape[1] * batch.shares - 1
        tokens = torch.cat([batch.rows, excess[..., None]], -1)
        queries = torch.cat([batch.queries, torch.zeros_like(batch.queries[..., :1])], -1)
        return learner.body(tokens, queries, hooks, cache)

    def loss(self, learner: "Learner", batch: Prompts, hooks: "Hooks | None" = None) -> "torch.Tensor":
        """Return the mean cross-entropy with the right shares, in nats."""
        return cross_entropy(self.answer(learner, batch, hooks), batch.target)

    def references(self, batch: Prompts) -> "dict[str, torch.Tensor]":
        """Answer by one step, at the rate that is best for this batch, and by many: logits, each (n, 12)."""
        one = logits(batch.queries, one_step(batch.rows, batch.shares))
        many = logits(batch.queries, many_steps(batch.rows, batch.shares))
        return {"one": best_rate(one, batch.target) * one, "many": many}

    def measure(self, learner: "Learner") -> dict[str, float]:
        """Measure errors and nearness to gradient descent, the matrices, and the bound."""
        from lab.worlds.core.merged import MergedAttention

        batch, body, d = self._measured, learner.body, self.settings.d
        assert isinstance(body, MergedAttention)
        found = compared(self.answer(learner, batch), batch.target, self._references)
        diagonal = body.kq[:, :d, :d].diagonal(dim1=1, dim2=2).mean(1)
        found |= {f"kq.{head}": value for head, value in enumerate(diagonal.tolist())}
        found |= {f"ov.{head}": value for head, value in enumerate(body.ov[:, -1].tolist())}
        return found | self._decades

    def profile(self, learner: "Learner") -> Profile:
        """Draw cross-entropies over how many rows are shown; the step's rate is the best for each number."""
        lengths = sorted({*PROFILED, self.settings.n_rows})
        rows = self.by_length(learner, lengths)
        shown = {curve.name: curve.label for curve in self.curves if curve.group == CROSS_ENTROPY}
        lines = {label: [row[name] for row in rows] for name, label in shown.items()}
        title = (
            f"Trained on {self.settings.n_rows} rows; on {lengths[-1]} its cross-entropy is "
            f"{rows[-1]['learner']:.2f}, one step's {rows[-1]['one']:.2f}"
        )
        return Profile(title, "rows shown", CROSS_ENTROPY, lengths, lines)

    def by_length(self, learner: "Learner", lengths: Sequence[int]) -> list[dict[str, float]]:
        """Return errors and nearness on prompts of other lengths, a row each."""
        import torch

        rows = []
        for length in lengths:
            batch = self.drawn(N_MEASURED, length, torch.Generator().manual_seed(2))
            answered = self.answer(learner, batch)
            rows.append({"n_rows": length, **compared(answered, batch.target, self.references(batch))})
        return rows

    def bounds(self, learner: "Learner") -> Scatter:
        """Draw how far predictions move with weights and data, in powers of ten; no learner changes it."""
        dots = {
            f"{name} shift": list(
                zip(np.log10(each.shift).tolist(), np.log10(each.change).tolist(), strict=True)
            )
            for name, each in self._shifts.items()
        }
        moved = [x for each in dots.values() for x, _ in each]
        ends = (min(moved), max(moved))
        known = {
            "proved: M times the shift": proved(self.settings.n_rows, self.settings.radius),
            "elementary: R / 2 times": elementary(self.settings.radius),
        }
        decades = min(
            each.decades(known["proved: M times the shift"]).min() for each in self._shifts.values()
        )
        return Scatter(
            f"The proved bound lies {decades:.1f} or more powers of ten above every draw",
            "log10 of the shift", "log10 of the change of the prediction", dots,
            lines={name: [(x, x + math.log10(bound)) for x in ends] for name, bound in known.items()},
        )  # fmt: skip

    def told(self, learner: "Learner", text: str) -> Profile:
        """Draw the shares of twelve queries under an x of a person's own, and those of one step and many."""
        import torch

        x = torch.tensor([numbers(text, self.settings.d)])
        batch = self.of(x, self.settings.n_rows, torch.Generator().manual_seed(3))
        one = self._rate * logits(batch.queries, one_step(batch.rows, batch.shares))
        answers = {
            "learner": self.answer(learner, batch).softmax(1),
            "one step": one.softmax(1),
            f"{MANY} steps": logits(batch.queries, many_steps(batch.rows, batch.shares)).softmax(1),
            "right": batch.target,
        }
        apart = {name: total_variation(answers["learner"], each) for name, each in answers.items()}
        title = (
            f"Total variation of the learner: to one step {apart['one step']:.2f}, "
            f"to the right shares {apart['right']:.2f}"
        )
        lines = {name: each[0].tolist() for name, each in answers.items()}
        return Profile(title, "queries", "share", WORDS, lines)

    def arranged(self, batch: Prompts, layout: str) -> Prompts:
        """Reverse the rows, show the first half of them alone, or give each the share of the next one.

        To this learner the order can make no difference: the first two are the control. Shares of a half are
        shares of that half.
        """
        rows, shares = batch.rows, batch.shares
        if layout == "drawn":
            return batch
        if layout == "reversed":
            rows, shares = rows.flip(1), shares.flip(1)
        elif layout == "half":
            n = (rows.shape[1] + 1) // 2
            rows, shares = rows[:, :n], shares[:, :n] / shares[:, :n].sum(1, keepdim=True)
        elif layout == "mispaired":
            shares = shares.roll(-1, 1)
        else:
            raise ValueError(f"layout must be one of {', '.join(self.layouts)}, got {layout!r}")
        return Prompts(rows, shares, batch.queries, batch.target)

    def reply(
        self, learner: "Learner", batch: Prompts, hooks: "Hooks | None" = None, cache: "Cache | None" = None
    ) -> Replies:
        """Answer which of the queries has the largest share."""
        answered = self.answer(learner, batch, hooks, cache)
        return Replies(
            [WORDS[place] for place in answered.argmax(1).tolist()],
            [WORDS[place] for place in batch.target.argmax(1).tolist()],
            [dict(zip(WORDS, row, strict=True)) for row in answered.log_softmax(1).tolist()],
        )

    def written(self, batch: Prompts) -> list[str]:
        """Write rows such as "(0.3, -1.2)→0.05", those that are asked for with "?"."""
        texts = []
        for rows, shares, queries in zip(batch.rows, batch.shares, batch.queries, strict=True):
            pairs = zip(rows.tolist(), shares.tolist(), strict=True)
            shown = [f"{_row(row)}→{share:.2f}" for row, share in pairs]
            texts.append(" ".join([*shown, *(f"{_row(query)}→?" for query in queries.tolist())]))
        return texts

    def positions(self, batch: Prompts, row: int) -> list[str]:
        """Name rows by their share."""
        return [f"b={share:.2f}" for share in batch.shares[row].tolist()]

    @cached_property
    def _measured(self) -> Prompts:
        import torch

        return self.sample(N_MEASURED, torch.Generator().manual_seed(1))

    @cached_property
    def _references(self) -> "dict[str, torch.Tensor]":
        return self.references(self._measured)

    @cached_property
    def _rate(self) -> float:
        """Return the rate of one step that is best for the prompts that are measured."""
        batch = self._measured
        return best_rate(logits(batch.queries, one_step(batch.rows, batch.shares)), batch.target)

    @cached_property
    def _decades(self) -> dict[str, float]:
        """Return how far above the changes the bound lies, by what moves; no learner changes it."""
        bound = proved(self.settings.n_rows, self.settings.radius)
        return {f"bound.{name}": float(np.median(each.decades(bound))) for name, each in self._shifts.items()}

    @cached_property
    def _shifts(self) -> dict[str, Shifts]:
        """Hold draws of what moves, by its name."""
        n_rows, d, radius = self.settings.n_rows, self.settings.d, self.settings.radius
        return {
            name: draw(N_DRAWS, n_rows, d, radius, np.random.default_rng(self.seed))
            for name, draw in SHIFTS.items()
        }


def numbers(text: str, n: int) -> list[float]:
    """Read numbers that are separated by spaces or commas.

    Raises:
        ValueError: They aren't as many, no numbers, or too large; says how they are written.
    """
    words = text.replace(",", " ").split()
    try:
        read = [float(word) for word in words]
    except ValueError:
        raise ValueError(f"write {n} numbers, such as {' '.join(['0.5'] * n)}; got {text!r}") from None
    if len(read) != n or not all(abs(each) <= LARGEST for each in read):
        raise ValueError(f"write {n} numbers from -{LARGEST:g} to {LARGEST:g}; got {text!r}")
    return read


def _row(row: "Sequence[float]") -> str:
    return f"({', '.join(f'{each:.1f}' for each in row)})"
