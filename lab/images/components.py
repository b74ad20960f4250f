"""The parts of the embedded model: classes of diffusers and transformers, small enough for two CPU cores.

| part | class | size |
|---|---|---|
| vae | AutoencoderKL, 4 × 4 pixels a latent, 8 channels | 1.5 M |
| transformer | FluxTransformer2DModel, 2 double and 4 single blocks of width 192 | 5.1 M |
| text_encoder | CLIPTextModel, one layer: the pooled vector | 0.6 M |
| text_encoder_2 | T5EncoderModel, two layers: the token states | 1.1 M |
"""

from typing import TYPE_CHECKING

from lab.images.vocabulary import MAX_TOKENS, N_WORDS

if TYPE_CHECKING:
    from diffusers import AutoencoderKL, FluxTransformer2DModel
    from transformers import CLIPTextModel, T5EncoderModel

N_CHANNELS = 8
"""Channels of a latent; packing takes 2 × 2 of them, so that a token carries 32 numbers and 8 × 8 pixels."""
N_FILL = 4 * (N_CHANNELS + N_CHANNELS + 4 * 4)
"""Channels of the fill branch's tokens: noisy latents, latents of the masked canvas, the mask's pixels."""
N_TEXT = 192
"""Width of the text states and of the pooled vector."""
_HEAD = 32


def new_vae() -> "AutoencoderKL":
    """Return an untrained autoencoder; a canvas of h × w pixels has latents of 8 × h/4 × w/4."""
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(24, 48, 96),
        layers_per_block=1,
        latent_channels=N_CHANNELS,
        norm_num_groups=8,
        sample_size=64,
        use_quant_conv=False,
        use_post_quant_conv=False,
        mid_block_add_attention=False,
        scaling_factor=1.0,
        shift_factor=0.0,
    )


def new_transformer(n_channels_in: int = 4 * N_CHANNELS, width: int = 192) -> "FluxTransformer2DModel":
    """Return an untrained transformer; `n_channels_in` is wider for the fill branch."""
    from diffusers import FluxTransformer2DModel

    return FluxTransformer2DModel(
        patch_size=1,
        in_channels=n_channels_in,
        out_channels=4 * N_CHANNELS,
        num_layers=2,
        num_single_layers=4,
        attention_head_dim=_HEAD,
        num_attention_heads=width // _HEAD,
        joint_attention_dim=N_TEXT,
        pooled_projection_dim=N_TEXT,
        guidance_embeds=False,
        axes_dims_rope=(8, 12, 12),
    )


def new_text_encoders() -> "tuple[CLIPTextModel, T5EncoderModel]":
    """Return the two untrained text encoders of a FluxPipeline: pooled vector, token states."""
    from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel

    pooled = CLIPTextConfig(
        vocab_size=N_WORDS,
        hidden_size=N_TEXT,
        intermediate_size=2 * N_TEXT,
        num_hidden_layers=1,
        num_attention_heads=6,
        max_position_embeddings=MAX_TOKENS,
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=3,
    )
    states = T5Config(
        vocab_size=N_WORDS,
        d_model=N_TEXT,
        d_kv=_HEAD,
        d_ff=2 * N_TEXT,
        num_layers=2,
        num_heads=6,
        dropout_rate=0.0,
        pad_token_id=0,
        eos_token_id=3,
        feed_forward_proj="gated-gelu",
        relative_attention_max_distance=64,
    )
    return CLIPTextModel(pooled), T5EncoderModel(states)
