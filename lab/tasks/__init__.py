"""Tasks: pools of demonstrations and queries, where they come from, how answers are judged.

A reference is a string, so that a recipe can name its task and find it again:
the id of a shipped task ("sentiment"), a kept file ("file-0123456789ab"), the path of a CSV or JSONL file, or
a data set of the hub ("hub:ag_news", "hub:org/name:config?input=text&output=label").
"""

from difflib import get_close_matches

from lab.tasks.embedded import TaskHead, embedded_ids, heads, load_embedded
from lab.tasks.task import Demonstration, Query, Task

__all__ = ["Demonstration", "Query", "Task", "TaskHead", "list_tasks", "load_task"]


def load_task(reference: str) -> Task:
    """Load a task by its reference; loading a task's own id gives the same rows again.

    A path is read and a copy kept under LAB_HOME, so that the task's id ("file-...") works from then on.

    Raises:
        ValueError: If nothing is known by that name (with the nearest names), if what it names is malformed,
            or if a path is given on a shared lab.
    """
    from lab.tasks.files import is_kept_id, load_kept, load_path, looks_like_path

    reference = reference.strip()
    if reference in embedded_ids():
        return load_embedded(reference)
    if reference.startswith("hub:"):
        from lab.tasks.hub import load_hub

        return load_hub(reference)
    if is_kept_id(reference):
        return load_kept(reference)
    if looks_like_path(reference):
        return load_path(reference)
    close = get_close_matches(reference, embedded_ids(), n=3, cutoff=0.5) or embedded_ids()
    raise ValueError(
        f"no task is called {reference!r}; did you mean {' or '.join(close)}? "
        "A file needs the ending .csv, .tsv or .jsonl, a data set of the hub the prefix hub:"
    )


def list_tasks() -> list[TaskHead]:
    """List the shipped tasks, grouped by family, without their rows."""
    return heads()
