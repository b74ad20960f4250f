"""Segmentation: CPU seconds a picture with cached examples, how they grow, memory, and what peers cost.

DINOv2-small and SegGPT are built with random weights of their real sizes: time does not depend on weights.
SegGPT is timed for one pass, at one prompt, in float32.
"""

import resource
import statistics
import time
from collections.abc import Callable

import numpy as np

from lab.vision.asked import of_ready
from lab.vision.backbone import Backbone
from lab.vision.example import Example
from lab.vision.question import Question
from lab.vision.segment import Cutting, segment

N_PICTURES, N_REPEATS = 8, 5
SHOTS = (1, 2, 4)
SIDES = (320, 448, 640)


def measure(_n_queries: int) -> dict[str, dict]:
    """Time pictures that were never seen, one thread, examples described before."""
    import torch

    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _measured()
    finally:
        torch.set_num_threads(n_threads)


def _measured() -> dict[str, dict]:
    from lab.vision.lite import lite0

    backbone = lite0()
    examples = of_ready("car", 4)[0].examples
    by_shots = {n: _a_picture(examples[:n], backbone) for n in SHOTS}
    by_side = {side: statistics.median(_passes(backbone.extract, side)) for side in SIDES}
    refined = _a_picture(examples[:1], backbone, "grabcut")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    found = {
        "seconds_a_picture": _figure(statistics.median(by_shots[1]), "s", 0.4, seconds=by_shots[1]),
        "seconds_with_four_examples": _figure(
            statistics.median(by_shots[4]), "s", None,
            by_examples={str(n): statistics.median(each) for n, each in by_shots.items()},
        ),
        "seconds_with_grabcut": _figure(statistics.median(refined), "s", None, seconds=refined),
        "seconds_a_pass_at_640": _figure(
            by_side[640], "s", None, by_side={str(side): each for side, each in by_side.items()}
        ),
        "peak_memory": _figure(peak / 1e9, "GB", None),
    }  # fmt: skip
    own = by_side[448]
    for name, passing in _peers().items():
        seconds = passing()
        found[f"{name}_seconds_a_pass"] = _figure(seconds, "s", None, times_this_backbone=seconds / own)
    return found


def _figure(value: float, unit: str, goal: float | None, **detail) -> dict:
    return {"value": value, "unit": unit, "goal": goal, "detail": {"threads": 1, **detail}}


def _a_picture(examples: tuple[Example, ...], backbone: Backbone, refine: str = "none") -> list[float]:
    """Time new pictures of 448 pixels, the examples' features being kept."""
    random = np.random.default_rng([len(examples), len(refine)])  # no picture is timed twice
    pictures = [random.integers(0, 256, (448, 448, 3), np.uint8) for _ in range(N_PICTURES + 1)]
    seconds = []
    for picture in pictures:
        started = time.process_time()
        segment(Question(examples, picture, backbone), "neighbours", Cutting(refine=refine))
        seconds.append(time.process_time() - started)
    return seconds[1:]  # the first one described the examples


def _passes(extract: Callable[[np.ndarray], np.ndarray], side: int) -> list[float]:
    picture = np.random.default_rng(1).integers(0, 256, (1, side, side, 3), np.uint8)
    extract(picture)
    seconds = []
    for _ in range(N_REPEATS):
        started = time.process_time()
        extract(picture)
        seconds.append(time.process_time() - started)
    return seconds


def _peers() -> dict[str, Callable[[], float]]:
    return {"dinov2_small": _dino, "seggpt": _seggpt}


def _dino() -> float:
    from transformers import Dinov2Config, Dinov2Model

    from lab.vision.hub_backbones import KINDS, backbone_of

    config = Dinov2Config(hidden_size=384, num_hidden_layers=12, num_attention_heads=6, image_size=518)
    backbone = backbone_of(Dinov2Model(config), "random", KINDS["dinov2"])
    return statistics.median(_passes(backbone.extract, 448))


def _seggpt() -> float:
    import torch
    from transformers import SegGptConfig, SegGptForImageSegmentation

    network = SegGptForImageSegmentation(SegGptConfig()).eval()
    values = torch.zeros(1, 3, 448, 448)
    started = time.process_time()
    with torch.inference_mode():
        network(pixel_values=values, prompt_pixel_values=values, prompt_masks=values)
    return time.process_time() - started
