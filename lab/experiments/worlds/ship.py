"""Make the learners that come with the lab, and the example runs that ask them.

python -m lab.experiments.worlds.ship [NAME ...]
"""

import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from lab.experiments.events import Result
from lab.experiments.registry import build_params, find_experiment
from lab.runs import examples
from lab.runs.export import write_run
from lab.runs.store import Store
from lab.worlds import shelf, shipped

COMMAND = "python -m lab.experiments.worlds.ship"
FEWER = {"n_queries": 60}  # of those that stand beside the first learner of their world


class Shipment(NamedTuple):
    """A learner that ships.

    Args:
        experiment: Its experiment's id.
        values: The parameters that differ from those of the first preset.
        contrast: What it shows beside the first learner of its world, in a word; "" for the first itself.
    """

    experiment: str
    values: dict[str, Any]
    contrast: str = ""


_FIRST = (
    "induction",
    "abrupt",
    "properties",
    "linear",
    "softmax",
    "metaopt",
    "prism",
    "window",
    "urns",
    "automata",
    "forgetting",
    "factors",
)
_BESIDE = (
    Shipment("induction", {"n_heads": 1, "rate": 3e-4, "n_steps": 1500, "clamp": "previous"}, "given"),
    Shipment("abrupt", {"n_classes": 64, "p_bursty": 0.0, "n_steps": 500}, "weights"),
    Shipment("properties", {"zipf": 0.5, "p_bursty": 0.5}, "both"),
    Shipment("linear", {"n_heads": 1}, "one-head"),
    Shipment("metaopt", {"momentum": 0.5}, "momentum"),
    Shipment("prism", {"family": "mixture"}, "mixture"),
    Shipment("urns", {"n_urns": 512}, "many"),
    Shipment("automata", {"learner": "GRU + n-gram heads"}, "recurrent"),
    Shipment("forgetting", {"forgetting": "none", "n_steps": 400}, "none"),
    Shipment("factors", {"p_fixed": 1.0, "switch": 500}, "switch"),
)
SHIPPED = {name: Shipment(name, {}) for name in _FIRST} | {
    f"{each.experiment}-{each.contrast}": each._replace(values={**each.values, **FEWER}) for each in _BESIDE
}
"""Learners by their names: one of every world, and others that differ from it in what is to be seen."""


def ship(name: str, learners: Path = shipped.FOLDER, runs: Path = examples.FOLDER) -> Path:
    """Grow a learner, ask it, and write both: the learner's file, and the run's folder.

    Both are named by the world's paper, and by what it is beside the first learner there.

    Returns:
        The learner's file.

    Raises:
        ValueError: No learner of that name ships; lists those that do.
    """
    from lab.experiments import EXPERIMENTS

    if name not in SHIPPED:
        raise ValueError(f"learners ship of {', '.join(SHIPPED)}, got {name!r}: add it to SHIPPED")
    shipment = SHIPPED[name]
    experiment = find_experiment(EXPERIMENTS, shipment.experiment)
    params = build_params(experiment, shipment.values)
    with tempfile.TemporaryDirectory() as home, Store(Path(home) / "lab.sqlite3") as store:
        result = next(event for event in experiment.run(params, store) if isinstance(event, Result))
        kept = shelf.find(result.run_id)
        if kept is None:
            raise RuntimeError(f"{name}: its learner has left the shelf, run it again alone")
        made_by = {"command": f"{COMMAND} {name}", **store.environment(result.run_id)}
        slug = "-".join(filter(None, (kept.world.id, shipment.contrast)))
        write_run(store, result.run_id, runs / slug)
        (runs / slug / "predictions.json").unlink()  # the CSV holds the same
        limit = shipped.MAX_BYTES_BESIDE if shipment.contrast else shipped.MAX_BYTES
        return shipped.write(result.run_id, kept, made_by, learners, slug, limit)


if __name__ == "__main__":
    for name in sys.argv[1:] or SHIPPED:
        print(ship(name))
