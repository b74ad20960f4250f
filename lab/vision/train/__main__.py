"""Make what is under assets/vision from nothing; what was broken off goes on where it stopped.

python -m lab.vision.train all [--work DIR] [--threads N]
python -m lab.vision.train ready | segic | painter | emphasised | longer | last | stacker | concatenated
"""

import sys

from lab.training.command import run_parts
from lab.vision.train import COMMAND, parts

PARTS = {
    "ready": parts.ready,
    "segic": parts.segic,
    "painter": parts.painter,
    "emphasised": parts.emphasised,
    "longer": parts.longer,
    "last": parts.last,
    "stacker": parts.stacker,
    "concatenated": parts.concatenated,
}

if __name__ == "__main__":
    sys.exit(run_parts(COMMAND, PARTS, "Make what is under assets/vision from nothing."))
