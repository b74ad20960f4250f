"""Answer requests by encoding whole sequences: where a state cannot be forked, and as the oracle in tests."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lab.learners.plan import Pass
from lab.learners.request import Answer, Request, Tokens

if TYPE_CHECKING:
    from lab.learners.load import CausalLM


class WholeRunner:
    """Answers passes one request at a time, without any cache."""

    def __init__(self, lm: "CausalLM", requests: Sequence[Request]) -> None:
        self.lm = lm
        self.requests = requests

    def run(self, batch: Pass) -> list[Answer]:
        """Answer the rows of one pass, in their order."""
        return [self._answer(self.requests[row]) for row in batch.rows]

    def _answer(self, request: Request) -> Answer:
        if request.max_new_tokens:
            return Answer(text_tokens=self._generate(request))
        first = self._log_probabilities(request.prompt, 1)[0]
        return Answer(
            logp=tuple(
                first[candidate[0]].item() if len(candidate) == 1 else self._logp(request.prompt, candidate)
                for candidate in request.candidates
            )
        )

    def _logp(self, prompt: Tokens, candidate: Tokens) -> float:
        """Return log p(candidate | prompt) in nats."""
        logp = self._log_probabilities(prompt + candidate[:-1], len(candidate))
        return sum(logp[place, token].item() for place, token in enumerate(candidate))

    def _generate(self, request: Request) -> Tokens:
        text: list[int] = []
        while len(text) < request.max_new_tokens:
            token = int(self._log_probabilities((*request.prompt, *text), 1)[0].argmax())
            if token in self.lm.end_tokens:
                break
            text.append(token)
        return tuple(text)

    def _log_probabilities(self, tokens: Tokens, n_last: int):
        """Return log-probabilities of the next token at the last places, (n_last, n_vocabulary)."""
        import torch

        ids = torch.tensor([tokens], dtype=torch.long, device=self.lm.device)
        with torch.inference_mode():
            return self.lm.model(input_ids=ids, use_cache=False).logits[0, -n_last:].float().log_softmax(-1)
