"""Points (x, y) with a query last: how they are arranged, written and judged in words."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from lab.worlds.world import Plain, Replies

if TYPE_CHECKING:
    import torch

LAYOUTS = {
    "drawn": "as drawn",
    "reversed": "reversed",
    "nearest-last": "the nearest points last",
    "half": "the first half alone",
}
"""How the points of a context can be arranged while its query stays."""


class Points(NamedTuple):
    """Contexts: x (n, n_points + 1, d), the query's last, and y (n, n_points + 1), its answer last."""

    x: "torch.Tensor"
    y: "torch.Tensor"

    @property
    def target(self) -> "torch.Tensor":
        """Return the right answers, (n,)."""
        return self.y[:, -1]

    def at(self, places: "torch.Tensor") -> "Points":
        """Take the points of each context that stand at these places, (n, m), and the query after them."""
        import torch

        places = torch.cat([places, torch.full((len(places), 1), self.y.shape[1] - 1)], 1)
        x = self.x.gather(1, places[:, :, None].expand(-1, -1, self.x.shape[2]))
        return Points(x, self.y.gather(1, places))


def tokens(batch: Points, x_spread: float, y_spread: float) -> "torch.Tensor":
    """Lay each x together with the pair before it: a token says "x?" and what the last answer was.

    Args:
        batch: Points; x and y are divided by their spreads.
        x_spread: About the standard deviation of x.
        y_spread: That of y.

    Returns:
        x, the x before, the y before, and 1, shape (n, n_points + 1, 2 · d + 2). No pair stands before the
        first x: the rest of its token is 0.
    """
    import torch

    x, y = batch.x / x_spread, batch.y[..., None] / y_spread
    pairs = torch.cat([x, y, torch.ones_like(y)], -1)[:, :-1]
    return torch.cat([x, torch.cat([torch.zeros_like(pairs[:, :1]), pairs], 1)], -1)


def arranged(batch: Points, layout: str) -> Points:
    """Reverse the points, put those nearest to the query last, or show the first half of them alone."""
    import torch

    n, n_points = len(batch.y), batch.y.shape[1] - 1
    if layout == "drawn":
        return batch
    if layout == "reversed":
        return batch.at(torch.arange(n_points).flip(0).expand(n, -1))
    if layout == "nearest-last":
        distances = (batch.x[:, :-1] - batch.x[:, -1:]).norm(dim=2)
        return batch.at(distances.argsort(dim=1, descending=True))
    if layout == "half":
        return batch.at(torch.arange((n_points + 1) // 2).expand(n, -1))
    raise ValueError(f"layout must be one of {', '.join(LAYOUTS)}, got {layout!r}")


def sides(values: "torch.Tensor") -> list[str]:
    """Say on which side of 0 each value lies."""
    return ["above 0" if value > 0 else "below 0" for value in values.tolist()]


def replies(answered: "torch.Tensor", batch: Points) -> Replies:
    """Say on which side of 0 the answers, shape (n,), and the right ones lie; no words to choose from."""
    return Replies(sides(answered), sides(batch.target), [{} for _ in answered])


def point_word(x: list[float]) -> str:
    """Write an x: "0.3", or "(0.3, -1.2)" where it is of several numbers."""
    numbers = ", ".join(f"{each:.1f}" for each in x)
    return numbers if len(x) == 1 else f"({numbers})"


def read_points(text: str, d: int, most: int) -> Points:
    """Read points that a person wrote, all of them given.

    Args:
        text: Such as "-2:0.5 0:1.0", or "1,0,2:0.5" where an x is of several numbers.
        d: Numbers that make an x; those that are left away are 0.
        most: How many points there may be.

    Raises:
        ValueError: They can't be read, are too many or none; says how they are written.
    """
    import torch

    words = text.split()
    if not 1 <= len(words) <= most:
        raise ValueError(f"1 to {most} points are needed, got {len(words)}: write x:y, such as -2:0.5")
    x, y = zip(*(_read_point(word, d) for word in words), strict=True)
    return Points(torch.tensor([x]), torch.tensor([y]))


def _read_point(word: str, d: int) -> tuple[list[float], float]:
    try:
        before, after = word.split(":")
        x, y = [float(each) for each in before.split(",")], float(after)
    except ValueError:
        raise ValueError(f"{word!r} is no point: write x:y, such as -2:0.5, and a space after it") from None
    if not all(math.isfinite(each) for each in [*x, y]):
        raise ValueError(f"{word!r} is no point: its numbers must be finite")
    if len(x) > d:
        raise ValueError(f"an x is of {d} {'number' if d == 1 else 'numbers'} here, got {len(x)} in {word!r}")
    return x + [0.0] * (d - len(x)), y


class OfPoints(Plain):
    """What worlds of points have in common; a world takes it as its parent."""

    layouts: ClassVar[Mapping[str, str]] = LAYOUTS

    def arranged(self, batch: Points, layout: str) -> Points:
        """Move the points of every context; see `arranged`."""
        return arranged(batch, layout)

    def written(self, batch: Points) -> list[str]:
        """Write points such as "(0.3, -1.2)→0.5", the query's y as "?"."""
        texts = []
        for points, values in zip(batch.x.tolist(), batch.y.tolist(), strict=True):
            told = [f"{value:.1f}" for value in values[:-1]] + ["?"]
            pairs = zip(points, told, strict=True)
            texts.append(" ".join(f"{point_word(point)}→{value}" for point, value in pairs))
        return texts

    def positions(self, batch: Points, row: int) -> list[str]:
        """Name `tokens` by the y that each brings and the x that it asks: "0.5, 1.2?", or "0.5, x3?"."""
        is_short = batch.x.shape[2] == 1
        told = ["", *(f"{y:.1f}, " for y in batch.y[row, :-1].tolist())]
        asked = [
            point_word(x) if is_short else f"x{place}" for place, x in enumerate(batch.x[row].tolist(), 1)
        ]
        return [f"{before}{each}?" for before, each in zip(told, asked, strict=True)]
