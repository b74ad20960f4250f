"""The check of the induction-head paper: which clamps shorten the way, and which heads carry the answer?"""

from dataclasses import replace

from lab.experiments.registry import CheckResult
from lab.experiments.worlds.checking import SEEDS, Trained, claim, train
from lab.runs.store import Store
from lab.worlds.induction import Induction, InductionSettings

ALL = InductionSettings()
ONE = InductionSettings(n_heads=1, rate=3e-4, n_steps=1500)
ARMS = ("none", "previous", "match", "previous+match", "copy", "previous+copy")
QUICK_ARMS = ARMS[:3]
LEARNED = 0.95
_WINDOW = 0.2  # of a training of 1,000 steps


def check(is_quick: bool, store: Store) -> CheckResult:
    """Train with all heads and with one under every clamp; quick takes one seed and three clamps."""
    seeds, arms = (SEEDS[:1], QUICK_ARMS) if is_quick else (SEEDS, ARMS)
    whole = [train(Induction(ALL, seed), seed) for seed in seeds]
    clamped = {arm: [train(Induction(replace(ONE, clamp=arm), seed), seed) for seed in seeds] for arm in arms}
    steps = {
        arm: [each.first_step("accuracy", LEARNED) for each in of_arm] for arm, of_arm in clamped.items()
    }
    ablated = [_ablated(each) for each in whole]
    claims = [
        claim(
            "with all heads, known classes are answered: more than .98",
            [each.last["accuracy"] for each in whole],
            lambda value: value > 0.98,
        ),
        claim(
            "and classes never met: more than .85",
            [each.last["new_classes"] for each in whole],
            lambda value: value > 0.85,
        ),
        claim(
            "a fifth of the steps brings half of the fall in loss: it comes at once",
            [_steepest(each) for each in whole],
            lambda value: value >= 0.5,
        ),
        claim(
            f"with the match given, {LEARNED:.0%} is reached in half of the steps or fewer",
            _ratios(steps, "match"),
            lambda value: value <= 0.5,
            note=_told(steps),
        ),
        claim(
            "with the previous token given, in fewer steps",
            _ratios(steps, "previous"),
            lambda value: value < 1,
        ),
        claim(
            "without the heads of the second layer, at most .35 is answered",
            [all_heads for all_heads, _ in ablated],
            lambda value: value <= 0.35,
            "{:.3f}",
            "a guess between the two labels shown would be .5",
        ),
        claim(
            "without any single one of them, more than .8: they are redundant",
            [worst for _, worst in ablated],
            lambda value: value > 0.8,
        ),
    ]
    rows = [
        {"clamp": arm, "seed": seed, "steps": value}
        for arm, values in steps.items()
        for seed, value in zip(seeds, values, strict=True)
    ]
    holds = all(each["verdict"] == "holds" for each in claims)
    return CheckResult("induction-heads", holds, claims, {"steps to learn": rows})


def _ratios(steps: dict[str, list[float]], arm: str) -> list[float]:
    """Divide the steps of an arm by those without a clamp, seed by seed."""
    return [mine / plain for mine, plain in zip(steps[arm], steps["none"], strict=True)]


def _told(steps: dict[str, list[float]]) -> str:
    return "steps: " + "; ".join(f"{arm} {', '.join(f'{n:g}' for n in ns)}" for arm, ns in steps.items())


def _steepest(trained: Trained) -> float:
    """Return the largest share of the whole fall in loss that lies in a window of training."""
    losses = [each.loss for each in trained.history[1:]]
    window = round(_WINDOW * len(losses))
    falls = [before - after for before, after in zip(losses, losses[window:], strict=False)]
    return max(falls) / (losses[0] - min(losses))


def _ablated(trained: Trained) -> tuple[float, float]:
    """Return the accuracy without any head of the second layer, and the least without a single one."""
    import torch

    from lab.worlds.core.surgery import silenced

    world = trained.world
    batch = world.sample(2000, torch.Generator().manual_seed(7))

    def accuracy(heads: list[tuple[int, int]]) -> float:
        with torch.no_grad():
            scores = world.answer(trained.learner, batch, silenced(heads))  # type: ignore[attr-defined]
        return (scores.argmax(1) == batch.target).float().mean().item()

    second = [(1, head) for head in range(ALL.n_heads)]
    return accuracy(second), min(accuracy([head]) for head in second)
