"""Named places in a learner where a caller reads an activation, or puts another in its stead.

Hooks are an argument of `forward` and act inside the graph: the same hook ablates a head of a finished model
and clamps one during training, with gradients flowing around it. Nothing is registered, so that nothing is
left behind. Names and shapes are those of TransformerLens.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import torch

Hook = Callable[[torch.Tensor], torch.Tensor]
Hooks = Mapping[str, Hook]
Cache = dict[str, torch.Tensor]


class Place(NamedTuple):
    """A place: its name, in which {layer} stands for a number, its axes, and what it holds."""

    name: str
    axes: str
    what: str


PLACES = (
    Place("hook_embed", "batch pos d_model", "what comes in, learned positions included"),
    Place("blocks.{layer}.hook_resid_pre", "batch pos d_model", "the residual stream before the block"),
    Place("blocks.{layer}.attn.hook_q", "batch pos head d_head", "queries, before they are rotated"),
    Place("blocks.{layer}.attn.hook_k", "batch pos head d_head", "keys, before they are rotated"),
    Place("blocks.{layer}.attn.hook_v", "batch pos head d_head", "values"),
    Place("blocks.{layer}.attn.hook_attn_scores", "batch head query key", "scores; those masked are -inf"),
    Place("blocks.{layer}.attn.hook_pattern", "batch head query key", "attention: softmax of the scores"),
    Place("blocks.{layer}.attn.hook_z", "batch pos head d_head", "what each head has gathered"),
    Place("blocks.{layer}.hook_attn_out", "batch pos d_model", "what attention adds to the stream"),
    Place("blocks.{layer}.hook_resid_mid", "batch pos d_model", "the stream between attention and MLP"),
    Place("blocks.{layer}.mlp.hook_pre", "batch pos d_mlp", "the MLP's units before their nonlinearity"),
    Place("blocks.{layer}.mlp.hook_post", "batch pos d_mlp", "the MLP's units after it"),
    Place("blocks.{layer}.hook_mlp_out", "batch pos d_model", "what the MLP adds to the stream"),
    Place("blocks.{layer}.hook_resid_post", "batch pos d_model", "the residual stream after the block"),
    Place("ln_final.hook_normalized", "batch pos d_model", "what the readout is given"),
)
"""Every place of the transformer; without an MLP those of the MLP and `hook_resid_mid` are missing."""


def named(places: Iterable[Place], n_layers: int) -> list[str]:
    """Write out the names of places for every layer.

    >>> named([PLACES[0], PLACES[6]], 2)
    ['hook_embed', 'blocks.0.attn.hook_pattern', 'blocks.1.attn.hook_pattern']
    """
    single = [each.name for each in places if "{layer}" not in each.name]
    layered = [each.name for each in places if "{layer}" in each.name]
    blocks = [name.format(layer=layer) for layer in range(n_layers) for name in layered]
    first = [name for name in single if name == PLACES[0].name]
    return [*first, *blocks, *(name for name in single if name not in first)]


class Taps:
    """The hooks and the cache of one forward pass.

    Args:
        names: The places there are.
        hooks: What to put in their stead, by name.
        cache: Filled with the activations, after the hooks; None keeps none.

    Raises:
        ValueError: A hook names no place; the message gives the nearest one.
    """

    def __init__(self, names: Iterable[str], hooks: Hooks | None = None, cache: Cache | None = None) -> None:
        self.hooks, self.cache = hooks or {}, cache
        if self.hooks:
            known = list(names)
            for name in self.hooks:
                if name not in known:
                    (near,) = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
                    raise ValueError(f"no hook is called {name!r}; the nearest is {near!r}")

    def at(self, name: str, value: torch.Tensor) -> torch.Tensor:
        """Pass an activation through its place.

        Raises:
            ValueError: A hook returned another shape.
        """
        hook = self.hooks.get(name)
        if hook is not None:
            changed = hook(value)
            if changed.shape != value.shape:
                raise ValueError(
                    f"{name} has the shape {tuple(value.shape)}, its hook returned {tuple(changed.shape)}"
                )
            value = changed
        if self.cache is not None:
            self.cache[name] = value
        return value

    def is_watched(self, *names: str) -> bool:
        """Tell whether anyone reads or changes one of these places."""
        return self.cache is not None or any(name in self.hooks for name in names)

    def is_watched_in(self, *parts: str) -> bool:
        """Tell whether anyone reads or changes any place of these parts, such as "blocks.1"."""
        return self.cache is not None or any(
            name.startswith(f"{part}.") for part in parts for name in self.hooks
        )
