"""In-Context Brush: put a subject into a masked part of a picture, by changing attention and no weights.

The subject's panel lies above the target's on one canvas, and the fill branch draws what is masked in the
target. In every step attention is changed, head by head:

| here | released | blocks | what |
|---|---|---|---|
| `image` | 0.3 | double-stream | the target's output gets image · A[target, subject] V[subject] on top |
| `text` | 0.3 | double-stream | and text · A[target, text] V[text] |
| `heads` | 0.2 | all | a head's whole output is weighed 1 + heads · s |

A is the attention after its softmax over all tokens, V the values, s the head's sum of A[target, text],
scaled to 0..1 over the heads. One difference: the released code takes the whole lower panel for the target,
here it is the tokens that hold a pixel of the mask. Under guidance both passes are changed alike.

Source: Xu et al. 2025, In-Context Brush (arXiv:2505.20271), as its released attention processor computes it.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lab.images.caption import check, compose
from lab.images.grid import STACK
from lab.images.model import ImageModel
from lab.images.sampler import Given, Settings, sample, tokens_of

if TYPE_CHECKING:
    import torch


SETTINGS = Settings()


@dataclass(frozen=True)
class BrushStrength:
    """How far attention is changed, each 0 to 1; all 0 changes nothing.

    Args:
        image: How much of the subject's features is added to the target.
        text: How much of the caption's features is added to the target.
        heads: How much the head that attends most to the caption is amplified.
    """

    image: float = 0.3
    text: float = 0.3
    heads: float = 0.2

    def __post_init__(self):
        for name in (field.name for field in fields(self)):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be 0 to 1, got {getattr(self, name)}")


@dataclass(frozen=True, eq=False)
class Insertion:
    """What is to be put where.

    Args:
        subject: RGB, uint8, shape (side, side, 3): the subject on a plain ground.
        target: RGB, uint8, same shape: the picture that it is to be put into.
        mask: Where, bool, shape (side, side).
        text: What the target will show.
        subject_text: What the subject's panel shows; None takes `text`.

    Raises:
        ValueError: These do not fit each other, or the mask is empty.
    """

    subject: np.ndarray
    target: np.ndarray
    mask: np.ndarray
    text: str
    subject_text: str | None = None

    def __post_init__(self):
        for name, picture in (("subject", self.subject), ("target", self.target)):
            shape = picture.shape
            if picture.dtype != np.uint8 or len(shape) != 3 or shape[0] != shape[1] or shape[2] != 3:
                raise ValueError(
                    f"the {name} must be uint8 of shape (side, side, 3), got {picture.dtype} of {shape}: "
                    "fit the picture into a panel first"
                )
        if self.subject.shape != self.target.shape:
            raise ValueError(
                f"subject and target must be of one size, got {self.subject.shape} and {self.target.shape}: "
                "fit both into a panel first"
            )
        if self.mask.dtype != bool or self.mask.shape != self.target.shape[:2]:
            raise ValueError(
                f"the mask must be bool of shape {self.target.shape[:2]}, "
                f"got {self.mask.dtype} of {self.mask.shape}"
            )
        if not self.mask.any():
            raise ValueError("the mask is empty: mark where the subject is to go")

    @property
    def caption(self) -> str:
        """Write the joint caption of subject and target."""
        above = self.text if self.subject_text is None else self.subject_text
        return compose((above, self.text), STACK)


def paint(
    model: ImageModel,
    insertion: Insertion,
    seed: int = 0,
    settings: Settings = SETTINGS,
    strength: BrushStrength = BrushStrength(),
) -> np.ndarray:
    """Put a subject into a picture.

    Args:
        model: A model with a fill branch.
        insertion: Subject, target, mask and texts.
        seed: Makes the noise.
        settings: Steps, guidance, positions.
        strength: How far attention is changed.

    Returns:
        The target, RGB, uint8, shape (side, side, 3); outside the mask its own pixels.

    Raises:
        ValueError: The pictures do not have the model's size, the caption can't be used, or the model has no
            fill branch.
    """
    if insertion.target.shape[0] != model.side:
        raise ValueError(
            f"{model.id} draws panels of {model.side} × {model.side} pixels, got "
            f"{insertion.target.shape[0]} × {insertion.target.shape[1]}: fit the pictures into panels first"
        )
    if errors := [each.message for each in check(insertion.caption, STACK) if each.is_error]:
        raise ValueError(" ".join(errors))
    mask = np.concatenate([np.zeros_like(insertion.mask), insertion.mask])
    canvas = STACK.join(np.stack([insertion.subject, insertion.target]))
    text = model.encode_text([insertion.caption], STACK)
    subject_tokens = tokens_of(STACK, *model.latent_size(STACK), (True, False))
    target_tokens = tokens_in(mask, 2 * model.pipeline.vae_scale_factor)
    given = Given(canvas[None], (True, False), "fill", mask)
    with brushed(model, subject_tokens, target_tokens, model.n_tokens(STACK), strength):
        *_, last = sample(model, text, STACK, [seed], settings, given)
    _, drawn = STACK.split(model.to_pixels(last.packed, STACK))[0]
    return np.where(insertion.mask[..., None], drawn, insertion.target)


def tokens_in(mask: np.ndarray, n_pixels: int) -> "torch.Tensor":
    """Mark the tokens of a canvas that hold a marked pixel, bool, shape (tokens,).

    Args:
        mask: Bool, shape (height, width), both multiples of `n_pixels`.
        n_pixels: Pixels of a token's side.
    """
    import torch

    height, width = mask.shape
    cells = mask.reshape(height // n_pixels, n_pixels, width // n_pixels, n_pixels)
    return torch.from_numpy(cells.any(axis=(1, 3)).ravel())


@contextmanager
def brushed(
    model: ImageModel,
    subject_tokens: "torch.Tensor",
    target_tokens: "torch.Tensor",
    n_text: int,
    strength: BrushStrength = BrushStrength(),
) -> Iterator[None]:
    """Change the attention of a model's fill transformer, until the block ends.

    Args:
        model: A model with a fill branch.
        subject_tokens: Which tokens of the canvas show the subject, bool, shape (tokens,).
        target_tokens: Which tokens are to be drawn, bool, same shape.
        n_text: Caption tokens, which come before the canvas.
        strength: How far.

    Raises:
        ValueError: The model has no fill branch, or the tokens are none, overlap or differ in number.
    """
    transformer = model.fill_transformer
    if subject_tokens.shape != target_tokens.shape:
        raise ValueError(
            f"subject and target must be marked on the same tokens, got "
            f"{tuple(subject_tokens.shape)} and {tuple(target_tokens.shape)}"
        )
    if not subject_tokens.any() or not target_tokens.any():
        raise ValueError("subject and target need one token or more each: mark a larger region")
    if (subject_tokens & target_tokens).any():
        raise ValueError("subject and target share tokens: keep the mask out of the subject's panel")
    before = transformer.attn_processors
    transformer.set_attn_processor(_BrushProcessor(subject_tokens, target_tokens, n_text, strength))
    try:
        yield
    finally:
        transformer.set_attn_processor(before)


class Places(NamedTuple):
    """Where text, subject and target stand in the sequence that attention sees, the text being first."""

    n_text: int
    subject: "torch.Tensor"  # (n_subject,), places in the sequence
    target: "torch.Tensor"  # (n_target,)


def brushed_heads(attended, query, key, value, places: Places, strength: BrushStrength, is_double: bool):
    """Shift what the target's tokens attended to, and weigh the heads.

    Args:
        attended: What attention answers, shape (n, tokens, heads, width); it is not changed.
        query: Normalised and rotated, same shape.
        key: Likewise.
        value: Same shape.
        places: Text, subject and target.
        strength: How far.
        is_double: Whether the block has a stream for text and one for the canvas; only there targets shift.

    Returns:
        Same shape.
    """
    import torch

    n_text, subject, target = places
    scores = torch.einsum("nthd,nshd->nhts", query[:, target], key).float() / math.sqrt(query.shape[-1])
    attention = scores.softmax(dim=-1)  # (n, heads, n_target, tokens)
    if is_double:
        of_image, of_text = attention[..., subject].to(value), attention[..., :n_text].to(value)
        shift = strength.image * torch.einsum("nhts,nshd->nthd", of_image, value[:, subject])
        shift = shift + strength.text * torch.einsum("nhts,nshd->nthd", of_text, value[:, :n_text])
        attended = attended.index_add(1, target, shift)
    to_text = attention[..., :n_text].sum(dim=(2, 3))  # (n, heads)
    low, high = to_text.amin(dim=1, keepdim=True), to_text.amax(dim=1, keepdim=True)
    relative = (to_text - low) / (high - low).clamp_min(torch.finfo(to_text.dtype).eps)
    return attended * (1 + strength.heads * relative)[:, None, :, None].to(attended)


class _BrushProcessor:
    """A FLUX block's attention: the stock computation, with `brushed_heads` before its last layer."""

    def __init__(self, subject_tokens, target_tokens, n_text: int, strength: BrushStrength):
        self.n_tokens = n_text + len(target_tokens)
        subject, target = (tokens.nonzero()[:, 0] + n_text for tokens in (subject_tokens, target_tokens))
        self.places = Places(n_text, subject, target)
        self.strength = strength

    def __call__(
        self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, image_rotary_emb=None
    ):
        from diffusers.models.attention_dispatch import dispatch_attention_fn

        is_double = encoder_hidden_states is not None
        query, key, value = _projected(attn, hidden_states, encoder_hidden_states, image_rotary_emb)
        if key.shape[1] != self.n_tokens:
            raise ValueError(
                f"the brush was made for {self.n_tokens} tokens of text and canvas, got {key.shape[1]}: "
                "draw the canvas and caption length that it was made for"
            )
        attended = dispatch_attention_fn(query, key, value, attn_mask=attention_mask)
        places = Places(self.places.n_text, *(place.to(key.device) for place in self.places[1:]))
        attended = brushed_heads(attended, query, key, value, places, self.strength, is_double)
        merged = attended.flatten(2).to(query.dtype)
        if not is_double:
            return merged
        text, canvas = merged[:, : places.n_text], merged[:, places.n_text :]
        return attn.to_out[1](attn.to_out[0](canvas.contiguous())), attn.to_add_out(text.contiguous())


def _projected(attn, canvas, text, rotation):
    """Return the stock processor's queries, keys and values, shape (n, tokens, heads, width) each."""
    import torch
    from diffusers.models.embeddings import apply_rotary_emb

    query, key, value = (
        layer(canvas).unflatten(-1, (-1, attn.head_dim)) for layer in (attn.to_q, attn.to_k, attn.to_v)
    )
    query, key = attn.norm_q(query), attn.norm_k(key)
    if text is not None:  # in a single-stream block the text is part of the canvas already
        layers = (attn.add_q_proj, attn.add_k_proj, attn.add_v_proj)
        of_text = [layer(text).unflatten(-1, (-1, attn.head_dim)) for layer in layers]
        query = torch.cat([attn.norm_added_q(of_text[0]), query], dim=1)
        key = torch.cat([attn.norm_added_k(of_text[1]), key], dim=1)
        value = torch.cat([of_text[2], value], dim=1)
    if rotation is not None:
        query = apply_rotary_emb(query, rotation, sequence_dim=1)
        key = apply_rotary_emb(key, rotation, sequence_dim=1)
    return query, key, value
