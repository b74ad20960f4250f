"""Random models of real classes with a byte-level tokenizer: small, and spread out enough to differ.

Weights are drawn wide (`initializer_range` 0.3), so that log-probabilities differ by nats between prompts.
"""

from pathlib import Path

from lab.learners.load import CausalLM

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
MAX_TOKENS = 8192
N_VOCABULARY = 300

_SIZES = {
    "vocab_size": N_VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": MAX_TOKENS,
    "initializer_range": 0.3,
    "bos_token_id": None,
    "eos_token_id": 0,
    "pad_token_id": None,
}
_GPT2_SIZES = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": MAX_TOKENS, "num_key_value_heads": 4}
_NEXT_SIZES = {
    "num_hidden_layers": 4,
    "head_dim": 8,
    "num_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 16,
    "shared_expert_intermediate_size": 16,
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 2,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
}
CONFIGS: dict[str, tuple[str, dict]] = {
    "llama": ("LlamaConfig", {}),
    "qwen2": ("Qwen2Config", {}),
    "qwen3": ("Qwen3Config", {"head_dim": 8}),
    "gpt2": ("GPT2Config", _GPT2_SIZES),
    "neox": ("GPTNeoXConfig", {"num_key_value_heads": 4}),
    "gemma3": (
        "Gemma3TextConfig",
        {"head_dim": 8, "sliding_window": 16, "layer_types": ["sliding_attention", "full_attention"]},
    ),
    "mistral": ("MistralConfig", {"head_dim": 8, "sliding_window": 16}),
    "bloom": ("BloomConfig", {"n_layer": 2, "n_head": 4}),
    "mpt": ("MptConfig", {"d_model": 32, "n_heads": 4, "n_layers": 2, "expansion_ratio": 2}),
    "gpt_neo": (
        "GPTNeoConfig",
        {"num_layers": 2, "num_heads": 4, "attention_types": [[["global", "local"], 1]], "window_size": 16},
    ),
    "mamba": ("MambaConfig", {"state_size": 8}),
    "rwkv": ("RwkvConfig", {"attention_hidden_size": 32}),
    "qwen3_next": ("Qwen3NextConfig", _NEXT_SIZES),
}


def tiny_network(kind: str = "llama", seed: int = 0):
    import torch
    import transformers

    name, sizes = CONFIGS[kind]
    config = getattr(transformers, name)(**{**_SIZES, **sizes})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = transformers.AutoModelForCausalLM.from_config(config)
    return model.eval().requires_grad_(False)


def tiny_tokenizer(chat_template: str | None = CHATML, bos: str | None = None, merges=(), splits_words=True):
    """Make a tokenizer of bytes and a few special tokens; `bos` is added to every text, as Llama's does."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *([bos] if bos else [])]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = [*special, *alphabet, *(a + b for a, b in merges)]
    bpe = Tokenizer(models.BPE({token: place for place, token in enumerate(vocabulary)}, list(merges)))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=splits_words)
    bpe.decoder = decoders.ByteLevel()
    if bos:
        bpe.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A", special_tokens=[(bos, special.index(bos))]
        )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        eos_token="<|endoftext|>",
        bos_token=bos,
        additional_special_tokens=["<|im_start|>", "<|im_end|>"],
        model_max_length=MAX_TOKENS,
    )
    tokenizer.chat_template = chat_template
    return tokenizer


def tiny_lm(kind: str = "llama", dtype: str = "float32", seed: int = 0) -> CausalLM:
    import torch

    model = tiny_network(kind, seed).to(getattr(torch, dtype))
    tokenizer = tiny_tokenizer()
    return CausalLM(f"tiny-{kind}", "none", model, tokenizer, "cpu", dtype, MAX_TOKENS, True, frozenset({0}))


def save_tiny_lm(folder: Path, kind: str = "llama", chat_template: str | None = CHATML) -> str:
    """Save a tiny model as a folder that the lab loads; return the folder, which is its id."""
    tiny_network(kind).save_pretrained(folder)
    tiny_tokenizer(chat_template).save_pretrained(folder)
    return str(folder)
