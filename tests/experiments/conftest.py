"""Experiments on a tiny model in a folder and on small task files, on one thread."""

import inspect
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tiny_models import save_tiny_lm

WORDS = (
    "tiger",
    "apple",
    "eagle",
    "cherry",
    "otter",
    "grape",
    "heron",
    "lemon",
    "mouse",
    "peach",
    "robin",
    "plum",
)
KINDS = ("animal", "fruit")
N_POOL, N_QUERIES = 12, 10


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Take one thread for tiny products, and give the others back."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Save a tiny Llama; its folder is its id."""
    return save_tiny_lm(tmp_path_factory.mktemp("model") / "tiny-llama")


@pytest.fixture(scope="session")
def label_task(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Write a task of two labels: 12 rows of pool, 10 queries."""
    rows = [
        {"input": word, "output": KINDS[place % 2], "split": "pool"}
        for place, word in enumerate(WORDS[:N_POOL])
    ]
    rows += [
        {"input": f"{WORDS[place]} {place}", "output": KINDS[place % 2], "split": "query"}
        for place in range(N_QUERIES)
    ]
    return _written(tmp_path_factory.mktemp("task") / "kinds.jsonl", rows)


@pytest.fixture(scope="session")
def number_task(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Write a task whose answers are generated."""
    rows = [{"input": f"{n} + {n}", "output": f"{2 * n}", "split": "pool"} for n in range(20, 28)]
    rows += [{"input": f"{n} + 1", "output": f"{n + 1}", "split": "query"} for n in range(30, 36)]
    return _written(tmp_path_factory.mktemp("task") / "sums.jsonl", rows)


def _written(path: Path, rows: list[dict]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


@pytest.fixture
def forwards(model: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[int]]:
    """Count the rows of every forward pass of the tiny model."""
    from lab.learners.load import load

    network = load(model, "cpu", "float32").model
    sizes: list[int] = []
    forward = network.forward

    def counted(*args, **kwargs):
        sizes.append(kwargs["input_ids"].shape[0])
        return forward(*args, **kwargs)

    # the signature says which models take a cache, so it must stay
    counted.__signature__ = inspect.signature(forward)
    monkeypatch.setattr(network, "forward", counted)
    return lambda: sizes
