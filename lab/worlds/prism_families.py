"""The families of functions of the Bayesian prism: where x and weights come from, and the features of x."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Protocol

from lab.worlds.exact.prism_bayes import Prior

if TYPE_CHECKING:
    import torch

HALF_PERIOD = 5.0  # a Fourier series is drawn on -5 to 5, which is one period


class Family(Protocol):
    """Functions that are linear in features of x, with weights from a prior."""

    n_points: ClassVar[int]
    """Points of a sequence, the query among them."""
    d: ClassVar[int]
    """Numbers that make an x."""
    spread: ClassVar[float]
    """By what x are divided before they are read."""
    reach: ClassVar[float]
    """A function is drawn from minus to plus this."""
    x_title: ClassVar[str]

    @property
    def names(self) -> tuple[str, ...]:
        """Name the components of the prior."""
        ...

    @property
    def prior(self) -> Prior:
        """Return where weights come from."""
        ...

    @property
    def variance(self) -> float:
        """Return the variance of y without noise."""
        ...

    def drawn(self, n: int, generator: "torch.Generator") -> "torch.Tensor":
        """Draw x, shape (n, n_points, d)."""
        ...

    def features(self, x: "torch.Tensor") -> "torch.Tensor":
        """Return the features of x (..., d), shape (..., n_features)."""
        ...


@dataclass(frozen=True)
class Mixture:
    """Lines w · x, with w from one of two Gaussians whose centres lie on the first axis.

    Along that axis the standard deviation of w is 1/4, along the others 1; x ~ N(0, I).

    Args:
        distance: Of either centre from 0.
        share: How often the positive one is met.
    """

    distance: float
    share: float
    n_points: ClassVar[int] = 12
    d: ClassVar[int] = 4
    spread: ClassVar[float] = 1.0
    reach: ClassVar[float] = 2.5
    x_title: ClassVar[str] = "first number of x, the others 0"
    names: ClassVar[tuple[str, ...]] = ("centre +", "centre -")

    @cached_property
    def prior(self) -> Prior:
        """Return the two Gaussians."""
        import torch

        centre = torch.zeros(self.d)
        centre[0] = self.distance
        variances = torch.ones(2, self.d)
        variances[:, 0] = 1 / 16
        shares = torch.tensor([self.share, 1 - self.share])
        return Prior(self.names, torch.stack([centre, -centre]), variances, shares)

    @property
    def variance(self) -> float:
        """Return E |w|², which is Var(w · x)."""
        return self.distance**2 + 1 / 16 + self.d - 1

    def drawn(self, n: int, generator: "torch.Generator") -> "torch.Tensor":
        """Draw x, shape (n, 12, 4)."""
        import torch

        return torch.randn(n, self.n_points, self.d, generator=generator)

    def features(self, x: "torch.Tensor") -> "torch.Tensor":
        """Return x itself."""
        return x


@dataclass(frozen=True)
class Fourier:
    """Series of 1 frequency, of 2, and so on, each as often and of variance 1; x ~ U(-5, 5).

    Args:
        n_frequencies: Most that one has.
    """

    n_frequencies: int
    n_points: ClassVar[int] = 20
    d: ClassVar[int] = 1
    spread: ClassVar[float] = HALF_PERIOD / 2
    reach: ClassVar[float] = HALF_PERIOD
    x_title: ClassVar[str] = "x"
    variance: ClassVar[float] = 1.0

    @property
    def names(self) -> tuple[str, ...]:
        """Name every number of frequencies."""
        numbers = range(1, self.n_frequencies + 1)
        return tuple(f"{each} {'frequency' if each == 1 else 'frequencies'}" for each in numbers)

    @cached_property
    def prior(self) -> Prior:
        """Return a Gaussian a number of frequencies; weights are those of the cosines, then of the sines."""
        import torch

        n = self.n_frequencies
        numbers = torch.arange(1, n + 1)
        variances = ((numbers <= numbers[:, None]) / numbers[:, None]).repeat(1, 2)
        return Prior(self.names, torch.zeros_like(variances), variances, torch.full((n,), 1 / n))

    def drawn(self, n: int, generator: "torch.Generator") -> "torch.Tensor":
        """Draw x, shape (n, 20, 1)."""
        import torch

        return HALF_PERIOD * (2 * torch.rand(n, self.n_points, self.d, generator=generator) - 1)

    def features(self, x: "torch.Tensor") -> "torch.Tensor":
        """Return cos(m π x / 5) for m = 1, 2, ..., then the sines."""
        import torch

        angles = x * torch.arange(1, self.n_frequencies + 1) * (math.pi / HALF_PERIOD)
        return torch.cat([angles.cos(), angles.sin()], -1)


def period(n_places: int) -> "torch.Tensor":
    """Return places at even distances over a period, shape (n_places, 1)."""
    import torch

    return HALF_PERIOD * (2 * torch.arange(n_places)[:, None] / n_places - 1)


def spectral_centroid(values: "torch.Tensor") -> "torch.Tensor":
    """Return the mean frequency of functions, by power.

    Args:
        values: Of each at the places of `period`, shape (n, n_places).

    Returns:
        Shape (n,), in waves a period.
    """
    import torch

    shares = power_shares(values)
    return shares @ torch.arange(shares.shape[1], dtype=shares.dtype)


def power_shares(values: "torch.Tensor") -> "torch.Tensor":
    """Return the share of the power of functions at 0, 1, 2 and more waves a period.

    Args:
        values: Of each at the places of `period`, shape (n, n_places).

    Returns:
        Shape (n, n_places // 2 + 1); rows sum to 1.
    """
    import torch

    power = torch.fft.rfft(values).abs().square()
    return power / power.sum(1, keepdim=True)
