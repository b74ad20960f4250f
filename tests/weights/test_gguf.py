"""The default model: read from its GGUF once, then from safetensors. Downloads 93 MB the first time."""

import time
from pathlib import Path

import numpy as np
import pytest


def test_the_default_model_is_as_its_catalogue_says(default_model):
    assert default_model.has_chat_template
    assert default_model.max_tokens == 8192
    assert sum(weight.numel() for weight in default_model.model.parameters()) == 134_515_008
    assert default_model.model.config.tie_word_embeddings
    assert not hasattr(default_model.model.config, "quantization_config")


def test_the_default_model_knows_a_capital(default_model):
    import torch

    ids = default_model.tokenizer("The capital of France is", return_tensors="pt").input_ids
    with torch.inference_mode():
        token = default_model.model(ids).logits[0, -1].argmax()
    assert default_model.tokenizer.decode(token) == " Paris"


def test_numbers_are_split_into_digits_as_in_training(default_model):
    # Source: tokenizer.json of HuggingFaceTB/SmolLM2-135M-Instruct: Digits(individual), then ByteLevel.
    tokens = default_model.tokenizer.tokenize("a\n\n1. x  42")
    assert tokens == ["a", "ĊĊ", "1", ".", "Ġx", "ĠĠ", "4", "2"]


def test_special_tokens_and_template_survive_the_conversion(default_model):
    tokenizer = default_model.tokenizer
    assert (tokenizer.bos_token, tokenizer.eos_token) == ("<|im_start|>", "<|im_end|>")
    prompt = tokenizer.apply_chat_template(
        [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}],
        tokenize=False,
        add_generation_prompt=True,
    )
    assert prompt == (
        "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\n"
    )
    assert default_model.end_tokens == {2}


def write_tiny_llama(path: Path, pre_tokenizer: str) -> np.ndarray:
    """Write an unquantised one-layer llama with a byte-level vocabulary; return its embedding."""
    import gguf
    from tokenizers.pre_tokenizers import ByteLevel

    tokens = ["<|end|>", *sorted(ByteLevel.alphabet()), "ĠĠ"]
    width, hidden = 32, 64
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(64)
    writer.add_embedding_length(width)
    writer.add_block_count(1)
    writer.add_feed_forward_length(hidden)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre_tokenizer)
    writer.add_token_list(tokens)
    writer.add_token_types([3] + [1] * (len(tokens) - 1))
    writer.add_token_merges(["Ġ Ġ"])
    writer.add_eos_token_id(0)
    writer.add_bos_token_id(0)
    writer.add_unk_token_id(0)
    shapes = {
        "token_embd": (len(tokens), width),
        "output_norm": (width,),
        "blk.0.attn_norm": (width,),
        "blk.0.ffn_norm": (width,),
        **{f"blk.0.attn_{name}": (width, width) for name in ("q", "k", "v", "output")},
        "blk.0.ffn_gate": (hidden, width),
        "blk.0.ffn_up": (hidden, width),
        "blk.0.ffn_down": (width, hidden),
    }
    draw = np.random.default_rng(0)
    tensors = {name: draw.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    for name, tensor in tensors.items():
        writer.add_tensor(f"{name}.weight", tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return tensors["token_embd"]


@pytest.mark.parametrize(
    ("pre_tokenizer", "tokens"),
    [("smollm", ["a", "ĠĠ", "1", "2"]), ("gpt-2", ["a", "Ġ", "Ġ", "1", "2"])],
)
def test_a_gguf_gives_the_weights_that_were_put_in_and_its_own_way_with_digits(
    tmp_path, pre_tokenizer, tokens
):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from lab.weights.gguf import dequantise

    embedding = write_tiny_llama(tmp_path / "tiny.gguf", pre_tokenizer)
    out = tmp_path / "out"
    out.mkdir()
    dequantise(tmp_path / "tiny.gguf", out)
    model = AutoModelForCausalLM.from_pretrained(out, use_safetensors=True)
    np.testing.assert_array_equal(model.model.embed_tokens.weight.detach().numpy(), embedding)
    assert model.dtype == torch.float32
    assert AutoTokenizer.from_pretrained(out).tokenize("a  12") == tokens


def test_a_second_load_takes_seconds_not_half_a_minute(default_model):
    from lab.learners import load as loading

    loading.unload()
    start = time.perf_counter()
    loading.load("smollm2-135m", device="cpu")
    assert time.perf_counter() - start < 10
