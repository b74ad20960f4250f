"""Does a context change a learner as fine-tuning on the same pairs does?

The same query is asked three times: alone, after its context, and alone of a learner that was tuned on the
pairs of that context. What attention puts out, and what it looks at, is compared at the last token.

| here | paper | what |
|---|---|---|
| alone, in context, tuned | ZSL, ICL, FT | how the query is asked |
| `tuned` | FT | W_K and W_V alone, stochastic gradient descent, an example a step, in their order |
| `output_likeness` | SimAOU | cosine of h_ICL - h_ZSL with h_FT - h_ZSL, h the normalised attention output |
| `attention_likeness` | SimAM, ZSL SimAM | cosine of the scores, before softmax, of the query's own tokens |
| `recovered` | Rec2FTP | of the queries that tuning puts right, those that the context does too |

Source: Dai et al. 2023 (arXiv:2212.10559), section 4, as its released code computes them.
"""

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import torch

    from lab.worlds.core.hooks import Cache
    from lab.worlds.core.learner import Learner


class Asked(NamedTuple):
    """What a learner does at the last token of queries.

    Args:
        outputs: What attention adds to the stream, shape (n, n_layers, d_model).
        scores: Of attention to the query's own tokens, before softmax, shape (n, n_layers, n_heads, n_own).
        answers: Labels, shape (n,).
    """

    outputs: np.ndarray
    scores: np.ndarray
    answers: np.ndarray


class Compared(NamedTuple):
    """The same queries asked alone, in context, and of learners that were tuned on that context."""

    alone: Asked
    in_context: Asked
    tuned: Asked

    def output_likeness(self) -> np.ndarray:
        """Return SimAOU of every query and layer, shape (n, n_layers)."""
        return _cosine(*self.changes())

    def changes(self) -> tuple[np.ndarray, np.ndarray]:
        """Return h_ICL - h_ZSL and h_FT - h_ZSL of every query and layer, both (n, n_layers, d_model)."""
        before = _normalised(self.alone.outputs)
        by_context, by_tuning = (_normalised(each.outputs) - before for each in (self.in_context, self.tuned))
        return by_context, by_tuning

    def random_likeness(self, seed: int) -> np.ndarray:
        """Return the same with a random direction in the place of what tuning does."""
        by_context, _ = self.changes()
        return _cosine(by_context, np.random.default_rng(seed).normal(size=by_context.shape))

    def attention_likeness(self) -> tuple[np.ndarray, np.ndarray]:
        """Return SimAM and ZSL SimAM of every query and layer, the mean over heads, both (n, n_layers)."""
        in_context = self.in_context.scores
        with_tuned, with_alone = (
            _cosine(in_context, each.scores).mean(-1) for each in (self.tuned, self.alone)
        )
        return with_tuned, with_alone

    def recovered(self, target: np.ndarray) -> float:
        """Return Rec2FTP for the right answers, shape (n,); NaN where tuning puts nothing right."""
        is_fixed = (self.alone.answers != target) & (self.tuned.answers == target)
        return (
            float((self.in_context.answers[is_fixed] == target[is_fixed]).mean())
            if is_fixed.any()
            else float("nan")
        )


def tuned(
    learner: "Learner", examples: "torch.Tensor", labels: "torch.Tensor", rate: float
) -> "Iterator[Learner]":
    """Tune keys and values of a copy of a learner, and yield it after every example; it is the same copy.

    Args:
        learner: Stays as it is.
        examples: Embedded queries, shape (n_examples, n_own, d_model).
        labels: Of the examples, shape (n_examples,).
        rate: Of the gradient steps.
    """
    import torch
    from torch.nn.functional import cross_entropy

    learner = copy.deepcopy(learner).requires_grad_(False)
    weights = [block.attn.qkv.weight.requires_grad_() for block in learner.body.blocks]  # type: ignore[union-attr,operator]
    d_model = weights[0].shape[1]
    for example, label in zip(examples, labels, strict=True):
        with torch.enable_grad():
            loss = cross_entropy(learner.answer(example[None], at=-1), label[None])
            gradients = torch.autograd.grad(loss, weights)
        with torch.no_grad():
            for weight, gradient in zip(weights, gradients, strict=True):
                weight[d_model:] -= rate * gradient[d_model:]  # the first rows are those of queries
        yield learner


def ask(learner: "Learner", embedded: "torch.Tensor", n_own: int) -> Asked:
    """Ask queries, the last `n_own` tokens of embedded sequences (n, pos, d_model)."""
    import torch

    cache: Cache = {}
    with torch.no_grad():
        answers = learner.answer(embedded, None, cache, at=-1).argmax(1)
    layers = range(learner.body.config.n_layers)  # type: ignore[union-attr,arg-type]
    outputs = [cache[f"blocks.{layer}.hook_attn_out"][:, -1] for layer in layers]
    scores = [cache[f"blocks.{layer}.attn.hook_attn_scores"][:, :, -1, -n_own:] for layer in layers]
    return Asked(torch.stack(outputs, 1).numpy(), torch.stack(scores, 1).numpy(), answers.numpy())


def joined(asked: list[Asked]) -> Asked:
    """Put queries that were asked one by one together."""
    return Asked(*(np.concatenate(each) for each in zip(*asked, strict=True)))


def _normalised(outputs: np.ndarray) -> np.ndarray:
    return outputs / (np.linalg.norm(outputs, axis=-1, keepdims=True) + 1e-20)


def _cosine(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    size = np.linalg.norm(one, axis=-1) * np.linalg.norm(other, axis=-1)
    return (one * other).sum(-1) / (size + 1e-20)
