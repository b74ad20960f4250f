"""Turn a quantised GGUF file into plain float32 safetensors, once, so that every later load is fast.

Reading a GGUF takes transformers about half a minute; reading what it gave, saved as safetensors, under a
second. The numbers are those of the quantised file: dequantising restores no precision.
"""

from pathlib import Path


def dequantise(gguf_file: Path, folder: Path) -> None:
    """Write model.safetensors, config and tokenizer (with its chat template) of a GGUF file into a folder.

    Args:
        gguf_file: A `.gguf` of an architecture that transformers reads.
        folder: Where to write; it must exist.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    place = {"pretrained_model_name_or_path": str(gguf_file.parent), "gguf_file": gguf_file.name}
    tokenizer = AutoTokenizer.from_pretrained(**place)
    _restore_digit_splitting(tokenizer, gguf_file)
    quantised = AutoModelForCausalLM.from_pretrained(**place, dtype=torch.float32)
    # transformers refuses to save a model that it read from a GGUF: move its weights to one that it may save.
    config = quantised.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    weights = quantised.state_dict()
    with torch.device("meta"):
        plain = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    plain.load_state_dict(weights, assign=True)
    plain.tie_weights()
    plain.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _restore_digit_splitting(tokenizer, gguf_file: Path) -> None:
    """Split numbers into digits before byte-pair encoding, as SmolLM was trained.

    The GGUF says so (`tokenizer.ggml.pre` is "smollm"), but transformers reads only the GPT-2 part of it.
    """
    from gguf import GGUFReader
    from tokenizers import pre_tokenizers

    field = GGUFReader(gguf_file).fields.get("tokenizer.ggml.pre")
    if field is not None and field.contents() == "smollm":
        backend = tokenizer.backend_tokenizer
        digits = pre_tokenizers.Digits(individual_digits=True)
        backend.pre_tokenizer = pre_tokenizers.Sequence([digits, backend.pre_tokenizer])
