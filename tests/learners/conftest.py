"""Tiny models compute on one thread: on a busy machine two threads wait for each other at every small product."""

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def one_thread(request: pytest.FixtureRequest) -> Iterator[None]:
    """Take one thread, but for the default model, and give the others back."""
    if "default_model" in request.fixturenames:
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
