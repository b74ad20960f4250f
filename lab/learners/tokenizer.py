"""The tokenizer of a model without its weights: what a live view of a prompt needs."""

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lab.learners.catalogue import resolve
from lab.weights import fetch, manifest_of

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class ReadyTokenizer(NamedTuple):
    """A tokenizer, and the longest context its model takes, in tokens (None where nothing says so)."""

    tokenizer: "PreTrainedTokenizerBase"
    max_tokens: int | None


def tokenizer_of(model_id: str) -> ReadyTokenizer | None:
    """Return the tokenizer of a model whose files are here already; None before they were fetched.

    Nothing is downloaded: it is asked for on every keystroke.

    Raises:
        ValueError: If the id is unknown, or not allowed on a shared lab.
        WeightsError: If the cached files can't be read.
    """
    source = resolve(model_id).source
    if manifest_of(source) is None:
        return None
    return _read(fetch(source))


@lru_cache(maxsize=4)
def _read(folder: Path) -> ReadyTokenizer:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    limits = [config.get("max_position_embeddings"), tokenizer.model_max_length]
    return ReadyTokenizer(tokenizer, min((limit for limit in limits if limit), default=None))
