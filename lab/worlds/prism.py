"""Does a transformer answer as Bayes does?

Points (x, y) of a function, one after another; at every x its y is to be foretold. Functions are drawn from a
prior that is known here, so that the best answer there is, the posterior mean, can be computed exactly and
drawn beside the learner's.

| here | paper | what |
|---|---|---|
| "fourier" | Fourier series | a function of x in -5..5 of 1, 2 or 3 frequencies, each as often |
| "mixture" | Gaussian mixture | y = w · x, w from one of two Gaussians at ± `distance` |
| posterior mean | PME | Σ over components: how likely each is by now, times what it answers |
| one component | DR, or a single family | what Bayes answers who believes in one of them alone |

The paper's simplicity claim: where few points leave several series possible, the learner's function has the
frequencies that the posterior mean's has. Its spectral centroid, the mean frequency by power, is compared.

Source: Panwar et al. 2024 (arXiv:2306.04891). Differences: 71,000 parameters for 22 million; a pair and the
x after it are one token, where the paper lays x and y in turn; 3 frequencies for 10, 4 numbers an x for 10;
training takes minutes where the paper takes 500,000 steps.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from lab.training.loop import Schedule
from lab.worlds.exact.prism_bayes import Posterior, Prior, leanings, posterior
from lab.worlds.points import OfPoints, Points, read_points, replies, tokens
from lab.worlds.prism_families import (
    HALF_PERIOD,
    Family,
    Fourier,
    Mixture,
    period,
    power_shares,
    spectral_centroid,
)
from lab.worlds.settings import Settings, choice, number
from lab.worlds.world import Curve, Own, Preset, Profile, Replies

if TYPE_CHECKING:
    import torch

    from lab.worlds.core.hooks import Cache, Hooks
    from lab.worlds.core.learner import Learner

N_MEASURED = 500
N_SPECTRA = 64  # prompts whose functions are compared on the way
N_PLACES = 32  # of a function, at even distances
FEW = 3  # points that leave several series possible
_WIDTH = 64


@dataclass(frozen=True)
class PrismSettings(Settings):
    """What can be changed in this world."""

    family: str = choice(
        "fourier", ("fourier", "mixture"), "Functions", "Fourier series, or lines from two centres."
    )
    n_frequencies: int = number(3, 1, 4, "Frequencies", "Most that a Fourier series has.")
    distance: float = number(3.0, 0.0, 5.0, "Distance", "Of either centre of the mixture from 0.")
    share: float = number(0.5, 0.05, 0.95, "Share", "How often the mixture's positive centre is met.")
    noise: float = number(0.3, 0.05, 1.0, "Noise", "Standard deviation of what is added to y.")
    rate: float = number(3e-3, 1e-4, 5e-3, "Learning rate", "Of AdamW.", is_log=True)
    n_steps: int = number(9000, 100, 20000, "Steps", "Training steps of 32 contexts.")


PRESETS = (
    Preset(
        "Fourier series",
        {},
        "The error falls onto the posterior mean's; after few points both draw the simple series.",
    ),
    Preset(
        "Two centres",
        {"family": "mixture", "n_steps": 6000},
        "A few points tell which centre it is: the learner leaves the answer that suits neither.",
    ),
    Preset(
        "One centre",
        {"family": "mixture", "distance": 0.0, "n_steps": 6000},
        "Both centres are one: the posterior mean and either component are the same line, and so is ridge.",
    ),
    Preset(
        "Little noise",
        {"noise": 0.1},
        "Bayes draws sharp conclusions from few points now: the learner stays further from it.",
    ),
)


@dataclass(frozen=True)
class Prism(OfPoints):
    """The world of functions with a known prior."""

    settings: PrismSettings = PrismSettings()
    seed: int = 0
    id: ClassVar[str] = "bayesian-prism"
    questions: ClassVar[Mapping[str, str]] = {"train": "such as it learns from"}
    plots: ClassVar[Mapping[str, str]] = {
        "profile": "as the context grows",
        "believed": "which family it believes in",
        "spectrum": "frequencies of its functions",
    }
    own: ClassVar[Own | None] = Own(
        "Points of your own",
        "x:y, the next after a space, at most 19. Of the mixture at most 11, whose x are of four numbers: "
        "1,0,-2,0:y. A click on the drawing adds one.",
        "-2:0.5 0:1.0 3:-0.7",
        " {x:.1f}:{y:.1f}",
    )
    n_batch = 32

    @property
    def schedule(self) -> Schedule:
        """Return AdamW with a warm-up, and a long fall."""
        return Schedule(
            self.settings.n_steps, self.settings.rate, n_warmup=200, flat=0.3, floor=0.01, decay=0.0
        )

    @cached_property
    def family(self) -> Family:
        """Return the functions, and the prior that they are drawn from."""
        if self.settings.family == "mixture":
            return Mixture(self.settings.distance, self.settings.share)
        return Fourier(self.settings.n_frequencies)

    @property
    def has_spectra(self) -> bool:
        """Tell whether functions have a period, and so a spectrum."""
        return isinstance(self.family, Fourier)

    @property
    def variance(self) -> float:
        """Return the variance of y, noise included."""
        return self.family.variance + self.settings.noise**2

    @property
    def curves(self) -> tuple[Curve, ...]:
        """Describe what is measured: errors, how far from the posterior mean, and mean frequencies."""
        found = [
            Curve("learner", "learner", "squared error", "Of the learner, mean over positions."),
            Curve("bayes", "posterior mean", "squared error", "Of the best answer there is."),
            *(
                Curve(
                    f"component.{place}",
                    f"{name} alone",
                    "squared error",
                    "Of Bayes who believes in it alone.",
                )
                for place, name in enumerate(self.family.names)
            ),
            Curve("gap", "learner to posterior mean", "gap, share of Var(y)", "Mean square, over positions."),
        ]
        if self.has_spectra:
            found += [
                Curve("centroid", "learner", "spectral centroid", f"Mean frequency after {FEW} points."),
                Curve("bayes_centroid", "posterior mean", "spectral centroid", "That of the posterior mean."),
            ]
        return tuple(found)

    def build(self) -> "Learner":
        """Return two layers of four heads without positions; a token is read by a hidden layer."""
        from torch import nn

        from lab.worlds.core.learner import Learner, new_body
        from lab.worlds.core.transformer import TransformerConfig

        n_read = 2 * self.family.d + 2
        token = nn.Sequential(nn.Linear(n_read, _WIDTH), nn.GELU(), nn.Linear(_WIDTH, _WIDTH))
        body = new_body(
            TransformerConfig(_WIDTH, 2, 4, 2 * _WIDTH, positions="none", max_length=self.family.n_points)
        )
        return Learner({"token": token}, body, nn.Linear(_WIDTH, 1))

    def sample(self, n: int, generator: "torch.Generator", split: str = "train") -> Points:
        """Draw functions and points of them; there is nothing to hold out but the drawing itself."""
        return self._drawn(n, self.family.prior, generator)

    def _drawn(self, n: int, prior: Prior, generator: "torch.Generator") -> Points:
        """Draw functions from a prior, and points of them."""
        import torch

        x, weights = self.family.drawn(n, generator), prior.drawn(n, generator)
        y = (self.family.features(x) @ weights[:, :, None])[..., 0]
        return Points(x, y + self.settings.noise * torch.randn(y.shape, generator=generator))

    def encode(self, learner: "Learner", batch: Points) -> "torch.Tensor":
        """Lay each x together with the pair before it, shape (n, n_points, d_model)."""
        return learner.parts["token"](tokens(batch, self.family.spread, self.variance**0.5))

    def answer(
        self, learner: "Learner", batch: Points, hooks: "Hooks | None" = None, cache: "Cache | None" = None
    ) -> "torch.Tensor":
        """Foretell y at every x from the points before it, shape (n, n_points)."""
        return learner.answer(self.encode(learner, batch), hooks, cache)[..., 0] * self.variance**0.5

    def loss(self, learner: "Learner", batch: Points, hooks: "Hooks | None" = None) -> "torch.Tensor":
        """Return the mean squared error as a share of the variance of y."""
        return (self.answer(learner, batch, hooks) - batch.y).square().mean() / self.variance

    def posterior(self, batch: Points) -> Posterior:
        """Return what Bayes believes after each point."""
        return posterior(self.family.prior, self.family.features(batch.x), batch.y, self.settings.noise)

    def functions(self, learner: "Learner", given: Points, places: "torch.Tensor") -> "torch.Tensor":
        """Return what the learner foretells at other places, after points that are all given.

        Args:
            learner: Which.
            given: Shape (n, n_given, ...), without a query; at most `n_points` less one.
            places: Shape (n_places, d).

        Returns:
            Shape (n, n_places).
        """
        import torch

        n, m = len(given.y), len(places)
        x = torch.cat([given.x.repeat_interleave(m, 0), places.repeat(n, 1)[:, None]], 1)
        y = torch.cat([given.y.repeat_interleave(m, 0), torch.zeros(n * m, 1)], 1)
        return self.answer(learner, Points(x, y))[:, -1].view(n, m)

    def exact(self, batch: Points) -> "dict[str, torch.Tensor]":
        """Answer by the posterior mean and by each component alone; names of `curves`, each (n, n_points)."""
        features, believed = self.family.features(batch.x), self.posterior(batch)
        single = believed.of_components(features).unbind(-1)
        return {"bayes": believed.of_mixture(features)} | {
            f"component.{place}": answered for place, answered in enumerate(single)
        }

    def by_position(
        self, learner: "Learner", batch: Points, exact: "Mapping[str, torch.Tensor]"
    ) -> "dict[str, torch.Tensor]":
        """Return the squared errors of the learner and of exact answers, and the gap, each (n_points,)."""
        answers = {"learner": self.answer(learner, batch), **exact}
        gap = (answers["learner"] - answers["bayes"]).square().mean(0) / self.variance
        return {name: (each - batch.y).square().mean(0) for name, each in answers.items()} | {"gap": gap}

    def centroids(self, learner: "Learner", given: Points) -> "tuple[torch.Tensor, torch.Tensor]":
        """Return the spectral centroids of the learner's functions and of the posterior mean's.

        Args:
            learner: Which.
            given: Points of a Fourier world without a query; at most `n_points` less one.

        Returns:
            Two of shape (n,), in waves a period.
        """
        best = self.posterior(given).function(self.family.features(self._places))
        return spectral_centroid(self.functions(learner, given, self._places)), spectral_centroid(best)

    def measure(self, learner: "Learner") -> dict[str, float]:
        """Measure errors and the gap, means over positions; of series also the mean frequencies."""
        by_position = self.by_position(learner, self._measured, self._exact)
        found = {name: each.mean().item() for name, each in by_position.items()}
        if self.has_spectra:
            ours, best = self.centroids(learner, first(self._measured, N_SPECTRA, FEW))
            found |= {"centroid": ours.mean().item(), "bayes_centroid": best.mean().item()}
        return found

    def profile(self, learner: "Learner") -> Profile:
        """Draw errors as points are seen."""
        found = self.by_position(learner, self._measured, self._exact)
        shown = {curve.name: curve.label for curve in self.curves if curve.group == "squared error"}
        title = (
            f"After {self.family.n_points - 1} points its error is {found['learner'][-1]:.3f}, "
            f"the posterior mean's {found['bayes'][-1]:.3f}"
        )
        lines = {label: found[name].tolist() for name, label in shown.items()}
        return Profile(title, "points seen", "squared error", list(range(self.family.n_points)), lines)

    def believed(self, learner: "Learner") -> Profile:
        """Draw how much is believed of the first family, on functions of that family, as points are seen.

        A learner's belief is read off its answers: the weights, with the sum 1, with which the answers of
        the families alone come nearest to them, over all functions. The posterior mean is read so as well.

        Raises:
            ValueError: There is one family alone.
        """
        import torch

        generator, prior = torch.Generator().manual_seed(3), self.family.prior
        if len(prior.names) < 2:
            raise ValueError(f"all functions are of {prior.names[0]}: train with 2 frequencies or more")
        only = replace(prior, shares=torch.nn.functional.one_hot(torch.tensor(0), len(prior.names)).float())
        batch = self._drawn(N_MEASURED, only, generator)
        features, believed = self.family.features(batch.x), self.posterior(batch)
        single, exact = believed.of_components(features), believed.shares[:, :-1, 0].mean(0)
        answers = {"learner": self.answer(learner, batch), "posterior mean": believed.of_mixture(features)}
        lines = {
            f"read off the {name}": leanings(each, single)[:, 0].tolist() for name, each in answers.items()
        } | {"Bayes": exact.tolist()}
        ours = [value for value in lines["read off the learner"] if not math.isnan(value)]
        title = (
            f"Functions of {prior.names[0]}: after {len(exact) - 1} points Bayes believes that by "
            f"{exact[-1]:.2f}; the learner's answers "
            + (f"last showed {ours[-1]:.2f}" if ours else "are too far off to tell")
        )
        y_title = f"belief in {prior.names[0]}"
        return Profile(title, "points seen", y_title, list(range(len(exact))), lines)

    def spectrum(self, learner: "Learner") -> Profile:
        """Draw the power of every frequency of its functions, and of the posterior mean's, after few points.

        Raises:
            ValueError: Functions have no period.
        """
        if not self.has_spectra:
            raise ValueError("lines have no frequencies: choose Fourier series, and train on them")
        given = first(self._measured, N_SPECTRA, FEW)
        best = self.posterior(given).function(self.family.features(self._places))
        functions = {"learner": self.functions(learner, given, self._places), "posterior mean": best}
        shown = range(1, self.settings.n_frequencies + 3)
        lines = {
            name: power_shares(each)[:, list(shown)].mean(0).tolist() for name, each in functions.items()
        }
        title = (
            f"After {FEW} points {lines['learner'][0]:.0%} of the power of its functions is in the slowest "
            f"wave, of the posterior mean's {lines['posterior mean'][0]:.0%}"
        )
        names = [f"{each} wave{'s' * (each > 1)}" for each in shown]
        return Profile(title, "waves a period", "share of the power", names, lines)

    def told(self, learner: "Learner", text: str) -> Profile:
        """Draw the learner's function beside the posterior mean, after a person's points.

        A mixture's function is drawn along the first number of x, the others 0.

        Raises:
            ValueError: The points can't be read; says how they are written.
        """
        import torch

        given = self.read(text)
        along = torch.linspace(-self.family.reach, self.family.reach, 101)
        places = torch.nn.functional.pad(along[:, None], (0, self.family.d - 1))
        features, believed = self.family.features(places), self.posterior(given)
        ours, best = self.functions(learner, given, places)[0], believed.function(features)[0]
        shares = believed.shares[0, -1]
        lines = {"learner": ours.tolist(), "posterior mean": best.tolist()}
        for name, share, line in zip(
            self.family.prior.names, shares, believed.functions(features)[0], strict=True
        ):
            lines[f"{name}, p = {share:.2f}"] = line.tolist()
        likely = self.family.prior.names[int(shares.argmax())]
        n_given = given.y.shape[1]
        title = (
            f"After {n_given} point{'s' * (n_given > 1)}: {likely}, p = {shares.max():.2f}; the learner is "
            f"{(ours - best).square().mean().sqrt():.2f} from the posterior mean (root mean square)"
        )
        points = list(zip(given.x[0, :, 0].tolist(), given.y[0].tolist(), strict=True))
        return Profile(title, self.family.x_title, "y", along.tolist(), lines, points)

    def read(self, text: str) -> Points:
        """Read points that a person wrote; numbers of an x that are left away are 0.

        Raises:
            ValueError: They can't be read, are too many or none, or lie where series are not drawn.
        """
        found = read_points(text, self.family.d, self.family.n_points - 1)
        if self.has_spectra and found.x.abs().max() > HALF_PERIOD:
            raise ValueError(f"x must be -{HALF_PERIOD:g} to {HALF_PERIOD:g}, where the series are drawn")
        return found

    def reply(
        self, learner: "Learner", batch: Points, hooks: "Hooks | None" = None, cache: "Cache | None" = None
    ) -> Replies:
        """Answer on which side of 0 the query's y lies."""
        return replies(self.answer(learner, batch, hooks, cache)[:, -1], batch)

    @cached_property
    def _measured(self) -> Points:
        import torch

        return self.sample(N_MEASURED, torch.Generator().manual_seed(1))

    @cached_property
    def _exact(self) -> "dict[str, torch.Tensor]":
        return self.exact(self._measured)

    @cached_property
    def _places(self) -> "torch.Tensor":
        return period(N_PLACES)


def first(batch: Points, n: int, n_given: int) -> Points:
    """Return the first points of the first sequences, none of them a query."""
    return Points(batch.x[:n, :n_given], batch.y[:n, :n_given])
