"""Train the weights under assets/images from nothing; what was broken off goes on where it stopped.

python -m lab.images.train all [--work DIR] [--threads N] [--device cuda]
python -m lab.images.train autoencoder | probe | base | canvases | longer | fill | copying | resizing
python -m lab.images.train loras | icm
"""

import sys

from lab.images.train import COMMAND, parts
from lab.training.command import run_parts

PARTS = {
    "autoencoder": parts.autoencoder,
    "probe": parts.probe,
    "base": parts.base,
    "canvases": parts.canvases,
    "longer": parts.longer,
    "fill": parts.fill,
    "copying": parts.copying,
    "resizing": parts.resizing,
    "loras": parts.loras,
    "icm": parts.icm,
}

if __name__ == "__main__":
    sys.exit(run_parts(COMMAND, PARTS, "Train the weights under assets/images from nothing."))
