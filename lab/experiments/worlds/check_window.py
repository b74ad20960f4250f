"""The check of sequential function classes: is the window learned, and what do wrong labels cost?"""

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from lab.experiments.registry import CheckResult
from lab.experiments.worlds.checking import SEEDS, Trained, claim, train
from lab.runs.store import Store
from lab.worlds.points import Points
from lab.worlds.window import Window, WindowSettings, randomised

if TYPE_CHECKING:
    import torch

LINEAR = WindowSettings()
N_TEST = 2000
SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)  # of random labels


class Judged(NamedTuple):
    """A learner on sequences apart from those of its training; rows hold squared errors.

    Args:
        untrained: Of the learner at the last position before training.
        positions: A row a position.
        layouts: At the last position, a row a layout.
        labels: The same, a row a share of random labels.
    """

    untrained: float
    positions: list[dict[str, Any]]
    layouts: list[dict[str, Any]]
    labels: list[dict[str, Any]]

    @property
    def last(self) -> dict[str, Any]:
        """Return the errors at the last position."""
        return self.positions[-1]

    def shuffled(self, name: str) -> float:
        """Return how many times the error grows by shuffling."""
        by_layout = {row["layout"]: row[name] for row in self.layouts}
        return by_layout["shuffled"] / by_layout["drawn"]

    @property
    def n_falls(self) -> int:
        """Return how often the error falls as more labels are random."""
        errors = [row["learner"] for row in self.labels]
        return sum(after < before for before, after in pairwise(errors))

    @property
    def cost(self) -> float:
        """Return what half of the labels cost the learner, by what they cost windowed ridge."""
        none, half = (next(row for row in self.labels if row["share"] == share) for share in (0.0, 0.5))
        return (half["learner"] - none["learner"]) / (half["windowed"] - none["windowed"])


def check(is_quick: bool, store: Store) -> CheckResult:
    """Train on the linear function of three x; quick takes one seed."""
    seeds = SEEDS[:1] if is_quick else SEEDS
    found = [judged(train(Window(LINEAR, seed), seed)) for seed in seeds]
    claims = [
        claim("error at the last position by that of ridge without a window: less than 1/2",
              [each.last["learner"] / each.last["windowless"] for each in found], lambda value: value < 0.5,
              note=f"untrained {found[0].untrained / found[0].last['windowless']:.2f}"),
        claim("by that of windowed ridge: less than 2",
              [each.last["learner"] / each.last["windowed"] for each in found], lambda value: value < 2),
        claim("shuffling makes the error at least 2 times as large",
              [each.shuffled("learner") for each in found], lambda value: value >= 2, "{:.1f}",
              f"that of windowed ridge {found[0].shuffled('windowed'):.0f} times"),
        claim("the more labels are random, the larger the error: falls on the way",
              [each.n_falls for each in found], lambda value: value == 0, "{:.0f}"),
        claim("half of the labels random cost it less than windowed ridge (ratio under 1)",
              [each.cost for each in found], lambda value: value < 1),
    ]  # fmt: skip
    tables = {
        name: [
            {"seed": seed, **row}
            for seed, each in zip(seeds, found, strict=True)
            for row in getattr(each, name)
        ]
        for name in ("positions", "layouts", "labels")
    }
    holds = all(each["verdict"] == "holds" for each in claims)
    return CheckResult("sequential-functions", holds, claims, tables)


def judged(trained: Trained) -> Judged:
    """Measure a finished learner on sequences that training never drew."""
    import torch

    world = trained.world
    assert isinstance(world, Window)
    batch = world.drawn(N_TEST, torch.Generator().manual_seed(2))

    def errors(asked: Points) -> "dict[str, torch.Tensor]":
        with torch.no_grad():
            return world.by_position(trained.learner, asked)

    def at_last(asked: Points) -> dict[str, float]:
        return {name: each[-1].item() for name, each in errors(asked).items()}

    by_position = errors(batch)
    positions = [
        {"n_seen": place, **{name: each[place].item() for name, each in by_position.items()}}
        for place in range(batch.y.shape[1])
    ]
    layouts = [{"layout": each, **at_last(world.arranged(batch, each))} for each in world.layouts]
    labels = [
        {"share": share, **at_last(randomised(batch, share, torch.Generator().manual_seed(3)))}
        for share in SHARES
    ]
    return Judged(trained.history[0].measures["learner"], positions, layouts, labels)
