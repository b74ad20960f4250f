"""Exact answers against a closed form, a hand calculation and plain enumeration."""

import math

import pytest
import torch

from lab.worlds.exact.prism_bayes import Prior, leanings, posterior
from lab.worlds.prism_families import Fourier, Mixture, period, spectral_centroid


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def ridge(features, y, mean, variances, noise):
    """Return the posterior mean of weights with a Gaussian prior, from its normal equations."""
    precision = features.T @ features / noise**2 + torch.diag(1 / variances)
    return torch.linalg.solve(precision, features.T @ y / noise**2 + mean / variances)


def evidence(features, y, mean, variances, noise):
    """Return log p(y | x) of a Gaussian prior, from the joint density of all y."""
    covariance = features @ torch.diag(variances) @ features.T + noise**2 * torch.eye(len(y))
    return torch.distributions.MultivariateNormal(features @ mean, covariance).log_prob(y)


def test_point_by_point_it_learns_what_the_normal_equations_and_the_joint_density_say():
    family = Mixture(1.0, 0.7)
    x = family.drawn(5, seeded())[:, :6]
    y = torch.randn(5, 6, generator=seeded(1))
    found = posterior(family.prior, x, y, 0.4)
    for row in range(5):
        for n_seen in (1, 4, 6):
            seen, values = x[row, :n_seen], y[row, :n_seen]
            logs = []
            for which in (0, 1):
                mean, variances = family.prior.means[which], family.prior.variances[which]
                expected = ridge(seen, values, mean, variances, 0.4)
                assert torch.allclose(found.means[row, n_seen, which], expected, atol=1e-4)
                logs.append(evidence(seen, values, mean, variances, 0.4) + family.prior.shares[which].log())
            shares = torch.stack(logs).softmax(0)
            assert torch.allclose(found.shares[row, n_seen], shares, atol=1e-4)


def test_before_any_point_it_believes_the_prior():
    family = Fourier(3)
    x = family.drawn(2, seeded())
    found = posterior(family.prior, family.features(x), torch.zeros(2, 20), 0.3)
    assert torch.allclose(found.shares[:, 0], torch.full((2, 3), 1 / 3))
    assert (found.of_mixture(family.features(x))[:, 0] == 0).all()


def test_no_reference_of_one_component_beats_the_mixture_on_sequences_of_its_prior():
    family = Fourier(3)
    features = family.features(family.drawn(3000, seeded()))
    y = (features @ family.prior.drawn(3000, seeded(1))[:, :, None])[..., 0]
    y = y + 0.3 * torch.randn(y.shape, generator=seeded(2))
    found = posterior(family.prior, features, y, 0.3)
    best = (found.of_mixture(features) - y).square().mean()
    assert (best < (found.of_components(features) - y[..., None]).square().mean((0, 1))).all()


def test_a_component_without_a_frequency_never_uses_it():
    family = Fourier(3)
    features = family.features(family.drawn(4, seeded()))
    found = posterior(family.prior, features, torch.randn(4, 20, generator=seeded(1)), 0.3)
    assert (found.means[:, :, 0, [1, 2, 4, 5]] == 0).all()
    assert (found.means[:, -1, 2] != 0).all()


def test_weights_are_drawn_from_the_components_as_often_as_they_are_met():
    prior = Prior(
        ("a", "b"), torch.tensor([[5.0], [-5.0]]), torch.tensor([[1.0], [4.0]]), torch.tensor([0.8, 0.2])
    )
    drawn = prior.drawn(20_000, seeded())[:, 0]
    assert (drawn > 0).float().mean().item() == pytest.approx(0.8, abs=0.02)
    assert drawn[drawn < 0].std().item() == pytest.approx(2, abs=0.15)


def test_one_answer_at_other_places_is_that_of_the_last_query():
    family = Fourier(2)
    features = family.features(family.drawn(3, seeded()))
    y = torch.randn(3, 20, generator=seeded(1))
    given = posterior(family.prior, features[:, :19], y[:, :19], 0.3)
    asked = posterior(family.prior, features, y, 0.3).of_mixture(features)[:, -1]
    at_queries = given.function(features[:, -1]).diagonal()
    assert torch.allclose(asked, at_queries, atol=1e-5)


@pytest.mark.parametrize("family", [Mixture(3.0, 0.3), Fourier(3)], ids=["mixture", "fourier"])
def test_the_variance_is_that_of_what_is_drawn(family):
    features = family.features(family.drawn(20_000, seeded()))
    y = (features @ family.prior.drawn(20_000, seeded(1))[:, :, None])[..., 0]
    assert y.var().item() == pytest.approx(family.variance, rel=0.03)


def test_the_spectral_centroid_of_waves_is_their_mean_frequency_by_power():
    x = period(32)[:, 0] * math.pi / 5
    waves = torch.stack([x.cos(), (3 * x).sin(), x.cos() + 2 * (3 * x).sin(), 1 + x.cos()])
    # of a constant, rfft has twice the amplitude of a wave as high: power 4 beside 1
    assert torch.allclose(spectral_centroid(waves), torch.tensor([1, 3, (1 + 4 * 3) / 5, 1 / 5]), atol=1e-4)


def test_leanings_are_the_weights_that_answers_were_mixed_with():
    generator = torch.Generator().manual_seed(0)
    single = torch.randn(60, 4, 3, generator=generator)
    weights = torch.tensor([[0.2, 0.5, 0.3], [1.0, 0.0, 0.0], [1.2, -0.1, -0.1], [0.0, 0.0, 1.0]])
    mixed = (single * weights).sum(-1)
    assert torch.allclose(leanings(mixed, single), weights, atol=1e-5)
    noisy = mixed + 0.3 * torch.randn(mixed.shape, generator=generator)
    assert (leanings(noisy, single) - weights).abs().max() < 0.2


def test_answers_that_are_far_from_all_mixtures_lean_nowhere():
    generator = torch.Generator().manual_seed(0)
    single = torch.randn(60, 2, 2, generator=generator)
    single[:, 1] = single[:, 1, :1] + 0.1 * single[:, 1]  # the second point hardly tells them apart
    found = leanings(single.mean(2) + torch.randn(60, 2, generator=generator), single)
    assert found[0].isfinite().all() and found[1].isnan().all()
    alike = single[:, :, :1].expand(-1, -1, 2)
    assert leanings(single.mean(2), alike).isnan().all()
