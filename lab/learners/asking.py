"""Turn rendered prompts into requests: tokens to read, and the continuations or the room to answer in."""

from collections.abc import Sequence

from lab.learners.request import Request, shared_length
from lab.prompts.render import Prompt
from lab.prompts.template import Template
from lab.prompts.tokens import encode


def to_score(
    template: Template, prompts: Sequence[Prompt], labels: Sequence[str], groups: Sequence[int]
) -> list[Request]:
    """Encode each prompt with each label appended; split behind the last token that all of them share.

    Args:
        template: The model's template and tokenizer.
        prompts: Rendered prompts.
        labels: Candidate answers, the same for all prompts.
        groups: For each prompt, the group it is answered in.

    Returns:
        One request a prompt. The split lies where the prompt ends, or before it where an answer merges with
        the prompt's last token; tokens that all candidates share there cancel in the comparison.
    """
    n_labels = len(labels)
    alone = encode(template, [prompt.text for prompt in prompts])
    whole = encode(
        template, [prompt.text + answer for prompt in prompts for answer in prompt.candidates(labels)]
    )
    requests = []
    for place, group in enumerate(groups):
        answered = whole[place * n_labels : (place + 1) * n_labels]
        split = min(min(shared_length(alone[place], row), len(row) - 1) for row in answered)
        requests.append(Request(alone[place][:split], tuple(row[split:] for row in answered), group=group))
    return requests


def to_generate(
    template: Template, prompts: Sequence[Prompt], max_new_tokens: int, groups: Sequence[int]
) -> list[Request]:
    """Encode each prompt alone, with room for an answer of `max_new_tokens`."""
    rows = encode(template, [prompt.text for prompt in prompts])
    return [
        Request(row, max_new_tokens=max_new_tokens, group=group)
        for row, group in zip(rows, groups, strict=True)
    ]


def check_length(requests: Sequence[Request], max_tokens: int) -> None:
    """Refuse prompts that the model cannot read whole: nothing is ever truncated.

    Raises:
        ValueError: With the longest prompt's count and the model's limit.
    """
    longest = max((request.n_longest for request in requests), default=0)
    if longest > max_tokens:
        n_over = sum(request.n_longest > max_tokens for request in requests)
        raise ValueError(
            f"{n_over} of {len(requests)} prompts are too long: the longest needs {longest} tokens with "
            f"its answer, the model reads {max_tokens}. Use fewer or shorter demonstrations, or a model with "
            "a longer context."
        )
