"""Hooks for taking a learner apart: silence heads, force where they look, keep what follows as it was."""

from collections.abc import Iterable

import torch

from lab.worlds.core.hooks import Cache, Hook, Hooks

Head = tuple[int, int]
"""A layer and a head in it, counted from 0."""


def silenced(heads: Iterable[Head]) -> Hooks:
    """Return hooks that replace what the heads gather by 0."""
    by_layer: dict[int, list[int]] = {}
    for layer, head in heads:
        by_layer.setdefault(layer, []).append(head)

    def quiet(chosen: list[int]) -> Hook:
        def hook(z: torch.Tensor) -> torch.Tensor:
            z = z.clone()
            z[:, :, chosen] = 0
            return z

        return hook

    return {f"blocks.{layer}.attn.hook_z": quiet(chosen) for layer, chosen in by_layer.items()}


def looking(layer: int, pattern: torch.Tensor, heads: slice = slice(None)) -> Hooks:
    """Return a hook that makes heads attend as told.

    Args:
        layer: Their layer.
        pattern: Attention, shape (query, key) or (batch, query, key). Rows that hold NaN stay the heads' own.
        heads: Which of them; all by default.
    """
    wanted = pattern if pattern.dim() == 3 else pattern[None]
    is_told = ~wanted.isnan()

    def hook(own: torch.Tensor) -> torch.Tensor:
        own = own.clone()
        own[:, heads] = torch.where(is_told[:, None], wanted[:, None].nan_to_num(), own[:, heads])
        return own

    return {f"blocks.{layer}.attn.hook_pattern": hook}


def kept(cache: Cache, after: int) -> Hooks:
    """Return hooks that keep the attention of all layers after one as it was in an earlier pass.

    With them an ablation shows what a head itself brings; without, also what others look at in its absence.
    """
    patterns = {
        name: pattern.detach()
        for name, pattern in cache.items()
        if name.endswith("attn.hook_pattern") and int(name.split(".")[1]) > after
    }
    return {name: _constant(pattern) for name, pattern in patterns.items()}


def together(*several: Hooks) -> Hooks:
    """Join hooks; where two name the same place the later one acts on what the earlier one returned."""
    joined: dict[str, Hook] = {}
    for hooks in several:
        for name, hook in hooks.items():
            joined[name] = _after(joined[name], hook) if name in joined else hook
    return joined


def previous_token(length: int) -> torch.Tensor:
    """Return the attention in which every token looks at the one before it, the first at itself."""
    pattern = torch.eye(length).roll(-1, 1).tril(-1)
    pattern[0, 0] = 1.0
    return pattern


def _constant(value: torch.Tensor) -> Hook:
    return lambda _: value


def _after(first: Hook, second: Hook) -> Hook:
    return lambda value: second(first(value))
