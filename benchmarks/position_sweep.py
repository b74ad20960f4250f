"""The position sweep by this engine, by one prompt a forward pass, and by lm-evaluation-harness.

200 queries of the shipped topic task under none, ssp, esp, sum and eum with 5 demonstrations, the four labels
scored by likelihood, the same tokens for all three. They are interleaved layout by layout, so that a slow
moment of the machine hits all.
"""

import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.peak import flops_a_token, peak_flops
from lab.experiments.position import PositionParams
from lab.experiments.prompt_sweep import PromptSweep, grid
from lab.experiments.setting import parse_layouts, sample_queries
from lab.learners.load import load
from lab.learners.request import Request
from lab.tasks import load_task

LAYOUTS = ("none", "ssp", "esp", "sum", "eum")
SHARING = ("ssp", "esp", "sum")  # all but the query is the same in every prompt


@dataclass
class Timed:
    """Seconds and predicted labels of one way, by layout."""

    seconds: dict[str, float] = field(default_factory=dict)
    labels: dict[str, list[int]] = field(default_factory=dict)

    def total(self, layouts: tuple[str, ...] = LAYOUTS) -> float:
        """Sum the seconds of some layouts."""
        return sum(self.seconds[layout] for layout in layouts)


def measure(n_queries: int) -> dict[str, dict]:
    """Time the three ways and return the figures of the position sweep."""
    import torch

    lm = load("smollm2-135m")
    ways = {"engine": Timed(), "naive": Timed(), "lm_eval": Timed()}
    harness = _harness(lm)
    peaks, n_computed, flops = [], 0, 0.0
    for layout in LAYOUTS:
        sweep = _sweep(lm, layout, n_queries)
        _note(f"{layout}: {n_queries} queries")
        peaks.append(peak_flops(torch.float32, lm.device))
        _time(ways["engine"], layout, lambda sweep=sweep: _by_engine(sweep))
        engine = sweep.engines[0]
        n_computed += engine.plan.n_tokens
        n_context = engine.plan.n_tokens_unshared / len(engine.requests) / 2
        flops += engine.plan.n_tokens * flops_a_token(lm, n_context)
        _time(ways["naive"], layout, lambda sweep=sweep: _one_by_one(lm, sweep.engines[0].requests))
        _time(ways["lm_eval"], layout, lambda sweep=sweep: _by_harness(harness, sweep))
        _note(", ".join(f"{name} {way.seconds[layout]:.1f} s" for name, way in ways.items()))
    whole = _sweep(lm, ",".join(LAYOUTS), n_queries)
    started = time.perf_counter()
    for batch in whole.batches:
        whole.evaluate(batch)
    whole_s = time.perf_counter() - started
    seconds = ways["engine"].total()
    speed, bound = n_computed / seconds, max(peaks) * n_computed / flops
    detail = {
        "n_queries": n_queries,
        "n_demos": 5,
        "model": lm.id,
        "dtype": lm.dtype,
        "threads": torch.get_num_threads(),
        "seconds": {name: way.seconds for name, way in ways.items()},
        "seconds_all_layouts_in_one_run": whole_s,
        "same_predictions": {name: _agreement(ways["engine"], ways[name]) for name in ("naive", "lm_eval")},
        "tokens_computed": n_computed,
        "tokens_unshared": sum(
            _sweep(lm, layout, n_queries).engines[0].plan.n_tokens_unshared for layout in LAYOUTS
        ),
        "peak_gflops": [peak / 1e9 for peak in peaks],
        "limits": "one run each, interleaved by layout; spread over layouts in seconds",
    }

    def ratio(name: str, layouts: tuple[str, ...], goal: float) -> dict:
        value = ways[name].total(layouts) / ways["engine"].total(layouts)
        spread = [ways[name].seconds[x] / ways["engine"].seconds[x] for x in layouts]
        return {"value": value, "unit": "x", "goal": goal, "detail": {**detail, "by_layout": spread}}

    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "vs_naive_shared": ratio("naive", SHARING, 5),
        "vs_lm_eval_shared": ratio("lm_eval", SHARING, 3),
        "vs_naive": ratio("naive", LAYOUTS, 2),
        "vs_lm_eval": ratio("lm_eval", LAYOUTS, 2),
        "share_of_bound": {
            "value": 100 * speed / bound,
            "unit": "%",
            "goal": 60,
            "detail": {**detail, "tokens_per_second": speed, "bound_tokens_per_second": bound},
        },
        "peak_memory": {"value": peak_bytes / 1e9, "unit": "GB", "goal": None, "detail": dict(detail)},
    }


def _sweep(lm, layouts: str, n_queries: int) -> PromptSweep:
    params = PositionParams(n_queries=n_queries, measures_floor=False)
    task = load_task(params.task)
    chosen = parse_layouts(tuple(layouts.split(",")))
    return PromptSweep(lm, task, params, grid(sample_queries(task, n_queries, params.seed), chosen))


def _time(way: Timed, layout: str, answer: Callable[[], list[int]]) -> None:
    started = time.perf_counter()
    way.labels[layout] = answer()
    way.seconds[layout] = time.perf_counter() - started


def _by_engine(sweep: PromptSweep) -> list[int]:
    return [
        _best(answer.logp, request)
        for answer, request in zip(sweep.engines[0].answer_all(), sweep.engines[0].requests, strict=True)
    ]


def _one_by_one(lm, requests: list[Request]) -> list[int]:
    """Encode each prompt in a forward pass of its own, and each label of several tokens in another."""
    import torch

    labels = []
    with torch.inference_mode():
        for request in requests:
            ids = torch.tensor([request.prompt], device=lm.device)
            first = (
                lm.model(input_ids=ids, use_cache=False, logits_to_keep=1)
                .logits[0, -1]
                .float()
                .log_softmax(-1)
            )
            scores = []
            for candidate in request.candidates:
                score = first[candidate[0]].item()
                if len(candidate) > 1:
                    whole = torch.tensor([request.prompt + candidate[:-1]], device=lm.device)
                    n_rest = len(candidate) - 1
                    logits = lm.model(input_ids=whole, use_cache=False, logits_to_keep=n_rest).logits[0]
                    logp = logits.float().log_softmax(-1)
                    score += sum(logp[place, token].item() for place, token in enumerate(candidate[1:]))
                scores.append(score)
            labels.append(_best(scores, request))
    return labels


def _harness(lm):
    """Wrap the loaded model in lm-evaluation-harness's backend for transformers."""
    from lm_eval.models.huggingface import HFLM

    return HFLM(pretrained=lm.model, tokenizer=lm.tokenizer, batch_size=16, max_length=lm.max_tokens)


def _by_harness(harness, sweep: PromptSweep) -> list[int]:
    """Score the same tokens through the harness's own path, with its cache of one-token continuations."""
    requests = sweep.engines[0].requests
    pairs = [
        (("", ""), list(request.prompt), list(candidate))
        for request in requests
        for candidate in request.candidates
    ]
    # The harness groups continuations of one context by the context's text or tokens; name each pair apart.
    named = [((str(context), str(more)), context, more) for _, context, more in pairs]
    scores = [score for score, _ in harness._loglikelihood_tokens(named, disable_tqdm=True)]
    labels = []
    for request in requests:
        own, scores = scores[: len(request.candidates)], scores[len(request.candidates) :]
        labels.append(_best(own, request))
    return labels


def _best(scores, request: Request) -> int:
    means = [score / len(candidate) for score, candidate in zip(scores, request.candidates, strict=True)]
    return max(range(len(means)), key=means.__getitem__)


def _agreement(one: Timed, other: Timed) -> float:
    pairs = [
        (a, b) for layout in LAYOUTS for a, b in zip(one.labels[layout], other.labels[layout], strict=True)
    ]
    return sum(a == b for a, b in pairs) / len(pairs)


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
