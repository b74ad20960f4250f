"""What a few examples of a task have in common, as one vector: the condition from which a LoRA is made.

The base reads the examples, half dissolved in noise, with their captions. Its text encoder says what the
captions have in common, its last double block what the canvases have.

Source: Shao et al. 2025, In-Context Meta LoRA Generation (arXiv:2501.17635): the mean, over samples of a
task, of a hidden state of the last layer. Theirs is a decoder's last token; a diffusion transformer has none,
so that image tokens are averaged here, and the pooled caption is put in front.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lab.images.adapters import weigh
from lab.images.flow import noised
from lab.images.model import ImageModel
from lab.images.sets import ImageSet
from lab.images.tune import prepare

if TYPE_CHECKING:
    import torch

N_EXAMPLES = 5
TIME = 0.5
"""How far the canvases are dissolved: 0 a picture, 1 noise."""
_NOISE_SEED = 5


def task_vector(model: ImageModel, examples: Sequence[ImageSet]) -> "torch.Tensor":
    """Read a task from examples.

    Args:
        model: The model; the base alone reads, and afterwards no adapter counts until some are weighed again.
        examples: Sets of one grid, `N_EXAMPLES` by default elsewhere; any number from 1.

    Returns:
        Float32 on the CPU, shape (n_text + width,): the mean of the captions' pooled vectors, then the mean
        hidden state of image tokens behind the last double block. The same for the same examples.

    Raises:
        ValueError: No example, or examples of several grids.
    """
    import torch

    prepared = prepare(model, examples)
    weigh(model, {})
    generator = torch.Generator().manual_seed(_NOISE_SEED)
    noise = torch.randn(prepared.clean.shape, generator=generator).to(prepared.clean)
    time = torch.full([len(examples)], TIME).to(prepared.clean)
    with torch.no_grad(), captured(model.transformer.transformer_blocks[-1]) as states:
        model.transformer(
            hidden_states=noised(prepared.clean, noise, time),
            timestep=time,
            encoder_hidden_states=prepared.text.states,
            pooled_projections=prepared.text.pooled,
            img_ids=prepared.positions,
            txt_ids=prepared.text.positions,
            guidance=torch.ones_like(time) if model.is_guidance_embedded else None,
        )
    (hidden,) = states
    return torch.cat([prepared.text.pooled.mean(0), hidden.mean((0, 1))]).float().cpu()


@contextmanager
def captured(block: Any) -> "Iterator[list[torch.Tensor]]":
    """Keep the image tokens that leave a double block, shape (n, tokens, width) a pass, until the end."""
    states: list[torch.Tensor] = []
    hook = block.register_forward_hook(lambda module, inputs, output: states.append(output[1]))
    try:
        yield states
    finally:
        hook.remove()
