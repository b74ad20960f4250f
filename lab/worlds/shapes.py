"""Small pictures made of three factors: which shape, which hue, what size.

A picture of 12 x 12 pixels in colour shows a shape in one of nine places near its middle. The place is none
of the factors. Who reads them has to see shapes, not single pixels.
"""

from typing import TYPE_CHECKING

from lab.worlds.items import label_word

if TYPE_CHECKING:
    import torch

WORDS = (
    ("disc", "square", "triangle", "cross"),
    ("red", "green", "blue", "yellow"),
    ("tiny", "small", "large", "huge"),
)
"""Names of the values, by factor: shape, hue, size."""
N_FACTORS, N_VALUES = len(WORDS), len(WORDS[0])
SIDE = 12
N_PIXELS = 3 * SIDE * SIDE
_HUES = ((0.9, 0.2, 0.2), (0.2, 0.8, 0.3), (0.25, 0.35, 0.95), (0.9, 0.8, 0.15))
_RADII = (2.0, 2.7, 3.4, 4.1)
_SHIFTS = (-1.0, 0.0, 1.0)
N_PLACES = len(_SHIFTS) ** 2


def pictures() -> "torch.Tensor":
    """Draw every picture without noise, shape (4, 4, 4, 9, 432): shape, hue, size, place, pixels."""
    import torch

    line = torch.arange(SIDE) - (SIDE - 1) / 2
    shifts = torch.tensor(_SHIFTS)
    y = (line[None, :, None] - shifts[:, None, None])[:, None].expand(-1, len(_SHIFTS), -1, SIDE)
    x = (line[None, None, :] - shifts[:, None, None])[None].expand(len(_SHIFTS), -1, SIDE, -1)
    masks = torch.stack(
        [torch.stack([_mask(shape, x, y, radius) for radius in _RADII]) for shape in WORDS[0]]
    )
    hues = torch.tensor(_HUES)
    coloured = masks[:, None, ..., None, :, :] * hues[None, :, None, None, None, :, None, None]
    return coloured.reshape(N_VALUES, N_VALUES, N_VALUES, N_PLACES, N_PIXELS)


def name_of(values: list[int]) -> str:
    """Name a picture such as "red tiny disc" by its shape, hue and size."""
    shape, hue, size = values
    return f"{WORDS[1][hue]} {WORDS[2][size]} {WORDS[0][shape]}"


def read_pictures(text: str, limit: int) -> tuple[list[list[int]], list[int]]:
    """Read pictures with labels such as "red tiny disc=b, blue huge cross", the last without a label.

    Args:
        text: The words of a picture in any order.
        limit: The most pictures there may be.

    Returns:
        Values of each picture (shape, hue, size), and a label for each but the last.

    Raises:
        ValueError: It can't be read; says why.
    """
    *shown, query = [each.strip() for each in text.split(",")]
    if not 1 <= len(shown) < limit:
        raise ValueError(f"write 1 to {limit - 1} pictures with labels, then one without, got {len(shown)}")
    names, _, last_label = query.partition("=")
    if last_label.strip(" ?"):
        raise ValueError(f"the last picture is the query and has no label, got {query!r}")
    values, labels = [], []
    for each in shown:
        name, _, label = each.partition("=")
        values.append(_values(name))
        labels.append(_label(label.strip(), each))
    return [*values, _values(names)], labels


def _values(name: str) -> list[int]:
    words = name.split()
    found = [[known.index(word) for word in words if word in known] for known in WORDS]
    if len(words) != N_FACTORS or not all(found):
        raise ValueError(f"a picture is a hue, a size and a shape such as 'red tiny disc', got {name!r}")
    return [each[0] for each in found]


def _label(word: str, told: str) -> int:
    known = [label_word(each) for each in range(N_VALUES)]
    if word not in known:
        raise ValueError(
            f"a picture's label is one of {', '.join(known)}, as in 'red tiny disc=b', got {told!r}"
        )
    return known.index(word)


def _mask(shape: str, x: "torch.Tensor", y: "torch.Tensor", radius: float) -> "torch.Tensor":
    """Return how much of each pixel a shape covers: 1 inside, 0 outside, between them at its edge."""
    import torch

    if shape == "disc":
        outside = torch.hypot(x, y) - radius
    elif shape == "square":
        outside = torch.maximum(x.abs(), y.abs()) - 0.85 * radius
    elif shape == "triangle":
        outside = torch.maximum(1.7 * x.abs() + 0.9 * y - 0.9 * radius, -y - radius) * 0.6
    else:
        arms = (torch.minimum(x.abs(), y.abs()) - 0.3 * radius, torch.maximum(x.abs(), y.abs()) - radius)
        outside = torch.maximum(*arms)
    return (0.5 - outside).clamp(0, 1)
