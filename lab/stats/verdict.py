"""What does a comparison say, in a sentence that a reader can repeat?

Differences are called by Holm's corrected p at 5 %; otherwise the sentence says what the queries could not
have shown.
"""

from scipy.stats import norm

from lab.stats.comparisons import Comparison
from lab.stats.floor import Floor
from lab.stats.power import minimum_detectable_difference

ALPHA = 0.05
MINUS = "\u2212"
# With fewer discordant queries, even all in one direction, exact McNemar stays above 5 %: 2 · 0.5⁵ = .0625.
FEWEST_DISCORDANT = 6


def p_text(p: float) -> str:
    """Write a p-value without its leading zero.

    >>> p_text(0.00069), p_text(0.0357), p_text(0.33), p_text(0.00001), p_text(1.0)
    ('p = .0007', 'p = .036', 'p = .33', 'p < .0001', 'p = 1')
    """
    if p < 0.0001:
        return "p < .0001"
    digits = 4 if p < 0.001 else 3 if p < 0.1 else 2
    rounded = f"{p:.{digits}f}"
    return "p = 1" if float(rounded) == 1 else f"p = {rounded.removeprefix('0')}"


def _signed(points: float, digits: int, plus: bool = False) -> str:
    text = f"{abs(points):.{digits}f}"
    if float(text) == 0:
        return text
    return (MINUS if points < 0 else "+" if plus else "") + text


def _change(c: Comparison) -> str:
    """Write the change and its interval in points; bounds under one point keep a decimal, so also a sign."""
    bounds = [_signed(100 * bound, 0 if abs(bound) >= 0.01 else 1) for bound in (c.ci_low, c.ci_high)]
    what = "accuracy" if c.test == "exact McNemar" else "mean score"
    return f"{what} {_signed(100 * c.metric_change, 1, plus=True)} points (95 % {bounds[0]} to {bounds[1]})"


def _p(c: Comparison) -> str:
    return p_text(c.p_holm) + (" after Holm's correction" if c.p_holm > c.p else "")


def _invisible(c: Comparison) -> float:
    """Give the difference, 0..1, below which the comparison had little chance to show one."""
    if c.test == "exact McNemar":
        seen = minimum_detectable_difference(c.n, (c.n_broken + c.n_fixed) / c.n)
        return min(1.0, max(seen, FEWEST_DISCORDANT / c.n))
    per_half_width = (norm.ppf(1 - ALPHA / 2) + norm.ppf(0.8)) / norm.ppf(1 - ALPHA / 2)
    return min(1.0, per_half_width * (c.ci_high - c.ci_low) / 2)


def _unparsed(c: Comparison) -> str:
    if not c.n_unparsed:
        return ""
    answers = "1 answer" if c.n_unparsed == 1 else f"{c.n_unparsed} answers"
    return f" Under {c.layout} {answers} could not be read."


def is_different(comparison: Comparison) -> bool:
    """Tell whether the layouts differ in their metric at 5 % after Holm's correction."""
    return comparison.p_holm < ALPHA


def comparison_sentence(comparison: Comparison) -> str:
    """Say whether a layout is better or worse than its reference, and on what grounds.

    Returns:
        "eum is worse than sum: 31 broken, 9 fixed of 200, accuracy -11.0 points (95 % -17 to -5), p = .0007."
        or "eum and sum cannot be told apart: …; with 200 queries a difference under 6 points stays
        invisible."
    """
    c = comparison
    if c.n_flips == 0:
        return f"{c.layout} and {c.reference} give the same answer to all {c.n} queries.{_unparsed(c)}"
    counts = f"{c.n_broken} broken, {c.n_fixed} fixed of {c.n}"
    if is_different(c):
        word = "better" if c.metric_change > 0 else "worse"
        grounds = f"{counts}, {_change(c)}, {_p(c)}."
        return f"{c.layout} is {word} than {c.reference}: {grounds}{_unparsed(c)}"
    points = 100 * _invisible(c)
    limit = f"{points:.0f} points" if points >= 1.5 else f"{points:.1f} points"
    return (
        f"{c.layout} and {c.reference} cannot be told apart: {counts}, {_change(c)}, {_p(c)}; "
        f"with {c.n} queries a difference under {limit} stays invisible.{_unparsed(c)}"
    )


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def sweep_sentence(
    comparisons: list[Comparison], floor: Floor | None = None, is_repeatable: bool = False
) -> str:
    """Say which layouts differ from their reference, and if the most flips stand out from the floor.

    Args:
        comparisons: What `compare_layouts` gave: one reference, any number of layouts.
        floor: The false-flip floor, if it was measured.
        is_repeatable: Whether asking again gives the very same answers, so that no flip is a false one.

    Raises:
        ValueError: If the comparisons have different references.
    """
    if not comparisons:
        return "There is only one layout, so nothing to compare."
    references = sorted({c.reference for c in comparisons})
    if len(references) > 1:
        raise ValueError(f"all comparisons must share one reference, got {', '.join(references)}")
    better = [c.layout for c in comparisons if is_different(c) and c.metric_change > 0]
    worse = [c.layout for c in comparisons if is_different(c) and c.metric_change <= 0]
    alike = [c.layout for c in comparisons if not is_different(c)]
    said = [
        f"{_listed(names)} {'is' if len(names) == 1 else 'are'} {word}"
        for names, word in ((better, "better"), (worse, "worse"))
        if names
    ]
    if alike:
        said.append(f"{_listed(alike)} cannot be told apart from it")
    most = max(comparisons, key=lambda c: c.prediction_change)
    low, high = 100 * most.prediction_change_low, 100 * most.prediction_change_high
    flips = (
        f"Moving from {references[0]} to {most.layout} flips {100 * most.prediction_change:.1f} % "
        f"of the answers (95 % {low:.1f} to {high:.1f})"
    )
    end = "." if is_repeatable else _against(most, floor)
    return f"Against {references[0]}, {'; '.join(said)}. {flips}{end}"


def _against(most: Comparison, floor: Floor | None) -> str:
    if floor is None:
        return "; the false-flip floor was not measured."
    bound = f"{100 * floor.high:.1f} %"
    if most.prediction_change_low > floor.high:
        return f"; batching alone flips at most {bound}."
    return f", which does not stand out from batching alone, which may flip up to {bound}."
