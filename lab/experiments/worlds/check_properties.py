"""The check of data properties: what brings in-context learning, what memory, and what both?"""

from dataclasses import replace
from statistics import mean
from typing import NamedTuple

from lab.experiments.registry import CheckResult
from lab.experiments.worlds.checking import SEEDS, Trained, claim, train
from lab.runs.store import Store
from lab.worlds.properties import Properties, PropertiesSettings

BURSTY = PropertiesSettings()
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
BOTH = replace(BURSTY, p_bursty=0.75, n_steps=4500)
ZIPF = replace(BURSTY, p_bursty=0.75, zipf=1.0, n_steps=4500)
QUICK_STEPS = 1000


class Ends(NamedTuple):
    """What one seed's learners can do by the bursty share, at the end and on average of measured steps."""

    holdout: list[float]
    absent: list[float]
    on_average: list[float]


def check(is_quick: bool, store: Store) -> CheckResult:
    """Train over bursty shares, both learners, and the settings that are to bring both.

    Quick takes one seed, shorter trainings over the shares, and leaves the Zipf arm away.
    """
    seeds = SEEDS[:1] if is_quick else SEEDS
    base = replace(BURSTY, n_steps=min(BURSTY.n_steps, QUICK_STEPS)) if is_quick else BURSTY
    shares = {share: _trained(replace(base, p_bursty=share), seeds) for share in SHARES}
    recurrent = _trained(replace(base, architecture="GRU", p_bursty=1.0), seeds)
    both = _trained(BOTH, seeds)
    skewed = [] if is_quick else _trained(ZIPF, seeds)
    ends = [
        Ends(
            [of_share[place].last["holdout"] for of_share in shares.values()],
            [of_share[place].last["absent"] for of_share in shares.values()],
            [_on_average(of_share[place]) for of_share in shares.values()],
        )
        for place in range(len(seeds))
    ]
    claims = [
        claim(
            f"{BURSTY.n_classes:,} classes, every sequence bursty: new classes are answered, more than .9",
            [each.holdout[-1] for each in ends],
            lambda value: value > 0.9,
        ),
        claim(
            "the more sequences are bursty, the more in context at the end: rank correlation above .9",
            [_rank_correlation(each.holdout) for each in ends],
            lambda value: value > 0.9,
            note=_told("holdout", shares),
        ),
        claim(
            "and over the whole training on average, where those that get there differ in when",
            [_rank_correlation(each.on_average) for each in ends],
            lambda value: value > 0.9,
        ),
        claim(
            "and the less by heart: below 0",
            [_rank_correlation(each.absent) for each in ends],
            lambda value: value < 0,
            note=_told("absent", shares),
        ),
        claim(
            f"a recurrent learner of as many parameters is at least .2 below after {base.n_steps:,} steps",
            [each.holdout[-1] - gru.last["holdout"] for each, gru in zip(ends, recurrent, strict=True)],
            lambda value: value >= 0.2,
            "{:+.2f}",
        ),
        claim(
            "both at once, three of four sequences bursty: the lesser of in context − .8 and by heart − .7",
            [min(each.last["holdout"] - 0.8, each.last["absent"] - 0.7) for each in both],
            lambda value: value > 0,
            "{:+.2f}",
            _pairs(both, "absent"),
        ),
    ]
    if skewed:
        claims.append(
            claim(
                "both at once with Zipf exponent 1: the same, by heart for the 64 most common classes",
                [min(each.last["holdout"] - 0.8, each.last["common"] - 0.7) for each in skewed],
                lambda value: value > 0,
                "{:+.2f}",
                _pairs(skewed, "common"),
            )
        )
    arms = {f"bursty {share:.0%}": trained for share, trained in shares.items()}
    arms |= {"GRU, bursty 100%": recurrent, "both, bursty 75%": both, "Zipf 1, bursty 75%": skewed}
    rows = [
        {"arm": arm, "seed": seed, "step": moment.step, **{name: moment.measures[name] for name in _SHOWN}}
        for arm, of_arm in arms.items()
        for seed, trained in zip(seeds, of_arm, strict=False)
        for moment in trained.history
    ]
    holds = all(each["verdict"] == "holds" for each in claims)
    return CheckResult("data-properties", holds, claims, {"curves": rows})


_SHOWN = ("holdout", "absent", "common")


def _trained(settings: PropertiesSettings, seeds: tuple[int, ...]) -> list[Trained]:
    return [train(Properties(settings, seed), seed) for seed in seeds]


def _on_average(trained: Trained) -> float:
    return mean(moment.measures["holdout"] for moment in trained.history)


def _rank_correlation(values: list[float]) -> float:
    """Return Spearman's rank correlation of values with their places; 0 where all are alike."""
    from scipy.stats import spearmanr

    return float(spearmanr(range(len(values)), values).statistic) if len(set(values)) > 1 else 0.0


def _told(name: str, shares: dict[float, list[Trained]]) -> str:
    """Write what the first seed gave at every share."""
    return ", ".join(f"{share:.0%}: {trained[0].last[name]:.2f}" for share, trained in shares.items())


def _pairs(trained: list[Trained], by_heart: str) -> str:
    """Write both accuracies of every seed."""
    return ", ".join(f"{each.last['holdout']:.2f} and {each.last[by_heart]:.2f}" for each in trained)
