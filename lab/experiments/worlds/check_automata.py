"""The check of in-context language learning: how near to the truth, like which n-gram, with what heads?"""

from collections.abc import Sequence
from dataclasses import replace

from lab.experiments.registry import CheckResult
from lab.experiments.worlds.checking import SEEDS, Trained, claim, train
from lab.runs.store import Store
from lab.worlds.automata import GRU, TRANSFORMER, WITH_NGRAMS, Automata, AutomataSettings
from lab.worlds.exact.ngrams import ORDERS

SETTINGS = AutomataSettings()
LEARNERS = (TRANSFORMER, GRU, GRU + WITH_NGRAMS)
N_MEASURED = 8


def check(is_quick: bool, store: Store) -> CheckResult:
    """Train three learners at equal steps and size; quick takes one seed."""
    seeds = SEEDS[:1] if is_quick else SEEDS
    trained = {
        learner: [
            train(Automata(replace(SETTINGS, learner=learner), seed), seed, N_MEASURED) for seed in seeds
        ]
        for learner in LEARNERS
    }
    plain, recurrent, told = (trained[each] for each in LEARNERS)
    claims = [
        claim("late in the context the transformer is nearer to the truth than a 1-gram, by more than .15",
              [each.last["truth.1"] - each.last["truth.learner"] for each in plain],
              lambda value: value > 0.15, "{:.3f}"),
        claim("and at most .02 further from it than a 2-gram",
              [each.last["truth.learner"] - each.last["truth.2"] for each in plain],
              lambda value: value <= 0.02, "{:+.3f}"),
        claim("the n-gram that it is most like is a 2-gram or a 3-gram",
              [_nearest(each) for each in plain], lambda value: value in (2, 3), "{:.0f}"),
        claim("a head has more than half of its attention on what followed the last token before",
              [_best_head(each) for each in plain], lambda value: value > 0.5, "{:.2f}",
              f"even attention has {plain[0].last['attention.even']:.2f}, the best untrained head "
              f"{max(_best_head(each, 0) for each in plain):.2f}"),
        claim("more than .9 of its likeliest symbols are legal",
              [each.last["legal.learner"] for each in plain], lambda value: value > 0.9, "{:.3f}",
              f"2-gram {plain[0].last['legal.2']:.3f}, 3-gram {plain[0].last['legal.3']:.3f}"),
        claim("the GRU, of equal size and steps, is further from the truth by at least .03",
              _gaps(recurrent, plain), lambda value: value >= 0.03, "{:.3f}"),
        claim("n-gram heads close at least half of that gap",
              [shut / gap for shut, gap in zip(_gaps(recurrent, told), _gaps(recurrent, plain), strict=True)],
              lambda value: value >= 0.5, "{:.0%}"),
        claim("and lower the loss of the GRU (nats a token)",
              _gaps(recurrent, told, "loss.learner"), lambda value: value > 0, "{:.3f}"),
    ]  # fmt: skip
    rows = [
        {"learner": learner, "seed": seed, "step": moment.step, "loss": moment.loss, **moment.measures}
        for learner, of_learner in trained.items()
        for seed, each in zip(seeds, of_learner, strict=True)
        for moment in each.history
    ]
    sizes = [
        {"learner": learner, "parameters": of_learner[0].learner.n_parameters}
        for learner, of_learner in trained.items()
    ]
    holds = all(each["verdict"] == "holds" for each in claims)
    return CheckResult("language-learning", holds, claims, {"curves": rows, "sizes": sizes})


def _gaps(far: Sequence[Trained], near: Sequence[Trained], name: str = "truth.learner") -> list[float]:
    """Return by how much a measure is larger at the end, seed by seed."""
    return [one.last[name] - other.last[name] for one, other in zip(far, near, strict=True)]


def _nearest(trained: Trained) -> int:
    """Return the order of the n-gram whose predictions are nearest."""
    return min(ORDERS, key=lambda order: trained.last[f"like.{order}"])


def _best_head(trained: Trained, at: int = -1) -> float:
    """Return the largest n-gram score of a head at a moment, the last by default."""
    heads = trained.world.heads  # type: ignore[attr-defined]
    return max(trained.history[at].measures[head] for head in heads)
