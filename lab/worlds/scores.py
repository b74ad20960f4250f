"""What the heads of a learner do, by the same scores as those of a language model."""

from typing import TYPE_CHECKING, Any

import numpy as np

from lab.stats.heads import induction_scores, previous_token_scores
from lab.worlds.world import World

if TYPE_CHECKING:
    from lab.worlds.core.hooks import Cache

N_ROWS = 100
SCORES = {
    "previous_token": "previous token: attention to the token just before",
    "induction": "induction: attention to what came after the same token earlier",
}


def head_scores(world: World, batch: Any, cache: "Cache") -> dict[str, np.ndarray]:
    """Return the scores of every head on sequences that it has read.

    Args:
        world: Where the sequences are from; it names what stands at each position.
        batch: The sequences, at least `N_ROWS`.
        cache: The activations of a learner that read them.

    Returns:
        By the names of `SCORES`, each of shape (n_layers, n_heads); NaN where no token came twice.
    """
    patterns = [value for name, value in cache.items() if name.endswith("attn.hook_pattern")]
    n = min(N_ROWS, len(patterns[0]))
    tokens = np.array([[word.rstrip("?") for word in world.positions(batch, row)] for row in range(n)])
    seen = [pattern[:n].numpy() for pattern in patterns]
    return {
        "previous_token": np.stack([previous_token_scores(each) for each in seen]),
        "induction": np.stack([induction_scores(each, tokens) for each in seen]),
    }
