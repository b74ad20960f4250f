"""Image sets: seconds a canvas and steps of tuning a second, beside what operations and peak allow."""

import statistics
import time
from itertools import pairwise

from benchmarks.peak import peak_flops
from lab.images.grid import PAIR, SQUARE, Grid
from lab.images.model import ImageModel, load_embedded

N_CANVASES, N_STEPS, N_TUNING_STEPS = 5, 20, 12
CAPTIONS = {
    PAIR: "[COLOURED] a drawing coloured: [LEFT] parrot, outline style; [RIGHT] the same thing, flat style",
    SQUARE: "[TOP-LEFT] fox, flat style; [TOP-RIGHT] owl, 3d style; [BOTTOM-LEFT] bee, outline style; "
    "[BOTTOM-RIGHT] car, sticker style",
}


def measure(_n_queries: int) -> dict[str, dict]:
    """Draw canvases one at a time, and in a batch of eight, and tune; nothing is loaded between them."""
    import torch

    model = load_embedded()
    peak = peak_flops(torch.float32, "cpu")
    found = {
        "pair_seconds": _canvas(model, PAIR, peak, goal=2.0),
        "square_seconds": _canvas(model, SQUARE, peak, goal=4.0),
        "batch_of_8_seconds_a_pair": _batch(model),
        "tuning_steps_a_second": _tuning(model, peak),
    }
    for figure in found.values():
        figure["detail"] |= {"peak_gflops": peak / 1e9, "threads": torch.get_num_threads()}
    return found


def _canvas(model: ImageModel, grid: Grid, peak: float, goal: float) -> dict:
    from lab.images.sampler import Settings, draw

    draw(model, [CAPTIONS[grid]], grid, [0], Settings(2))
    seconds = []
    for seed in range(N_CANVASES):
        started = time.perf_counter()
        draw(model, [CAPTIONS[grid]], grid, [seed], Settings(N_STEPS))
        seconds.append(time.perf_counter() - started)
    bound = 2 * N_STEPS * flops_a_pass(model, grid) / peak
    value = statistics.median(seconds)
    detail = {"seconds": seconds, "n": N_CANVASES, "bound_seconds": bound, "share_of_bound": bound / value}
    return {"value": value, "unit": "s", "goal": goal, "detail": detail}


def _batch(model: ImageModel) -> dict:
    from lab.images.sampler import Settings, draw

    started = time.perf_counter()
    draw(model, [CAPTIONS[PAIR]] * 8, PAIR, range(8), Settings(N_STEPS), batch=8)
    value = (time.perf_counter() - started) / 8
    return {"value": value, "unit": "s", "goal": None, "detail": {"n": 8}}


def _tuning(model: ImageModel, peak: float) -> dict:
    from lab.images.emoji import atlas
    from lab.images.tasks import find_task, task_sets
    from lab.images.tune import TuneSettings, tune

    settings = TuneSettings(n_steps=N_TUNING_STEPS)
    sets = task_sets(find_task("coloured"), 8, "train", 0, atlas())
    seconds = [step.seconds for step in tune(model, sets, settings, "iclora_benchmark")]
    gaps = [later - sooner for sooner, later in pairwise(seconds)]
    value = 1 / statistics.median(gaps)
    # forward, and backward through the activations; only the small adapters need gradients of weights
    bound = peak / (2 * settings.batch * flops_a_pass(model, PAIR))
    detail = {
        "gaps": gaps,
        "n": len(gaps),
        "batch": settings.batch,
        "bound": bound,
        "share_of_bound": value / bound,
    }
    return {"value": value, "unit": "steps/s", "goal": None, "detail": detail}


def flops_a_pass(model: ImageModel, grid: Grid) -> float:
    """Count the operations of one pass over one canvas: two a weight and token, four an attended pair and
    channel.

    Weights that work on the time and the pooled text alone, the modulations, are used once a canvas.
    """
    height, width = model.latent_size(grid)
    n_image, n_text = height * width // 4, model.n_tokens(grid)
    total = 0.0
    for name, tensor in model.transformer.named_parameters():
        if tensor.dim() != 2:
            continue
        is_once = "norm" in name or "time_text" in name
        is_text = any(part in name for part in ("context", "add_"))
        is_image = name.startswith(("x_embedder", "proj_out")) or (
            name.startswith("transformer_blocks") and not is_text
        )
        n_tokens = 1 if is_once else n_text if is_text else n_image if is_image else n_image + n_text
        total += 2 * tensor.numel() * n_tokens
    config = model.transformer.config
    n_layers = config.num_layers + config.num_single_layers
    width_of_heads = config.num_attention_heads * config.attention_head_dim
    return total + 4 * n_layers * width_of_heads * (n_image + n_text) ** 2
