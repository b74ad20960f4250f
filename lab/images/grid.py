"""How panels share a canvas: rows and columns, their markers in a caption, and their pixels."""

from dataclasses import dataclass

import numpy as np

TOKENS_PER_PANEL = 16
"""Caption tokens that a canvas gets for each of its panels."""


@dataclass(frozen=True)
class Grid:
    """Panels in reading order: left to right, then top to bottom.

    Args:
        rows: 1 or more.
        columns: 1 or more; at most four panels in all.
    """

    rows: int
    columns: int

    def __post_init__(self):
        if self.rows < 1 or self.columns < 1 or self.n_panels > 4:
            raise ValueError(f"a canvas holds 1 to 4 panels, got {self.rows} × {self.columns}")

    @property
    def n_panels(self) -> int:
        """Count the panels."""
        return self.rows * self.columns

    @property
    def n_tokens(self) -> int:
        """Count the caption tokens that this canvas is read with."""
        return TOKENS_PER_PANEL * self.n_panels

    @property
    def markers(self) -> tuple[str, ...]:
        """Name the places, in reading order; a single panel has no marker.

        >>> Grid(1, 2).markers, Grid(3, 1).markers
        (('[LEFT]', '[RIGHT]'), ('[TOP]', '[MIDDLE]', '[BOTTOM]'))
        """
        if self.n_panels == 1:
            return ("",)
        if min(self.rows, self.columns) > 1:
            return ("[TOP-LEFT]", "[TOP-RIGHT]", "[BOTTOM-LEFT]", "[BOTTOM-RIGHT]")
        if self.n_panels == 4:
            return tuple(f"[PANEL-{n}]" for n in range(1, 5))
        first, last = ("[LEFT]", "[RIGHT]") if self.rows == 1 else ("[TOP]", "[BOTTOM]")
        return (first, last) if self.n_panels == 2 else (first, "[MIDDLE]", last)

    def size(self, side: int) -> tuple[int, int]:
        """Return height and width of a canvas whose panels have this side, in pixels."""
        return self.rows * side, self.columns * side

    def join(self, panels: np.ndarray) -> np.ndarray:
        """Lay panels out on one canvas.

        Args:
            panels: Shape (n_panels, side, side, channels); also any batch of these in front.

        Returns:
            Shape (rows · side, columns · side, channels), with the same batch in front.
        """
        *batch, n, height, width, channels = panels.shape
        if n != self.n_panels:
            raise ValueError(f"a {self.rows} × {self.columns} canvas holds {self.n_panels} panels, got {n}")
        laid = panels.reshape(*batch, self.rows, self.columns, height, width, channels)
        laid = np.moveaxis(laid, -4, -3)  # rows, height, columns, width
        return laid.reshape(*batch, self.rows * height, self.columns * width, channels)

    def split(self, canvas: np.ndarray) -> np.ndarray:
        """Cut a canvas into its panels, the inverse of `join`.

        Raises:
            ValueError: If rows and columns do not divide the canvas.
        """
        *batch, height, width, channels = canvas.shape
        if height % self.rows or width % self.columns:
            raise ValueError(
                f"a canvas of {height} × {width} pixels can't be cut into {self.rows} × {self.columns}"
            )
        shape = (*batch, self.rows, height // self.rows, self.columns, width // self.columns, channels)
        return np.moveaxis(canvas.reshape(shape), -3, -4).reshape(
            *batch, self.n_panels, height // self.rows, width // self.columns, channels
        )


SINGLE, PAIR, STACK, ROW, COLUMN, SQUARE = (
    Grid(1, 1), Grid(1, 2), Grid(2, 1), Grid(1, 3), Grid(3, 1), Grid(2, 2)
)  # fmt: skip
