"""What Bayes answers where y is linear in features of x, and its weights come from one of a few Gaussians.

| here | what |
|---|---|
| φ(x) | features: x itself, or cosines and sines of it |
| a component k | weights w ~ N(m_k, diag(v_k)), met with probability p_k |
| posterior mean | Σ_k p(k given the points) φ(x) · E[w given the points and k] |

Each point updates the mean and covariance of every component, as recursive least squares does, and the
component's probability by how well it foresaw the point. All of it is exact, and in double precision.

Source: Panwar et al. 2024 (arXiv:2306.04891).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Prior:
    """Where the weights come from.

    Args:
        names: Of the components.
        means: Of the weights, shape (n_components, n_features).
        variances: Of the weights, same shape; a weight without one is known.
        shares: How often each component is met, shape (n_components,); they sum to 1.
    """

    names: tuple[str, ...]
    means: "torch.Tensor"
    variances: "torch.Tensor"
    shares: "torch.Tensor"

    def drawn(self, n: int, generator: "torch.Generator") -> "torch.Tensor":
        """Draw weights, shape (n, n_features)."""
        import torch

        which = torch.multinomial(self.shares, n, replacement=True, generator=generator)
        drawn = torch.randn(n, self.means.shape[1], generator=generator)
        return self.means[which] + self.variances[which].sqrt() * drawn


class Posterior(NamedTuple):
    """What is believed before any point, after the first, and so on to the last.

    Args:
        means: Of the weights, shape (n, n_points + 1, n_components, n_features).
        shares: Probability of each component, shape (n, n_points + 1, n_components).
    """

    means: "torch.Tensor"
    shares: "torch.Tensor"

    def of_components(self, features: "torch.Tensor") -> "torch.Tensor":
        """Answer by each component alone.

        Args:
            features: Shape (n, n_points, n_features); each row is answered from the points before it.

        Returns:
            Shape (n, n_points, n_components).
        """
        return (self.means[:, : features.shape[1]] * features[:, :, None]).sum(-1)

    def of_mixture(self, features: "torch.Tensor") -> "torch.Tensor":
        """Answer by the posterior mean, shape (n, n_points)."""
        return (self.shares[:, : features.shape[1]] * self.of_components(features)).sum(-1)

    def function(self, features: "torch.Tensor") -> "torch.Tensor":
        """Return the posterior mean after the last point, at other places.

        Args:
            features: Of the places, shape (n_places, n_features).

        Returns:
            Shape (n, n_places).
        """
        return (self.shares[:, -1, :, None] * self.functions(features)).sum(1)

    def functions(self, features: "torch.Tensor") -> "torch.Tensor":
        """Return the same of each component alone, shape (n, n_components, n_places)."""
        return self.means[:, -1] @ features.T


def posterior(prior: Prior, features: "torch.Tensor", y: "torch.Tensor", noise: float) -> Posterior:
    """Learn from points, one after another.

    Args:
        prior: What is believed before.
        features: Of the points, shape (n, n_points, n_features).
        y: Their values, shape (n, n_points).
        noise: Standard deviation of what was added to the values; more than 0.
    """
    import torch

    features, y = features.double(), y.double()
    n, n_points, _ = features.shape
    mean = prior.means.double().expand(n, -1, -1)
    covariance = torch.diag_embed(prior.variances.double()).expand(n, -1, -1, -1)
    logp = prior.shares.double().log().expand(n, -1)
    means, shares = [mean], [logp]
    for point in range(n_points):
        seen = features[:, point, None]  # (n, 1, n_features)
        spread = (covariance @ seen[..., None])[..., 0]  # (n, n_components, n_features)
        variance = (spread * seen).sum(-1) + noise**2
        missed = y[:, point, None] - (mean * seen).sum(-1)
        logp = logp - missed**2 / (2 * variance) - variance.log() / 2
        gain = spread / variance[..., None]
        mean = mean + gain * missed[..., None]
        covariance = covariance - gain[..., None] * spread[..., None, :]
        means.append(mean)
        shares.append(logp)
    return Posterior(torch.stack(means, 1).float(), torch.stack(shares, 1).softmax(-1).float())


def leanings(answers: "torch.Tensor", of_components: "torch.Tensor") -> "torch.Tensor":
    """Find the weights of the components with which their answers come nearest to others, at each point.

    Args:
        answers: Shape (n, n_points).
        of_components: Shape (n, n_points, n_components); they must differ somewhere.

    Returns:
        Weights with the sum 1, shape (n_points, n_components), by least squares over the n functions. NaN
        where they tell nothing: where the answers are further from the best mixture than two of the
        components are from each other (mean squares).
    """
    import torch

    last = of_components[..., -1:]
    apart = (of_components[..., :-1] - last).transpose(0, 1).double()  # (n_points, n, n_components - 1)
    missed = (answers[..., None] - last).transpose(0, 1).double()
    free = torch.linalg.lstsq(apart, missed).solution[..., 0]
    weights = torch.cat([free, 1 - free.sum(1, keepdim=True)], 1)
    residual = (missed - apart @ free[..., None]).square().mean((1, 2))
    pairs = torch.combinations(torch.arange(of_components.shape[2]))
    gaps = (of_components[..., pairs[:, 0]] - of_components[..., pairs[:, 1]]).square().mean(0)
    is_told = gaps.amin(1) > residual.clamp_min(1e-12)
    return torch.where(is_told[:, None], weights, torch.nan).float()
