"""Fork a key-value cache without copying it: many rows read one encoded prefix.

A forked layer shares its tensors with the original through a view that is expanded along the batch, so
forking costs no memory. When the rows are only scored, the concatenation of prefix and suffix lives for one
layer at a time.
"""

import copy
import inspect
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import Cache, PreTrainedModel


def new_cache(model: "PreTrainedModel") -> "Cache":
    """Make the empty cache that fits the model's layers."""
    from transformers import DynamicCache

    return DynamicCache(config=model.config)


def can_fork(model: "PreTrainedModel") -> bool:
    """Tell whether the model reads a cache whose every layer keeps plain keys and values.

    Linear-attention and recurrent layers do not; some recurrent models take no such cache at all.
    """
    from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

    if not {"cache", "past_key_values"} & set(_arguments(model)):
        return False
    layers = new_cache(model).layers
    return bool(layers) and all(type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in layers)


def can_pad(model: "PreTrainedModel") -> bool:
    """Tell whether padding inside the cache is harmless.

    It is where positions are given (`position_ids`); a sliding or local window would count padding as
    context, and a bias by distance (MPT) as distance.
    """
    if not can_fork(model) or "position_ids" not in _arguments(model):
        return False
    has_local_layers = "local" in getattr(model.config, "attention_layers", ())  # GPT-Neo
    return not has_local_layers and not any(
        getattr(layer, "is_sliding", False) for layer in new_cache(model).layers
    )


def _arguments(model: "PreTrainedModel") -> list[str]:
    return list(inspect.signature(model.forward).parameters)


def fork(cache: "Cache", n_rows: int, keep: bool) -> "Cache":
    """Return a cache of `n_rows` rows that continue a cache of one row.

    Args:
        cache: The encoded prefix, batch size 1 (or already `n_rows`); it is not changed.
        n_rows: Batch size of the fork.
        keep: False forgets what a forward pass adds, which saves memory when nothing follows that pass.
    """
    forked = copy.copy(cache)
    forked.layers = [_fork_layer(layer, n_rows, keep) for layer in cache.layers]
    return forked


def _fork_layer(layer, n_rows: int, keep: bool):
    forked = copy.copy(layer)
    if forked.get_seq_length() > 0:
        forked.keys = layer.keys.expand(n_rows, -1, -1, -1)
        forked.values = layer.values.expand(n_rows, -1, -1, -1)
    if not keep:
        forked.update = _update_without_keeping(forked)
    return forked


def _update_without_keeping(layer):
    def update(keys, values, *args, **kwargs):
        if not layer.is_initialized:
            layer.lazy_initialization(keys, values)
        before = layer.keys, layer.values
        states = type(layer).update(layer, keys, values, *args, **kwargs)
        layer.keys, layer.values = before
        return states

    return update


def bytes_per_token(model: "PreTrainedModel") -> int:
    """Return the bytes that the keys and values of one token take over all layers."""
    config = model.config.get_text_config()
    n_heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    n_bytes = next(model.parameters()).element_size()
    return 2 * config.num_hidden_layers * n_heads * head_dim * n_bytes
