"""One scoring path for everything: plan the passes that answer a list of requests, price them, run them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.learners.forking import bytes_per_token, can_fork, can_pad
from lab.learners.passes import PREFIX_BYTES, Runner
from lab.learners.plan import Limits, Pass, plan_passes
from lab.learners.request import Answer, Request
from lab.learners.whole import WholeRunner

if TYPE_CHECKING:
    from lab.learners.load import CausalLM

_speeds: dict[tuple[str, str, str], float] = {}


@dataclass(frozen=True)
class Estimate:
    """What a plan takes: tokens with and without shared prefixes, seconds, and bytes at its largest pass."""

    n_tokens: int
    n_tokens_unshared: int
    seconds: float
    memory_bytes: int


class Engine:
    """Answers requests on one model.

    Args:
        lm: The model.
        requests: What is asked.
        shares_prefixes: False encodes every prompt in full, in batches of another composition: the control
            run that shows how many predictions flip although nothing has changed.
        limits: What one pass may hold; by default chosen by the kind of attention.
    """

    def __init__(
        self,
        lm: "CausalLM",
        requests: Sequence[Request],
        shares_prefixes: bool = True,
        limits: Limits | None = None,
    ) -> None:
        self.lm = lm
        self.requests = list(requests)
        self.can_share = can_fork(lm.model)
        self._bytes_per_token = bytes_per_token(lm.model) if self.can_share else 0
        if limits is None:
            limits = Limits(
                batch_tokens=1536 if lm.device == "cpu" else 32768,
                share=shares_prefixes and self.can_share,
                pad=can_pad(lm.model) or not any(each.n_continuation_tokens for each in self.requests),
            )
        self.plan = plan_passes(self.requests, limits, self._bytes_per_token)
        self._runner = (
            Runner(lm, self.requests, self.plan) if self.can_share else WholeRunner(lm, self.requests)
        )

    def run(self, batch: Pass) -> list[Answer]:
        """Answer the rows of one pass, in their order."""
        return self._runner.run(batch)

    def answer_all(self) -> list[Answer]:
        """Answer all requests, in their order."""
        answers: list[Answer | None] = [None] * len(self.requests)
        for batch in self.plan.passes:
            for row, answer in zip(batch.rows, self.run(batch), strict=True):
                answers[row] = answer
        return [answer for answer in answers if answer is not None]

    def n_prompt_tokens(self, request: int) -> int:
        """Count the tokens of a request's prompt."""
        return len(self.requests[request].prompt)

    def cost(self) -> Estimate:
        """Price the plan by the speed measured on this machine."""
        weights = sum(weight.numel() * weight.element_size() for weight in self.lm.model.parameters())
        plan = self.plan
        goes_on = any(request.n_continuation_tokens for request in self.requests)
        copies = 2 if goes_on else 1  # a continuation reads the rows' cache and writes a longer one
        rows = copies * plan.n_rows_largest * plan.n_longest * self._bytes_per_token
        logits = 2 * self._n_logits() * self.lm.model.config.get_text_config().vocab_size * 4
        prefixes = min(PREFIX_BYTES, sum(node.length for node in plan.nodes) * self._bytes_per_token)
        return Estimate(
            n_tokens=plan.n_tokens,
            n_tokens_unshared=plan.n_tokens_unshared,
            seconds=plan.n_tokens / tokens_per_second(self.lm) if plan.n_tokens else 0.0,
            memory_bytes=weights + rows + logits + prefixes,
        )

    def _n_logits(self) -> int:
        """Count the places whose log-probabilities over the vocabulary one pass holds at once, at most."""

        def places(request: Request) -> int:
            return max(1, *(len(candidate) - 1 for candidate in request.candidates), 1)

        passes = self.plan.passes
        return max(
            (len(p.rows) * max(places(self.requests[row]) for row in p.rows) for p in passes), default=0
        )


def tokens_per_second(lm: "CausalLM") -> float:
    """Measure once how many prompt tokens a second the model reads on this machine."""
    key = (lm.id, lm.device, lm.dtype)
    if key not in _speeds:
        requests = [Request(tuple(range(row, row + 48)), ((row,),)) for row in range(4)]
        engine = Engine(lm, requests, limits=Limits(share=False))
        engine.answer_all()  # the first pass also pays for setting up
        started = time.perf_counter()
        engine.answer_all()
        _speeds[key] = engine.plan.n_tokens / max(time.perf_counter() - started, 1e-6)
    return _speeds[key]
