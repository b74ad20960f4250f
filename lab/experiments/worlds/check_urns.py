"""The check of rational strategies: do few urns bring memory, many counting, and does a law tell when?"""

from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from lab.experiments.registry import CheckResult
from lab.experiments.worlds.checking import SEEDS, claim
from lab.runs.store import Store
from lab.worlds.exact.law import Cell, Fit, bits, compared, fit
from lab.worlds.exact.strategies import generalising, memorising
from lab.worlds.growth import Growth, Moment
from lab.worlds.urns import Urns, UrnsSettings

N_URNS = (4, 8, 16, 32, 64, 128, 512)
QUICK_N_URNS = (4, 32, 512)
BETWEEN = (16, 64)  # where counting is to give way to memory
PLAIN = UrnsSettings()
N_SEQUENCES = 256  # to compare predictions with mixtures of M and G


class Row(NamedTuple):
    """A training on so many urns: when it could do what, and the cells that the law is fitted to."""

    n_urns: int
    history: list[Moment]
    cells: list[Cell]

    @property
    def last(self) -> dict[str, float]:
        """Return what the learner can do at the end."""
        return self.history[-1].measures

    @property
    def fall(self) -> float:
        """Return by how much the relative distance falls from its highest after a tenth of the training."""
        begun = self.history[-1].step / 10
        values = [moment.measures["relative"] for moment in self.history if moment.step >= begun]
        return max(values) - values[-1]


def check(is_quick: bool, store: Store) -> CheckResult:
    """Train on few to many urns, and fit the law to each seed's grid; quick takes three N and one seed."""
    seeds, many = (SEEDS[:1], QUICK_N_URNS) if is_quick else (SEEDS, N_URNS)
    grids = [[_grown(n_urns, seed) for n_urns in many] for seed in seeds]
    fits = [fit([cell for row in grid for cell in row.cells]) for grid in grids]
    claims = [
        claim("4 urns: the learner predicts as M does, relative distance under .15",
              [_relative(grid, 4) for grid in grids], lambda value: value < 0.15),
        claim("512 urns: it predicts as G does, over .7",
              [_relative(grid, 512) for grid in grids], lambda value: value > 0.7),
        claim("more urns, nearer to G: at most one inversion along N",
              [_inversions(grid) for grid in grids], lambda value: value <= 1, "{:.0f}",
              f"N = {', '.join(map(str, many))}"),
        claim("it is transient: for an N of 16 to 64 the relative distance falls by .1 or more",
              [max(row.fall for row in _between(grid)) for grid in grids], lambda value: value >= 0.1),
        claim("the law fits: its weight of G correlates with the relative distance, r over .9",
              [each.correlation for each in fits], lambda value: value > 0.9, "{:.3f}", _told(fits)),
        claim("the best mixture of M and G is near at the end: under .02 nats for every N",
              [max(min(row.cells[-1].divergences) for row in grid) for grid in grids],
              lambda value: value < 0.02, "{:.4f}"),
    ]  # fmt: skip
    rows = [
        {"seed": seed, "n_urns": row.n_urns, "step": moment.step, **moment.measures}
        for seed, grid in zip(seeds, grids, strict=True)
        for row in grid
        for moment in row.history
    ]
    described = [
        {"seed": seed, "n_urns": cell.n_urns, "step": cell.step, "relative": cell.relative,
         "law": 1 - found.law.weight(cell), "best mixture": min(cell.divergences)}
        for seed, grid, found in zip(seeds, grids, fits, strict=True)
        for row in grid
        for cell in row.cells
    ]  # fmt: skip
    laws = [
        {"seed": seed, **found.law._asdict(), "correlation": found.correlation,
         "divergence": found.divergence, "variation": found.variation}
        for seed, found in zip(seeds, fits, strict=True)
    ]  # fmt: skip
    holds = all(each["verdict"] == "holds" for each in claims)
    tables = {"curves": rows, "law and learner": described, "laws": laws}
    return CheckResult("rational-strategies", holds, claims, tables)


def _grown(n_urns: int, seed: int) -> Row:
    """Train on so many urns and compare what was learned at each measured step with mixtures of M and G."""
    import torch

    world = Urns(replace(PLAIN, n_urns=n_urns), seed)
    growth = Growth(world, seed)
    lengths = bits(memorising, world.known.numpy()), bits(generalising)
    batch = world.sample(N_SEQUENCES, torch.Generator().manual_seed(3))
    known = world.references(batch.balls[:, :-1])
    history, cells = [], []
    for moment in growth.moments():
        if not moment.measures:
            continue
        history.append(moment)
        if moment.step:
            with torch.no_grad():
                p = world.predict(growth.learner, batch.balls[:, :-1]).exp()
            advantage = moment.measures["loss_g"] - moment.measures["loss_m"]
            tables = compared(p, known["m"], known["g"])
            cells.append(Cell(n_urns, moment.step, moment.measures["relative"], *tables, advantage, lengths))
    return Row(n_urns, history, cells)


def _relative(grid: list[Row], n_urns: int) -> float:
    return next(row.last["relative"] for row in grid if row.n_urns == n_urns)


def _inversions(grid: list[Row]) -> int:
    """Count neighbours along N of which the one with more urns ends nearer to M."""
    ends = [row.last["relative"] for row in grid]
    return sum(later < earlier for earlier, later in pairwise(ends))


def _between(grid: list[Row]) -> list[Row]:
    return [row for row in grid if BETWEEN[0] <= row.n_urns <= BETWEEN[1]]


def _told(fits: list[Fit]) -> str:
    laws = "; ".join("γ {:.3g} α {:.2f} β {:.2f}".format(*each.law) for each in fits)
    away = ", ".join(f"{each.divergence:.4f}" for each in fits)
    varied = ", ".join(f"{each.variation:.3f}" for each in fits)
    return f"{laws}; KL to the law {away} nats, total variation {varied}"
