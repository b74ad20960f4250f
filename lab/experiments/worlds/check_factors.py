"""The check of representation in in-context learning: does knowing the factors bring looking up sooner?"""

from dataclasses import replace
from statistics import StatisticsError, correlation

from lab.experiments.registry import CheckResult
from lab.experiments.worlds.checking import SEEDS, Trained, claim, train
from lab.runs.store import Store
from lab.worlds.factors import Factors, FactorsSettings

MIXED = FactorsSettings(p_fixed=0.5, n_steps=4000)
QUICK = replace(MIXED, n_steps=2000)
LEARNED = 0.6


def check(is_quick: bool, store: Store) -> CheckResult:
    """Train on a mix of maps, and on random ones alone; quick takes one seed and half the steps."""
    seeds, mix = (SEEDS[:1], QUICK) if is_quick else (SEEDS, MIXED)
    alone = replace(mix, p_fixed=0.0)
    mixed = [train(Factors(mix, seed), seed) for seed in seeds]
    random = [train(Factors(alone, seed), seed) for seed in seeds]
    ratios = [_ratio(one, other) for one, other in zip(mixed, random, strict=True)]
    claims = [
        claim("over checkpoints the in-context probe goes with accuracy on random maps: correlation over .9",
              [_correlation(each, "in_context") for each in mixed], lambda value: value > 0.9,
              note=f"that of the label probe {_correlation(mixed[0], 'label'):.2f}"),
        claim(f"the mix reaches {LEARNED:.0%} on random maps in fewer steps than random maps alone (ratio)",
              ratios, lambda value: value < 1,
              note=f"steps of the mix {_listed(mixed)}; of random maps alone {_listed(random)}"),
        claim("and in fewer sequences with random maps (ratio)",
              [(1 - MIXED.p_fixed) * ratio for ratio in ratios], lambda value: value < 1,
              note="random maps alone end at " + ", ".join(f"{each.last['random']:.2f}" for each in random)),
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


def _ratio(mixed: Trained, alone: Trained) -> float:
    """Divide the steps until it is learned; a training alone that never gets there counts with all its steps.

    That is more than the true ratio. A mix that never gets there is infinitely slow.
    """
    other = alone.first_step("random", LEARNED)
    return mixed.first_step("random", LEARNED) / min(other, alone.history[-1].step)


def _listed(trained: list[Trained]) -> str:
    steps = [(each.first_step("random", LEARNED), each.history[-1].step) for each in trained]
    return ", ".join(f"over {last}" if step == float("inf") else f"{step:g}" for step, last in steps)


def _correlation(trained: Trained, name: str) -> float:
    """Correlate a probe with accuracy over checkpoints; 0 where one of them never changes."""
    pairs = [(moment.measures[name], moment.measures["random"]) for moment in trained.history]
    try:
        return correlation(*zip(*pairs, strict=True))
    except StatisticsError:
        return 0.0
