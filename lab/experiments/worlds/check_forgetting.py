"""The check of dual process learning: what is known by heart, what is read, and when both?"""

from statistics import mean

from lab.experiments.registry import CheckResult
from lab.experiments.worlds.checking import SEEDS, Trained, claim, train
from lab.runs.store import Store
from lab.worlds.forgetting import PartsOfSpeech, PartsOfSpeechSettings

NONE = PartsOfSpeechSettings(forgetting="none", n_steps=400)
TEMPORARY = PartsOfSpeechSettings()
ACTIVE = PartsOfSpeechSettings(forgetting="active", every=40, n_steps=1600)  # measured every 40 steps too
ZIPF = PartsOfSpeechSettings(zipf=1.0, n_words=400, until=100, n_steps=1000)
N_LAST = 10  # measures of active forgetting that are averaged: each is of other embeddings


def check(is_quick: bool, store: Store) -> CheckResult:
    """Train in every arm; quick takes one seed.

    Temporary forgetting is judged 600 steps after embeddings were last drawn; active forgetting is measured
    when they are about to be drawn again.
    """
    seeds = SEEDS[:1] if is_quick else SEEDS
    arms = {
        name: [train(PartsOfSpeech(settings, seed), seed) for seed in seeds]
        for name, settings in (("none", NONE), ("temporary", TEMPORARY), ("active", ACTIVE), ("zipf", ZIPF))
    }

    def ends(arm: str, name: str) -> list[float]:
        return [each.last[name] for each in arms[arm]]

    gaps = [
        tail - head
        for tail, head in zip(ends("zipf", "tail_switch"), ends("zipf", "head_switch"), strict=True)
    ]
    after = TEMPORARY.n_steps - TEMPORARY.until
    claims = [
        claim("no forgetting: words as they are met are answered, over .98",
              ends("none", "head"), lambda value: value > 0.98),
        claim("and switched ones are not: under .1",
              ends("none", "head_switch"), lambda value: value < 0.1),
        claim("nor are unseen ones: under .5",
              ends("none", "unseen"), lambda value: value < 0.5),
        claim(f"temporary forgetting, {after} steps after the last: as they are met, over .98",
              ends("temporary", "head"), lambda value: value > 0.98),
        claim("switched, over .6",
              ends("temporary", "head_switch"), lambda value: value > 0.6),
        claim("unseen, over .85",
              ends("temporary", "unseen"), lambda value: value > 0.85),
        claim("active forgetting, just before the next: unseen, over .85",
              [_late(each) for each in arms["active"]], lambda value: value > 0.85),
        claim("both at once: of switched words, rare ones are read more often than frequent ones, by over .2",
              gaps, lambda value: value > 0.2),
        claim("while unseen ones are read, over .8",
              ends("zipf", "unseen"), lambda value: value > 0.8),
    ]  # fmt: skip
    rows = [
        {"arm": name, "seed": seed, "step": moment.step, **moment.measures}
        for name, of_arm in arms.items()
        for seed, trained in zip(seeds, of_arm, strict=True)
        for moment in trained.history
    ]
    holds = all(each["verdict"] == "holds" for each in claims)
    return CheckResult("weight-forgetting", holds, claims, {"curves": rows})


def _late(trained: Trained) -> float:
    """Return the mean accuracy on unseen words over the last measures."""
    return mean(moment.measures["unseen"] for moment in trained.history[-N_LAST:])
