"""Write the eight task files: `python -m lab.tasks.build [folder]`.

The folder is assets/tasks of this checkout unless another one is named.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from lab.tasks.build.arithmetic import arithmetic
from lab.tasks.build.logic import logic
from lab.tasks.build.places import capitals, currencies
from lab.tasks.build.task_file import TaskFile, to_jsonl
from lab.tasks.build.words import animals_young, antonyms, past_tenses, plurals

TASKS_FOLDER = Path(__file__).parents[3] / "assets" / "tasks"
BUILDERS: tuple[Callable[[], TaskFile], ...] = (
    capitals,
    currencies,
    plurals,
    past_tenses,
    antonyms,
    animals_young,
    arithmetic,
    logic,
)


def write_all(folder: Path) -> list[Path]:
    """Build every task and write its file; returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for build in BUILDERS:
        task = build()
        path = folder / f"{task.head.id}.jsonl"
        path.write_text(to_jsonl(task), encoding="utf-8", newline="\n")
        paths.append(path)
    return paths


if __name__ == "__main__":
    for path in write_all(Path(sys.argv[1]) if len(sys.argv) > 1 else TASKS_FOLDER):
        print(path)
