"""A pipeline of the real classes with small random weights: it draws noise, and every path is real."""

from functools import cache
from pathlib import Path

import torch
from diffusers import FluxTransformer2DModel

from lab.images.components import new_transformer, new_vae
from lab.images.model import ImageModel, assemble
from lab.images.text import new_encoder
from lab.images.vocabulary import MAX_TOKENS, fast_tokenizer, tokenizer
from lab.learners.embedder import N_DIMENSIONS


def tiny_model(seed: int = 0) -> ImageModel:
    """Return a random model whose output depends on its text, times and positions."""
    torch.manual_seed(seed)
    transformer = new_transformer(width=64)
    with torch.no_grad():  # the last layer is zero at first, which would make every picture the same
        for parameter in transformer.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape))
    vae = new_vae()
    for module in (vae, transformer):
        module.eval().requires_grad_(False)
    return assemble(vae, transformer, tiny_encoder())


@cache
def tiny_encoder() -> torch.nn.Module:
    """Return a text encoder of one random layer, which reads the real tokens."""
    from transformers import BertConfig, BertModel

    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=fast_tokenizer().get_vocab_size(),
        hidden_size=N_DIMENSIONS,
        num_hidden_layers=1,
        num_attention_heads=6,
        intermediate_size=64,
    )
    return new_encoder(BertModel(config).eval(), torch.zeros(N_DIMENSIONS), torch.ones(N_DIMENSIONS))


def save_tiny_hub_pipeline(folder: Path) -> FluxTransformer2DModel:
    """Save a pipeline as the hub holds them, with a CLIP and a T5 of its own; return its transformer."""
    from diffusers import FlowMatchEulerDiscreteScheduler, FluxPipeline
    from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel

    model, width = tiny_model(), 32
    n_words = fast_tokenizer().get_vocab_size()
    clip = CLIPTextConfig(
        vocab_size=n_words, hidden_size=width, intermediate_size=width, num_hidden_layers=1,
        num_attention_heads=2, max_position_embeddings=MAX_TOKENS, pad_token_id=0, eos_token_id=2,
    )  # fmt: skip
    t5 = T5Config(vocab_size=n_words, d_model=width, d_kv=16, d_ff=width, num_layers=1, num_heads=2)
    torch.manual_seed(2)
    widths = {"joint_attention_dim": width, "pooled_projection_dim": width}
    transformer = FluxTransformer2DModel.from_config({**model.transformer.config, **widths})
    with torch.no_grad():
        for parameter in transformer.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape))
    FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=1.0),
        vae=model.pipeline.vae,
        text_encoder=CLIPTextModel(clip),
        tokenizer=tokenizer(),
        text_encoder_2=T5EncoderModel(t5),
        tokenizer_2=tokenizer(),
        transformer=transformer,
    ).save_pretrained(folder)
    return transformer
