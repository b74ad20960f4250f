"""How small a difference can so many queries show? Asked before a run, not after.

Source: Miller 2024, "Adding Error Bars to Evals" (arXiv:2411.00640), the sample-size formula for paired
differences, with one answer a question. For 0/1 metrics the variance of a paired difference is π_d - δ², at
most the discordance π_d (the share of queries right under exactly one of the two layouts), which is used
here, so that the answer errs on the safe side.
"""

import math

from scipy.stats import norm


def _reach(alpha: float, power: float) -> float:
    if not 0 < alpha < 1 or not 0 < power < 1:
        raise ValueError(f"alpha and power must lie between 0 and 1, got {alpha} and {power}")
    return float(norm.ppf(1 - alpha / 2) + norm.ppf(power))


def minimum_detectable_difference(
    n: int, discordance: float, alpha: float = 0.05, power: float = 0.8
) -> float:
    """Give the accuracy difference that n paired queries detect with the given power.

    δ = (z_{1-alpha/2} + z_{power}) · sqrt(π_d / n), about 2.8 · sqrt(π_d / n) for the defaults, and at most
    1.

    >>> round(minimum_detectable_difference(200, 0.1), 3)
    0.063

    Args:
        n: Queries, each asked under both layouts.
        discordance: π_d, the share of queries right under exactly one of the layouts, 0..1.
        alpha: Two-sided error level.
        power: Probability of finding a difference of that size.

    Raises:
        ValueError: If an argument is out of its range.
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    if not 0 <= discordance <= 1:
        raise ValueError(f"discordance must be 0..1, got {discordance}")
    return min(1.0, _reach(alpha, power) * math.sqrt(discordance / n))


def smallest_n(difference: float, discordance: float, alpha: float = 0.05, power: float = 0.8) -> int:
    """Give the fewest paired queries that detect a difference: (z_{1-alpha/2} + z_{power})² π_d / δ².

    Args:
        difference: δ, an accuracy difference of either sign, in -1..1 and not 0.
        discordance: π_d as above; it bounds the difference.
        alpha: Two-sided error level.
        power: Probability of finding the difference.

    Raises:
        ValueError: If the difference is 0 or larger than the discordance, or an argument is out of its range.
    """
    if not 0 < abs(difference) <= discordance <= 1:
        raise ValueError(
            f"difference must be above 0 and at most the discordance, got {difference} and {discordance}"
        )
    exact = _reach(alpha, power) ** 2 * discordance / difference**2
    return math.ceil(exact - 1e-9)
