"""Make the learners that come with the lab, and the example runs that ask them.

python -m lab.experiments.worlds.ship [EXPERIMENT ...]
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

from lab.experiments.events import Result
from lab.experiments.registry import build_params, find_experiment
from lab.runs import examples
from lab.runs.export import write_run
from lab.runs.store import Store
from lab.worlds import shelf, shipped

COMMAND = "python -m lab.experiments.worlds.ship"
SHIPPED: dict[str, dict[str, Any]] = {
    "induction": {},
    "abrupt": {},
    "properties": {},
    "linear": {},
    "softmax": {},
    "metaopt": {},
    "prism": {},
    "window": {},
    "urns": {},
    "automata": {},
    "forgetting": {},
    "factors": {},
}
"""Experiments, with the parameters that differ from the first preset's."""


def ship(experiment_id: str, learners: Path = shipped.FOLDER, runs: Path = examples.FOLDER) -> Path:
    """Grow a learner, ask it, and write both: the learner's file, and the run's folder named by its paper.

    Returns:
        The learner's file.

    Raises:
        ValueError: No learner of that experiment ships; lists those that do.
    """
    from lab.experiments import EXPERIMENTS

    if experiment_id not in SHIPPED:
        raise ValueError(f"learners ship of {', '.join(SHIPPED)}, got {experiment_id!r}: add it to SHIPPED")
    experiment = find_experiment(EXPERIMENTS, experiment_id)
    params = build_params(experiment, SHIPPED[experiment_id])
    with tempfile.TemporaryDirectory() as home, Store(Path(home) / "lab.sqlite3") as store:
        result = next(event for event in experiment.run(params, store) if isinstance(event, Result))
        kept = shelf.find(result.run_id)
        if kept is None:
            raise RuntimeError(f"{experiment_id}: its learner has left the shelf, run it again alone")
        made_by = {"command": f"{COMMAND} {experiment_id}", **store.environment(result.run_id)}
        write_run(store, result.run_id, runs / kept.world.id)
        (runs / kept.world.id / "predictions.json").unlink()  # the CSV holds the same
        return shipped.write(result.run_id, kept, made_by, learners)


if __name__ == "__main__":
    for name in sys.argv[1:] or SHIPPED:
        print(ship(name))
