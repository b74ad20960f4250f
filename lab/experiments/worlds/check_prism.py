"""The check of the Bayesian prism: is what a transformer answers the posterior mean?"""

from typing import Any, NamedTuple

from lab.experiments.registry import CheckResult
from lab.experiments.worlds.checking import SEEDS, Trained, claim, train
from lab.runs.store import Store
from lab.worlds.prism import Prism, PrismSettings, first

FOURIER = PrismSettings(n_steps=18_000)  # the gap still falls at the 9,000 of the first preset
MIXTURE = PrismSettings(family="mixture", n_steps=6000)
N_TEST = 2000
N_SPECTRA = 400
FEW = (2, 3, 5)  # points that leave several series possible


class Judged(NamedTuple):
    """A learner on sequences apart from those of its training.

    Args:
        noise: Variance of what is added to y.
        untrained: Gap to the posterior mean before training, as a share of Var(y).
        errors: A row a position: squared errors, and the gap.
        spectra: A row a number of points: mean centroids, and how far single functions' are apart.
    """

    noise: float
    untrained: float
    errors: list[dict[str, float]]
    spectra: list[dict[str, float]]

    @property
    def gap(self) -> float:
        """Return the mean gap over positions."""
        return sum(row["gap"] for row in self.errors) / len(self.errors)

    @property
    def excess(self) -> float:
        """Return the error over that of Bayes at the last position, by the variance of the noise."""
        return (self.errors[-1]["learner"] - self.errors[-1]["bayes"]) / self.noise

    @property
    def nearest(self) -> float:
        """Return the gap by the distance to the nearest single component's answers."""
        names = [name for name in self.errors[0] if name.startswith("to_component")]
        return self.gap / min(sum(row[name] for row in self.errors) / len(self.errors) for name in names)

    @property
    def centroid(self) -> float:
        """Return how far the mean centroid is from that of the posterior mean, the worst of `FEW`."""
        return max(abs(row["learner"] / row["bayes"] - 1) for row in self.spectra)


def check(is_quick: bool, store: Store) -> CheckResult:
    """Train on Fourier series and on the mixture; quick takes one seed."""
    seeds = SEEDS[:1] if is_quick else SEEDS
    series = [judged(train(Prism(FOURIER, seed), seed)) for seed in seeds]
    mixture = [judged(train(Prism(MIXTURE, seed), seed)) for seed in seeds]
    claims = [
        claim("Fourier series: the gap to the posterior mean is less than 5 % of Var(y)",
              [each.gap for each in series], lambda value: value < 0.05, "{:.1%}",
              f"untrained {series[0].untrained:.0%}"),
        claim("mixture of two centres: the same",
              [each.gap for each in mixture], lambda value: value < 0.05, "{:.1%}",
              f"untrained {mixture[0].untrained:.0%}"),
        claim(f"series: the spectral centroid after {', '.join(map(str, FEW))} points is within 15 %",
              [each.centroid for each in series], lambda value: value < 0.15, "{:.1%}", "the worst of them"),
        claim("series: error over Bayes at the last position, by the noise's variance: less than 2",
              [each.excess for each in series], lambda value: value < 2),
        claim("mixture: the same",
              [each.excess for each in mixture], lambda value: value < 2),
        claim("series: nearer to the posterior mean than to any number of frequencies alone (ratio)",
              [each.nearest for each in series], lambda value: value < 1),
        claim("mixture: nearer to the posterior mean than to either centre alone (ratio)",
              [each.nearest for each in mixture], lambda value: value < 1),
    ]  # fmt: skip
    tables = {"errors by position": _rows("errors", seeds, series, mixture)}
    tables["spectral centroids"] = _rows("spectra", seeds, series, mixture)
    return CheckResult("bayesian-prism", all(each["verdict"] == "holds" for each in claims), claims, tables)


def judged(trained: Trained) -> Judged:
    """Measure a finished learner on sequences that training never drew."""
    import torch

    world, learner = trained.world, trained.learner
    assert isinstance(world, Prism)
    batch = world.sample(N_TEST, torch.Generator().manual_seed(2))
    with torch.no_grad():
        exact = world.exact(batch)
        answered = world.answer(learner, batch)
        found = world.by_position(learner, batch, exact)
        found |= {
            f"to_{name}": (answered - each).square().mean(0) / world.variance
            for name, each in exact.items()
            if name != "bayes"
        }
        spectra = [_spectra(trained, first(batch, N_SPECTRA, n)) for n in FEW] if world.has_spectra else []
    errors = [
        {"n_seen": place, **{name: each[place].item() for name, each in found.items()}}
        for place in range(batch.y.shape[1])
    ]
    untrained = trained.history[0].measures["gap"]
    return Judged(world.settings.noise**2, untrained, errors, spectra)


def _spectra(trained: Trained, given: Any) -> dict[str, float]:
    ours, best = trained.world.centroids(trained.learner, given)  # type: ignore[attr-defined]
    apart = (ours / best - 1).abs().median().item()
    return {
        "n_seen": given.y.shape[1],
        "learner": ours.mean().item(),
        "bayes": best.mean().item(),
        "median_apart": apart,
    }


def _rows(name: str, seeds: Any, series: list[Judged], mixture: list[Judged]) -> list[dict[str, Any]]:
    return [
        {"family": family, "seed": seed, **row}
        for family, of_family in (("fourier", series), ("mixture", mixture))
        for seed, each in zip(seeds, of_family, strict=True)
        for row in getattr(each, name)
    ]
