"""The check of softmax regression: is the bound ever broken, and does attention answer as a step does?"""

from dataclasses import replace
from typing import Any

import numpy as np

from lab.experiments.registry import CheckResult
from lab.experiments.worlds.checking import Trained, claim, train
from lab.runs.store import Store
from lab.worlds.exact.shift_bounds import SHIFTS, elementary, proved
from lab.worlds.softmax import PROFILED, Softmax, SoftmaxSettings

SEEDS = (0, 1, 2, 3, 4)  # five: how near it comes depends on the sign of its heads
LAYER = SoftmaxSettings()
HEADS = (4, 2, 1)
N_DRAWS = 2000
RADII = (0.5, 1.0, 2.0, 4.0)
_N_SHOWN = 100  # draws of either kind that the study keeps


def check(is_quick: bool, store: Store) -> CheckResult:
    """Draw shifts, and train layers of four, two and one head; quick takes one seed and four heads."""
    seeds = SEEDS[:1] if is_quick else SEEDS
    arms = {
        n_heads: [train(Softmax(replace(LAYER, n_heads=n_heads), seed), seed) for seed in seeds]
        for n_heads in (HEADS[:1] if is_quick else HEADS)
    }
    claims = [*_of_bounds(seeds), *(each for n_heads, arm in arms.items() for each in _of(n_heads, arm))]
    tables = {
        "learners": [_row(n_heads, each) for n_heads, arm in arms.items() for each in arm],
        "cross-entropy by rows": [
            {"n_heads": n_heads, "seed": each.world.seed, **row}
            for n_heads, arm in arms.items()
            for each in arm
            for row in each.world.by_length(each.learner, PROFILED)  # type: ignore[attr-defined]
        ],
        "bounds": [_decades(kind, radius) for kind in SHIFTS for radius in RADII],
        "draws": [row for kind in SHIFTS for row in _draws(kind)],
    }
    holds = all(each["verdict"] == "holds" for each in claims)
    return CheckResult("softmax-regression", holds, claims, tables)


def _of_bounds(seeds: tuple[int, ...]) -> list[dict[str, str]]:
    """Judge both bounds for norms up to 1."""
    claims = []
    for kind in SHIFTS:
        shifts = [_drawn(kind, 1.0, seed) for seed in seeds]
        bound = proved(LAYER.n_rows, 1.0)
        above = min(float(each.decades(bound).min()) for each in shifts)
        claims.append(
            claim(f"{kind} shift: of {N_DRAWS:,} draws a seed none breaks M = {bound:.1e} (n = "
                  f"{LAYER.n_rows}, R = 1)",
                  [each.n_broken(bound) for each in shifts], lambda value: value == 0, "{:.0f}",
                  f"M is at least 10^{above:.1f} times too large: a worst case, it explains little"),
        )  # fmt: skip
        claims.append(
            claim(f"{kind} shift: neither does any break R / 2, which needs no exponential",
                  [each.n_broken(elementary(1.0)) for each in shifts], lambda value: value == 0, "{:.0f}"),
        )  # fmt: skip
    return claims


def _of(n_heads: int, arm: list[Trained]) -> list[dict[str, str]]:
    """Judge how near the layers of an arm come to the best single step; one head is shown, not judged."""
    if n_heads == 1:
        return []
    gaps = [each.last["learner"] - each.last["one"] for each in arm]
    n_near = sum(gap < 0.03 for gap in gaps)
    return [
        claim(f"{n_heads} heads answer in the direction of one gradient step: cosine over .95",
              [each.last["cosine_one"] for each in arm], lambda value: value > 0.95, "{:.3f}"),
        claim(f"{n_heads} heads: cross-entropy less than .03 nats above that of the best single step",
              gaps, lambda value: value < 0.03, "{:+.3f}", f"{n_near} of {len(arm)} seeds"),
    ]  # fmt: skip


def _row(n_heads: int, trained: Trained) -> dict[str, Any]:
    return {"n_heads": n_heads, "seed": trained.world.seed, **trained.last}


def _drawn(kind: str, radius: float, seed: int) -> Any:
    return SHIFTS[kind](N_DRAWS, LAYER.n_rows, LAYER.d, radius, np.random.default_rng(seed))


def _decades(kind: str, radius: float) -> dict[str, Any]:
    """Return how often both bounds are broken, and how far above the changes they lie, at a radius."""
    shifts = _drawn(kind, radius, 0)
    row: dict[str, Any] = {"shift": kind, "radius": radius, "n_draws": N_DRAWS}
    for name, bound in (("proved", proved(LAYER.n_rows, radius)), ("elementary", elementary(radius))):
        decades = shifts.decades(bound)
        row |= {
            name: bound,
            f"{name}_broken": shifts.n_broken(bound),
            f"{name}_decades_least": float(decades.min()),
            f"{name}_decades_median": float(np.median(decades)),
        }
    return row


def _draws(kind: str) -> list[dict[str, Any]]:
    shifts = _drawn(kind, 1.0, 0)
    pairs = zip(shifts.shift[:_N_SHOWN].tolist(), shifts.change[:_N_SHOWN].tolist(), strict=True)
    return [{"shift": kind, "moved": moved, "changed": changed} for moved, changed in pairs]
