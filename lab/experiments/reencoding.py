"""Answer stored prompts again, naively: each text encoded in full, in a forward pass of its own.

Nothing of the sweep is used but its model and tokenizer, so that a fault in how prompts are tokenised, split,
shared, batched, normalised or stored shows up as a difference.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.experiments.prompt_sweep import PromptSweep, best_label
from lab.tasks.metrics import judge

if TYPE_CHECKING:
    import pandas as pd

    from lab.learners.load import CausalLM


@dataclass(frozen=True)
class Agreement:
    """How stored predictions compare with naive ones.

    Args:
        n: Predictions compared.
        n_different: Those that differ.
        largest: The largest difference of a label's score, in nats; 0 where answers are generated.
    """

    n: int = 0
    n_different: int = 0
    largest: float = 0.0

    def __add__(self, other: "Agreement") -> "Agreement":
        return Agreement(
            self.n + other.n, self.n_different + other.n_different, max(self.largest, other.largest)
        )


def agreement(
    sweep: PromptSweep, predictions: "pd.DataFrame", prompts: "pd.DataFrame", n_rows: int
) -> Agreement:
    """Answer about `n_rows` of a sweep's stored prompts again, evenly spread over its queries and layouts.

    Args:
        sweep: Says the model, the task and how answers are scored; its prompts and engines are not used.
        predictions: The stored predictions table.
        prompts: The stored prompts table, in the same order.
        n_rows: How many to answer again.
    """
    own = predictions["query_id"].str.startswith(sweep.prefix)
    stored, texts = predictions[own].to_dict("records"), prompts[own].to_dict("records")
    queries = {sweep.prefix + cell.query.id: cell.query for cell in sweep.cells}
    found = Agreement()
    for place in range(0, len(stored), max(1, len(stored) // n_rows)):
        row, text = stored[place], texts[place]
        if sweep.scores_labels:
            scores = naive_scores(sweep, text["prompt"], text["candidates"])
            largest = max(abs(score - row[f"logp_{label}"]) for label, score in scores.items())
            found += Agreement(1, int(best_label(scores)[0] != row["prediction"]), largest)
        else:
            answer = naive_answer(sweep.lm, text["prompt"], sweep.template.is_chat, sweep.task.max_new_tokens)
            prediction, _ = judge(sweep.task, queries[row["query_id"]], answer)
            found += Agreement(1, int(prediction != row["prediction"]))
    return found


def naive_scores(sweep: PromptSweep, prompt: str, candidates: tuple[str, ...]) -> dict[str, float]:
    """Score each label of a prompt from its text: the log-probability of the tokens that follow the prompt.

    Returns:
        Label to nats, a mean over the label's tokens if the setting is length-normalised.
    """
    import torch

    lm, adds = sweep.lm, not sweep.template.is_chat
    alone = _ids(lm, prompt, adds)
    answered = [_ids(lm, prompt + candidate, adds) for candidate in candidates]
    # An answer can merge with the prompt's last token: all are then compared from that token on.
    n_shared = min(_n_equal(alone, ids) for ids in answered)
    scores = {}
    for label, ids in zip(sweep.task.labels, answered, strict=True):
        with torch.inference_mode():
            logits = lm.model(input_ids=torch.tensor([ids], device=lm.device), use_cache=False).logits[0]
        logp = logits.float().log_softmax(-1)
        of_answer = [logp[place - 1, ids[place]].item() for place in range(n_shared, len(ids))]
        n = len(of_answer) if sweep.setting.is_length_normalised else 1
        scores[label] = sum(of_answer) / n
    return scores


def naive_answer(lm: "CausalLM", prompt: str, is_chat: bool, max_new_tokens: int) -> str:
    """Write the most likely answer to a prompt by transformers' own generation."""
    import torch

    ids = torch.tensor([_ids(lm, prompt, not is_chat)], device=lm.device)
    model: Any = lm.model
    with torch.inference_mode():
        written = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=max_new_tokens,
            eos_token_id=sorted(lm.end_tokens),
            pad_token_id=min(lm.end_tokens, default=0),
        )
    return str(lm.tokenizer.decode(written[0, ids.shape[1] :], skip_special_tokens=True)).strip()


def _ids(lm: "CausalLM", text: str, adds_special_tokens: bool) -> list[int]:
    return list(lm.tokenizer(text, add_special_tokens=adds_special_tokens).input_ids)


def _n_equal(first: list[int], second: list[int]) -> int:
    """Count the leading tokens that two sequences share, leaving at least one of the second."""
    pairs = zip(first, second[:-1], strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(first), len(second) - 1))
