"""Run planned passes on a model: encode shared prefixes once, then score or generate what follows them.

One scoring path for everything. A pass right-pads the suffixes of its rows behind their common prefix;
because the mask is causal, padding cannot change what stands before it. Continuations of more than one token
and generated answers go on from the same cache, with the padding masked out.
"""

import re
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lab.learners.forking import bytes_per_token, fork, new_cache
from lab.learners.plan import Pass, Plan
from lab.learners.request import Answer, Request, Tokens

if TYPE_CHECKING:
    import torch
    from transformers import Cache

    from lab.learners.load import CausalLM

# MPS says the first, torch's own allocator on a CPU one of the others; an illegal memory access is none of
# them.
_OUT_OF_MEMORY = re.compile(r"out of memory|can't allocate memory|not enough memory")
PREFIX_BYTES = 1024**3  # encoded prefixes kept at once; the least recently used is encoded anew when needed


class Runner:
    """Answers the requests of one plan, pass by pass."""

    def __init__(self, lm: "CausalLM", requests: Sequence[Request], plan: Plan) -> None:
        self.lm = lm
        self.requests = requests
        self.plan = plan
        self._prefixes: OrderedDict[int, Cache] = OrderedDict()
        self._bytes_per_token = bytes_per_token(lm.model)

    def run(self, batch: Pass) -> list[Answer]:
        """Answer the rows of one pass, in their order.

        Raises:
            MemoryError: If a single row does not fit into memory.
        """
        import torch

        with torch.inference_mode():
            try:
                return self._run(batch.rows, batch.node)
            except RuntimeError as error:
                if not (
                    isinstance(error, torch.OutOfMemoryError) or _OUT_OF_MEMORY.search(str(error).lower())
                ):
                    raise
                self._prefixes.clear()
                if len(batch.rows) == 1:
                    raise MemoryError(
                        f"a prompt of {len(self.requests[batch.rows[0]].prompt)} tokens does not fit into "
                        "memory: choose a smaller model, a smaller dtype or fewer demonstrations"
                    ) from error
            middle = len(batch.rows) // 2
            halves = batch.rows[:middle], batch.rows[middle:]
            return [answer for rows in halves for answer in self.run(Pass(batch.index, rows, batch.node))]

    def _run(self, rows: tuple[int, ...], node: int | None) -> list[Answer]:
        requests = [self.requests[row] for row in rows]
        depth = self.plan.nodes[node].length if node is not None else 0
        prefix = self._prefix(node) if node is not None else new_cache(self.lm.model)
        suffixes = [request.prompt[depth:] for request in requests]
        goes_on = any(request.n_continuation_tokens for request in requests)
        cache = fork(prefix, len(rows), keep=goes_on)
        lengths = [len(suffix) for suffix in suffixes]
        logp = self._logp_after(suffixes, lengths, cache)
        if requests[0].max_new_tokens:
            return self._generate(requests, cache, depth, lengths, logp)
        return self._score(requests, cache, depth, lengths, logp)

    def _prefix(self, node: int) -> "Cache":
        """Return the cache of a node, encoding what is missing of it and its ancestors."""
        missing: list[int] = []
        known: int | None = node
        while known is not None and known not in self._prefixes:
            missing.append(known)
            known = self.plan.nodes[known].parent
        if known is None:
            cache = new_cache(self.lm.model)
        else:
            self._prefixes.move_to_end(known)
            cache = self._prefixes[known]
        for place in reversed(missing):
            cache = self._prefixes[place] = self._encoded(place, cache)
            while self._n_prefix_bytes() > PREFIX_BYTES and len(self._prefixes) > 1:
                self._prefixes.popitem(last=False)
        return cache

    def _encoded(self, node: int, before: "Cache") -> "Cache":
        """Encode the tokens that a node adds to its parent's cache, which stays as it is."""
        row, length, parent = (
            self.plan.nodes[node].row,
            self.plan.nodes[node].length,
            self.plan.nodes[node].parent,
        )
        start = self.plan.nodes[parent].length if parent is not None else 0
        cache = fork(before, 1, keep=True)
        ids = self._tensor([self.requests[row].prompt[start:length]])
        self.lm.model(input_ids=ids, cache=cache, use_cache=True, logits_to_keep=1)
        return cache

    def _n_prefix_bytes(self) -> int:
        return sum(self.plan.nodes[node].length for node in self._prefixes) * self._bytes_per_token

    def _logp_after(self, suffixes: list[Tokens], lengths: list[int], cache: "Cache") -> "torch.Tensor":
        """Feed right-padded suffixes; return log p after each row's last token, (n_rows, n_vocabulary)."""
        import torch

        ids = self._tensor(_right_padded(suffixes))
        last = torch.tensor(lengths, device=self.lm.device)[:, None] - 1
        logits = self.lm.model(input_ids=ids, cache=cache, use_cache=True, logits_to_keep=last).logits
        return logits[:, 0].float().log_softmax(-1)

    def _score(self, requests, cache, depth: int, lengths: list[int], logp: "torch.Tensor") -> list[Answer]:
        n_candidates = len(requests[0].candidates)
        totals = [
            [logp[row, candidate[0]].item() for candidate in request.candidates]
            for row, request in enumerate(requests)
        ]
        for place in range(n_candidates):
            candidates = [request.candidates[place] for request in requests]
            if all(len(candidate) == 1 for candidate in candidates):
                continue
            for row, rest in enumerate(self._logp_of_rest(candidates, cache, depth, lengths)):
                totals[row][place] += rest
        return [Answer(logp=tuple(scores)) for scores in totals]

    def _logp_of_rest(self, candidates: list[Tokens], cache, depth: int, lengths: list[int]) -> list[float]:
        """Return the summed log-probability of each candidate's tokens after its first."""
        import torch

        inputs = [candidate[:-1] or candidate for candidate in candidates]
        ids = self._tensor(_right_padded(inputs))
        fork_of_rows = fork(cache, len(candidates), keep=False)
        mask, positions = self._places(depth, lengths, max(lengths), ids.shape[1])
        logits = self.lm.model(
            input_ids=ids, attention_mask=mask, position_ids=positions, cache=fork_of_rows, use_cache=True
        ).logits
        logp = logits.float().log_softmax(-1)
        targets = self._tensor(_right_padded([candidate[1:] or candidate for candidate in candidates]))
        gathered = logp.gather(-1, targets[..., None])[..., 0]
        n_rest = torch.tensor([len(candidate) - 1 for candidate in candidates], device=logp.device)
        counted = torch.arange(gathered.shape[1], device=logp.device) < n_rest[:, None]
        return gathered.masked_fill(~counted, 0.0).sum(-1).tolist()

    def _places(self, depth: int, lengths: list[int], n_padded: int, n_new: int):
        """Return the mask over prefix, padded suffix and new tokens, and the new tokens' positions."""
        import torch

        device = self.lm.device
        n_suffix = torch.tensor(lengths, device=device)[:, None]
        mask = torch.ones(len(lengths), depth + n_padded + n_new, dtype=torch.long, device=device)
        mask[:, depth : depth + n_padded] = torch.arange(n_padded, device=device)[None] < n_suffix
        positions = depth + n_suffix + torch.arange(n_new, device=device)[None]
        return mask, positions

    def _generate(self, requests, cache, depth: int, lengths: list[int], logp) -> list[Answer]:
        """Decode greedily, all rows at once; rows that have ended leave the batch."""
        import torch

        ends = self.lm.end_tokens
        texts: list[list[int]] = [[] for _ in requests]
        alive = list(range(len(requests)))
        n_padded, step = max(lengths), 0
        tokens = logp.argmax(-1)
        while True:
            still = []
            for place, row in enumerate(alive):
                token = int(tokens[place])
                if token not in ends:
                    texts[row].append(token)
                    if len(texts[row]) < requests[row].max_new_tokens:
                        still.append(place)
            if not still:
                return [Answer(text_tokens=tuple(text)) for text in texts]
            if len(still) < len(alive):
                kept = torch.tensor(still, device=self.lm.device)
                cache.batch_select_indices(kept)
                tokens = tokens[kept]
                alive = [alive[place] for place in still]
            step += 1
            mask, positions = self._places(depth, [lengths[row] for row in alive], n_padded, step)
            logits = self.lm.model(
                input_ids=tokens[:, None],
                attention_mask=mask,
                position_ids=positions[:, -1:],
                cache=cache,
                use_cache=True,
                logits_to_keep=1,
            ).logits
            tokens = logits[:, -1].argmax(-1)

    def _tensor(self, rows: Sequence[Sequence[int]]) -> "torch.Tensor":
        import torch

        return torch.tensor(rows, dtype=torch.long, device=self.lm.device)


def _right_padded(rows: Sequence[Tokens]) -> list[list[int]]:
    width = max(len(row) for row in rows)
    return [[*row, *[row[-1]] * (width - len(row))] for row in rows]
