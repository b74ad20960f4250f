"""The check of meta-optimizers: is the dual form exact, and does a context act as tuning on it does?"""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from lab.experiments.registry import CheckResult
from lab.experiments.worlds.checking import Trained, claim, train
from lab.runs.store import Store
from lab.worlds.exact.dual_form import Heads, difference
from lab.worlds.growth import Growth
from lab.worlds.metaopt import N_LAYERS, N_OWN, MetaOpt, MetaOptSettings
from lab.worlds.tuning import Compared

SEEDS = (0, 1, 2, 3, 4)
PLAIN = MetaOptSettings()
MOMENTUM = 0.5
N_PROMPTS = 100
N_FEW = 40  # prompts for every other rate of tuning
RATES = (0.1, 0.3, 3.0, 10.0)
_N_DRAWS = 1000  # of the bootstrap
_MEASURED = 3  # times during a training
_PROMPTS_BY = 5


class Arms(NamedTuple):
    """The same prompts asked of a trained learner, an untrained one, and after tuning on exchanged labels."""

    trained: Compared
    untrained: Compared
    exchanged: Compared


def check(is_quick: bool, store: Store) -> CheckResult:
    """Train with and without momentum over five seeds and compare; quick takes one seed, without momentum."""
    seeds = SEEDS[:1] if is_quick else SEEDS
    plain = [train(MetaOpt(PLAIN, seed), seed, _MEASURED) for seed in seeds]
    arms = [_arms(each) for each in plain]
    claims = [_identity(plain), *_outputs(arms), _attention(arms)]
    losses = [{"seed": each.world.seed, "momentum": 0.0, **each.last} for each in plain]
    if not is_quick:
        settings = replace(PLAIN, momentum=MOMENTUM)
        pushed = [train(MetaOpt(settings, seed), seed, _MEASURED) for seed in seeds]
        claims.append(_momentum(plain, pushed))
        losses += [{"seed": each.world.seed, "momentum": MOMENTUM, **each.last} for each in pushed]
    tables = {
        "likeness by layer": [row for each, of in zip(plain, arms, strict=True) for row in _rows(each, of)],
        "other rates of tuning, seed 0": _by_rate(plain[0]),
        "last measures": losses,
    }
    holds = all(each["verdict"] == "holds" for each in claims)
    return CheckResult("meta-optimizer", holds, claims, tables)


def _arms(trained: Trained) -> Arms:
    world: Any = trained.world
    batch = world.drawn("train", N_PROMPTS, _PROMPTS_BY)
    untrained = Growth(world, world.seed).learner.eval()
    return Arms(
        world.compared(trained.learner, batch),
        world.compared(untrained, batch),
        world.compared(trained.learner, batch, n_moved=1),
    )


def _identity(plain: list[Trained]) -> dict[str, str]:
    """Judge the dual form on random heads, and on those of every layer of the trained learners."""
    import torch

    found = []
    for each in plain:
        world: Any = each.world
        cache: dict[str, Any] = {}
        with torch.no_grad():
            world.answer(each.learner, world.drawn("train", N_PROMPTS, _PROMPTS_BY), None, cache)
        heads = [Heads.of(cache, layer) for layer in range(N_LAYERS)]
        heads.append(Heads.random(N_PROMPTS, 64, 4, 16, torch.Generator().manual_seed(world.seed)))
        found.append(max(difference(of, N_OWN) for of in heads))
    return claim("linear attention to demonstrations is an update of weights: both forms differ by less "
                 "than 1e-5, random and trained weights", found, lambda value: value < 1e-5, "{:.0e}",
                 "an identity of algebra, without softmax")  # fmt: skip


def _outputs(arms: list[Arms]) -> list[dict[str, str]]:
    """Judge SimAOU beside random updates; both controls stand in the note."""
    above = [
        each.trained.output_likeness().mean(1) - each.trained.random_likeness(seed).mean(1)
        for seed, each in enumerate(arms)
    ]
    untrained, exchanged = (
        ", ".join(f"{getattr(each, name).output_likeness().mean():.2f}" for each in arms)
        for name in ("untrained", "exchanged")
    )
    own = ", ".join(f"{each.trained.output_likeness().mean():.2f}" for each in arms)
    return [
        claim("SimAOU, mean of the layers, is more than .1 above that of a random update",
              [float(each.mean()) for each in above], lambda value: value > 0.1, "{:.2f}",
              f"SimAOU {own}; controls: untrained {untrained}; tuned on exchanged labels {exchanged}"),
        claim("and its 95 % interval over prompts excludes 0: the lower end",
              [_lower_end(each) for each in above], lambda value: value > 0, "{:.2f}"),
    ]  # fmt: skip


def _attention(arms: list[Arms]) -> dict[str, str]:
    pairs = [each.trained.attention_likeness() for each in arms]
    layers = "; ".join(
        f"layer {layer}: {np.mean([one[:, layer].mean() for one, _ in pairs]):.2f} beside "
        f"{np.mean([other[:, layer].mean() for _, other in pairs]):.2f}"
        for layer in range(N_LAYERS)
    )
    return claim("SimAM is above ZSL SimAM: tuning brings scores nearer to those in context",
                 [float((one - other).mean()) for one, other in pairs], lambda value: value > 0, "{:+.2f}",
                 f"{layers}; in layer 0 no context can change what the query's own tokens get")  # fmt: skip


def _momentum(plain: list[Trained], pushed: list[Trained]) -> dict[str, str]:
    """Judge by how many seeds end lower; fewer than four of five is no effect at this size."""
    pairs = [(one.last["loss"], other.last["loss"]) for one, other in zip(plain, pushed, strict=True)]
    shown = ", ".join(f"{one:.2f} → {other:.2f}" for one, other in pairs)
    return claim(f"momentum (η = {MOMENTUM}) lowers the last loss in at least 4 of 5 seeds",
                 [sum(other < one for one, other in pairs)], lambda value: value >= 4, "{:.0f}",
                 shown)  # fmt: skip


def _lower_end(values: np.ndarray) -> float:
    """Return the 2.5 % point of the mean over resampled prompts."""
    rng = np.random.default_rng(0)
    means = values[rng.integers(len(values), size=(_N_DRAWS, len(values)))].mean(1)
    return float(np.quantile(means, 0.025))


def _rows(trained: Trained, arms: Arms) -> list[dict[str, Any]]:
    """List, by arm and layer, likenesses, shares right and Rec2FTP."""
    world: Any = trained.world
    target = world.drawn("train", N_PROMPTS, _PROMPTS_BY).target.numpy()
    rows = []
    for name, found in arms._asdict().items():
        outputs, random = found.output_likeness(), found.random_likeness(world.seed)
        with_tuned, with_alone = found.attention_likeness()
        rights = {how: float((asked.answers == target).mean()) for how, asked in found._asdict().items()}
        rows += [
            {
                "seed": world.seed, "arm": name, "layer": layer,
                "sim_aou": float(outputs[:, layer].mean()), "random": float(random[:, layer].mean()),
                "sim_am": float(with_tuned[:, layer].mean()),
                "zsl_sim_am": float(with_alone[:, layer].mean()),
                "rec2ftp": found.recovered(target), **rights,
            }
            for layer in range(N_LAYERS)
        ]  # fmt: skip
    return rows


def _by_rate(trained: Trained) -> list[dict[str, Any]]:
    """List what other rates of tuning give, each of fewer prompts."""
    world: Any = trained.world
    batch = world.drawn("train", N_FEW, _PROMPTS_BY)
    rows = []
    for rate in RATES:
        other = replace(world, settings=replace(world.settings, tuning_rate=rate))
        found = other.compared(trained.learner, batch)
        with_tuned, with_alone = found.attention_likeness()
        rows.append(
            {
                "tuning_rate": rate, "sim_aou": float(found.output_likeness().mean()),
                "sim_am": float(with_tuned.mean()), "zsl_sim_am": float(with_alone.mean()),
                "tuned": float((found.tuned.answers == batch.target.numpy()).mean()),
            }
        )  # fmt: skip
    return rows
