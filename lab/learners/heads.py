"""What the heads of a language model do: the scores of the tiny worlds, on a model that learned from text.

Random tokens, twice in a row: nothing but the first half tells what comes in the second, so that attention to
what followed earlier is induction and nothing else.

    python -m lab.learners.heads [MODEL]
"""

import sys
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lab.learners.catalogue import DEFAULT
from lab.learners.load import CausalLM, load
from lab.stats.heads import copy_scores, induction_scores, previous_token_scores

if TYPE_CHECKING:
    import torch

N_ROWS, N_TOKENS = 8, 48  # a row holds its tokens twice
_lock = threading.Lock()


class HeadScores(NamedTuple):
    """Three scores a head, each of shape (n_layers, n_heads); `copy` is NaN for unknown families."""

    previous_token: np.ndarray
    induction: np.ndarray
    copy: np.ndarray


def head_scores(lm: CausalLM, seed: int = 0) -> HeadScores:
    """Measure the heads of a model on random tokens that come twice.

    Args:
        lm: A loaded model with attention in every layer.
        seed: Determines the tokens.

    Raises:
        ValueError: The model gives no attention weights; says which model.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    network: Any = lm.model
    n_known = network.get_input_embeddings().weight.shape[0]
    once = torch.randint(n_known, (N_ROWS, N_TOKENS), generator=generator)
    tokens = torch.cat([once, once], 1)
    patterns = _patterns(lm, tokens)
    told = tokens.numpy()
    return HeadScores(
        np.stack([previous_token_scores(each) for each in patterns]),
        np.stack([induction_scores(each, told) for each in patterns]),
        np.stack([copy_scores(each) for each in circuits(lm)])
        if _is_known(lm)
        else np.full((len(patterns), patterns[0].shape[1]), np.nan),
    )


def circuits(lm: CausalLM) -> list[np.ndarray]:
    """Return per layer and head a small matrix with the eigenvalues of token in → logit out.

    Logits of a head that looks at token s are U diag(γ') O_h V_h diag(γ) e_s, with γ the weights of the norms
    before the layer and at the end. What norms divide by is left out: it is positive, and changes no sign.
    Eigenvalues of a product stay when its last factor becomes its first, so that d_head × d_head numbers a
    head are enough.

    Returns:
        A list over layers of arrays (n_heads, d_head, d_head).
    """
    import torch

    network: Any = lm.model  # a Llama in its parts, whatever its family is called
    body = network.model
    embedding = network.get_input_embeddings().weight.float()
    out = network.get_output_embeddings().weight.float()
    across = embedding.T @ out * body.norm.weight.float()  # (d_in, d_out)
    n_heads = network.config.num_attention_heads
    found = []
    with torch.no_grad():
        for layer in body.layers:
            attention = layer.self_attn
            d_head = attention.o_proj.weight.shape[1] // n_heads
            values = attention.v_proj.weight.float().view(-1, d_head, embedding.shape[1])
            values = values.repeat_interleave(n_heads // len(values), 0)  # grouped queries share theirs
            outs = attention.o_proj.weight.float().view(-1, n_heads, d_head).transpose(0, 1)
            weighted = values * layer.input_layernorm.weight.float()
            found.append((weighted @ across @ outs).cpu().numpy())
    return found


def _is_known(lm: CausalLM) -> bool:
    """Tell whether a model's layers are named as Llama's are, as those of most families today."""
    layers: Any = getattr(getattr(lm.model, "model", None), "layers", None)
    parts = ("self_attn.v_proj.weight", "self_attn.o_proj.weight", "input_layernorm.weight")
    return bool(layers) and all(
        any(name.endswith(part) for name, _ in layer.named_parameters()) for layer in layers for part in parts
    )


def _patterns(lm: CausalLM, tokens: "torch.Tensor") -> list[np.ndarray]:
    """Return attention weights, a layer each, shape (n, n_heads, query, key)."""
    import torch

    before = lm.model.config._attn_implementation
    with _lock, torch.no_grad():
        try:
            lm.model.set_attn_implementation("eager")  # the fast kernels keep their weights to themselves
            answer = lm.model(tokens.to(lm.device), output_attentions=True, use_cache=False)
        finally:
            lm.model.set_attn_implementation(before)
    found = getattr(answer, "attentions", None)
    if not found or any(each is None for each in found):
        raise ValueError(f"{lm.id} has layers without attention weights; choose a transformer")
    return [each.float().cpu().numpy() for each in found]


def _main(model: str) -> None:
    scores = head_scores(load(model))
    print(f"{model}: {N_ROWS} rows of {N_TOKENS} random tokens, twice\n")
    for name, values in scores._asdict().items():
        best = np.argsort(-np.nan_to_num(values, nan=-np.inf), axis=None)[:5]
        heads = [np.unravel_index(place, values.shape) for place in best]
        told = ", ".join(f"{layer}.{head} {values[layer, head]:.2f}" for layer, head in heads)
        print(f"{name.replace('_', ' ')}: {told}")


if __name__ == "__main__":
    _main(sys.argv[1] if len(sys.argv) > 1 else DEFAULT)
