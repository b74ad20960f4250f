"""The parts of the embedded model: classes of diffusers and transformers, small enough for two CPU cores.

| part | class | size |
|---|---|---|
| vae | AutoencoderKL, 4 × 4 pixels a latent, 8 channels | 1.5 M |
| transformer | FluxTransformer2DModel, 2 double and 4 single blocks of width 192 | 5.1 M |

Text is read by a sentence encoder that the project did not train; see `lab.images.text`.
"""

from typing import TYPE_CHECKING

from lab.learners.embedder import N_DIMENSIONS

if TYPE_CHECKING:
    from diffusers import AutoencoderKL, FluxTransformer2DModel

N_CHANNELS = 8
"""Channels of a latent; packing takes 2 × 2 of them, so that a token carries 32 numbers and 8 × 8 pixels."""
N_FILL = 4 * (N_CHANNELS + N_CHANNELS + 4 * 4)
"""Channels of the fill branch's tokens: noisy latents, latents of the masked canvas, the mask's pixels."""
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
        joint_attention_dim=N_DIMENSIONS,
        pooled_projection_dim=N_DIMENSIONS,
        guidance_embeds=False,
        axes_dims_rope=(8, 12, 12),
    )
