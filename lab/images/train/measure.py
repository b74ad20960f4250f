"""Read what the base draws: panels by themselves and side by side, as captions describe them.

python -m lab.images.train.measure [--canvases N] [--steps N]
"""

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from lab.images.caption import compose
from lab.images.concepts import STYLES, concepts
from lab.images.grid import PAIR, SINGLE, SQUARE, Grid
from lab.images.panels import Panel
from lab.stats.intervals import estimate

if TYPE_CHECKING:
    from lab.images.model import ImageModel

GRIDS = {"single": SINGLE, "two side by side": PAIR, "two by two": SQUARE}
_SEED = 99


def measure(model: "ImageModel", n_canvases: int = 120, n_steps: int = 20) -> dict[str, Any]:
    """Draw canvases of independent panels and read each panel.

    Args:
        model: The base, no adapter counting.
        n_canvases: Canvases of each grid.
        n_steps: Denoising steps, with guidance 3.

    Returns:
        For each grid the number of panels and the shares whose concept, style, and both are read right, with
        95 % intervals that resample canvases.
    """
    return {name: _read(model, grid, n_canvases, n_steps) for name, grid in GRIDS.items()}


def _read(model: "ImageModel", grid: Grid, n: int, n_steps: int) -> dict[str, Any]:
    from lab.images.probe import load_probe, read_panels
    from lab.images.sampler import Settings, draw

    random = np.random.default_rng((_SEED, grid.n_panels))
    asked = [[_panel(random) for _ in range(grid.n_panels)] for _ in range(n)]
    captions = [compose([panel.text for panel in panels], grid) for panels in asked]
    drawn = draw(model, captions, grid, list(range(n)), Settings(n_steps))
    reading = read_panels(drawn.reshape(-1, *drawn.shape[2:]), load_probe())
    panels = [panel for each in asked for panel in each]
    is_word = np.array([read == panel.word for read, panel in zip(reading.words, panels, strict=True)])
    is_style = np.array([read == panel.style for read, panel in zip(reading.styles, panels, strict=True)])
    canvas = np.repeat(np.arange(n), grid.n_panels)
    shares = {"concept": is_word, "style": is_style, "both": is_word & is_style}
    return {
        "n_panels": len(panels),
        **{name: [round(figure, 3) for figure in estimate(each, canvas)] for name, each in shares.items()},
    }


def _panel(random: np.random.Generator) -> Panel:
    """Draw a concept in a style in which the base was shown it, large and on white."""
    concept = concepts()[random.integers(len(concepts()))]
    seen = [style for style in STYLES if style != concept.unseen_style]
    return Panel(concept.word, seen[random.integers(len(seen))])


def main(arguments: list[str] | None = None) -> int:
    """Measure the base that comes with the lab, and print the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m lab.images.train.measure")
    parser.add_argument("--canvases", type=int, default=120, help="canvases of each grid")
    parser.add_argument("--steps", type=int, default=20, help="denoising steps")
    asked = parser.parse_args(arguments)
    from lab.images.model import load_embedded

    print(json.dumps(measure(load_embedded(), asked.canvases, asked.steps), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
