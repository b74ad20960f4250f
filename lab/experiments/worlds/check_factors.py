"""The check of representation in in-context learning: does knowing the factors bring looking up sooner?"""

from dataclasses import replace
from statistics import StatisticsError, correlation

from lab.experiments.registry import CheckResult
from lab.experiments.worlds.checking import SEEDS, Trained, claim, train
from lab.runs.store import Store
from lab.worlds.factors import Factors, FactorsSettings

MIXED = FactorsSettings()
LEARNED = 0.6
N_MEASURED = 24


def check(is_quick: bool, store: Store) -> CheckResult:
    """Train on a mix of maps, and on random ones alone; quick takes one seed."""
    seeds = SEEDS[:1] if is_quick else SEEDS
    mixed = [train(Factors(MIXED, seed), seed, N_MEASURED) for seed in seeds]
    random = [train(Factors(replace(MIXED, p_fixed=0.0), seed), seed, N_MEASURED) for seed in seeds]
    steps = [(_learned(one), _learned(other)) for one, other in zip(mixed, random, strict=True)]
    n_random = 1 - MIXED.p_fixed
    claims = [
        claim("over checkpoints the in-context probe goes with accuracy on random maps: correlation over .9",
              [_correlation(each, "in_context") for each in mixed], lambda value: value > 0.9,
              note=f"that of the label probe {_correlation(mixed[0], 'label'):.2f}"),
        claim(f"the mix reaches {LEARNED:.0%} on random maps in fewer steps than random maps alone (ratio)",
              [_ratio(one, other) for one, other in steps], lambda value: value < 1,
              note="steps, mix and alone: " + "; ".join(f"{one:g} and {other:g}" for one, other in steps)),
        claim("and in fewer sequences with random maps (ratio)",
              [_ratio(n_random * one, other) for one, other in steps], lambda value: value < 1,
              note="at the end random maps alone are at " + _shown([each.last["random"] for each in random])),
        claim("after the last pair the mix is within .05 of a matcher who knows the values",
              [each.last["matcher"] - each.last["random"] for each in mixed],
              lambda value: value <= 0.05, "{:.3f}"),
    ]  # fmt: skip
    rows = [
        {"maps": name, "seed": seed, "step": moment.step, **moment.measures}
        for name, arm in (("mixed", mixed), ("random", random))
        for seed, each in zip(seeds, arm, strict=True)
        for moment in each.history
    ]
    holds = all(each["verdict"] == "holds" for each in claims)
    return CheckResult("representation", holds, claims, {"curves": rows})


def _learned(trained: Trained) -> float:
    return trained.first_step("random", LEARNED)


def _ratio(mine: float, other: float) -> float:
    """Divide steps; what never gets there is infinitely slow, also beside another that never does."""
    return float("inf") if mine == float("inf") else mine / other


def _correlation(trained: Trained, name: str) -> float:
    """Correlate a probe with accuracy over checkpoints; 0 where one of them never changes."""
    pairs = [(moment.measures[name], moment.measures["random"]) for moment in trained.history]
    try:
        return correlation(*zip(*pairs, strict=True))
    except StatisticsError:
        return 0.0


def _shown(values: list[float]) -> str:
    return ", ".join(f"{value:.2f}" for value in values)
