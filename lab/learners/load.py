"""Load a causal language model: the device, the precision, and the one that is kept."""

import gc
import os
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lab.learners.catalogue import ModelCard, memory_needed, resolve
from lab.weights import Progress, fetch, manifest_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

DTYPES = ("float32", "bfloat16", "float16")
# CUDA and MPS say the first; torch's own allocator on a CPU one of the others.
_OUT_OF_MEMORY = re.compile(r"out of memory|can't allocate memory|not enough memory")


@dataclass(frozen=True)
class CausalLM:
    """A loaded model, ready to answer: in eval mode, without gradients.

    Args:
        id: Its id in the catalogue.
        revision: The exact version of its weights.
        model: The network.
        tokenizer: Its tokenizer.
        device: Where it is: cpu, cuda or mps.
        dtype: float32, bfloat16 or float16.
        max_tokens: The longest context it takes, in tokens.
        has_chat_template: Whether it knows roles; a base model does not.
        end_tokens: Ids of the tokens that end an answer.
    """

    id: str
    revision: str
    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"
    device: str
    dtype: str
    max_tokens: int
    has_chat_template: bool
    end_tokens: frozenset[int] = frozenset()


_lock = threading.RLock()
_kept: dict[tuple[str, str, str], CausalLM] = {}


def load(
    model_id: str, device: str = "auto", dtype: str = "auto", progress: Progress | None = None
) -> CausalLM:
    """Load a model, fetching its weights if need be; the last one loaded is kept and returned again.

    Args:
        model_id: An id that `resolve` knows.
        device: auto takes cuda, else mps, else cpu.
        dtype: auto takes float32 on cpu and mps, bfloat16 on cuda where supported, else float16.
        progress: Told bytes done, bytes in all and what is happening.

    Raises:
        ValueError: An unknown or forbidden id, device or dtype, or a model that is no causal language model.
        WeightsError: Its weights cannot be had.
        MemoryError: It does not fit.
    """
    card = resolve(model_id)
    device = choose_device(device)
    dtype = choose_dtype(dtype, device)
    key = (card.id, device, dtype)
    with _lock:
        if key not in _kept:
            unload()
            _check_it_fits(card, device, dtype)
            _kept[key] = _load(card, device, dtype, progress)
        return _kept[key]


def unload() -> None:
    """Forget the kept model, so that its memory is free once nobody else holds it."""
    with _lock:
        if not _kept:
            return
        is_on_cuda = any(device == "cuda" for _, device, _ in _kept)
        _kept.clear()
        gc.collect()
        if is_on_cuda:
            import torch

            torch.cuda.empty_cache()


def describe(lm: CausalLM) -> str:
    """Say in one line what is loaded, for the screen and the record of a run."""
    n_parameters = sum(weight.numel() for weight in lm.model.parameters())
    size = f"{n_parameters / 1e6:,.0f} M parameters"
    return f"{lm.id} · {size} · {lm.dtype} on {lm.device} · revision {lm.revision}"


def choose_device(device: str = "auto") -> str:
    """Return the device to use; an explicit choice that is not there is a ValueError."""
    import torch

    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    usable = [name for name, is_here in present.items() if is_here]
    if device == "auto":
        return usable[0]
    if device not in usable:
        absent = f" ({device} is not available here)" if device in present else ""
        raise ValueError(f"device must be one of auto, {', '.join(usable)}{absent}, got {device}")
    return device


def choose_dtype(dtype: str, device: str) -> str:
    """Return the precision to use on a device."""
    import torch

    if dtype == "auto":
        if device != "cuda":
            return "float32"
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float16"
    if dtype not in DTYPES:
        raise ValueError(f"dtype must be one of auto, {', '.join(DTYPES)}, got {dtype}")
    return dtype


def _load(card: ModelCard, device: str, dtype: str, progress: Progress | None) -> CausalLM:
    from safetensors import SafetensorError

    if device == "cpu":
        # transformers repeats keys and values for grouped queries behind a mask, to spare CUDA a slow kernel;
        # on a CPU torch's own grouped attention is about twice as fast.
        os.environ.setdefault("TRANSFORMERS_SDPA_FORCE_GQA", "1")
    try:
        folder = fetch(card.source, progress)
        try:
            model, tokenizer = _from_folder(card, folder, dtype)
        except SafetensorError:  # decayed on the disk without a trace in its time stamp
            folder = fetch(card.source, progress, verify=True)
            model, tokenizer = _from_folder(card, folder, dtype)
        model = model.to(device).eval().requires_grad_(False)
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, MemoryError) or _OUT_OF_MEMORY.search(str(error)):
            raise MemoryError(_too_big(card, device, dtype)) from error
        raise
    limits = (getattr(model.config, "max_position_embeddings", None), tokenizer.model_max_length)
    manifest = manifest_of(card.source)
    return CausalLM(
        id=card.id,
        revision=manifest.revision if manifest else "unknown",
        model=model,
        tokenizer=tokenizer,
        device=device,
        dtype=dtype,
        max_tokens=min(limit for limit in limits if limit),
        has_chat_template=bool(tokenizer.chat_template),
        end_tokens=_end_tokens(model, tokenizer),
    )


def _end_tokens(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase") -> frozenset[int]:
    """Collect what ends an answer; a chat model may end its turn otherwise than its tokenizer a text."""
    named = model.generation_config.eos_token_id if model.generation_config else None
    listed = named if isinstance(named, list) else [named]
    return frozenset(token for token in (*listed, tokenizer.eos_token_id) if token is not None)


def _from_folder(card: ModelCard, folder: Path, dtype: str):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    only_ours = {"trust_remote_code": False, "local_files_only": True}
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **only_ours)
        model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=getattr(torch, dtype), use_safetensors=True, **only_ours
        )
    except ValueError as error:
        if "trust_remote_code" in str(error):
            why = "it brings Python code of its own, which the lab never runs"
        elif "Unrecognized" in str(error) or "model type" in str(error):
            why = "it is not a causal language model that this version of transformers knows"
        else:
            why = str(error).split("\n")[0]
        raise ValueError(f"model {card.id} cannot be loaded: {why}") from error
    return model, tokenizer


def _check_it_fits(card: ModelCard, device: str, dtype: str) -> None:
    """Refuse before the download what cannot fit: overfilling memory kills the process without a word."""
    needed = memory_needed(card, dtype)
    if needed is not None and (there := _memory_of(device)) is not None and needed > there:
        raise MemoryError(f"{_too_big(card, device, dtype)} There are {there / 1e9:.1f} GB in all.")


def _memory_of(device: str) -> int | None:
    if device == "cuda":
        import torch

        return torch.cuda.get_device_properties(0).total_memory
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not on Windows
        return None


def _too_big(card: ModelCard, device: str, dtype: str) -> str:
    needed = memory_needed(card, dtype)
    size = f", which takes about {needed / 1e9:.1f} GB," if needed else ""
    return f"{card.id} as {dtype}{size} does not fit on {device}; choose a smaller model or dtype=bfloat16."
