"""One cell of a run outside the lab: a script that reproduces a prediction, and messages for a chat API."""

import json
from collections.abc import Mapping, Sequence

ROLES = ("system", "user", "assistant")

_SCORE = '''\
"""Reproduce one prediction of In-Context Lab by encoding each candidate with the whole prompt."""

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

MODEL, REVISION = {model_id}, {revision}
PROMPT = {prompt}
CANDIDATES = {candidates}

tokenizer = AutoTokenizer.from_pretrained(MODEL, revision=REVISION)
model = AutoModelForCausalLM.from_pretrained(MODEL, revision=REVISION, dtype=torch.float32).eval()
alone, *rows = (tokenizer(PROMPT + c, add_special_tokens={special}).input_ids for c in ["", *CANDIDATES])
# Scored tokens begin where the prompt ends, or before it where a candidate merges with its last token.
split = min(
    next((i for i in range(len(row) - 1) if alone[i : i + 1] != row[i : i + 1]), len(row) - 1) for row in rows
)
scores = {{}}
for candidate, row in zip(CANDIDATES, rows):
    with torch.no_grad():
        logp = model(torch.tensor([row])).logits[0].log_softmax(-1)
    token_logp = [logp[i - 1, row[i]].item() for i in range(split, len(row))]
    scores[candidate] = sum(token_logp){normalise}
    print(f"{{scores[candidate]:9.4f}} nats  {{candidate!r}}")
print("prediction:", repr(max(scores, key=scores.get)))
'''

_GENERATE = '''\
"""Reproduce one generated answer of In-Context Lab by greedy decoding."""

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

MODEL, REVISION = {model_id}, {revision}
PROMPT = {prompt}

tokenizer = AutoTokenizer.from_pretrained(MODEL, revision=REVISION)
model = AutoModelForCausalLM.from_pretrained(MODEL, revision=REVISION, dtype=torch.float32).eval()
inputs = tokenizer(PROMPT, add_special_tokens={special}, return_tensors="pt")
with torch.no_grad():
    output = model.generate(**inputs, do_sample=False, max_new_tokens={max_new_tokens})
print(tokenizer.decode(output[0, inputs.input_ids.shape[1] :], skip_special_tokens=True))
'''


def snippet(
    model_id: str,
    prompt: str,
    candidates: Sequence[str],
    revision: str | None = None,
    is_length_normalised: bool = True,
    add_special_tokens: bool = False,
    max_new_tokens: int = 16,
) -> str:
    """Write a self-contained transformers script that reproduces one prediction by naive encoding.

    Args:
        model_id: A hub id or a folder.
        prompt: The exact rendered prompt.
        candidates: The exact strings appended to it; none for an answer that was generated greedily.
        revision: The hub revision, None for the default one.
        is_length_normalised: Whether the scores are mean instead of summed log-probabilities a token.
        add_special_tokens: Whether the tokenizer adds its own; a rendered chat prompt already holds them.
        max_new_tokens: Bound of a generated answer.

    Returns:
        Python source; all text given here appears in it as a quoted literal only.
    """
    literals = {
        "model_id": repr(model_id),
        "revision": repr(revision),
        "prompt": repr(prompt),
        "special": repr(bool(add_special_tokens)),
    }
    if not candidates:
        return _GENERATE.format(**literals, max_new_tokens=int(max_new_tokens))
    return _SCORE.format(
        **literals,
        candidates=repr(list(candidates)),
        normalise=" / len(token_logp)" if is_length_normalised else "",
    )


def messages_json(messages: Sequence[Mapping[str, str]], model: str | None = None) -> str:
    """Write chat messages as the body of a request in OpenAI's format.

    Args:
        messages: Each with `role`, one of `ROLES`, and `content`.
        model: Named in the body when given.

    Raises:
        ValueError: If a message lacks a known role or text.
    """
    for place, message in enumerate(messages):
        if message.get("role") not in ROLES or not isinstance(message.get("content"), str):
            raise ValueError(
                f"message {place} must have a role of {', '.join(ROLES)} and text as content, "
                f"got {dict(message)!r}"
            )
    body = {"messages": [{"role": each["role"], "content": each["content"]} for each in messages]}
    return (
        json.dumps(body if model is None else {"model": model, **body}, ensure_ascii=False, indent=2) + "\n"
    )
