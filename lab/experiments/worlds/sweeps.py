"""Maps of a world over two of its settings: what was learned in every cell, trained once and kept.

python -m lab.experiments.worlds.sweeps [EXPERIMENT ...] [--work DIR] [--processes N]

A broken-off sweep goes on from the cells of the same commit in its work folder.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from lab.runs.environment import environment
from lab.runs.plain import plain
from lab.worlds.abrupt import Abrupt
from lab.worlds.factors import Factors
from lab.worlds.forgetting import PartsOfSpeech
from lab.worlds.growth import Growth
from lab.worlds.properties import Properties

FOLDER = Path(__file__).resolve().parents[3] / "assets" / "sweeps"
COMMAND = "python -m lab.experiments.worlds.sweeps"
SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Plan:
    """What a sweep trains.

    Args:
        world: Whose learners.
        x: The setting along the columns, and its values.
        y: The setting along the rows, and its values.
        settings: What else differs from the world's defaults.
        measures: Which of the world's measures are kept, the first shown first.
        against: Two of them that are drawn against each other, such as in context and in weights.
    """

    world: type
    x: tuple[str, tuple[Any, ...]]
    y: tuple[str, tuple[Any, ...]]
    settings: Mapping[str, Any]
    measures: tuple[str, ...]
    against: tuple[str, str]

    def cells(self) -> list[dict[str, Any]]:
        """List the two settings of every cell."""
        (x, columns), (y, rows) = self.x, self.y
        return [{x: column, y: row} for row in rows for column in columns]


PLANS = {
    "abrupt": Plan(
        Abrupt,
        ("n_classes", (32, 128, 512, 1024, 2048, 4096)),
        ("p_bursty", (0.0, 0.25, 0.5, 0.75, 1.0)),
        {"n_steps": 1500},
        ("new_classes", "absent", "swapped"),
        ("new_classes", "absent"),
    ),
    "properties": Plan(
        Properties,
        ("zipf", (0.0, 0.5, 1.0, 1.5, 2.0)),
        ("p_bursty", (0.0, 0.25, 0.5, 0.75, 1.0)),
        {"n_steps": 1500},
        ("holdout", "common", "absent"),
        ("holdout", "common"),
    ),
    "forgetting": Plan(
        PartsOfSpeech,
        ("zipf", (0.0, 0.5, 1.0, 1.5, 2.0)),
        ("every", (5, 10, 40, 100, 400)),
        {"n_steps": 1400, "n_words": 200},
        ("tail_switch", "head_switch", "unseen", "probe"),
        ("tail_switch", "head_switch"),
    ),
    "factors": Plan(
        Factors,
        ("p_fixed", (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)),
        ("noise", (0.0, 0.1, 0.25)),
        {"n_steps": 2000},
        ("random", "fixed", "in_weights", "in_context"),
        ("random", "fixed"),
    ),
}


@dataclass(frozen=True)
class Sweep:
    """A finished sweep.

    Args:
        experiment: Its experiment's id.
        x: The setting along the columns.
        y: The setting along the rows.
        settings: What else differed from the world's defaults.
        measures: What was measured at the end of each training.
        rows: A row a cell and seed: both settings, seed, measures, seconds of training, and on which cpu;
            without one it is that of the environment.
        command: What made it.
        environment: Machine, versions, commit and time.
    """

    experiment: str
    x: str
    y: str
    settings: dict[str, Any]
    measures: list[str]
    rows: list[dict[str, Any]]
    command: str
    environment: dict[str, Any]


def stored(experiment: str, folder: Path | None = None) -> Sweep | None:
    """Read the sweep of an experiment; None where there is none."""
    path = (folder or FOLDER) / f"{experiment}.json"
    return Sweep(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def sweep(experiment: str, work: Path, n_processes: int = 1, folder: Path | None = None) -> Iterator[str]:
    """Train every cell with every seed, and write the sweep; yields a line a training.

    Args:
        experiment: One of `PLANS`.
        work: Holds the cells that are finished; those of this commit are not trained again.
        n_processes: Trainings at a time, of one thread each.
        folder: Where the sweep is written.

    Raises:
        ValueError: There is no plan for that experiment; lists those there are.
    """
    if experiment not in PLANS:
        raise ValueError(f"there are plans for {', '.join(PLANS)}, got {experiment!r}: add it to PLANS")
    plan, made_with = PLANS[experiment], environment()
    done = work / f"{experiment}-{str(made_with['commit'])[:12]}.jsonl"
    work.mkdir(parents=True, exist_ok=True)
    rows = [json.loads(line) for line in done.read_text().splitlines()] if done.is_file() else []
    known = {_key(plan, row) for row in rows}
    wanted = [{**cell, "seed": seed} for seed in SEEDS for cell in plan.cells()]
    left = [cell for cell in wanted if _key(plan, cell) not in known]
    with ProcessPoolExecutor(n_processes, get_context("spawn")) as pool, done.open("a") as file:
        for trained in as_completed([pool.submit(train_cell, experiment, cell) for cell in left]):
            rows.append(row := {**trained.result(), "cpu": made_with["cpu"]})
            file.write(json.dumps(row) + "\n")
            file.flush()
            yield f"{len(rows)} of {len(wanted)}: {row}"
    rows.sort(key=lambda row: _key(plan, row))
    found = Sweep(
        experiment, plan.x[0], plan.y[0], dict(plan.settings), list(plan.measures), rows,
        f"{COMMAND} {experiment}", made_with,
    )  # fmt: skip
    path = (folder or FOLDER) / f"{experiment}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(plain(vars(found)), ensure_ascii=False).replace('{"', '\n{"')
    path.write_text(text + "\n", encoding="utf-8")
    yield f"written {path}"


def train_cell(experiment: str, cell: Mapping[str, Any]) -> dict[str, Any]:
    """Train a learner with the settings and seed of a cell; return the cell with what was measured."""
    plan, settings = PLANS[experiment], dict(cell)
    seed = settings.pop("seed")
    world = plan.world(replace(plan.world().settings, **plan.settings, **settings), seed)
    *_, last = Growth(world, seed, n_measured=1).moments()
    return {
        **cell,
        **{name: last.measures[name] for name in plan.measures},
        "seconds": round(last.seconds, 1),
    }


def _key(plan: Plan, row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["seed"], row[plan.y[0]], row[plan.x[0]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Train maps of worlds over two settings.")
    parser.add_argument("experiments", nargs="*", default=list(PLANS), help=f"of {', '.join(PLANS)}")
    parser.add_argument("--work", type=Path, default=Path("sweeps-work"), help="holds finished cells")
    parser.add_argument("--processes", type=int, default=1, help="trainings at a time")
    given = parser.parse_args(arguments)
    for experiment in given.experiments:
        for line in sweep(experiment, given.work, given.processes):
            print(line, flush=True)


if __name__ == "__main__":
    main()
