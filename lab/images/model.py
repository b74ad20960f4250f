"""A diffusion transformer with its text encoders and autoencoder: the embedded one, or any FluxPipeline."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lab.images.concepts import ASSETS
from lab.images.grid import Grid
from lab.weights import WeightsError

if TYPE_CHECKING:
    import torch

EMBEDDED_ID = "flux-emoji"
EMBEDDED = ASSETS / EMBEDDED_ID
"""The pipeline that the project trained, as `save_pretrained` wrote it."""


class Text(NamedTuple):
    """Encoded captions: states (n, tokens, width), pooled (n, width), positions (tokens, 3)."""

    states: "torch.Tensor"
    pooled: "torch.Tensor"
    positions: "torch.Tensor"


@dataclass(frozen=True, eq=False)
class ImageModel:
    """A pipeline and what the lab needs to know of it.

    Args:
        id: "flux-emoji" or an id of the hub.
        pipeline: The loaded pipeline; its parts are used as they are.
        side: Pixels of a panel's side.
        n_tokens_per_panel: Caption tokens a panel; None where the pipeline always reads 512.
        fill: The transformer that fills masked canvases; None where there is none.
    """

    id: str
    pipeline: Any  # a FluxPipeline: diffusers sets its parts as attributes that no type checker sees
    side: int = 64
    n_tokens_per_panel: int | None = 16
    fill: Any = None

    @property
    def transformer(self) -> Any:
        """Return the network that denoises."""
        return self.pipeline.transformer

    @property
    def fill_transformer(self) -> Any:
        """Return the network that denoises what is masked and sees the rest.

        Raises:
            ValueError: The model has none; the message names the remedy.
        """
        if self.fill is None:
            raise ValueError(
                f"{self.id} has no fill branch: choose the mode blend or context, "
                "or train it: python -m lab.images.train fill"
            )
        return self.fill

    @property
    def device(self) -> "torch.device":
        """Tell where the transformer computes."""
        return self.pipeline._execution_device  # with offloading, not where the weights rest

    @property
    def dtype(self) -> "torch.dtype":
        """Tell the precision that the transformer computes with."""
        return self.transformer.dtype

    @cached_property
    def is_guidance_embedded(self) -> bool:
        """Tell whether guidance is an input of the transformer (FLUX.1-dev), not an unprompted pass."""
        return bool(self.transformer.config.guidance_embeds)

    def n_tokens(self, grid: Grid) -> int:
        """Count the caption tokens that a canvas is read with."""
        return 512 if self.n_tokens_per_panel is None else self.n_tokens_per_panel * grid.n_panels

    def encode_text(self, captions: Sequence[str], grid: Grid) -> Text:
        """Encode captions once; any number of canvases can share the result."""
        import torch

        with torch.no_grad():
            states, pooled, positions = self.pipeline.encode_prompt(
                list(captions), device=self.device, max_sequence_length=self.n_tokens(grid)
            )
        return Text(states.to(self.dtype), pooled.to(self.dtype), positions)

    def latent_size(self, grid: Grid) -> tuple[int, int]:
        """Return height and width of a canvas in latents."""
        height, width = grid.size(self.side)
        factor = self.pipeline.vae_scale_factor
        return height // factor, width // factor

    def to_latents(
        self, canvases: np.ndarray, batch: int = 32, is_hidden: np.ndarray | None = None
    ) -> "torch.Tensor":
        """Encode canvases to packed latents.

        Args:
            canvases: uint8, shape (n, height, width, 3).
            batch: Canvases at once.
            is_hidden: Pixels that count as mid-grey, bool, shape (n, height, width); None hides none.

        Returns:
            Shape (n, tokens, 4 · channels).
        """
        import torch

        from lab.images.flow import pack

        vae = self.pipeline.vae
        packed = []
        with torch.no_grad():
            for start in range(0, len(canvases), batch):
                pixels = torch.from_numpy(np.ascontiguousarray(canvases[start : start + batch]))
                values = pixels.permute(0, 3, 1, 2).to(vae.device, vae.dtype) / 127.5 - 1
                if is_hidden is not None:
                    hidden = torch.from_numpy(is_hidden[start : start + batch].copy())
                    values = values.masked_fill(hidden[:, None].to(vae.device), 0.0)
                latents = vae.encode(values).latent_dist.mode()
                packed.append(pack((latents - vae.config.shift_factor) * vae.config.scaling_factor))
        return torch.cat(packed).to(self.device, self.dtype)

    def to_pixels(self, packed: "torch.Tensor", grid: Grid, batch: int = 32) -> np.ndarray:
        """Decode packed latents to canvases, uint8, shape (n, height, width, 3)."""
        import torch

        from lab.images.flow import unpack

        vae = self.pipeline.vae
        drawn = []
        with torch.no_grad():
            for start in range(0, len(packed), batch):
                latents = unpack(packed[start : start + batch], *self.latent_size(grid))
                latents = (
                    latents.to(vae.device, vae.dtype) / vae.config.scaling_factor + vae.config.shift_factor
                )
                values = (vae.decode(latents).sample.float().clamp(-1, 1) + 1) * 127.5
                drawn.append(values.round().byte().permute(0, 2, 3, 1).cpu().numpy())
        return np.concatenate(drawn)


def has_fill() -> bool:
    """Tell whether the fill branch is there."""
    return (EMBEDDED / "fill" / "config.json").is_file()


def assemble(vae: Any, transformer: Any, encoder: Any) -> ImageModel:
    """Put parts together; the encoder reads the text for both slots."""
    from diffusers import FlowMatchEulerDiscreteScheduler, FluxPipeline

    pipeline: Any = FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=1.0),
        vae=vae,
        transformer=transformer,
        **_readers(encoder),
    )
    pipeline.set_progress_bar_config(disable=True)
    return ImageModel(EMBEDDED_ID, pipeline)


def save_pipeline(vae: Any, transformer: Any, folder: Path) -> None:
    """Write what the project trained as a pipeline whose text parts are left open, in files of 15 MB."""
    from diffusers import FlowMatchEulerDiscreteScheduler, FluxPipeline

    unread = dict.fromkeys(("text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2"))
    pipeline: Any = FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=1.0), vae=vae, transformer=transformer, **unread
    )
    pipeline.save_pretrained(folder, max_shard_size="15MB")


def load_embedded(folder: Path = EMBEDDED, device: str = "cpu", encoder: Any = None) -> ImageModel:
    """Load the pipeline that the project trained and its fill branch, in float32 (bfloat16 on CUDA).

    Args:
        folder: Where `save_pipeline` wrote it.
        device: Where it computes.
        encoder: What reads the text; None takes what it was trained with.

    Raises:
        WeightsError: The folder holds no pipeline, or the text encoder can't be had; the message names the
            remedy.
    """
    import torch

    from lab.images.text import load_encoder

    if not (folder / "model_index.json").is_file():
        raise WeightsError(
            "the image model is not trained yet: no pipeline in assets/images/flux-emoji. "
            "To train it (hours on two cores): python -m lab.images.train all"
        )
    quiet_loading()
    from diffusers import FluxPipeline, FluxTransformer2DModel

    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    pipeline = FluxPipeline.from_pretrained(
        folder, dtype=dtype, local_files_only=True, **_readers(encoder or load_encoder(folder))
    ).to(device)
    pipeline.set_progress_bar_config(disable=True)
    for part in (pipeline.transformer, pipeline.vae):
        part.requires_grad_(False).eval()
    fill = None
    if (folder / "fill" / "config.json").is_file():
        fill = FluxTransformer2DModel.from_pretrained(folder / "fill", dtype=dtype, local_files_only=True)
        fill.to(device).requires_grad_(False).eval()
    return ImageModel(EMBEDDED_ID, pipeline, fill=fill)


def quiet_loading() -> None:
    """Keep what diffusers and transformers say while they load to errors, without bars of their own."""
    import warnings

    from transformers.utils import logging as of_transformers

    # more than one adapter in a model is what the lab is for
    warnings.filterwarnings("ignore", message="Already found a `peft_config`")

    of_transformers.set_verbosity_error()  # before diffusers is imported, which makes it talk
    of_transformers.disable_progress_bar()
    from diffusers.utils import logging as of_diffusers

    of_diffusers.set_verbosity_error()
    of_diffusers.disable_progress_bar()


def _readers(encoder: Any) -> dict[str, Any]:
    from lab.images.vocabulary import tokenizer

    return {
        "text_encoder": encoder,
        "text_encoder_2": encoder,
        "tokenizer": tokenizer(),
        "tokenizer_2": tokenizer(),
    }
