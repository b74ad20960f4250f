"""Run the benchmarks named on the command line (all of them by default) and write benchmarks/latest.json."""

import argparse
import json
from pathlib import Path

from benchmarks import first_screen, image_sets, position_sweep, segmentation, worlds
from lab.runs.environment import environment

BENCHMARKS = {
    "position_sweep": position_sweep.measure,
    "first_screen": first_screen.measure,
    "image_sets": image_sets.measure,
    "segmentation": segmentation.measure,
    "worlds": worlds.measure,
}
LATEST = Path(__file__).with_name("latest.json")


def main() -> None:
    """Measure, print a line a figure, and write all figures to LATEST."""
    parser = argparse.ArgumentParser(prog="make bench ONLY=", description=__doc__)
    parser.add_argument("only", nargs="*", help=f"which benchmarks: {', '.join(BENCHMARKS)}")
    parser.add_argument("--queries", type=int, default=200, help="queries a layout (default 200)")
    options = parser.parse_args()
    unknown = [name for name in options.only if name not in BENCHMARKS]
    if unknown:
        parser.error(f"unknown benchmark {unknown[0]!r}; known: {', '.join(BENCHMARKS)}")
    machine = environment()
    figures = {}
    for name in options.only or BENCHMARKS:
        for key, figure in BENCHMARKS[name](options.queries).items():
            figure["detail"]["machine"] = machine
            figures[f"{name}.{key}"] = figure
            goal = f" (goal {figure['goal']})" if figure["goal"] is not None else ""
            print(f"{name}.{key}: {figure['value']:.3g} {figure['unit']}{goal}", flush=True)
    LATEST.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
