"""The check of In-Context Brush: does a shift of attention insert the subject, and strength 0 nothing?"""

import numpy as np

from lab.experiments import brush
from lab.experiments.brush import BrushParams, arm_of, rise_of, rise_sentence
from lab.experiments.events import Result
from lab.experiments.registry import CheckResult
from lab.images.brush import Insertion, paint
from lab.images.brush_study import at, insertion_of, pairs_of
from lab.images.grid import STACK
from lab.images.model import ImageModel
from lab.images.sampler import Given, Settings, draw
from lab.runs.store import Store

QUICK = BrushParams(n_queries=48)
FULL = BrushParams(n_queries=240)
N_SAME = 6


def check(is_quick: bool, store: Store) -> CheckResult:
    """Draw pairs at every strength; the first few also without any of the brush's code."""
    from lab.images.emoji import atlas
    from lab.images.shelf import load_weighed

    params = QUICK if is_quick else FULL
    result = next(event for event in brush.run(params, store) if isinstance(event, Result))
    asked = result.predictions
    rise = rise_of(asked, sorted(params.strengths), params.seed)
    right = asked.groupby("layout")["correct"].mean()
    shares = ", ".join(
        f"{right[arm_of(strength)]:.0%} at {strength:g}" for strength in sorted(params.strengths)
    )
    grows = {
        "claim": "the subject is recognised more often as the shift grows",
        "measured": f"{shares}; {right[brush.TRUE]:.0%} of true pictures; n = {params.n_queries} pairs. "
        + rise_sentence(rise),
        "verdict": "holds" if rise.low > 0 else "does not hold here" if rise.high < 0 else "undecided",
    }
    model, settings = load_weighed({}), Settings(params.n_steps, params.guidance)
    pairs = pairs_of(N_SAME, params.seed)
    differences = [
        _difference(
            model,
            insertion_of(pair, atlas(), params.is_named, params.is_fitted),
            params.seed + place,
            settings,
        )
        for place, pair in enumerate(pairs)
    ]
    same = {
        "claim": "at strength 0 the picture is that of the fill branch alone",
        "measured": f"largest difference {max(differences)} of 255 over {N_SAME} pictures",
        "verdict": "holds" if max(differences) <= 1 else "does not hold here",
    }
    claims = [grows, same]
    return CheckResult("ic-brush", all(claim["verdict"] == "holds" for claim in claims), claims)


def _difference(model: ImageModel, insertion: Insertion, seed: int, settings: Settings) -> int:
    """Compare the brush at strength 0 with the fill branch, in grey levels, within the mask."""
    brushed = paint(model, insertion, seed, settings, at(0.0))
    mask = np.concatenate([np.zeros_like(insertion.mask), insertion.mask])
    canvas = STACK.join(np.stack([insertion.subject, insertion.target]))
    given = Given(canvas[None], (True, False), "fill", mask)
    (_, plain) = draw(model, [insertion.caption], STACK, [seed], settings, given)[0]
    return int(np.abs(brushed.astype(int) - plain.astype(int))[insertion.mask].max())
