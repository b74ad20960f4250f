"""The check of SEGIC: on classes that no training showed, does it beat engines without correspondence?"""

from collections.abc import Iterator

import numpy as np
from scipy.stats import mannwhitneyu

from lab.experiments import segmentation
from lab.experiments.events import Result
from lab.experiments.mask_measures import group_of
from lab.experiments.registry import CheckResult
from lab.experiments.segmentation import SegmentationParams
from lab.runs.store import Store
from lab.stats.comparisons import Comparison, compare_layouts
from lab.vision import segic
from lab.vision.asked import of_composites
from lab.vision.lite import lite0
from lab.vision.presence import LIKELY_FROM, PRESENT_FROM, presence
from lab.vision.question import Question

SEGIC = "segic"
RIVALS = {
    "prototypes": "prototypes, which know no correspondence",
    "ridge": "ridge regression, which knows no correspondence",
    "neighbours": "correspondence alone, without training",
}
ABLATED = {
    "segic-no-geometric": "where marks land",
    "segic-no-visual": "what is marked looks like",
    "segic-no-meta": "the class's name",
}
N_QUICK, N_FULL, N_PRESENCE = 72, 240, 72
SEEDS = (0, 1, 2)
TOLD = "told, not judged"


def check(is_quick: bool, store: Store) -> CheckResult:
    """Segment composed scenes of held-out classes, one-shot, by every engine; the full check asks more."""
    claims = _claims(_params(1, N_QUICK if is_quick else N_FULL, SEEDS[0]), store)
    tables = {}
    if not is_quick:
        for seed in SEEDS[1:]:
            claims += _claims(_params(1, N_FULL, seed), store)
        four = _params(4, N_FULL, SEEDS[0])
        tables["four examples"] = list(_run(four, store).summary["miou"].values())
    claims += [claim for n_examples in (1, 4) for claim in _presences(n_examples, N_PRESENCE, SEEDS[0])]
    judged = [claim for claim in claims if claim["verdict"] != TOLD]
    return CheckResult("segic", all(claim["verdict"] == "holds" for claim in judged), claims, tables)


def _params(n_examples: int, n_queries: int, seed: int) -> SegmentationParams:
    together = "-".join(str(place + 1) for place in range(n_examples))
    return SegmentationParams(
        n_examples=n_examples, n_queries=n_queries, engines=(SEGIC, *RIVALS, *ABLATED), layouts=(together,),
        seed=seed,
    )  # fmt: skip


def _presences(n_examples: int, n: int, seed: int) -> Iterator[dict[str, str]]:
    """Tell scenes with a class from scenes of another: how often “not present” is a right answer."""
    asked = of_composites(range(n), n_examples, seed)
    pairs = []
    for place, each in enumerate(asked):
        other = next(one for one in (*asked[place:], *asked) if one.group != each.group)
        pictures = each.picture, other.picture
        pairs.append([Question(each.examples, one, lite0(), names=(each.name,)) for one in pictures])
    for who, told, least in (
        ("by its best match", presence, PRESENT_FROM),
        ("by SEGIC's decoder", segic.presence, LIKELY_FROM),
    ):
        values = np.array([[float(told(question)[0]) for question in pair] for pair in pairs])  # (n, 2)
        area = mannwhitneyu(values[:, 0], values[:, 1]).statistic / n**2
        right = (np.mean(values[:, 0] >= least) + np.mean(values[:, 1] < least)) / 2
        yield {
            "claim": f"seed {seed}: {n_examples} shown, an absent class is told from one that is there "
            + who,
            "measured": f"{right:.0%} right on average over {n} scenes with it and {n} without (area under "
            f"the curve {area:.2f})",
            "verdict": TOLD,
        }


def _run(params: SegmentationParams, store: Store) -> Result:
    return next(event for event in segmentation.run(params, store) if isinstance(event, Result))


def _claims(params: SegmentationParams, store: Store) -> list[dict[str, str]]:
    rows = _run(params, store).predictions
    arm = {engine: params.arm(engine, params.layouts[0]) for engine in params.engines}
    found = []
    for engine in (*RIVALS, *ABLATED):
        both = rows[rows["layout"].isin([arm[SEGIC], arm[engine]])]
        (comparison,) = compare_layouts(both, arm[engine], params.seed, group_of)
        found.append(_claim(engine, comparison, params.seed))
    return found


def _claim(engine: str, comparison: Comparison, seed: int) -> dict[str, str]:
    gain, low, high = comparison.metric_change, comparison.ci_low, comparison.ci_high
    verdict = "holds" if low > 0 else "does not hold here" if high < 0 else "undecided"
    claim = f"seed {seed}: one-shot, SEGIC's mean IoU is above that of {RIVALS.get(engine)}"
    if engine in ABLATED:
        claim, verdict = f"seed {seed}: what SEGIC gains from {ABLATED[engine]}", TOLD
    return {
        "claim": claim,
        "measured": f"{comparison.metric_layout:.3f} against {comparison.metric_reference:.3f}, "
        f"{gain:+.3f} (95 % {low:+.3f} to {high:+.3f}), n = {comparison.n} scenes",
        "verdict": verdict,
    }
