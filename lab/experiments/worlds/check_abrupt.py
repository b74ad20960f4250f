"""The check of abrupt learning: which data bring the circuit, which the memory, and what moves first?"""

from lab.experiments.registry import CheckResult
from lab.experiments.worlds.checking import SEEDS, Trained, claim, train
from lab.runs.store import Store
from lab.worlds.abrupt import Abrupt, AbruptSettings

CONTEXT = AbruptSettings()
WEIGHTS = AbruptSettings(n_classes=64, p_bursty=0.0, n_steps=500)
N_MEASURED = 200  # every 5 steps, to see what moves first


def check(is_quick: bool, store: Store) -> CheckResult:
    """Train in both regimes; quick takes one seed."""
    seeds = SEEDS[:1] if is_quick else SEEDS
    by_context = [train(Abrupt(CONTEXT, seed), seed, N_MEASURED) for seed in seeds]
    by_weights = [train(Abrupt(WEIGHTS, seed), seed) for seed in seeds]
    rise = [_rise(each) for each in by_context]
    claims = [
        claim("many classes, bursty: new classes are answered, more than .9",
              [each.last["new_classes"] for each in by_context], lambda value: value > 0.9),
        claim("and nothing is known by heart: less than .1",
              [each.last["absent"] for each in by_context], lambda value: value < 0.1),
        claim("it comes at once: from .2 to .8 in less than 15 % of the training",
              rise, lambda value: value < 0.15),
        claim("few classes, never in the context: known by heart, more than .9",
              [each.last["absent"] for each in by_weights], lambda value: value > 0.9),
        claim("and new classes are not answered: less than .1",
              [each.last["new_classes"] for each in by_weights], lambda value: value < 0.1),
        claim("item-label association doubles no later than new classes pass .5 (steps between)",
              [_lead(each) for each in by_context], lambda value: value >= 0, "{:.0f}"),
    ]  # fmt: skip
    rows = [
        {"regime": name, "seed": seed, "step": moment.step, **moment.measures}
        for name, of_regime in (("context", by_context), ("weights", by_weights))
        for seed, trained in zip(seeds, of_regime, strict=True)
        for moment in trained.history
    ]
    holds = all(each["verdict"] == "holds" for each in claims)
    return CheckResult("abrupt-learning", holds, claims, {"curves": rows})


def _rise(trained: Trained) -> float:
    """Return which share of the training passes between .2 and .8 on new classes."""
    steps = trained.first_step("new_classes", 0.8) - trained.first_step("new_classes", 0.2)
    return steps / trained.history[-1].step


def _lead(trained: Trained) -> float:
    """Return how many steps before new classes pass .5 the item-label association is twice what it was."""
    doubled = trained.first_step("item_label", 2 * trained.history[0].measures["item_label"])
    return trained.first_step("new_classes", 0.5) - doubled
