"""The check of linear regression demystified: have two heads become a debiased gradient step?"""

from dataclasses import replace

from lab.experiments.registry import CheckResult
from lab.experiments.worlds.checking import SEEDS, claim, train
from lab.runs.store import Store
from lab.worlds.linear import Linear, LinearSettings

TWO = LinearSettings()
LENGTHS = (10, 20, 40, 80, 160)


def check(is_quick: bool, store: Store) -> CheckResult:
    """Train two heads and one; quick takes one seed."""
    seeds = SEEDS[:1] if is_quick else SEEDS
    two = [train(Linear(TWO, seed), seed) for seed in seeds]
    one = [train(Linear(replace(TWO, n_heads=1), seed), seed) for seed in seeds]
    pairs = list(zip(one, two, strict=True))
    claims = [
        claim("KQ is diagonal: the rest is less than 5 % of it",
              [each.last["off_diagonal"] for each in two], lambda value: value < 0.05, "{:.1%}"),
        claim("the heads' OV cancel: their sum is less than 5 % of the largest",
              [each.last["sum"] for each in two], lambda value: value < 0.05, "{:.1%}"),
        claim("OV reads y alone: its other entries are less than 5 % of that",
              [each.last["rest"] for each in two], lambda value: value < 0.05, "{:.1%}"),
        claim("answers are those of a debiased gradient step: correlation over .98",
              [each.last["likeness"] for each in two], lambda value: value > 0.98, "{:.3f}"),
        claim("its loss is at most 1.05 times that of the best such step",
              [each.last["learner"] / each.last["debiased"] for each in two],
              lambda value: value <= 1.05, "{:.2f}"),
        claim("one head has at least 1.4 times the loss of two",
              [single.last["learner"] / double.last["learner"] for single, double in pairs],
              lambda value: value >= 1.4, "{:.2f}"),
    ]  # fmt: skip
    rows = [
        {"n_heads": each.world.settings.n_heads, "seed": seed, **row}  # type: ignore[attr-defined]
        for trained in (two, one)
        for seed, each in zip(seeds, trained, strict=True)
        for row in each.world.by_length(each.learner, LENGTHS)  # type: ignore[attr-defined]
    ]
    holds = all(each["verdict"] == "holds" for each in claims)
    return CheckResult("linear-regression", holds, claims, {"errors by length": rows})
