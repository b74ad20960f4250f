"""A short description of LoRA vectors: how far each lies from their mean along a few directions.

Vectors have tens of thousands of numbers and there are a few hundred of them, so that they span a few hundred
directions at most, and most of what tells them apart lies in a few dozen. Every number is first brought to
mean 0 and deviation 1 over the collection, as in ICM-LoRA; principal components then take the place of its
convolutions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

FLOOR = 0.1
"""The least deviation of a number, as a fraction of the root mean square deviation in its tensor."""
_TINY = 1e-8


@dataclass(frozen=True, eq=False)
class Basis:
    """Directions in the space of normalised vectors.

    Args:
        mean: Of every number, shape (n_numbers,).
        std: Its deviation, floored, same shape.
        components: Orthonormal, most telling first, shape (n_components, n_numbers).
        scale: Root mean square of a coefficient in the collection, by which coefficients are divided.
    """

    mean: "torch.Tensor"
    std: "torch.Tensor"
    components: "torch.Tensor"
    scale: float

    @property
    def n_components(self) -> int:
        """Count the directions."""
        return len(self.components)

    def coefficients(self, vectors: "torch.Tensor") -> "torch.Tensor":
        """Describe vectors (…, n_numbers) by coefficients (…, n_components)."""
        return ((vectors - self.mean) / self.std) @ self.components.T / self.scale

    def vectors(self, coefficients: "torch.Tensor") -> "torch.Tensor":
        """Turn coefficients (…, n_components) into vectors (…, n_numbers)."""
        return coefficients * self.scale @ self.components * self.std + self.mean

    def explained(self, vectors: "torch.Tensor") -> float:
        """Return which share of the variance of normalised vectors the directions hold, 0..1."""
        lost = (self.vectors(self.coefficients(vectors)) - vectors) / self.std
        whole = (vectors - self.mean) / self.std
        return 1 - float((lost**2).sum() / (whole**2).sum())


def fit_basis(vectors: "torch.Tensor", tensor_sizes: Sequence[int], n_components: int) -> Basis:
    """Find the directions in which a collection of vectors varies most.

    Args:
        vectors: Float32, shape (n, n_numbers), n at least 2.
        tensor_sizes: How many numbers belong to each tensor of a LoRA, in order; they sum to n_numbers.
        n_components: How many directions; no more than n - 1 are kept.

    Raises:
        ValueError: Too few vectors, or sizes that do not sum up.
    """
    import torch

    n, n_numbers = vectors.shape
    if n < 2:
        raise ValueError(f"a basis needs two vectors or more, got {n}")
    if sum(tensor_sizes) != n_numbers:
        raise ValueError(f"tensors of {sum(tensor_sizes)} numbers can't make up vectors of {n_numbers}")
    mean, std = vectors.mean(0), vectors.std(0, correction=0)
    floors = [part.square().mean().sqrt().expand(len(part)) for part in std.split(list(tensor_sizes))]
    std = torch.maximum(std, FLOOR * torch.cat(floors)).clamp(min=_TINY)
    whole = (vectors - mean) / std
    _, sizes, directions = torch.linalg.svd(whole, full_matrices=False)
    n_kept = min(n_components, n - 1)
    scale = float((sizes[:n_kept].square().sum() / (n * n_kept)).sqrt().clamp(min=_TINY))
    return Basis(mean, std, directions[:n_kept].contiguous(), scale)
